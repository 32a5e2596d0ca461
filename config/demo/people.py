"""Let the demo's people in: accounts with their roles, and a client for the partner's system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import User
from oauth2_provider.models import Application

from config import demo, environment, roles
from orders.models import CustomerAccess
from parts.actors import Actor

CLIENT_ID = "demo-partner"


@dataclass(frozen=True, slots=True)
class Cast:
    """The demo's people as those who act, with the rights of their roles."""

    manager: Actor
    deputy: Actor
    dispatcher: Actor
    technician: Actor
    partner: Actor
    technician_id: int


@dataclass(frozen=True, slots=True)
class Client:
    """How the partner's system logs in; the secret is made once for this installation and kept in its folder."""

    id: str
    secret: str


def let_in() -> Cast:
    """Create whoever of the people is missing and give each their role. A repeat changes nothing."""
    known = {user.username: user for user in User.objects.filter(username__in=[one.username for one in demo.PEOPLE])}
    for person in demo.PEOPLE:
        if person.username not in known:
            user = User(username=person.username, first_name=person.username.capitalize())
            user.email = f"{person.username}@demo.example"
            user.set_password(demo.PASSWORD)
            user.save()
            roles.give_role(user, roles.role_named(person.role))
            known[person.username] = user
    return Cast(
        manager=Actor.user(known["manager"]),
        deputy=Actor.user(known["deputy"]),
        dispatcher=Actor.user(known["dispatcher"]),
        technician=Actor.user(known["technician"]),
        partner=Actor.user(known["partner"]),
        technician_id=known["technician"].pk,
    )


def give_access(customer_ids: Sequence[UUID]) -> None:
    """Let the partner see and order for these customers."""
    partner = User.objects.get(username="partner")
    CustomerAccess.objects.bulk_create(
        [CustomerAccess(user=partner, customer_id=key) for key in customer_ids], ignore_conflicts=True
    )


def register_client() -> Client:
    """Register the partner's system, or give it this installation's secret again."""
    secret = environment.generated_secret(settings.BACKLINE_VAR / "demo_client_secret")
    client = Application.objects.filter(client_id=CLIENT_ID).first() or Application(client_id=CLIENT_ID)
    if not client.client_secret or not check_password(secret, client.client_secret):
        client.name = "Partner's system (demo)"
        client.user = User.objects.get(username="partner")
        client.client_type = Application.CLIENT_CONFIDENTIAL
        client.authorization_grant_type = Application.GRANT_CLIENT_CREDENTIALS
        client.client_secret = secret
        client.save()
    return Client(CLIENT_ID, secret)

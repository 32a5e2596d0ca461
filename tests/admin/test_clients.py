"""Systems that connect: a client has a real secret, and acts for nobody whom its editor is not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from oauth2_provider.models import Application

from config import roles
from tests.admin.desk import desk_of, page, text

pytestmark = pytest.mark.django_db

ADD = "/admin/oauth2_provider/application/add/"
SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def machine(db: None) -> User:
    """An account that nobody signs in with, with the rights of a parts manager."""
    account = User.objects.create_user("erp")
    roles.give_role(account, roles.MANAGER)
    return account


def _given(user: User, **more: Any) -> dict[str, Any]:
    return {"name": "ERP", "client_id": "erp", "client_secret": SECRET, "user": user.pk, "_save": "Save", **more}


def _token(secret: str | None, client_id: str = "erp") -> int:
    """Ask for a token and return the status of the answer."""
    data = {"grant_type": "client_credentials", "scope": "orders:read", "client_id": client_id}
    if secret is not None:
        data["client_secret"] = secret
    return Client().post("/oauth/token/", data).status_code


# --- What a client must be -------------------------------------------------------------------------------------------


def test_an_administrator_sets_up_a_client_and_it_gets_a_token(administrator: User, machine: User) -> None:
    assert desk_of(administrator).post(ADD, _given(machine)).status_code == 302
    client = Application.objects.get()
    assert (client.client_type, client.authorization_grant_type) == ("confidential", "client-credentials")
    assert client.hash_client_secret
    assert SECRET not in client.client_secret
    assert (_token(SECRET), _token("wrong" * 10), _token("")) == (200, 401, 401)


def test_the_form_draws_a_secret(administrator: User) -> None:
    form = desk_of(administrator).get(ADD).context["adminform"].form
    assert len(form["client_secret"].initial) >= 32
    assert "Copy it now" in form["client_secret"].help_text


@pytest.mark.parametrize("secret", ["", "short", "x" * 31])
def test_a_client_without_a_real_secret_is_not_saved(administrator: User, machine: User, secret: str) -> None:
    answer = desk_of(administrator).post(ADD, _given(machine, client_secret=secret))
    assert "client_secret" in answer.context["adminform"].form.errors
    assert not Application.objects.exists()


def test_nobody_makes_it_another_kind_of_client(administrator: User, machine: User) -> None:
    desk_of(administrator).post(
        ADD, _given(machine, client_type="public", authorization_grant_type="password", hash_client_secret="")
    )
    client = Application.objects.get()
    assert (client.client_type, client.authorization_grant_type) == ("confidential", "client-credentials")


def test_a_secret_is_kept_where_none_is_entered_and_changed_where_one_is(administrator: User, machine: User) -> None:
    desk = desk_of(administrator)
    desk.post(ADD, _given(machine))
    client = Application.objects.get()
    assert client.client_secret not in text(desk.get(page(client)))
    assert desk.post(page(client), _given(machine, name="Other", client_secret="")).status_code == 302
    assert _token(SECRET) == 200
    assert desk.post(page(client), _given(machine, client_secret=SECRET[::-1])).status_code == 302
    assert (_token(SECRET), _token(SECRET[::-1])) == (401, 200)


@pytest.mark.parametrize(
    "other",
    [
        {"client_type": "public"},
        {"authorization_grant_type": "password"},
        {"hash_client_secret": False},
    ],
)
def test_the_database_takes_no_other_kind_of_client(machine: User, other: dict[str, Any]) -> None:
    kind = {"client_type": "confidential", "authorization_grant_type": "client-credentials"}
    with pytest.raises(IntegrityError, match="backline_client_is_confidential"), transaction.atomic():
        Application.objects.create(user=machine, client_secret=SECRET, **(kind | other))


# --- For whom it acts ------------------------------------------------------------------------------------------------


def test_no_client_acts_for_who_is_above_all_rights(administrator: User, above_all: User) -> None:
    above_all.set_unusable_password()
    above_all.save()
    answer = desk_of(administrator).post(ADD, _given(above_all))
    assert "user" in answer.context["adminform"].form.errors
    assert not Application.objects.exists()


def test_no_client_acts_for_another_person(administrator: User, manager: User, machine: User) -> None:
    machine.last_login = timezone.now()  # somebody signs in with it after all
    machine.save()
    for person in (manager, machine):
        answer = desk_of(administrator).post(ADD, _given(person))
        assert "user" in answer.context["adminform"].form.errors
    assert not Application.objects.exists()


def test_only_accounts_that_a_client_may_act_for_are_offered(
    administrator: User, manager: User, above_all: User, machine: User
) -> None:
    query = {"app_label": "oauth2_provider", "model_name": "application", "field_name": "user", "term": ""}
    offered = json.loads(desk_of(administrator).get(reverse("admin:autocomplete"), query).content)["results"]
    assert {row["text"] for row in offered} == {"administrator", "erp"}


def test_a_client_that_acts_for_a_person_gets_no_new_secret_from_an_administrator(
    administrator: User, manager: User, above_all: User
) -> None:
    above = desk_of(above_all)
    assert above.post(ADD, _given(manager)).status_code == 302
    client = Application.objects.get()
    desk = desk_of(administrator)
    assert desk.post(page(client), _given(manager, client_secret=SECRET[::-1])).status_code == 403
    shown = text(desk.get(page(client)))
    assert client.client_id in shown
    assert client.client_secret not in shown
    assert above.post(page(client), _given(manager, client_secret=SECRET[::-1])).status_code == 302

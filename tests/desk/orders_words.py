"""The few words that tests of the order pages and of placing need."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from orders.models import ServiceOrder

QUICK = {"HX-Request": "true", "HX-Target": "order"}
PLACE = "/desk/place/"


def desk_of(person: User) -> Client:
    """Return the browser of somebody who is signed in."""
    client = Client()
    client.force_login(person)
    return client


def at(order: Any) -> str:
    """Return the address of an order's page."""
    name = "desk:service-order" if isinstance(order, ServiceOrder) else "desk:parts-order"
    return reverse(name, args=[order.reference])


def text(answer: Any) -> str:
    """Return a page as text, with blanks and markup gone."""
    shown = re.sub(r"<(script|style|template)\b.*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", shown))


def do(client: Client, order: Any, deed: str, *, quick: Any = False, **facts: Any) -> Any:
    """Do a deed on an order's page; the version is the present one unless another is named."""
    order.refresh_from_db()
    asked = {"deed": deed, "expected_version": order.version, **facts}
    return client.post(at(order), asked, headers=QUICK if quick else {})

"""What the queue adds to the page of a delivery: which orders it freed, and what to do with which units."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from backorders.freed import Freed, freed_by
from parts.admin.offices import Guest, bring
from parts.models import Delivery


def _freed(request: HttpRequest, delivery: Any) -> Freed:
    return freed_by(delivery)


bring(
    Delivery,
    guests=(
        Guest("admin/backorders/delivery/freed.html", _freed, permission="orders.view_partsorder", comes_first=True),
    ),
)

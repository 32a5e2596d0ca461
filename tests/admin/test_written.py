"""How the back office writes numbers: as the reader does, with their unit, without zeros that only say how they lie."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from parts.models import StockLevel
from tests.admin.world import World


@pytest.fixture
def office(client: Client, manager: User) -> Client:
    client.force_login(manager)
    return client


def cell(page: str, name: str) -> str:
    """Return the text of the first cell of a column."""
    found = re.search(rf'class="field-{name} [^>]*>(.*?)</t[dh]>', page, re.DOTALL)
    assert found, f"there is no column {name}"
    return re.sub(r"<[^>]+>", "", found[1]).strip()


@pytest.mark.django_db
@pytest.mark.parametrize(("language", "half"), [("en", "2.5"), ("de", "2,5")])
def test_a_quantity_is_read_by_nobody_as_thousands(office: Client, language: str, half: str) -> None:
    some = World()
    level = some.stocked(some.part_in_stock())
    StockLevel.objects.filter(pk=level.pk).update(on_hand=Decimal("2.5"), reserved=2)
    office.cookies["django_language"] = language
    listed = office.get(reverse("admin:parts_stocklevel_changelist"), {"part__id__exact": str(level.part_id)})
    assert cell(listed.content.decode(), "on_hand") in (half, "1")
    assert "2.000" not in listed.content.decode()
    shown = office.get(reverse("admin:parts_stocklevel_change", args=[level.pk])).content.decode()
    assert half in shown
    assert not re.search(r"\d[.,]\d00\b", re.sub(r"<[^>]+>", " ", shown))


@pytest.mark.django_db
def test_parts_are_listed_with_unit_and_money(office: Client) -> None:
    part = World().part_in_stock()
    page = office.get(reverse("admin:parts_part_changelist"), {"q": part.number}).content.decode()
    assert cell(page, "free") == "10 pieces"
    assert re.fullmatch(r"[0-9.]+ EUR", cell(page, "cost"))


@pytest.mark.django_db
def test_what_is_missing_is_listed_with_its_unit(office: Client) -> None:
    World().short()
    page = office.get(reverse("admin:backorders_backorder_changelist"), {"view": "waiting"}).content.decode()
    assert cell(page, "missing") == "3 pieces"


@pytest.mark.django_db
def test_a_list_without_rows_says_why(office: Client) -> None:
    address = reverse("admin:backorders_backorder_changelist")
    assert "Nothing fits what you look for" in office.get(address, {"q": "flux capacitor"}).content.decode()
    assert (
        "nobody adds them by hand" in office.get(reverse("admin:backorders_allocationrun_changelist")).content.decode()
    )

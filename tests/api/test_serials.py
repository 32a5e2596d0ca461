"""Serial numbers of what was delivered: taken in, read and found through the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from parts.models import Delivery, DeliverySerial
from tests.api.world import Caller, World

pytestmark = pytest.mark.django_db


def delivered(world: World, note: str = "DN-1", quantity: str = "3", **line: Any) -> dict[str, Any]:
    return {
        "supplier": str(world.supplier.pk),
        "warehouse": str(world.near.pk),
        "note_number": note,
        "received_at": timezone.now().isoformat(),
        "lines": [{"part": str(world.parts[4].pk), "quantity": quantity, **line}],
    }


def test_serials_are_taken_in_and_read_in_the_order_they_were_read_off(world: World, erp: Caller) -> None:
    answer = erp.post("deliveries/", delivered(world, serials=["HP-9", "HP-1", "HP-5"]))
    assert answer.status_code == 201
    read = erp.get(f"deliveries/{answer.json()['id']}/").json()
    assert read["lines"][0]["serials"] == ["HP-9", "HP-1", "HP-5"]
    [listed] = erp.get("deliveries/").json()["results"]
    assert listed["lines"] == read["lines"]


def test_a_delivery_without_serials_has_none(world: World, erp: Caller) -> None:
    key = erp.post("deliveries/", delivered(world)).json()["id"]
    assert erp.get(f"deliveries/{key}/").json()["lines"][0]["serials"] == []


def test_a_delivery_is_found_by_a_serial_in_any_spelling(world: World, erp: Caller) -> None:
    first = erp.post("deliveries/", delivered(world, serials=["HP-88 121"])).json()["id"]
    erp.post("deliveries/", delivered(world, "DN-2", serials=["HP-2"]))
    for spelled in ("hp88121", "HP-88 121", "HP 88-121"):
        assert [row["id"] for row in erp.get("deliveries/", {"serial": spelled}).json()["results"]] == [first]
    assert erp.get("deliveries/", {"serial": "HP-88"}).json()["results"] == []


@pytest.mark.parametrize(
    "serials", [["A", "A"], [""], [" "], ["x" * 81], ["A", "B", "C", "D"], "A", [None], {"a": 1}, ["a\x00b"]]
)
def test_serials_that_cannot_be_are_refused_and_nothing_is_booked(world: World, erp: Caller, serials: Any) -> None:
    answer = erp.post("deliveries/", delivered(world, serials=serials))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert not Delivery.objects.exists()


def test_the_same_note_with_other_serials_is_another_delivery(world: World, erp: Caller) -> None:
    first = erp.post("deliveries/", delivered(world, serials=["A", "B"])).json()
    again = erp.post("deliveries/", delivered(world, serials=["B", "A"])).json()
    assert (again["id"], again["replayed"]) == (first["id"], True)
    other = erp.post("deliveries/", delivered(world, serials=["A", "C"]))
    assert (other.status_code, other.json()["code"]) == (409, "delivery_note_used")
    assert DeliverySerial.objects.count() == 2


def test_a_partner_books_and_reads_none(world: World, dealer: Caller) -> None:
    assert dealer.post("deliveries/", delivered(world, serials=["A"])).status_code == 403
    assert dealer.get("deliveries/", {"serial": "A"}).status_code == 403


def test_a_list_with_serials_costs_the_same_for_two_and_for_twenty(
    world: World, erp: Caller, django_assert_max_num_queries: Any
) -> None:
    def queries(size: int) -> int:
        with django_assert_max_num_queries(100) as counted:
            assert len(erp.get("deliveries/", {"page_size": size}).json()["results"]) == size
        return len(counted)

    for number in range(20):
        erp.post("deliveries/", delivered(world, f"DN-{number}", serials=[f"S{number}-{place}" for place in range(3)]))
    queries(2)
    assert queries(2) == queries(20)

"""Serial numbers of what leaves, through the API: taken in, read with their line, and found."""

from __future__ import annotations

from typing import Any

import pytest

from orders.models import Shipment, ShippedSerial
from tests.api.world import Caller, World

pytestmark = pytest.mark.django_db


@pytest.fixture
def placed(world: World, erp: Caller) -> dict[str, Any]:
    answer: dict[str, Any] = erp.post("parts-orders/", world.order()).json()
    return answer


def ship(caller: Caller, order: dict[str, Any], place: int = 0, **item: Any) -> Any:
    body = {"walk": True, "lines": [{"line": order["lines"][place]["id"], **item}]}
    return caller.post(f"parts-orders/{order['id']}/ship/", body)


def test_serial_numbers_leave_with_an_order_are_read_with_their_line_and_find_the_order(
    placed: dict[str, Any], world: World, erp: Caller
) -> None:
    other = erp.post("parts-orders/", world.order()).json()
    assert ship(erp, placed, quantity="1", serials=["HP-1"]).status_code == 200
    line = erp.get(f"parts-orders/{placed['id']}/").json()["lines"][0]
    gone = [row for row in [line, *line["children"]] if row["status"] == "shipped"]
    assert [row["serials"] for row in gone] == [["HP-1"]]
    assert erp.get(f"lines/{gone[0]['id']}/").json()["serials"] == ["HP-1"]
    assert {tuple(row["serials"]) for row in erp.get(f"parts-orders/{other['id']}/").json()["lines"]} == {()}
    for spelled in ("HP-1", "hp1", "Hp 1"):
        found = erp.get("parts-orders/", {"serial": spelled}).json()["results"]
        assert [row["id"] for row in found] == [placed["id"]]
    assert erp.get("parts-orders/", {"serial": "HP"}).json()["results"] == []


def test_a_line_leaves_with_serial_numbers_of_its_own_door(placed: dict[str, Any], erp: Caller) -> None:
    key = placed["lines"][0]["id"]
    answer = erp.post(f"lines/{key}/ship/", {"walk": True, "serials": ["HP-1"]})
    assert answer.status_code == 200
    assert ShippedSerial.objects.get().shipment_line.line_id.hex == key.replace("-", "")


def test_a_serial_number_that_is_gone_is_refused_with_a_code_of_its_own(
    placed: dict[str, Any], world: World, erp: Caller
) -> None:
    ship(erp, placed, quantity="1", serials=["HP-1"])
    other = erp.post("parts-orders/", world.order()).json()
    answer = ship(erp, other, quantity="1", serials=["hp 1"])
    assert (answer.status_code, answer.json()["code"]) == (409, "serial_gone")
    assert list(answer.json()["fields"]) == ["lines.0.serials"]
    assert answer.json()["serials"] == ["hp 1"]
    assert Shipment.objects.count() == 1


@pytest.mark.parametrize(
    "serials", [["A", "A"], [""], [" "], ["x" * 81], ["A", "B", "C"], "A", [None], {"a": 1}, ["a\x00b"], ["--"]]
)
def test_serial_numbers_that_cannot_be_are_refused_and_nothing_leaves(
    placed: dict[str, Any], erp: Caller, serials: Any
) -> None:
    answer = ship(erp, placed, quantity="1", serials=serials)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert not Shipment.objects.exists()

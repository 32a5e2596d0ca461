"""Parts orders and their lines through the API."""

from __future__ import annotations

import pytest

from tests.api.world import Caller, World

pytestmark = pytest.mark.django_db


def test_an_order_says_in_the_same_answer_what_is_reserved_and_what_is_back_ordered_until_when(
    world: World, erp: Caller
) -> None:
    answer = erp.post("parts-orders/", world.order())
    assert answer.status_code == 201
    placed = answer.json()
    assert answer["Location"] == f"/api/v1/parts-orders/{placed['id']}/"
    assert answer["ETag"] == f'"{placed["version"]}"'
    assert [line["status"] for line in placed["lines"]] == ["reserved"] * 4 + ["back_ordered"]
    held, missing = placed["lines"][4]["children"]
    assert (held["status"], held["quantity"], held["back_order"]) == ("reserved", "2.000", None)
    assert (missing["status"], missing["quantity"]) == ("back_ordered", "3.000")
    assert missing["back_order"]["reference"].startswith("B")
    assert missing["back_order"]["expected_on"] is None


def test_an_order_is_read_with_its_lines_and_their_children(world: World, erp: Caller) -> None:
    placed = erp.post("parts-orders/", world.order()).json()
    read = erp.get(f"parts-orders/{placed['id']}/")
    assert read.status_code == 200
    order = read.json()
    assert (order["reference"], order["customer"]) == (placed["reference"], str(world.ours.pk))
    assert [line["part_number"] for line in order["lines"]] == [part.number for part in world.parts]
    assert [len(line["children"]) for line in order["lines"]] == [0, 0, 0, 0, 2]

"""Another part for a line that waits: put aside in the same order, in the same transaction."""

from __future__ import annotations

from typing import Any

import pytest

from orders.actions import lines
from orders.actions.substituting import substitute
from orders.errors import ReasonRequired, TransitionRefused
from parts.errors import Forbidden, Invalid, NotEnoughStock
from parts.models import Part
from tests.factories.parts import PartFactory
from tests.orders.desk import NOBODY, TOLD, Desk, back_order, balance, child, d, days, kinds, leaf, line, order, tree
from tests.racing import race

WHY: dict[str, Any] = {"reason": "The maker released it for this model"}


def other(desk: Desk, quantity: int = 4) -> Part:
    part: Part = PartFactory.create()
    desk.put(quantity, part=part)
    return part


def facts(desk: Desk, line_id: Any, part: Part, replaces: int = 2, quantity: int = 2) -> dict[str, Any]:
    asked = {"line_id": line_id, "replaces": d(replaces), "part_id": part.pk, "quantity": d(quantity)}
    return asked | {"warehouse_id": desk.warehouse.pk} | WHY


def test_the_other_part_is_put_aside_and_the_wait_is_over(desk: Desk) -> None:
    placed = desk.place(2)
    waits, part = leaf(placed, "back_ordered"), other(desk)
    new = substitute(**facts(desk, waits.id, part, quantity=4), **TOLD)
    assert tree(placed.id) == [("1", "cancelled", d(2)), ("1.1", "cancelled", d(2)), ("2", "reserved", d(4))]
    assert new.reference == f"{placed.reference}/2"
    assert desk.balance(part) == balance(4, 4)
    assert back_order(waits.id).status == "substituted"
    assert kinds(line(waits.id).pk)[-1] == "line.status_changed cancelled"
    assert order(placed.id).status == "reserved"


def test_the_promise_goes_along(desk: Desk) -> None:
    waits = leaf(desk.place(5), "back_ordered")
    lines.promise(line_id=waits.id, promised_on=days(2), **TOLD)
    lines.promise(line_id=waits.id, promised_on=days(4), reason="Late", **TOLD)
    for quantity in (2, 3):  # a part of it, then the rest
        new = line(substitute(**facts(desk, waits.id, other(desk), replaces=quantity), **TOLD).id)
        assert (new.first_promised_on, new.promised_on) == (days(2), days(4))


def test_of_a_part_of_it_the_rest_waits_on(desk: Desk) -> None:
    placed = desk.place(5)
    waits, part = leaf(placed, "back_ordered"), other(desk)
    substitute(**facts(desk, waits.id, part, replaces=2), **TOLD)
    assert (back_order(waits.id).status, back_order(waits.id).quantity) == ("open", d(3))
    assert child(placed, "1.2").status == "cancelled"
    assert child(placed, "2").quantity == d(2)


def test_a_job_goes_on_when_the_last_that_was_missing_is_replaced(desk: Desk) -> None:
    job = desk.job("in_progress")
    placed = desk.place(2, service_order_id=job.pk)
    job.refresh_from_db()
    assert job.status == "awaiting_parts"
    substitute(**facts(desk, leaf(placed, "back_ordered").id, other(desk)), **TOLD)
    job.refresh_from_db()
    assert job.status == "in_progress"


def test_it_is_refused_whole_and_a_repeat_is_too(desk: Desk) -> None:
    placed = desk.place(2)
    waits, part = leaf(placed, "back_ordered"), other(desk)
    asked = facts(desk, waits.id, part)
    refusals: list[tuple[type[Exception], dict[str, Any]]] = [
        (Forbidden, {"by": NOBODY}),
        (ReasonRequired, {"reason": " "}),
        (NotEnoughStock, {"quantity": d(5)}),
        (Invalid, {"replaces": d(3)}),
        (Invalid, {"quantity": d("0.5")}),
    ]
    for kind, changes in refusals:
        with pytest.raises(kind):
            substitute(**asked | TOLD | changes)
    assert tree(placed.id) == [("1", "back_ordered", d(2)), ("1.1", "back_ordered", d(2))]
    substitute(**asked, **TOLD)
    with pytest.raises(TransitionRefused):
        substitute(**asked, **TOLD)
    assert desk.balance(part) == balance(4, 2)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_want_the_same_units_one_gets_them() -> None:
    desk = Desk()
    part = other(desk, 2)
    waits = [leaf(desk.place(2), "back_ordered") for _ in range(2)]
    one, two = race(*(lambda row=row: substitute(**facts(desk, row.id, part), **TOLD) for row in waits))
    assert one.error is None
    assert isinstance(two.error, NotEnoughStock)
    assert desk.balance(part) == balance(2, 2)

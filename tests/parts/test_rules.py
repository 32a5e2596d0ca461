"""The ground floor's pure decisions."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parts.keys import new_key
from parts.receiving import WaitingLine, share_out
from parts.rules import MAX_QUANTITY, Balance, number_problem, part_of_it_problem, quantity_problem
from tests.parts.shelf import NOW, balance, d

PART, SUPPLIER, WAREHOUSE, ORDER = (new_key() for _ in range(4))


def line(open_quantity: Decimal, place: int, line_id: UUID | None = None) -> WaitingLine:
    return WaitingLine(
        id=line_id or new_key(),
        part_id=PART,
        purchase_order_id=ORDER,
        supplier_id=SUPPLIER,
        warehouse_id=WAREHOUSE,
        order_status="ordered",
        ordered_at=NOW + timedelta(days=place),
        position=1,
        open_quantity=open_quantity,
    )


amounts = st.integers(0, 30).map(lambda thousandths: Decimal(thousandths) / 4)


@given(quantity=amounts.filter(bool), bad=amounts, waiting=st.lists(amounts, max_size=6), shuffled=st.randoms())
def test_a_delivery_is_shared_out_whole_oldest_first_and_fit_units_first(
    quantity: Decimal, bad: Decimal, waiting: list[Decimal], shuffled: Random
) -> None:
    unfit = min(bad, quantity)
    lines = [line(open_quantity, place) for place, open_quantity in enumerate(waiting)]
    given_order = list(lines)
    shuffled.shuffle(given_order)

    shares = share_out(quantity, unfit, named=None, waiting=given_order)

    assert sum(share.quantity for share in shares) == quantity
    assert sum(share.unfit for share in shares) == unfit
    assert all(0 <= share.unfit <= share.quantity > 0 for share in shares)
    filled = {share.line.id: share.quantity for share in shares if share.line}
    for place, open_quantity in enumerate(waiting):
        taken = filled.get(lines[place].id, Decimal(0))
        assert taken <= open_quantity
        assert lines[place].open_quantity == open_quantity - taken
        if taken < open_quantity:  # then nothing is left for those behind it, nor for none
            assert not any(lines[later].id in filled for later in range(place + 1, len(lines)))
            assert all(share.line is not None for share in shares)
    fit_left = quantity - unfit
    for share in shares:
        assert share.quantity - share.unfit == min(share.quantity, fit_left)
        fit_left -= share.quantity - share.unfit


@given(quantity=amounts.filter(bool), open_quantity=amounts)
def test_a_named_line_takes_all_and_waits_for_what_is_left(quantity: Decimal, open_quantity: Decimal) -> None:
    named = line(open_quantity, 0)

    [share] = share_out(quantity, Decimal(0), named=named, waiting=[line(Decimal(5), 1)])

    assert (share.line, share.quantity, share.open_before) == (named, quantity, open_quantity)
    assert named.open_quantity == max(Decimal(0), open_quantity - quantity)


@pytest.mark.parametrize(
    ("value", "decimals", "problem"),
    [
        ("1", 0, None),
        ("1.0", 0, None),
        ("1.5", 0, "must be a whole number"),
        ("1.25", 2, None),
        ("1.255", 2, "must have at most 2 decimals"),
        ("0", 0, "must be above zero"),
        ("-1", 0, "must be above zero"),
        ("NaN", 0, "must be a finite number"),
        ("sNaN", 0, "must be a finite number"),
        ("-Infinity", 0, "must be a finite number"),
        (str(MAX_QUANTITY), 3, None),
        ("1E+11", 3, f"must not be larger than {MAX_QUANTITY}"),
        ("1E-30", 3, "must have at most 3 decimals"),
    ],
)
def test_a_quantity_is_what_its_unit_allows(value: str, decimals: int, problem: str | None) -> None:
    assert quantity_problem(d(value), decimals) == problem


def test_zero_may_be_a_part_but_nothing_below() -> None:
    assert part_of_it_problem(d(0), 0) is None
    assert part_of_it_problem(d(-1), 0) == "must not be below zero"
    assert number_problem(d(-1), 0) is None


def test_a_float_is_no_quantity() -> None:
    not_a_decimal: Any = 1.5
    assert number_problem(not_a_decimal, 0) == "must be a decimal number"


@pytest.mark.parametrize(
    ("what", "is_possible"),
    [
        (balance(10, 4, 6), True),
        (balance(10, 5, 6), False),
        (balance(10, -1), False),
        (balance(10, 0, -1), False),
        (balance(-1), False),
        (Balance(MAX_QUANTITY + 1), False),
    ],
)
def test_a_level_promises_nothing_it_has_not(what: Balance, is_possible: bool) -> None:
    assert what.is_possible is is_possible

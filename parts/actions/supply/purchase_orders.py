"""Order from suppliers, note what they confirm, and take back what is no longer wanted."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, transaction
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from parts import sql
from parts.actions.announcing import announce_supply
from parts.actions.history import history_facts
from parts.actors import Actor
from parts.errors import NotFound, NotOnOrder, NumberUsed
from parts.keys import new_key
from parts.models import PurchaseOrder, PurchaseOrderLine
from parts.progress import CHUNK, Progress, silent
from parts.rules import (
    MAX_MONEY,
    ZERO,
    Problems,
    day_problem,
    number_problem,
    quantity_problem,
    text_problem,
)
from parts.sentences import Says, Sentence, sentence
from parts.statuses import PurchaseOrderStatus

#: Numbers of this form are drawn from a sequence; nobody else gives them out.
OUR_NUMBER = re.compile(r"PUR-\d+")


@dataclass(frozen=True, slots=True)
class PurchaseLine:
    """A part to be ordered: quantity in its unit, cost per unit, and when it is expected, if that is known."""

    part_id: UUID
    quantity: Decimal
    unit_cost: Decimal = ZERO
    expected_on: date | None = None


@dataclass(frozen=True, slots=True)
class NewPurchaseOrder:
    """A purchase order to be placed; its lines keep their order. Without a number it gets the next of ours."""

    supplier_id: UUID
    warehouse_id: UUID
    lines: Sequence[PurchaseLine]
    ordered_at: datetime
    number: str | None = None


@dataclass(frozen=True, slots=True)
class PlacedPurchaseOrder:
    """A purchase order as it was placed, with its lines' keys in their order."""

    id: UUID
    number: str
    line_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The date on which a supplier now says that a line will come."""

    line_id: UUID
    expected_on: date


@dataclass(frozen=True, slots=True)
class ConfirmedLine:
    """A purchase order line and the dates that are known of it."""

    line_id: UUID
    part_id: UUID
    expected_before: date | None
    expected_on: date
    first_confirmed_on: date


@dataclass(frozen=True, slots=True)
class CancelledLine:
    """How much of a line was cancelled, how much is still to come, and what became of its order."""

    line_id: UUID
    cancelled: Decimal
    open_quantity: Decimal
    order_status: str


def place_purchase_order(
    *,
    supplier_id: UUID,
    warehouse_id: UUID,
    number: str | None = None,
    lines: Sequence[PurchaseLine],
    ordered_at: datetime,
    by: Actor,
    source: str,
    at: datetime,
) -> PlacedPurchaseOrder:
    """Place one purchase order; see `place_purchase_orders`."""
    order = NewPurchaseOrder(supplier_id, warehouse_id, lines, ordered_at, number)
    return place_purchase_orders(orders=[order], by=by, source=source, at=at)[0]


def place_purchase_orders(
    *,
    orders: Sequence[NewPurchaseOrder],
    by: Actor,
    source: str,
    at: datetime,
    progress: Progress = silent,
    announce: bool = True,
) -> list[PlacedPurchaseOrder]:
    """Place any number of purchase orders, all or none, with their history.

    `announce=False` is for a caller who changes more supply in this transaction and announces all of it. Raises
    Forbidden (`parts.manage_purchase_orders`), Invalid, NotFound (supplier, warehouse or part), and NumberUsed: an
    order that has a number of its own is never placed twice.
    """
    by.require("parts.manage_purchase_orders")
    _check(orders, source, at)
    if not orders:
        return []
    with transaction.atomic():
        # Parts first: the new lines refer to them, and whoever adds a level of one would wait for the queue we peg.
        sql.stock.HOLD_PARTS.rows(part_ids=sorted({line.part_id for order in orders for line in order.lines}))
        _check_quantities(orders, _read_decimals(orders))
        _refuse_used(orders)
        heads, lines = _rows(orders)
        try:
            with transaction.atomic():
                bulk_create_with_history(heads, PurchaseOrder, batch_size=CHUNK, **history_facts(by, source, at))
        except IntegrityError:
            _refuse_used(orders)  # somebody else took one of the numbers between our look and our writing
            raise
        for start in range(0, len(lines), CHUNK):
            chunk = lines[start : start + CHUNK]
            bulk_create_with_history(chunk, PurchaseOrderLine, batch_size=CHUNK, **history_facts(by, source, at))
            progress("writing", start + len(chunk), len(lines))
        if announce:
            announce_supply(place_purchase_orders, [line.part_id for line in lines], by=by, source=source, at=at)
    keys: dict[UUID, list[UUID]] = {head.pk: [] for head in heads}
    for line in lines:
        keys[line.purchase_order_id].append(line.pk)
    return [PlacedPurchaseOrder(head.pk, head.number, tuple(keys[head.pk])) for head in heads]


def confirm_purchase_order_lines(
    *, confirmations: Sequence[Confirmation], by: Actor, source: str, at: datetime, announce: bool = True
) -> list[ConfirmedLine]:
    """Note the supplier's present date of lines that are still to come; the first one given is kept for good.

    A date that stands already changes nothing. `announce` as in placing. Raises Forbidden
    (`parts.manage_purchase_orders`), Invalid, NotFound, and NotOnOrder where nothing of a line is to come.
    """
    by.require("parts.manage_purchase_orders")
    problems = Problems()
    problems.origin(source, at)
    wanted = {confirmation.line_id: confirmation.expected_on for confirmation in confirmations}
    if len(wanted) != len(confirmations):
        problems.add("confirmations", sentence("must not name a line twice"))
    for place, confirmation in enumerate(confirmations):
        problems.add(f"confirmations.{place}.expected_on", day_problem(confirmation.expected_on))
    problems.raise_if_any()
    if not wanted:
        return []
    with transaction.atomic():
        lines = locked_lines(list(wanted))
        confirmed, changed = [], []
        for line in lines:
            _refuse_not_incoming(line)
            before = line.expected_on
            line.expected_on = wanted[line.pk]
            is_first = line.first_confirmed_on is None
            line.first_confirmed_on = first = line.first_confirmed_on or wanted[line.pk]
            confirmed.append(ConfirmedLine(line.pk, line.part_id, before, wanted[line.pk], first))
            if is_first or before != line.expected_on:
                changed.append(line)
        if changed:
            _write_dates(changed)
            PurchaseOrderLine.history.bulk_history_create(
                changed, batch_size=CHUNK, update=True, **history_facts(by, source, at)
            )
            if announce:
                part_ids = [line.part_id for line in changed]
                announce_supply(confirm_purchase_order_lines, part_ids, by=by, source=source, at=at)
    return confirmed


def cancel_purchase_order_line(
    *, line_id: UUID, quantity: Decimal | None = None, by: Actor, source: str, at: datetime
) -> CancelledLine:
    """Take back what a line still waits for, or some of it; an order that waits for nothing more is closed.

    It counts as cancelled where nothing at all of it came. Raises Forbidden (`parts.manage_purchase_orders`), Invalid,
    NotFound, and NotOnOrder where less than the quantity is still to come (`extra['open_quantity']`).
    """
    by.require("parts.manage_purchase_orders")
    problems = Problems()
    problems.origin(source, at)
    problems.raise_if_any()
    with transaction.atomic():
        [line] = locked_lines([line_id])
        _refuse_not_incoming(line)
        still_open = line.quantity - line.received - line.cancelled
        taken = still_open if quantity is None else quantity
        problems.add("quantity", quantity_problem(taken, line.part.unit.decimals))
        problems.raise_if_any()
        if taken > still_open:
            raise NotOnOrder(sentence("Less than that is still to come."), open_quantity=str(still_open))
        line.cancelled += taken
        bulk_update_with_history([line], PurchaseOrderLine, ["cancelled"], **history_facts(by, source, at))
        status = _close_if_done(line.purchase_order)
        announce_supply(cancel_purchase_order_line, [line.part_id], by=by, source=source, at=at)
    return CancelledLine(line.pk, taken, still_open - taken, status)


def _check(orders: Sequence[NewPurchaseOrder], source: str, at: datetime) -> None:
    problems = Problems()
    problems.origin(source, at)
    given: set[str] = set()
    for place, order in enumerate(orders):
        field = f"orders.{place}"
        problems.moment(f"{field}.ordered_at", order.ordered_at, at)
        if f"{field}.ordered_at" not in problems.fields:
            for number, line in enumerate(order.lines):
                problems.add(f"{field}.lines.{number}.expected_on", _date_problem(line.expected_on, order.ordered_at))
        if not order.lines:
            problems.add(f"{field}.lines", sentence("must not be empty"))
        if order.number is None:
            continue
        problems.add(f"{field}.number", text_problem(order.number, 40, needed=True))
        if OUR_NUMBER.fullmatch(order.number):
            problems.add(f"{field}.number", sentence("must not look like one of our own, which are drawn"))
        if order.number in given:
            problems.add(f"{field}.number", sentence("must not come twice"))
        given.add(order.number)
    problems.raise_if_any()


def _date_problem(expected_on: date | None, ordered_at: datetime) -> Says | None:
    if expected_on is None:
        return None
    # Wherever the supplier is: where the day begins last it is up to a day earlier than here.
    too_early = expected_on < (ordered_at - timedelta(days=1)).date()
    return day_problem(expected_on) or (sentence("must not lie before the day it was ordered") if too_early else None)


def _check_quantities(orders: Sequence[NewPurchaseOrder], decimals: dict[UUID, int]) -> None:
    problems = Problems()
    for place, order in enumerate(orders):
        for number, line in enumerate(order.lines):
            field = f"orders.{place}.lines.{number}"
            problems.add(f"{field}.quantity", quantity_problem(line.quantity, decimals[line.part_id]))
            wrong_cost = number_problem(line.unit_cost, 2, MAX_MONEY)
            problems.add(f"{field}.unit_cost", wrong_cost)
            if not wrong_cost and line.unit_cost < 0:
                problems.add(f"{field}.unit_cost", sentence("must not be below zero"))
    problems.raise_if_any()


#: What cannot be ordered for or from.
_UNKNOWN: dict[str, Sentence] = {
    "supplier": sentence("There is no such supplier to order from."),
    "warehouse": sentence("There is no such warehouse to order for."),
    "part": sentence("There is no such part to order."),
}


def _read_decimals(orders: Sequence[NewPurchaseOrder]) -> dict[UUID, int]:
    """Return the decimals of each part's unit. Raises NotFound for an unknown supplier, warehouse or part."""
    wanted = {
        "supplier": {order.supplier_id for order in orders},
        "warehouse": {order.warehouse_id for order in orders},
        "part": {line.part_id for order in orders for line in order.lines},
    }
    found: dict[str, dict[UUID, int]] = {kind: {} for kind in wanted}
    for kind, key, decimals in sql.supply.READ_ORDER_FACTS.rows(
        supplier_ids=list(wanted["supplier"]),
        warehouse_ids=list(wanted["warehouse"]),
        part_ids=list(wanted["part"]),
    ):
        found[kind][key] = decimals
    for kind, keys in wanted.items():
        if unknown := keys.difference(found[kind]):
            raise NotFound(
                _UNKNOWN[kind],
                **{f"{kind}_id": str(min(unknown))},
            )
    return found["part"]


def _refuse_used(orders: Sequence[NewPurchaseOrder]) -> None:
    """Raise NumberUsed, naming all of them, where purchase orders with the given numbers exist."""
    given = [order.number for order in orders if order.number is not None]
    if numbers := [number for (number,) in sql.supply.READ_USED_NUMBERS.rows(numbers=given)] if given else []:
        raise NumberUsed(sentence("There is a purchase order with this number."), numbers=numbers)


def _rows(orders: Sequence[NewPurchaseOrder]) -> tuple[list[PurchaseOrder], list[PurchaseOrderLine]]:
    """Return the rows to write; the numbers that were not given are drawn in one statement."""
    missing = sum(order.number is None for order in orders)
    drawn = iter(sql.supply.DRAW_NUMBERS.rows(count=missing) if missing else [])
    heads = [
        PurchaseOrder(
            id=new_key(),
            number=f"PUR-{next(drawn)[0]:06}" if order.number is None else order.number,
            supplier_id=order.supplier_id,
            warehouse_id=order.warehouse_id,
            ordered_at=order.ordered_at,
        )
        for order in orders
    ]
    lines = [
        PurchaseOrderLine(
            purchase_order=head,
            position=position,
            part_id=line.part_id,
            quantity=line.quantity,
            unit_cost=line.unit_cost,
            expected_on=line.expected_on,
        )
        for head, order in zip(heads, orders, strict=True)
        for position, line in enumerate(order.lines, start=1)
    ]
    return heads, lines


def locked_lines(line_ids: Collection[UUID], *, missing_ok: bool = False) -> list[PurchaseOrderLine]:
    """Lock the orders of these lines, then the lines, and read them.

    Raises NotFound for one that does not exist, unless those may be missing.
    """
    locked = [line_id for (line_id,) in sql.supply.LOCK_LINES.rows(line_ids=list(line_ids))]
    if (unknown := set(line_ids).difference(locked)) and not missing_ok:
        raise NotFound(sentence("There is no such purchase order line."), line_id=str(min(unknown)))
    lines = PurchaseOrderLine.objects.select_related("purchase_order", "part__unit")
    return [
        line
        for start in range(0, len(locked), CHUNK)
        for line in lines.filter(pk__in=locked[start : start + CHUNK]).order_by("pk")
    ]


def _write_dates(lines: Sequence[PurchaseOrderLine]) -> None:
    for start in range(0, len(lines), CHUNK):
        sql.supply.CONFIRM_LINES.rows(
            document=sql.document(
                lines=[
                    {
                        "id": line.pk,
                        "expected_on": line.expected_on,
                        "first_confirmed_on": line.first_confirmed_on,
                    }
                    for line in lines[start : start + CHUNK]
                ]
            )
        )


def _refuse_not_incoming(line: PurchaseOrderLine) -> None:
    still_open = max(ZERO, line.quantity - line.received - line.cancelled)
    if line.purchase_order.status != PurchaseOrderStatus.ORDERED or not still_open:
        raise NotOnOrder(
            sentence("Nothing of this line is to come."),
            line_id=str(line.pk),
            open_quantity=str(still_open),
            status=line.purchase_order.status,
        )


def _close_if_done(order: PurchaseOrder) -> str:
    """Close an order, locked, none of whose lines waits for anything, and return its status."""
    if not order.lines.filter(is_open=True).exists():
        came = order.lines.filter(received__gt=0).exists()
        order.status = PurchaseOrderStatus.CLOSED if came else PurchaseOrderStatus.CANCELLED
        PurchaseOrder.objects.filter(pk=order.pk).update(status=order.status)
    return str(order.status)

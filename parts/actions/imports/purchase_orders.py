"""Import of purchase orders: a row per line, the rows of an order together or apart, by the order's number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from parts import sql
from parts.actions.announcing import announce_supply
from parts.actions.imports.kind import ImportKind
from parts.actions.supply.purchase_orders import (
    OUR_NUMBER,
    Confirmation,
    NewPurchaseOrder,
    PurchaseLine,
    confirm_purchase_order_lines,
    place_purchase_orders,
)
from parts.actors import Actor
from parts.importing import (
    Column,
    Difference,
    FieldChange,
    ImportedRow,
    ImportResult,
    RowChange,
    RowError,
    day,
    money,
    quantity,
    text,
)
from parts.progress import CHUNK, Progress
from parts.rules import ZERO, quantity_problem
from parts.sentences import Says, sentence
from parts.statuses import PurchaseOrderStatus

COLUMNS = (
    Column("number", text(40), is_needed=True),
    Column("supplier", text(40), is_needed=True),
    Column("warehouse", text(20), is_needed=True),
    Column("ordered_on", day, is_needed=True),
    Column("part_number", text(60), is_needed=True),
    Column("quantity", quantity, is_needed=True),
    Column("unit_cost", money),
    Column("expected_on", day),
)


@dataclass(frozen=True, slots=True)
class FileLine:
    """A row of the file with what its names stand for."""

    line: int
    part_number: str
    part_id: UUID
    quantity: Decimal
    unit_cost: Decimal | None
    expected_on: date | None


@dataclass(slots=True)
class FileOrder:
    """The rows of one number: the head they all have in common, and the lines."""

    number: str
    line: int
    head: tuple[UUID, UUID, date]
    may_be_placed: bool
    lines: list[FileLine] = field(default_factory=list)
    has_errors: bool = False


@dataclass(frozen=True, slots=True)
class StoredLine:
    """A line of a purchase order that is there."""

    line_id: UUID
    part_id: UUID
    quantity: Decimal
    unit_cost: Decimal
    expected_on: date | None
    is_open: bool


@dataclass(slots=True)
class StoredOrder:
    """A purchase order that is there."""

    head: tuple[UUID, UUID, date]
    status: str
    lines: list[StoredLine] = field(default_factory=list)


@dataclass(slots=True)
class Comparison:
    """The difference, and what brings it about: orders to place and dates to confirm."""

    difference: Difference = field(default_factory=Difference)
    orders: list[NewPurchaseOrder] = field(default_factory=list)
    confirmations: list[Confirmation] = field(default_factory=list)


def compare(rows: Sequence[ImportedRow], progress: Progress) -> Difference:
    """Tell what the rows would do."""
    return _compare(rows, progress).difference


def apply(
    rows: Sequence[ImportedRow], *, by: Actor, source: str, at: datetime, progress: Progress, shown: str | None
) -> ImportResult:
    """Place the orders that are not there and note the dates that have changed; both lock and check again."""
    comparison = _compare(rows, progress)
    difference = comparison.difference
    difference.refuse_errors()
    difference.refuse_other_than(shown)
    told: dict[str, Any] = {"by": by, "source": source, "at": at}
    place_purchase_orders(orders=comparison.orders, progress=progress, announce=False, **told)
    confirmed = confirm_purchase_order_lines(confirmations=comparison.confirmations, announce=False, **told)
    part_ids = [line.part_id for order in comparison.orders for line in order.lines]
    part_ids += [line.part_id for line in confirmed]
    announce_supply(apply, part_ids, **told)
    return ImportResult(len(difference.created), len(difference.changed), difference.unchanged)


def _compare(rows: Sequence[ImportedRow], progress: Progress) -> Comparison:
    comparison = Comparison()
    orders = _orders_of_the_file(rows, comparison.difference, progress)
    stored = _stored(list(orders))
    for order in orders.values():
        if not order.has_errors:
            _compare_order(order, stored.get(order.number), comparison)
    return comparison


def _orders_of_the_file(
    rows: Sequence[ImportedRow], difference: Difference, progress: Progress
) -> dict[str, FileOrder]:
    """Put the rows together by number, and say what is wrong with them."""
    orders: dict[str, FileOrder] = {}
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        for row, found in zip(chunk, _read(chunk), strict=True):
            part_id, _, warehouse_id, supplier_id, is_active = found
            values = row.values
            head = (supplier_id, warehouse_id, values["ordered_on"])
            order = orders.setdefault(values["number"], FileOrder(values["number"], row.line, head, is_active))
            errors = list(_row_errors(row, found, order, head))
            if errors:
                difference.errors.extend(errors)
                order.has_errors = True
                continue
            order.lines.append(
                FileLine(
                    row.line,
                    values["part_number"],
                    part_id,
                    values["quantity"],
                    values.get("unit_cost"),
                    values.get("expected_on"),
                )
            )
        progress("comparing", start + len(chunk), len(rows))
    return orders


def _read(chunk: Sequence[ImportedRow]) -> list[tuple[Any, ...]]:
    """Read what the names of each row stand for, in one statement."""
    document = sql.document(
        rows=[
            {"place": place, **{name: row.values[name] for name in ("part_number", "warehouse", "supplier")}}
            for place, row in enumerate(chunk)
        ]
    )
    return sql.imports.READ_ORDER_ROWS.rows(document=document)


def _row_errors(
    row: ImportedRow, found: tuple[Any, ...], order: FileOrder, head: tuple[UUID, UUID, date]
) -> Iterator[RowError]:
    part_id, decimals, warehouse_id, supplier_id, _ = found
    values = row.values
    if part_id is None:
        yield RowError(
            row.line, "part_number", sentence("there is no part {part_number}", part_number=values["part_number"])
        )
    elif problem := quantity_problem(values["quantity"], decimals):
        yield RowError(row.line, "quantity", problem)
    if warehouse_id is None:
        yield RowError(
            row.line, "warehouse", sentence("there is no warehouse {warehouse}", warehouse=values["warehouse"])
        )
    if supplier_id is None:
        yield RowError(row.line, "supplier", sentence("there is no supplier {supplier}", supplier=values["supplier"]))
    if head != order.head:
        yield RowError(
            row.line,
            "",
            sentence("supplier, warehouse and date must be those of line {line}, the same order", line=order.line),
        )


def _stored(numbers: Sequence[str]) -> dict[str, StoredOrder]:
    stored: dict[str, StoredOrder] = {}
    for number, supplier_id, warehouse_id, status, ordered_at, *line in sql.imports.READ_ORDERS.rows(numbers=numbers):
        head = (supplier_id, warehouse_id, ordered_at.astimezone(UTC).date())
        stored.setdefault(number, StoredOrder(head, status)).lines.append(StoredLine(*line))
    return stored


def _compare_order(order: FileOrder, stored: StoredOrder | None, comparison: Comparison) -> None:
    """Compare an order of the file with the one of its number that is there, if any."""
    difference = comparison.difference
    if stored is None:
        if OUR_NUMBER.fullmatch(order.number):
            difference.errors.append(
                RowError(order.line, "number", sentence("looks like one of ours, but there is none"))
            )
            return
        if not order.may_be_placed:
            difference.errors.append(RowError(order.line, "supplier", sentence("is no longer ordered from")))
            return
        comparison.orders.append(_new_order(order))
        difference.created.extend(RowChange(line.line, f"{order.number} {line.part_number}") for line in order.lines)
        return
    if problem := _head_problem(order, stored):
        difference.errors.append(RowError(order.line, "number", problem))
        return
    for line, stored_line in zip(order.lines, stored.lines, strict=True):
        _compare_line(order, stored, line, stored_line, comparison)


def _new_order(order: FileOrder) -> NewPurchaseOrder:
    supplier_id, warehouse_id, ordered_on = order.head
    return NewPurchaseOrder(
        supplier_id=supplier_id,
        warehouse_id=warehouse_id,
        lines=[
            PurchaseLine(line.part_id, line.quantity, line.unit_cost or ZERO, line.expected_on) for line in order.lines
        ],
        ordered_at=datetime.combine(ordered_on, time(), UTC),
        number=order.number,
    )


def _head_problem(order: FileOrder, stored: StoredOrder) -> Says | None:
    """Say why the order of the file cannot be the one that is there."""
    if order.head != stored.head:
        return sentence("{number} is there with another supplier, warehouse or date", number=order.number)
    if len(order.lines) != len(stored.lines):
        return sentence(
            "{number} is there with {there} lines, not {here}",
            number=order.number,
            there=len(stored.lines),
            here=len(order.lines),
        )
    return None


def _compare_line(
    order: FileOrder, stored: StoredOrder, line: FileLine, there: StoredLine, comparison: Comparison
) -> None:
    difference = comparison.difference
    if (line.part_id, line.quantity) != (there.part_id, there.quantity):
        difference.errors.append(
            RowError(
                line.line, "", sentence("{number} is there with another part or quantity here", number=order.number)
            )
        )
    elif line.unit_cost is not None and line.unit_cost != there.unit_cost:
        difference.errors.append(
            RowError(line.line, "unit_cost", sentence("was ordered at {unit_cost}", unit_cost=there.unit_cost))
        )
    elif line.expected_on is None or line.expected_on == there.expected_on:
        difference.unchanged += 1
    elif stored.status != PurchaseOrderStatus.ORDERED or not there.is_open:
        difference.errors.append(
            RowError(line.line, "expected_on", sentence("nothing of this line is to come any more"))
        )
    else:
        change = FieldChange("expected_on", str(there.expected_on or ""), str(line.expected_on))
        difference.changed.append(RowChange(line.line, f"{order.number} {line.part_number}", (change,)))
        comparison.confirmations.append(Confirmation(there.line_id, line.expected_on))


KIND = ImportKind(
    "purchase-orders", "parts.manage_purchase_orders", COLUMNS, compare, apply, sql.imports.ANALYZE_PURCHASE_ORDERS
)

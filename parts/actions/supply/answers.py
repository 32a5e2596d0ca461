"""What suppliers answer on the lines of our purchase orders: when they come, in which pieces, or that they will not.

A line has one expected day: that on which all that is still to come of it has come. So of several pieces the last
counts; and where they are fewer than what is to come, the day does not become earlier, since nobody has said when the
rest comes. An answer older than one that was taken already changes nothing, whenever it arrives.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from simple_history.utils import bulk_update_with_history

from parts.actions.announcing import announce_supply
from parts.actions.history import history_facts
from parts.actions.supply.purchase_orders import locked_lines
from parts.actors import Actor
from parts.errors import Invalid, NotFound, NotOnOrder, Refused
from parts.models import PurchaseOrder, PurchaseOrderLine
from parts.progress import CHUNK
from parts.rules import ZERO, Problems, day_problem, moment_problem
from parts.sentences import sentence
from parts.statuses import PurchaseOrderStatus


@dataclass(frozen=True, slots=True)
class Answer:
    """What a supplier says of a line: its pieces with their days (quantity None: all that is to come), or none at all.

    Without pieces, and not rejected, the day that stands is accepted. `answered_at` is the supplier's clock.
    """

    line_id: UUID
    answered_at: datetime
    schedule: tuple[tuple[date, Decimal | None], ...] = ()
    rejected: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """What an answer did: `moved` a day (or took back what was to come), was `filed` as older or of what has come, or
    said what was known (`repeated`). `taken_back` is how much is not to come any more."""

    line_id: UUID
    outcome: str
    number: str
    position: int
    expected_before: date | None
    expected_on: date | None
    taken_back: Decimal = ZERO


def take_answers(*, answers: Sequence[Answer], by: Actor, source: str, at: datetime) -> list[Answered | Refused]:
    """Take answers in, in the order in which they were given, with a result for each in the order of the list.

    One that is refused changes nothing and hinders no other. Back orders that count on a line follow it: the expected
    day of an order's line moves, what was promised does not. A line that was rejected is not to come any more, and an
    order that waits for nothing is closed. The number of statements does not depend on how many answers there are.
    Raises Forbidden (`parts.manage_purchase_orders`).
    """
    by.require("parts.manage_purchase_orders")
    problems = Problems()
    problems.origin(source, at)
    problems.raise_if_any()
    if not answers:
        return []
    results: dict[int, Answered | Refused] = {}
    with transaction.atomic():
        lines = {line.pk: line for line in locked_lines({answer.line_id for answer in answers}, missing_ok=True)}
        changed: dict[UUID, PurchaseOrderLine] = {}
        answered: dict[UUID, PurchaseOrderLine] = {}
        order = sorted(range(len(answers)), key=lambda place: (_zoned(answers[place].answered_at), place))
        for place in order:
            try:
                results[place] = _take(answers[place], lines.get(answers[place].line_id), at, changed, answered)
            except Refused as refusal:
                results[place] = refusal
        _write(changed.values(), answered.values(), by, source, at)
    return [results[place] for place in range(len(answers))]


def _take(
    answer: Answer,
    line: PurchaseOrderLine | None,
    at: datetime,
    changed: dict[UUID, PurchaseOrderLine],
    answered: dict[UUID, PurchaseOrderLine],
) -> Answered:
    _check(answer, at)
    if line is None:
        raise NotFound(sentence("There is no such purchase order line."), id=str(answer.line_id))
    still_open = max(ZERO, line.quantity - line.received - line.cancelled)
    before = line.expected_on
    if line.answered_at is not None and answer.answered_at < line.answered_at:
        return _result(line, "filed", before)
    if not still_open or line.purchase_order.status != PurchaseOrderStatus.ORDERED:
        if answer.rejected or line.received:
            return _result(line, "filed", before)
        raise NotOnOrder(
            sentence("Nothing of this line is to come."),
            line_id=str(line.pk),
            open_quantity=str(still_open),
            status=line.purchase_order.status,
        )
    line.answered_at = answer.answered_at
    answered[line.pk] = line
    if answer.rejected:
        line.cancelled += still_open
        changed[line.pk] = line
        return _result(line, "moved", before, taken_back=still_open)
    line.expected_on = day = day_of(answer.schedule, still_open, before)
    is_first = line.first_confirmed_on is None and day is not None
    if is_first:
        line.first_confirmed_on = day
    if not is_first and day == before:
        return _result(line, "repeated", before)
    changed[line.pk] = line
    return _result(line, "moved", before)


def day_of(schedule: Sequence[tuple[date, Decimal | None]], still_open: Decimal, stands: date | None) -> date | None:
    """Return the day on which all that is to come of a line has come, by these pieces; `stands` is what was known."""
    if not schedule:
        return stands
    last = max(day for day, _quantity in schedule)
    told = sum((quantity for _day, quantity in schedule if quantity is not None), ZERO)
    if told >= still_open or any(quantity is None for _day, quantity in schedule):
        return last
    return max(last, stands) if stands is not None else None


def _check(answer: Answer, at: datetime) -> None:
    problems = Problems()
    problems.add("answered_at", moment_problem(answer.answered_at, at))
    for place, (day, quantity) in enumerate(answer.schedule):
        problems.add(f"schedule.{place}.expected_on", day_problem(day))
        if quantity is not None and quantity < 0:
            problems.add(f"schedule.{place}.quantity", sentence("must not be below zero"))
    if problems.fields:
        raise Invalid(sentence("The supplier's answer cannot be taken as it is."), problems.fields)


def _zoned(moment: datetime) -> float:
    return moment.timestamp()


def _result(line: PurchaseOrderLine, outcome: str, before: date | None, taken_back: Decimal = ZERO) -> Answered:
    return Answered(
        line.pk, outcome, line.purchase_order.number, line.position, before, line.expected_on, taken_back=taken_back
    )


def _write(
    changed: Collection[PurchaseOrderLine],
    answered: Collection[PurchaseOrderLine],
    by: Actor,
    source: str,
    at: datetime,
) -> None:
    """Write what changed with its history, and when the others were answered; then tell who counts on them."""
    if answered:
        PurchaseOrderLine.objects.bulk_update(answered, ["answered_at"], batch_size=CHUNK)
    if not changed:
        return
    fields = ["expected_on", "first_confirmed_on", "cancelled"]
    bulk_update_with_history(
        list(changed), PurchaseOrderLine, fields, batch_size=CHUNK, **history_facts(by, source, at)
    )
    orders = {line.purchase_order_id for line in changed if line.cancelled}
    if orders:
        _close_those_done(orders)
    announce_supply(take_answers, [line.part_id for line in changed], by=by, source=source, at=at)


def _close_those_done(orders: Collection[UUID]) -> None:
    """Close locked orders that wait for nothing: cancelled where nothing at all came."""
    lines = PurchaseOrderLine.objects.filter(purchase_order=OuterRef("pk"))
    done = PurchaseOrder.objects.filter(pk__in=orders, status=PurchaseOrderStatus.ORDERED)
    done = done.exclude(Exists(lines.filter(is_open=True)))
    done.filter(Exists(lines.filter(received__gt=0))).update(status=PurchaseOrderStatus.CLOSED)
    done.update(status=PurchaseOrderStatus.CANCELLED)

"""Everything that changes an order line: steps, shipping, cancelling, coming back, promising."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from orders.actions import messages, serials
from orders.actions.service_orders import Moved
from orders.actions.work import LineWork
from orders.errors import NothingToDo, ReasonRequired, TransitionRefused, word_of
from orders.ledger import Cause
from orders.models import OrderLine, Shipment
from orders.rules import LONGEST_NOTE, check_days, check_texts, earliest_today, line_way
from orders.statuses import LINE_CLOSED, LINE_HOLDS_STOCK, LINE_SHIPPED, LINE_STEPS
from orders.trees import Line, Tree, lock_trees
from parts.actions import stock
from parts.actors import Actor
from parts.errors import Invalid, NotFound, Refused, VersionConflict
from parts.models import Part, Reservation
from parts.rules import part_of_it_problem, quantity_problem
from parts.sentences import sentence

#: Statuses that only stock gives or takes: the queue, placing and taking back set them.
BY_STOCK_ONLY = ("open", "reserved", "back_ordered")
#: Steps that change stock or what is held.
TOUCH_STOCK = ("picking", "shipped", "cancelled")
#: Steps that leave stock to others.
FREE_STOCK = ("cancelled",)


@dataclass(frozen=True, slots=True)
class Step:
    """One wanted step of a line; `expected_version` refuses it where somebody else was quicker."""

    id: UUID
    to: str
    expected_version: int | None = None
    note: str = ""
    public: bool = False


@dataclass(frozen=True, slots=True)
class ShipItem:
    """A line to be shipped: `quantity` of it in the part's unit, None for all; `serials` read off some units or all."""

    line_id: UUID
    quantity: Decimal | None = None
    serials: tuple[str, ...] = ()


def check(line: Line, step: Step, by: Actor) -> None:
    """Refuse a person's step that the flow, the rights or the rules of the status do not allow."""
    by.require("orders.move_orderline")
    if step.to == "shipped":
        by.require("orders.ship_orderline")
    elif step.to == "cancelled":
        by.require("orders.cancel_orderline")
    _check_version(line, step.expected_version)
    if step.to == "returned":
        raise Refused(sentence("Book what came back: use return, with quantity and condition."), current=line.status)
    allowed = [] if line.is_split else allowed_by_hand(line.status)
    if step.to not in allowed:
        facts: dict[str, Any] = {"split": True} if line.is_split else {}
        raise TransitionRefused(line.reference, line.status, step.to, allowed, **facts)
    line.check_step(step.to)
    if line.tree.on_hold and step.to not in ("cancelled", "delivered"):
        raise Refused(sentence("{reference} is on hold.", reference=line.tree.reference), current=line.status)
    check_texts(note=(step.note, LONGEST_NOTE))
    if step.to == "cancelled" and not step.note.strip():
        raise ReasonRequired(
            sentence("Say why {reference} is cancelled.", reference=line.reference),
            fields={"note": [sentence("A reason is required.")]},
        )


def allowed_by_hand(status: str) -> list[str]:
    """Return the statuses a person may choose from here; those that follow from stock are not among them."""
    return [to for to in LINE_STEPS[status] if to not in BY_STOCK_ONLY or (to == "reserved" and status == "released")]


def move(
    *,
    line_id: UUID,
    to: str,
    by: Actor,
    source: str,
    at: datetime,
    expected_version: int | None = None,
    note: str = "",
    public: bool = False,
    message_id: str = "",
) -> Moved:
    """Take one step of one line. Two statements where no stock is touched.

    One that is taken back from released is kept back: no rule releases it before a person does, or lets it go.
    What one of our own warehouses ordered is in its stock once it is delivered, and serves whoever waits for it.
    The same message about the line again changes nothing and is answered as the first time.
    Raises Forbidden, NotFound, VersionConflict, ReasonRequired, TransitionRefused (with current and allowed),
    MessageUsed for a message that moved the line elsewhere before.
    """
    by.require("orders.move_orderline")
    cause = Cause(by=by, source=source, at=at, message_id=message_id)
    with transaction.atomic():
        work = LineWork(
            cause,
            line_ids=[line_id],
            touches_stock=to in TOUCH_STOCK,
            frees_stock=to in FREE_STOCK,
            delivers=to == "delivered",
        )
        line = work.trees.line(line_id)
        if before := messages.known(line, to, cause):
            return Moved(line.id, line.reference, before.to_status, before.version)
        check(line, Step(line_id, to, expected_version, note, public), by)
        if to == "shipped":
            _check_complete(line.tree, [line])
        work.step(line, to, note=note, public=public)
        work.finish()
    return moved(line)


def let_go(*, line_id: UUID, by: Actor, source: str, at: datetime, expected_version: int | None = None) -> Moved:
    """Leave a line that was kept back to the rules again: they release it when nothing else stands in the way.

    Raises Forbidden, NotFound, VersionConflict, NothingToDo for a line that nobody keeps back.
    """
    by.require("orders.move_orderline")
    with transaction.atomic():
        work = LineWork(Cause(by=by, source=source, at=at), line_ids=[line_id], touches_stock=False)
        line = work.trees.line(line_id)
        _check_version(line, expected_version)
        if line.is_split or not line.kept_back:
            raise NothingToDo(sentence("{reference} is not kept back.", reference=line.reference), current=line.status)
        line.kept_back, line.touched = False, True
        work.ledger.record(line, "line.let_go")
        work.finish()
    return moved(line)


def _check_version(line: Line, expected_version: int | None) -> None:
    if expected_version is not None and line.version != expected_version:
        raise VersionConflict(
            sentence("{reference} has changed since you read it.", reference=line.reference),
            version=line.version,
            status=line.status,
        )


def moved(line: Line) -> Moved:
    """Return where a line stands."""
    return Moved(line.id, line.reference, line.status, line.version)


def move_many(*, steps: Sequence[Step], by: Actor, source: str, at: datetime) -> list[Moved | Refused]:
    """Take many steps, with a result per step in the order given; a refused one changes nothing.

    A constant number of statements, however many steps.
    """
    results: list[Moved | Refused] = []
    with transaction.atomic():
        work = LineWork(
            Cause(by=by, source=source, at=at),
            line_ids=[step.id for step in steps],
            touches_stock=any(step.to in TOUCH_STOCK for step in steps),
            frees_stock=any(step.to in FREE_STOCK for step in steps),
            delivers=any(step.to == "delivered" for step in steps),
        )
        lines = work.trees.by_line()
        leaving = [lines[step.id] for step in steps if step.to == "shipped" and _refusal(lines, step, by) is None]
        for step in steps:
            refusal = _refusal(lines, step, by, leaving)
            if refusal is not None:
                results.append(refusal)
                continue
            work.step(lines[step.id], step.to, note=step.note, public=step.public)
            results.append(moved(lines[step.id]))
        work.finish()
    return results


def _refusal(
    lines: Mapping[UUID, Line], step: Step, by: Actor, leaving: Sequence[Line] | None = None
) -> Refused | None:
    """Return why a step may not be taken; with `leaving`, the lines that leave together, also if too few of them do."""
    try:
        if step.id not in lines:
            raise NotFound(sentence("There is no such order line."), id=str(step.id))
        check(lines[step.id], step, by)
        if step.to == "shipped" and leaving is not None:
            _check_complete(lines[step.id].tree, leaving)
    except Refused as refusal:
        return refusal
    return None


def ship(
    *,
    order_id: UUID,
    items: Sequence[ShipItem],
    by: Actor,
    source: str,
    at: datetime,
    carrier: str = "",
    tracking_number: str = "",
    message_id: str = "",
    walk: bool = False,
) -> list[Shipment]:
    """Ship lines of an order, whole or in part; what stays behind becomes a child line of its own.

    Goods issue, status and shipment (one per warehouse) are one transaction. A line must be packed; `walk` takes it
    there first, each step recorded as passed through (for reports from outside). The same message about the lines again
    changes nothing and is answered with the shipments it made. Raises Forbidden, NotFound, Invalid, TransitionRefused,
    MessageUsed, SerialGone, and Refused for an order on hold or one that is only delivered complete and is not.
    """
    by.require("orders.ship_orderline")
    check_texts(carrier=(carrier, 60), tracking_number=(tracking_number, 80))
    if not items or len({item.line_id for item in items}) != len(items):
        raise Invalid(
            sentence("Name each line that leaves once."), {"lines": [sentence("At least one line, each only once.")]}
        )
    cause = Cause(by=by, source=source, at=at, message_id=message_id)
    with transaction.atomic():
        work = LineWork(cause, order_ids=[order_id], touches_stock=True)
        tree = work.trees.by_order.get(order_id)
        if tree is None:
            raise NotFound(sentence("There is no such parts order."), id=str(order_id))
        if (before := messages.shipped_by(tree, [item.line_id for item in items], cause)) is not None:
            return before
        work.carrier, work.tracking_number = carrier, tracking_number
        decimals = _decimals(tree, any(item.quantity is not None for item in items))
        leaving = [_leaving(work, tree, f"lines.{index}", item, decimals) for index, item in enumerate(items)]
        _check_complete(tree, leaving)
        work.serials = serials.leaving(leaving, items)
        for line in leaving:
            if walk:
                walk_to(work, line, "packed", on_the_way=True)
            work.step(line, "shipped", public=True)
        work.finish()
    return work.shipments


def _decimals(tree: Tree, wanted: bool) -> dict[UUID, int]:
    """Return how many decimals the units of an order's parts have; one statement, none where nobody wants to know."""
    if not wanted:
        return {}
    part_ids = {line.part_id for line in tree.lines.values()}
    return dict(Part.objects.filter(pk__in=part_ids).values_list("pk", "unit__decimals"))


def _leaving(work: LineWork, tree: Tree, field: str, item: ShipItem, decimals: Mapping[UUID, int]) -> Line:
    line = tree.lines.get(item.line_id)
    if line is None:
        raise NotFound(sentence("This order has no such line."), id=str(item.line_id))
    if tree.on_hold:
        raise Refused(sentence("{reference} is on hold.", reference=tree.reference), current=line.status)
    if line.is_split or line.status not in LINE_HOLDS_STOCK:
        raise TransitionRefused(line.reference, line.status, "shipped", allowed_by_hand(line.status))
    if item.quantity is None:
        return line
    _check_quantity(item.quantity, line.quantity, decimals[line.part_id], f"{field}.quantity")
    return work.take_out(line, item.quantity)


def _check_quantity(quantity: Decimal, most: Decimal, decimals: int, field: str) -> None:
    """Refuse a part of a line that its unit does not have, or that is not there. Raises Invalid."""
    if problem := quantity_problem(quantity, decimals):
        raise Invalid(sentence("That quantity cannot be."), {field: [sentence("It {problem}.", problem=problem)]})
    if quantity > most:
        raise Invalid(
            sentence("That is more than there is."),
            {field: [sentence("Must be at most {most}.", most=most.normalize())]},
        )


def _check_complete(tree: Tree, leaving: Sequence[Line]) -> None:
    if not tree.complete_delivery_only:
        return
    going = {line.id for line in leaving}
    behind = [
        line.reference
        for line in tree.leaves()
        if line.id not in going and line.status not in LINE_CLOSED and line.status not in LINE_SHIPPED
    ]
    if behind:
        raise Refused(
            sentence(
                "{reference} is delivered complete only; still open: {behind}.",
                reference=tree.reference,
                behind=list(behind),
            ),
            open=behind,
        )


def walk_to(work: LineWork, line: Line, to: str, *, on_the_way: bool = False, **facts: Any) -> None:
    """Walk a line along the straight path up to a status; the steps in between are recorded as passed through.

    `on_the_way` tells that it goes on from there, so that the last step is one of those in between. `facts` belong to
    every step. A line that is there already, or from where no way leads there, is left alone.
    """
    way = line_way(line.status, to)
    for status in way[:-1]:
        work.step(line, status, passed_through=True, **facts)
    for status in way[-1:]:
        work.step(line, status, passed_through=on_the_way, **facts)


def cancel(
    *,
    line_id: UUID,
    reason: str,
    by: Actor,
    source: str,
    at: datetime,
    quantity: Decimal | None = None,
    expected_version: int | None = None,
) -> Moved:
    """Cancel a line or a part of its quantity. Held stock is free at once and serves the queue; a back order shrinks.

    Cancelling a split line cancels all of its parts that have not left. Raises Forbidden, NotFound, ReasonRequired,
    VersionConflict, Invalid for a quantity that is not there, TransitionRefused for a line that has left.
    """
    by.require("orders.cancel_orderline")
    if not reason.strip():
        raise ReasonRequired(
            sentence("Say why this is cancelled."), fields={"reason": [sentence("A reason is required.")]}
        )
    check_texts(reason=(reason, LONGEST_NOTE))
    with transaction.atomic():
        order_ids = list(OrderLine.objects.filter(pk=line_id).values_list("order_id", flat=True))
        if not order_ids:
            raise NotFound(sentence("There is no such order line."), id=str(line_id))
        work = LineWork(Cause(by=by, source=source, at=at), order_ids=order_ids, touches_stock=True, frees_stock=True)
        line = work.trees.line(line_id)
        if expected_version is not None and line.version != expected_version:
            raise VersionConflict(
                sentence("{reference} has changed since you read it.", reference=line.reference), version=line.version
            )
        parts = _cancellable(line)
        there = sum((leaf.quantity for leaf in parts), Decimal(0))
        if quantity is not None:
            _check_quantity(quantity, there, _decimals(line.tree, True)[line.part_id], "quantity")
        for leaf, amount in _shares(parts, there if quantity is None else quantity):
            work.step(work.take_out(leaf, amount), "cancelled", note=reason.strip())
        work.finish()
        # What became free may have gone to another part of this very line: it is read as it stands now.
        return moved(lock_trees(line_ids=[line.id]).line(line.id))


def _cancellable(line: Line) -> list[Line]:
    """Return the leaves of a line that can still be cancelled, those that only wait first."""
    leaves = line.tree.children_of(line) if line.is_split else [line]
    open_leaves = [leaf for leaf in leaves if "cancelled" in LINE_STEPS[leaf.status]]
    if not open_leaves:
        raise TransitionRefused(line.reference, line.status, "cancelled", allowed_by_hand(line.status))
    return sorted(open_leaves, key=lambda leaf: (leaf.status != "back_ordered", leaf.child_number))


def _shares(leaves: Sequence[Line], quantity: Decimal) -> list[tuple[Line, Decimal]]:
    """Spread a quantity over leaves: what waits is given up before what is held."""
    shares = []
    for leaf in leaves:
        amount = min(leaf.quantity, quantity)
        if amount > 0:
            shares.append((leaf, amount))
            quantity -= amount
    return shares


def return_to_stock(
    *,
    line_id: UUID,
    quantity: Decimal,
    by: Actor,
    source: str,
    at: datetime,
    unfit: Decimal = Decimal(0),
    note: str = "",
) -> Moved:
    """Book a shipped quantity that came back to its warehouse; the fit part is free at once and serves the queue.

    What one of our own warehouses sends back leaves its stock. Raises Forbidden, NotFound, Invalid, TransitionRefused
    for a line that has not left, NotEnoughStock where the goods have been promised or used where they went.
    """
    by.require("orders.move_orderline")
    check_texts(note=(note, LONGEST_NOTE))
    with transaction.atomic():
        work = LineWork(Cause(by=by, source=source, at=at), line_ids=[line_id], touches_stock=True, frees_stock=True)
        origin = _issued_to(line_id)
        line = work.trees.line(line_id)
        line.check_step("returned")
        decimals = _decimals(line.tree, True)[line.part_id]
        _check_quantity(quantity, line.quantity, decimals, "quantity")
        too_much = sentence("must not be more than the quantity") if unfit > quantity else None
        if problem := part_of_it_problem(unfit, decimals) or too_much:
            raise Invalid(
                sentence("That quantity cannot be unfit."), {"unfit": [sentence("It {problem}.", problem=problem)]}
            )
        if line.status == "delivered":
            work.undo_arrival(line, quantity, unfit)
        leaf = work.take_out(line, quantity)
        work.step(leaf, "returned", note=note, data={"quantity": str(quantity), "unfit": str(unfit)})
        work.finish()
        stock.return_to_stock(demand_id=origin, quantity=quantity, unfit=unfit, by=by, source=source, at=at)
    return moved(leaf)


def _issued_to(line_id: UUID) -> UUID:
    """Return the key the goods of a line were issued to: its own, or its parent's where it was split after shipping."""
    parent_id = OrderLine.objects.filter(pk=line_id).values_list("parent_id", flat=True).first()
    family = [key for key in (line_id, parent_id) if key]
    issued = Reservation.objects.filter(demand_id__in=family, status="issued").values_list("demand_id", flat=True)
    return line_id if parent_id is None or line_id in set(issued) else parent_id


def promise(
    *,
    line_id: UUID,
    promised_on: date,
    by: Actor,
    source: str,
    at: datetime,
    reason: str = "",
    public: bool = False,
    expected_version: int | None = None,
) -> Moved:
    """Promise a date for a line. The first promise is kept for ever; a later one needs a reason.

    A promise for a split line is one for each part of it that is still to come, and so for its back order; a split line
    is promised when the last of its parts is. The customer sees the date; the reason stays with the staff, as a note of
    its own, unless it is `public`. Raises Forbidden, NotFound, VersionConflict, Refused for a closed line,
    Invalid for a date in the past.
    """
    by.require("orders.promise_orderline")
    check_texts(reason=(reason, LONGEST_NOTE))
    check_days(promised_on=promised_on)
    if promised_on < earliest_today(at):
        raise Invalid(sentence("A promise lies in the future."), {"promised_on": [sentence("This date has passed.")]})
    with transaction.atomic():
        work = LineWork(Cause(by=by, source=source, at=at), line_ids=[line_id], touches_stock=False)
        line = work.trees.line(line_id)
        if expected_version is not None and line.version != expected_version:
            raise VersionConflict(
                sentence("{reference} has changed since you read it.", reference=line.reference), version=line.version
            )
        if line.status in LINE_CLOSED:
            raise Refused(
                sentence(
                    "{reference} is {status}; there is nothing to promise.",
                    reference=line.reference,
                    status=word_of(line.status),
                ),
                current=line.status,
            )
        parts = [leaf for leaf in line.tree.children_of(line) if leaf.status not in LINE_CLOSED]
        changed = [each for each in (line, *parts) if each.promised_on != promised_on]
        if not changed:
            raise NothingToDo(sentence("{reference} is promised for that day already.", reference=line.reference))
        if any(each.first_promised_on for each in changed) and not reason.strip():
            raise ReasonRequired(
                sentence("Say why the promise changes."), fields={"reason": [sentence("A reason is required.")]}
            )
        _date(work, line, promised_on, "line.promise_changed", note=reason.strip() if public else "", public=True)
        if reason.strip() and not public:
            work.ledger.record(line, "note.added", note=reason.strip(), data={"about": "promise"})
        for leaf in changed:
            if leaf is not line:
                _date(work, leaf, promised_on, "line.promise_derived")
        if line.parent and (last := _last_promise(line.parent)) != line.parent.promised_on:
            _date(work, line.parent, last, "line.promise_derived")
        work.finish()
    return moved(line)


def _date(work: LineWork, line: Line, day: date, kind: str, **facts: Any) -> None:
    """Let a line be promised for a day, and record it."""
    data = {"from": str(line.promised_on) if line.promised_on else None, "to": str(day)}
    line.first_promised_on, line.promised_on, line.touched = line.first_promised_on or day, day, True
    work.ledger.record(line, kind, data=data, **facts)


def _last_promise(parent: Line) -> date:
    """Return the day by which all parts of a line are promised that have a promise and were not given up."""
    parts = [leaf for leaf in parent.tree.children_of(parent) if leaf.status not in ("cancelled", "returned")]
    return max(leaf.promised_on for leaf in parts if leaf.promised_on)

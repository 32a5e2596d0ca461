"""Take one of the ways there are for a back order, if what was shown of it still holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from backorders import queue
from backorders import ways as finding
from backorders.actions import allocating, pegging, pinning
from backorders.errors import PreviewIsOld
from backorders.models import BackOrder
from backorders.statuses import BACK_ORDER_WAITING
from backorders.ways import Way, Ways, ways
from orders.actions import lines
from orders.actions.substituting import substitute
from orders.errors import ReasonRequired
from orders.ledger import Cause, Ledger
from orders.models import OrderLine
from orders.rules import LONGEST_NOTE, check_days, check_texts, earliest_today
from orders.trees import lock_trees
from parts.actions import stock
from parts.actions.supply import Confirmation, PurchaseLine, confirm_purchase_order_lines, place_purchase_order
from parts.actors import Actor
from parts.errors import Invalid, NotFound
from parts.models import PartRelation
from parts.sentences import sentence

#: The kinds that need a day, and those that need a reason.
NEED_DAY = (finding.EXPEDITE, finding.PROMISE)
NEED_REASON = (finding.SUBSTITUTE, finding.PIN, finding.CANCEL, finding.TAKE_NOW)
#: The kinds of which the back order's own history would say nothing.
_LEAVES_NO_TRACE = (finding.TRANSFER, finding.EXPEDITE, finding.PURCHASE)


@dataclass(frozen=True, slots=True)
class Taken:
    """A way that was taken, as it was; `reference` names what came of it (a purchase order, a line), if anything."""

    way: Way
    reference: str = ""


@dataclass(frozen=True, slots=True)
class _Choice:
    row: Any
    way: Way
    reason: str
    told: dict[str, Any]


def take(
    *,
    back_order_id: UUID,
    key: str,
    shown: str,
    by: Actor,
    source: str,
    at: datetime,
    reason: str = "",
    day: date | None = None,
) -> Taken:
    """Take the way of that key (of `ways.ways`), if its fingerprint is still the one that was shown.

    The queue of the part is held while this one way is worked out again and until all is done; if anything differs, or
    comes out otherwise than shown, all is as before. Raises Forbidden, NotFound, Invalid and ReasonRequired for what is
    missing, PreviewIsOld, and whatever the action behind the way raises.
    """
    by.require("backorders.source_backorder")
    kind = key.partition(":")[0]
    for permission in finding.RIGHTS.get(kind, ()):
        by.require(permission)
    _check(kind, reason, day, at)
    mine = BackOrder.objects.filter(pk=back_order_id).values_list("part_id", "line__order_id").first()
    if mine is None:
        raise NotFound(sentence("There is no such back order."), id=str(back_order_id))
    part_id, order_id = mine
    with transaction.atomic():
        pinning.hold_queue(_parts(order_id, key), adding=kind == finding.TRANSFER)
        found = ways(back_order_id, at, day, only=key)
        way = found.named(key) if found is not None else None
        if found is None or way is None or way.fingerprint != shown:
            raise PreviewIsOld
        choice = _Choice(found.row, way, reason.strip(), {"by": by, "source": source, "at": at})
        reference = _TAKING[kind](choice)
        _check_outcome(found, way)
        if kind in _LEAVES_NO_TRACE:
            _record(choice, reference)
    pegging.repeg(part_ids=[part_id], today=at.astimezone(UTC).date())
    return Taken(way, reference)


def _check(kind: str, reason: str, day: date | None, at: datetime) -> None:
    if kind not in _TAKING:
        raise NotFound(sentence("There is no such way."), kind=kind)
    if kind in NEED_REASON and not reason.strip():
        raise ReasonRequired(sentence("Say why."), fields={"reason": [sentence("A reason is required.")]})
    check_texts(reason=(reason, LONGEST_NOTE))
    if kind in NEED_DAY and day is None:
        raise Invalid(sentence("Say which day."), {"day": [sentence("A day is required.")]})
    if day is not None:
        check_days(day=day)
        if day < earliest_today(at):
            raise Invalid(sentence("This date has passed."), {"day": [sentence("This date has passed.")]})


def _parts(order_id: UUID, key: str) -> set[UUID]:
    """Return the parts of the order, and the one that would stand in."""
    parts = set(OrderLine.objects.filter(order=order_id).order_by().values_list("part_id", flat=True).distinct())
    kind, _colon, rest = key.partition(":")
    if kind == finding.SUBSTITUTE:
        try:
            relation = PartRelation.objects.filter(pk=UUID(rest)).values_list("part_id", "other_id").first()
        except ValueError:
            raise NotFound(sentence("There is no such way."), kind=kind) from None
        parts.update(relation or ())
    return parts


def _record(choice: _Choice, reference: str) -> None:
    """Note in the back order's own history which way was taken for it, and why."""
    ledger = Ledger(Cause(**choice.told))
    lock_trees(line_ids=[choice.row.line_id])
    entry = queue.read(ids=[choice.row.pk])[0]
    data = {"way": choice.way.kind, "reference": reference}
    ledger.record(entry, "back_order.way_taken", data=data, note=choice.reason)
    queue.write([entry], ledger)


def _check_outcome(found: Ways, way: Way) -> None:
    """Refuse, so that all is undone, where it came out otherwise than shown."""
    if way.kind not in (finding.TAKE_NOW, finding.TRANSFER):
        return
    now = BackOrder.objects.get(pk=found.row.pk)
    left = now.quantity if now.status in BACK_ORDER_WAITING else Decimal(0)
    if left != found.row.quantity - way.gets:
        raise PreviewIsOld


# --- Each way --------------------------------------------------------------------------------------------------------


def _take_now(choice: _Choice) -> str:
    """Let it accept what is there; then whatever is free goes by rank, as always."""
    ledger = Ledger(Cause(**choice.told))
    lock_trees(line_ids=[choice.row.line_id])
    entry = queue.read(ids=[choice.row.pk])[0]
    if entry.minimum_fill > choice.way.gets:
        data = {"from": str(entry.minimum_fill), "to": str(choice.way.gets)}
        entry.minimum_fill = choice.way.gets
        ledger.record(entry, "back_order.minimum_fill_changed", data=data, note=choice.reason)
        queue.write([entry], ledger)
    allocating.allocate(part_ids=[choice.row.part_id], freed=(), cause=Cause(**choice.told), why="by hand")
    return ""


def _transfer(choice: _Choice) -> str:
    facts = choice.way.facts
    stock.transfer(
        part_id=choice.row.part_id,
        from_warehouse_id=facts["origin_id"],
        to_warehouse_id=facts["destination_id"],
        quantity=facts["quantity"],
        condition=facts["condition"],
        reason=choice.reason or choice.row.reference,
        **choice.told,
    )
    return str(facts["origin"])


def _substitute(choice: _Choice) -> str:
    facts = choice.way.facts
    return substitute(
        line_id=choice.row.line_id,
        replaces=choice.way.gets,
        part_id=facts["part_id"],
        quantity=facts["quantity"],
        warehouse_id=facts["warehouse_id"],
        reason=choice.reason,
        **choice.told,
    ).reference


def _pin(choice: _Choice) -> str:
    pinning.pin(back_order_id=choice.row.pk, reason=choice.reason, **choice.told)
    return ""


def _expedite(choice: _Choice) -> str:
    confirmation = Confirmation(choice.way.facts["line_id"], choice.way.facts["day"])
    confirm_purchase_order_lines(confirmations=[confirmation], **choice.told)
    return str(choice.way.facts["number"])


def _purchase(choice: _Choice) -> str:
    facts = choice.way.facts
    return place_purchase_order(
        supplier_id=facts["supplier_id"],
        warehouse_id=facts["destination_id"],
        lines=[PurchaseLine(choice.row.part_id, facts["quantity"], facts["unit_cost"], facts["day"])],
        ordered_at=choice.told["at"],
        **choice.told,
    ).number


def _promise(choice: _Choice) -> str:
    lines.promise(
        line_id=choice.row.line_id,
        promised_on=choice.way.facts["day"],
        reason=choice.reason,
        expected_version=choice.row.line.version,
        **choice.told,
    )
    return ""


def _cancel(choice: _Choice) -> str:
    lines.cancel(
        line_id=choice.row.line_id,
        reason=choice.reason,
        expected_version=choice.row.line.version,
        **choice.told,
    )
    return ""


_TAKING: Mapping[str, Callable[[_Choice], str]] = {
    finding.TAKE_NOW: _take_now,
    finding.TRANSFER: _transfer,
    finding.SUBSTITUTE: _substitute,
    finding.PIN: _pin,
    finding.EXPEDITE: _expedite,
    finding.PURCHASE: _purchase,
    finding.PROMISE: _promise,
    finding.CANCEL: _cancel,
}

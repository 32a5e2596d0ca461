"""What a warehouse's system confirms of its stock: receipts of deliveries, and goods that come, go, or become fit.

A receipt that names a purchase order line is a supplier's delivery: all items of one delivery note together, and the
same note again changes nothing. Every other confirmation is a correction under the sender's document. Either way what
becomes available serves the back orders that wait for it, in the same transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from integrations.actions.cases import Contradiction, open_by_rule
from integrations.effects.task import Task
from integrations.facts import StockConfirmed, StockState, Subject
from integrations.senders import Sender
from integrations.statuses import DiscrepancyKind
from integrations.subjects import look_up
from orders.actions.reporting import Result
from parts.actions.stock import Confirmed, Corrected, confirm_stock
from parts.actions.supply import DeliveryItem, receive_delivery
from parts.errors import DeliveryNoteUsed, Forbidden, NotEnoughStock, Refused
from parts.models import PurchaseOrderLine
from parts.sentences import sentence

ZERO = Decimal(0)
#: What a way from one state into another means for on hand and unfit, for one unit.
_WAYS: dict[tuple[StockState, StockState], tuple[int, int]] = {
    (StockState.OUTSIDE, StockState.AVAILABLE): (1, 0),
    (StockState.OUTSIDE, StockState.UNFIT): (1, 1),
    (StockState.AVAILABLE, StockState.UNFIT): (0, 1),
    (StockState.UNFIT, StockState.AVAILABLE): (0, -1),
    (StockState.AVAILABLE, StockState.OUTSIDE): (-1, 0),
    (StockState.UNFIT, StockState.OUTSIDE): (-1, -1),
}
Waiting = tuple[Task[StockConfirmed], UUID, UUID]


def confirm(tasks: Sequence[Task[StockConfirmed]], sender: Sender, at: datetime) -> None:
    """Book what is confirmed: receipts first, then the rest, each in the order of the messages."""
    keys = look_up(_named(tasks), sender)
    receipts: dict[UUID, list[Waiting]] = {}
    rest: list[Waiting] = []
    for task in tasks:
        fact = task.fact
        missing = [one for one in (fact.warehouse, fact.part, fact.purchase_order_line) if one and one not in keys]
        if missing:
            task.is_missing(missing[0])
            continue
        waiting = (task, keys[fact.part], keys[fact.warehouse])
        if fact.purchase_order_line is not None and fact.from_state == StockState.OUTSIDE:
            receipts.setdefault(keys[fact.purchase_order_line], []).append(waiting)
        else:
            rest.append(waiting)
    if receipts:
        _receive(receipts, sender, at)
    if rest:
        _correct(rest, sender, at)


def _named(tasks: Sequence[Task[StockConfirmed]]) -> Iterator[Subject]:
    for task in tasks:
        yield task.fact.warehouse
        yield task.fact.part
        if task.fact.purchase_order_line is not None:
            yield task.fact.purchase_order_line


def _receive(receipts: Mapping[UUID, Sequence[Waiting]], sender: Sender, at: datetime) -> None:
    """Book deliveries, each by itself: a delivery note of one supplier for one warehouse."""
    rows = PurchaseOrderLine.objects.filter(pk__in=receipts).values_list("pk", "purchase_order__supplier")
    notes: dict[tuple[UUID, UUID, str], list[tuple[Waiting, UUID]]] = {}
    for line, supplier in rows:
        for waiting in receipts[line]:
            fact = waiting[0].fact
            note = fact.delivery_note or fact.document or waiting[0].message_id
            notes.setdefault((supplier, waiting[2], note), []).append((waiting, line))
    found = []
    for (supplier, warehouse, note), items in notes.items():
        tasks = [waiting[0] for waiting, _line in items]
        try:
            with transaction.atomic():
                booked = receive_delivery(
                    supplier_id=supplier,
                    warehouse_id=warehouse,
                    note_number=note[:60],
                    lines=[_item(waiting, line) for waiting, line in items],
                    received_at=max(task.fact.occurred_at for task in tasks),
                    by=sender.actor,
                    source=sender.code,
                    at=at,
                )
        except Refused as refusal:
            for task in tasks:
                task.refuse(refusal)
            if isinstance(refusal, DeliveryNoteUsed):
                found.append(_other_delivery(refusal, note, tasks, sender.code))
            continue
        outcome = "repeated" if booked.replayed else "moved"
        for task in tasks:
            task.results.append(Result(outcome, reference=note))
    open_by_rule(found=found, by=sender.actor, source=sender.code, at=at)


def _item(waiting: Waiting, line: UUID) -> DeliveryItem:
    task, part, _warehouse = waiting
    fact = task.fact
    return DeliveryItem(
        part_id=part,
        quantity=fact.quantity,
        unfit_quantity=fact.quantity if fact.to_state == StockState.UNFIT else ZERO,
        purchase_order_line_id=line,
        condition=fact.condition,
        owner=fact.owner,
        serials=fact.serials,
    )


def _other_delivery(
    refusal: DeliveryNoteUsed, note: str, tasks: Sequence[Task[StockConfirmed]], source: str
) -> Contradiction:
    said = "\n".join([source, note, *(f"{task.fact.part} {task.fact.quantity}" for task in tasks)])
    return Contradiction(
        DiscrepancyKind.SCAN_ORDER.value,
        expected=sentence("Delivery {note} as it was booked", note=note),
        found=sentence("With other content, reported by {system}", system=source),
        about={"delivery_id": UUID(str(refusal.extra["delivery_id"]))},
        cause=("message_key", hashlib.sha256(said.encode()).hexdigest()),
    )


def _correct(waiting: Sequence[Waiting], sender: Sender, at: datetime) -> None:
    possible = [each for each in waiting if _has_way(each[0])]
    confirmed = [_confirmed(each) for each in possible]
    try:
        results = confirm_stock(confirmed=confirmed, by=sender.actor, source=sender.code, at=at)
    except Forbidden as refusal:
        for task, _part, _warehouse in possible:
            task.refuse(refusal)
        return
    found = []
    for (task, _part, _warehouse), result in zip(possible, results, strict=True):
        if isinstance(result, Refused):
            task.refuse(result)
            if isinstance(result, NotEnoughStock) and result.extra.get("level_id"):
                found.append(_too_little(task, result, sender.code))
        else:
            task.results.append(Result(_outcome(result), reference=task.fact.document))
    open_by_rule(found=found, by=sender.actor, source=sender.code, at=at)


def _has_way(task: Task[StockConfirmed]) -> bool:
    if (task.fact.from_state, task.fact.to_state) in _WAYS:
        return True
    task.refuse(Refused(sentence("Goods cannot go from there to there.")))
    return False


def _confirmed(waiting: Waiting) -> Confirmed:
    task, part, warehouse = waiting
    fact = task.fact
    on_hand, unfit = _WAYS[fact.from_state, fact.to_state]
    return Confirmed(
        part_id=part,
        warehouse_id=warehouse,
        document=(fact.document or task.message_id)[:80],
        on_hand_change=fact.quantity * on_hand,
        unfit_change=fact.quantity * unfit,
        condition=fact.condition,
        owner=fact.owner,
        note=fact.note[:300],
    )


def _outcome(corrected: Corrected) -> str:
    return "moved" if corrected.correction_id else "repeated"


def _too_little(task: Task[StockConfirmed], refusal: NotEnoughStock, source: str) -> Contradiction:
    fact, extra = task.fact, refusal.extra
    said = f"{source}\n{extra['level_id']}\n{fact.document or task.message_id}"
    return Contradiction(
        DiscrepancyKind.COUNT_LEVEL.value,
        expected=sentence(
            "{on_hand} on hand, {reserved} reserved", on_hand=extra["on_hand"], reserved=extra["reserved"]
        ),
        found=sentence("{quantity} gone or unfit, reported by {system}", quantity=fact.quantity, system=source),
        about={"level_id": UUID(str(extra["level_id"]))},
        cause=("message_key", hashlib.sha256(said.encode()).hexdigest()),
    )

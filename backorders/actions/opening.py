"""Open the back orders of lines that are short, and close those of lines that wait no more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any
from uuid import UUID

from django.db import connection

from backorders import queue, sql
from backorders.priority import Facts
from orders.errors import ConcurrentChange
from orders.ledger import Cause, Ledger, Subject, text_of_time
from orders.signals import Opened, Shortage, Withdrawn
from parts.documents import as_text
from parts.keys import new_key
from parts.sentences import sentence


class _New(Subject):
    __slots__ = ()
    kind = "back_order"


def open_for(shortages: Sequence[Shortage], cause: Cause) -> list[Opened]:
    """Open a back order for exactly what each line is short of, or open its old one again; say when supply is expected.

    Runs inside the transaction in which the lines became short, with their orders locked or new. One statement where
    all lines are new.
    """
    known = [shortage.line_id for shortage in shortages if not shortage.is_new]
    old = {entry.line_id: entry for entry in queue.read(line_ids=known)} if known else {}
    new = [shortage for shortage in shortages if shortage.line_id not in old]
    opened = _insert(new, cause) if new else []
    if old:
        ledger = Ledger(cause)
        for shortage in shortages:
            if entry := old.get(shortage.line_id):
                entry.reopen(ledger, shortage.reference)
                if entry.quantity != shortage.quantity:
                    entry.set_quantity(ledger, shortage.quantity)
                entry.minimum_fill = max(entry.minimum_fill, shortage.minimum_fill)
        queue.write(list(old.values()), ledger)
        _rank_anew(list(old.values()))
        opened += [Opened(entry.line_id, entry.id, entry.reference, None) for entry in old.values()]
    return opened


def _rank_anew(entries: Sequence[queue.Entry]) -> None:
    """Rank reopened back orders by the weights of today: those out of the queue are left alone when weights change."""
    with connection.cursor() as cursor:
        cursor.execute(sql.RERANK, {"ids": [entry.id for entry in entries]})


def _insert(shortages: Sequence[Shortage], cause: Cause) -> list[Opened]:
    ledger = Ledger(cause)
    rows = [_row(shortage, ledger) for shortage in shortages]
    with connection.cursor() as cursor:
        cursor.execute(
            sql.OPEN,
            {
                "shortages": as_text(rows),
                "today": cause.at.astimezone(UTC).date(),
                "recorded_at": ledger.recorded_at,
                **ledger.parameters(),
            },
        )
        opened = [Opened(*row) for row in cursor.fetchall()]
    if len(opened) != len(rows):
        raise ConcurrentChange(
            sentence("The allocation policy named 'default' is missing; no back order can be ranked.")
        )
    return opened


def _row(shortage: Shortage, ledger: Ledger) -> dict[str, Any]:
    entry = _New()
    entry.id, entry.version, entry.chain_hash, entry.status = new_key(), 0, b"", ""
    entry.reference, entry.status_since = f"B{shortage.reference[1:]}", ledger.cause.at
    ledger.record(
        entry, "back_order.opened", to="open", data={"line": shortage.reference, "quantity": str(shortage.quantity)}
    )
    facts = Facts(
        kind=shortage.order_kind,
        tier=shortage.tier,
        criticality=shortage.criticality,
        downtime_cost=shortage.downtime_cost,
        contract_points=shortage.contract_points,
    ).as_json()
    return facts | {
        "id": str(entry.id),
        "line_id": str(shortage.line_id),
        "reference": entry.reference,
        "part_id": str(shortage.part_id),
        "customer_id": _text(shortage.customer_id),
        "excluded_warehouse_id": _text(shortage.excluded_warehouse_id),
        "quantity": str(shortage.quantity),
        "minimum_fill": str(shortage.minimum_fill),
        "rank_facts": as_text(facts),
        "opened_at": text_of_time(ledger.cause.at),
        "version": entry.version,
        "chain_hash": entry.chain_hash.hex(),
    }


def _text(key: UUID | None) -> str | None:
    return str(key) if key else None


def withdraw(withdrawals: Sequence[Withdrawn], cause: Cause) -> list[UUID]:
    """Let the back orders of these lines follow: fulfilled, cancelled, allocated by hand, or of less than before.

    Runs inside the transaction that changed the lines, their orders locked. A line without a back order, and a back
    order that stands there already, are passed by. Two statements. Returns the parts of back orders that now accept
    less than before, so that free stock which was too little for them may be enough.
    """
    wanted = {item.line_id: item for item in withdrawals}
    entries = queue.read(line_ids=list(wanted))
    ledger = Ledger(cause)
    less: list[UUID] = []
    for entry in entries:
        item = wanted[entry.line_id]
        if item.outcome == "reduced":
            if entry.is_waiting:
                least = entry.minimum_fill
                entry.set_quantity(ledger, item.quantity)
                less += [entry.part_id] * (entry.minimum_fill < least)
            elif entry.status == "allocated":
                entry.set_quantity(ledger, item.quantity)
        elif item.outcome == "fulfilled":
            _fulfil(entry, ledger)
        elif entry.status not in ("fulfilled", "substituted", "cancelled", item.outcome):
            entry.move(ledger, item.outcome)
    queue.write(entries, ledger)
    return less


def _fulfil(entry: queue.Entry, ledger: Ledger) -> None:
    if entry.is_waiting:  # shipped from outside our stock: it was allocated and left in one go
        entry.move(ledger, "allocated", passed_through=True)
    if entry.status == "allocated":
        entry.move(ledger, "fulfilled")

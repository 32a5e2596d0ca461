"""Back orders under their orders' locks, as an action works on them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from backorders import sql
from backorders.models import BackOrder
from backorders.statuses import BACK_ORDER_STEPS, BACK_ORDER_WAITING, LABELS
from orders.actions import service_orders
from orders.errors import ConcurrentChange, TransitionRefused
from orders.flows import is_declared
from orders.ledger import Ledger, Subject, text_of_time
from parts import statements
from parts.documents import as_text
from parts.sentences import sentence


class Entry(Subject):
    """A back order as it stands under the lock of its order."""

    __slots__ = (
        "closed_at",
        "excluded_warehouse_id",
        "is_overridden",
        "line_id",
        "minimum_fill",
        "on_hold",
        "opened_quantity",
        "order_id",
        "part_id",
        "pinned_at",
        "quantity",
        "rank",
        "read_version",
    )
    kind = "back_order"

    line_id: UUID
    order_id: UUID
    part_id: UUID
    quantity: Decimal
    opened_quantity: Decimal
    minimum_fill: Decimal
    rank: Decimal
    excluded_warehouse_id: UUID | None
    on_hold: bool
    is_overridden: bool
    closed_at: datetime | None
    pinned_at: datetime | None
    read_version: int

    @property
    def is_waiting(self) -> bool:
        return self.status in BACK_ORDER_WAITING

    def move(self, ledger: Ledger, to: str, **facts: Any) -> None:
        """Take one step by the FSM declared on the model. Raises TransitionRefused with current and allowed."""
        if not is_declared(BackOrder, self.status, to):
            raise TransitionRefused(self.reference, self.status, to, BACK_ORDER_STEPS[self.status], labels=LABELS)
        self.set_status(ledger, "back_order.status_changed", to, **facts)

    def reopen(self, ledger: Ledger, line_reference: str) -> None:
        """Put it back into the queue because its line waits again.

        A closed one that the flow lets nowhere comes back only because its line was overridden (named here as the
        reference), so its own event is marked as an override too.
        """
        if "open" in BACK_ORDER_STEPS[self.status]:
            self.move(ledger, "open")
            return
        self.is_overridden = True
        self.set_status(
            ledger, "back_order.status_overridden", "open", is_override=True, override_reference=line_reference
        )

    def set_status(self, ledger: Ledger, kind: str, to: str, **facts: Any) -> None:
        """Record a new status and keep the time of leaving the queue in step with it."""
        ledger.record(self, kind, to=to, **facts)
        self.closed_at = None if self.is_waiting else (self.closed_at or ledger.cause.at)

    def set_quantity(self, ledger: Ledger, quantity: Decimal, **facts: Any) -> None:
        """Record that less (or more) is missing than before."""
        data = {"from": str(self.quantity), "to": str(quantity)}
        self.quantity = quantity
        self.opened_quantity = max(self.opened_quantity, quantity)
        self.minimum_fill = min(self.minimum_fill, quantity)
        ledger.record(self, "back_order.quantity_changed", data=data, **facts)


def read(*, ids: Collection[UUID] = (), line_ids: Collection[UUID] = ()) -> list[Entry]:
    """Read back orders whose orders are locked, by key or by the key of their line, in queue order."""
    return [_entry(row) for row in statements.rows_of(sql.READ, {"ids": list(ids), "line_ids": list(line_ids)})]


def _entry(row: tuple[Any, ...]) -> Entry:
    entry = Entry()
    entry.id, entry.reference, entry.version, chain_hash, entry.status, entry.status_since = row[:6]
    entry.line_id, entry.order_id, entry.part_id, entry.quantity, entry.minimum_fill, entry.rank = row[6:12]
    entry.excluded_warehouse_id, entry.on_hold, entry.opened_quantity, entry.closed_at, entry.pinned_at = row[12:]
    entry.is_overridden = False
    entry.chain_hash, entry.read_version = chain_hash, entry.version
    return entry


def changes_of(entries: Sequence[Entry]) -> str:
    """Return the `changes` parameter of the writing statements."""
    return as_text(
        [
            {
                "id": entry.key_text,
                "read_version": entry.read_version,
                "status": entry.status,
                "quantity": str(entry.quantity),
                "opened_quantity": str(entry.opened_quantity),
                "minimum_fill": str(entry.minimum_fill),
                "on_hold": entry.on_hold,
                "closed_at": text_of_time(entry.closed_at) if entry.closed_at else None,
                "pinned_at": text_of_time(entry.pinned_at) if entry.pinned_at else None,
                "version": entry.version,
                "chain_hash": entry.chain_hash.hex(),
                "status_since": text_of_time(entry.status_since),
            }
            for entry in entries
        ]
    )


def write(entries: Sequence[Entry], ledger: Ledger) -> None:
    """Write the entries that changed, with their events, in one statement. Nothing changed: no statement."""
    changed = [entry for entry in entries if entry.version != entry.read_version]
    if not changed:
        return
    walked = any(entry.version - entry.read_version > 1 or entry.is_overridden for entry in changed)
    if walked:  # several steps at once, or one that the flow does not know, each with its event, are let through
        service_orders.let_walk("on")
    statements.write(
        sql.WRITE,
        {"changes": changes_of(changed), **ledger.parameters()},
        expected=(len(changed),),
        otherwise=ConcurrentChange(sentence("A back order was changed by somebody who did not hold its order's lock.")),
    )
    if walked:
        service_orders.let_walk("")
    for entry in changed:
        entry.read_version = entry.version

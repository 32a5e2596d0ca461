"""An order and its lines as one unit of work: locked and read in one statement, changed in Python, written in one.

Whoever holds an order's lock may write its lines; nobody writes a line without it. So what an action decides on a tree
stays true until it commits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from orders import sql
from orders.errors import ConcurrentChange, TransitionRefused
from orders.flows import is_declared
from orders.ledger import Ledger, Subject, text_of_time
from orders.models import OrderLine
from orders.rules import derived_status, mean_share, shipped_share
from orders.statuses import LINE_HOLDS_STOCK, LINE_SHIPPED, LINE_STEPS
from parts import statements
from parts.documents import as_text
from parts.errors import NotFound
from parts.keys import new_key
from parts.sentences import sentence


class Line(Subject):
    """A line of a locked tree."""

    __slots__ = (
        "child_number",
        "first_promised_on",
        "is_split",
        "kept_back",
        "minimum_fill",
        "parent",
        "part_id",
        "position",
        "progress",
        "promised_on",
        "quantity",
        "read_version",
        "requested_on",
        "touched",
        "tree",
        "warehouse_id",
    )
    kind = "line"

    tree: Tree
    parent: Line | None
    position: int
    child_number: int
    part_id: UUID
    quantity: Decimal
    is_split: bool
    progress: Decimal
    warehouse_id: UUID | None
    requested_on: date
    first_promised_on: date | None
    promised_on: date | None
    minimum_fill: Decimal
    kept_back: bool
    read_version: int | None
    touched: bool

    @property
    def allowed(self) -> tuple[str, ...]:
        """The statuses one step away; none for a parent, whose status is derived."""
        return () if self.is_split else LINE_STEPS[self.status]

    def check_step(self, to: str) -> None:
        """Raise TransitionRefused unless the line may go to the status now, by the FSM declared on the model."""
        if self.is_split:
            raise TransitionRefused(self.reference, self.status, to, [], split=True)
        if not is_declared(OrderLine, self.status, to):
            raise TransitionRefused(self.reference, self.status, to, self.allowed)

    def move(self, ledger: Ledger, to: str, **facts: Any) -> None:
        """Take one step and record it. Raises TransitionRefused where the flow has no such step."""
        self.check_step(to)
        ledger.record(self, "line.status_changed", to=to, **facts)
        self.touched = True

    def set_progress(self, share: Decimal) -> None:
        """Note the share that has been shipped; no event, since it follows from the status."""
        if share != self.progress:
            self.progress, self.touched = share, True

    def as_child(self, ledger: Ledger, **facts: Any) -> Line:
        """Return this leaf as a child: itself, or, of a root line, a first child that takes over all of it.

        `facts` (when, by which message) belong to the events of it.
        """
        if self.parent is not None:
            return self
        child = self.tree.add_child(ledger, self, self.quantity, **facts)
        self.is_split, self.touched = True, True
        ledger.record(self, "line.split", data={"quantity": str(self.quantity)}, **facts)
        if self.status in LINE_HOLDS_STOCK:
            self.tree.hand_overs.append(HandOver(self, child, None))
        return child

    def split(self, ledger: Ledger, quantity: Decimal, **facts: Any) -> Line:
        """Take `quantity` out of this leaf into a child of its own, in the same status, and return that child.

        The rest stays with `as_child()`. What the leaf held in stock is handed over by the caller (`hand_overs`).
        `facts` (when, by which message) belong to the events of it.
        """
        if not 0 < quantity < self.quantity:
            raise ValueError(f"cannot split {quantity} out of {self.quantity}")
        rest = self.as_child(ledger, **facts)
        rest.quantity -= quantity
        child = self.tree.add_child(ledger, rest.parent or rest, quantity, **facts)
        child.copy_terms(rest)
        data = {"quantity": str(rest.quantity), "split_to": child.reference}
        ledger.record(rest, "line.quantity_changed", data=data, **facts)
        rest.touched = True
        if self.status in LINE_HOLDS_STOCK:
            self.tree.hand_overs.append(HandOver(rest, child, quantity))
        return child

    def copy_terms(self, other: Line) -> None:
        """Take over status, place, dates and wishes of another leaf, as a part split off from it has them."""
        self.status, self.status_since, self.warehouse_id = other.status, other.status_since, other.warehouse_id
        self.requested_on = other.requested_on
        self.first_promised_on, self.promised_on = other.first_promised_on, other.promised_on
        self.minimum_fill, self.kept_back = other.minimum_fill, other.kept_back


@dataclass(frozen=True, slots=True)
class HandOver:
    """Stock held for one line that must be held for another: `quantity` of it, or (None) all of it."""

    giver: Line
    taker: Line
    quantity: Decimal | None


class Tree(Subject):
    """A locked parts order with all its lines."""

    __slots__ = (
        "complete_delivery_only",
        "customer_id",
        "destination_id",
        "hand_overs",
        "hold_event_id",
        "lines",
        "on_hold",
        "order_kind",
        "progress",
        "read_version",
        "revision",
        "service_order_id",
        "touched",
    )
    kind = "parts_order"

    order_kind: str
    progress: Decimal
    revision: int
    customer_id: UUID | None
    service_order_id: UUID | None
    destination_id: UUID | None
    complete_delivery_only: bool
    on_hold: bool
    hold_event_id: str | None
    lines: dict[UUID, Line]
    hand_overs: list[HandOver]
    read_version: int
    touched: bool

    def roots(self) -> list[Line]:
        return [line for line in self.lines.values() if line.parent is None]

    def leaves(self) -> list[Line]:
        return [line for line in self.lines.values() if not line.is_split]

    def children_of(self, parent: Line) -> list[Line]:
        return [line for line in self.lines.values() if line.parent is parent]

    def add_child(self, ledger: Ledger, parent: Line, quantity: Decimal, **facts: Any) -> Line:
        """Add a leaf under a root line, on the root's terms. The caller makes the quantities add up.

        `facts` (when, by which message) belong to its first event.
        """
        child = Line()
        child.id, child.tree, child.parent = new_key(), self, parent
        child.position, child.part_id, child.quantity = parent.position, parent.part_id, quantity
        child.child_number = 1 + max((line.child_number for line in self.children_of(parent)), default=0)
        child.reference = f"{parent.reference}.{child.child_number}"
        child.is_split, child.progress = False, Decimal(0)
        child.version, child.chain_hash, child.status = 0, b"", ""
        child.read_version, child.touched = None, True
        child.copy_terms(parent)
        since = child.status_since
        ledger.record(child, "line.split_off", to=child.status, data={"quantity": str(quantity)}, **facts)
        child.status_since = since
        self.lines[child.id] = child
        return child

    def add_root(self, ledger: Ledger, part_id: UUID, quantity: Decimal, *, like: Line, warehouse_id: UUID) -> Line:
        """Add a line of another part, wanted and promised when `like` is, whose stock is put aside in a warehouse."""
        line = Line()
        line.id, line.tree, line.parent = new_key(), self, None
        line.position = 1 + max(each.position for each in self.lines.values())
        line.child_number, line.part_id, line.quantity = 0, part_id, quantity
        line.reference = f"{self.reference}/{line.position}"
        line.is_split, line.progress, line.kept_back, line.minimum_fill = False, Decimal(0), False, Decimal(0)
        line.version, line.chain_hash, line.status, line.status_since = 0, b"", "", ledger.cause.at
        line.warehouse_id, line.requested_on = warehouse_id, like.requested_on
        line.first_promised_on, line.promised_on = like.first_promised_on, like.promised_on
        line.read_version, line.touched = None, True
        ledger.record(line, "line.placed", to="reserved", data={"quantity": str(quantity)})
        self.lines[line.id] = line
        return line

    def roll_up(self, ledger: Ledger) -> None:
        """Derive the statuses of parents and of the order, and the progress of all; record each status that changed."""
        for root in self.roots():
            parts = self.children_of(root) if root.is_split else [root]
            pairs = [(line.status, line.quantity) for line in parts]
            for line in parts:
                line.set_progress(Decimal(line.status in LINE_SHIPPED))
            progress = shipped_share(pairs)
            if root.is_split:
                status = derived_status(status for status, _quantity in pairs)
                if status != root.status:
                    ledger.record(root, "line.status_derived", to=status, message_id="")
                    root.touched = True
            root.set_progress(progress)
        roots = self.roots()
        status = derived_status(root.status for root in roots)
        if status != self.status:
            ledger.record(self, "parts_order.status_derived", to=status, message_id="")
        self.progress = mean_share([(root.status, root.progress) for root in roots])


class Trees:
    """Several locked trees, written together."""

    def __init__(self, trees: Iterable[Tree]) -> None:
        self.by_order: dict[UUID, Tree] = {tree.id: tree for tree in trees}

    def __iter__(self) -> Iterator[Tree]:
        return iter(self.by_order.values())

    def line(self, line_id: UUID) -> Line:
        """Return a line of these trees; raises NotFound."""
        for tree in self:
            if line_id in tree.lines:
                return tree.lines[line_id]
        raise NotFound(sentence("There is no such order line."), id=str(line_id))

    def by_line(self) -> dict[UUID, Line]:
        """Return all lines by their key."""
        return {line.id: line for tree in self for line in tree.lines.values()}

    def write(self, ledger: Ledger) -> None:
        """Roll up and write all that changed, with its events, in one statement. Nothing changed: no statement."""
        changed = [tree for tree in self if tree.touched or any(line.touched for line in tree.lines.values())]
        if not changed:
            return
        for tree in changed:
            tree.roll_up(ledger)
        lines = [line for tree in changed for line in tree.lines.values() if line.touched]
        old = [line for line in lines if line.read_version is not None]
        walked = any(line.version - (line.read_version or 0) > 1 for line in old)
        if walked:  # a line that took several steps at once, each with its event, is let through by the trigger
            _let_walk("on")
        statements.write(
            sql.WRITE_TREES,
            {
                **ledger.parameters(),
                "orders": as_text([_order_row(tree) for tree in changed]),
                "new_lines": as_text([_line_row(line) for line in lines if line.read_version is None]),
                "lines": as_text([_line_row(line) for line in old]),
                "recorded_at": ledger.recorded_at,
            },
            expected=(len(changed), len(old)),
            otherwise=ConcurrentChange(sentence("An order was changed by somebody who did not hold its lock.")),
        )
        if walked:
            _let_walk("")
        for tree in changed:
            tree.read_version, tree.touched = tree.version, False
        for line in lines:
            line.read_version, line.touched = line.version, False


def _let_walk(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('backline.walk', %s, true)", [value])


def _order_row(tree: Tree) -> dict[str, Any]:
    return {
        "id": tree.key_text,
        "read_version": tree.read_version,
        "status": tree.status,
        "progress": str(tree.progress),
        "on_hold": tree.on_hold,
        "hold_event_id": tree.hold_event_id,
        "version": tree.version,
        "chain_hash": tree.chain_hash.hex(),
        "status_since": text_of_time(tree.status_since),
    }


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _line_row(line: Line) -> dict[str, Any]:
    row = {
        "id": line.key_text,
        "quantity": str(line.quantity),
        "status": line.status,
        "is_split": line.is_split,
        "progress": str(line.progress),
        "warehouse_id": _text(line.warehouse_id),
        "first_promised_on": _text(line.first_promised_on),
        "promised_on": _text(line.promised_on),
        "kept_back": line.kept_back,
        "version": line.version,
        "chain_hash": line.chain_hash.hex(),
        "status_since": text_of_time(line.status_since),
    }
    if line.read_version is not None:
        row["read_version"] = line.read_version
    else:
        row |= {
            "order_id": str(line.tree.id),
            "parent_id": str(line.parent.id) if line.parent else None,
            "position": line.position,
            "child_number": line.child_number,
            "part_id": str(line.part_id),
            "requested_on": str(line.requested_on),
            "minimum_fill": str(line.minimum_fill),
            "reference": line.reference,
        }
    return row


def lock_trees(*, order_ids: Iterable[UUID] = (), line_ids: Iterable[UUID] = ()) -> Trees:
    """Lock orders (by key, or by the keys of any of their lines) and return them as they stand under the lock.

    Stock that the action will touch must be locked before. Keys that do not exist are left out.
    """
    parameters = {"order_ids": list(order_ids), "line_ids": list(line_ids)}
    rows = statements.rows_of(sql.LOCK_TREES, parameters)
    if any(row[8] != row[9] for row in rows):
        rows = statements.rows_of(sql.LOCK_TREES, parameters)
    return Trees(_trees(rows))


def _trees(rows: list[tuple[Any, ...]]) -> list[Tree]:
    trees: list[Tree] = []
    for row in rows:
        if not trees or trees[-1].id != row[0]:
            trees.append(_tree(row))
        tree = trees[-1]
        line = _line(row, tree)
        tree.lines[line.id] = line
    return trees


def _tree(row: tuple[Any, ...]) -> Tree:
    tree = Tree()
    tree.id, tree.reference, tree.version, chain_hash, tree.status, tree.status_since = row[:6]
    tree.order_kind, tree.progress, tree.revision = row[6:9]
    tree.customer_id, tree.service_order_id, tree.destination_id = row[10:13]
    tree.complete_delivery_only, tree.on_hold = row[13:15]
    tree.chain_hash, tree.read_version, tree.touched = chain_hash, tree.version, False
    tree.hold_event_id, tree.lines, tree.hand_overs = None, {}, []
    return tree


def _line(row: tuple[Any, ...], tree: Tree) -> Line:
    line = Line()
    line.tree = tree
    line.id, line.reference, line.version, chain_hash, line.status, line.status_since, parent_id = row[15:22]
    line.position, line.child_number, line.part_id, line.quantity, line.is_split, line.progress = row[22:28]
    line.warehouse_id, line.requested_on, line.first_promised_on, line.promised_on = row[28:32]
    line.minimum_fill, line.kept_back = row[32:]
    line.chain_hash, line.read_version, line.touched = chain_hash, line.version, False
    line.parent = tree.lines[parent_id] if parent_id else None
    return line

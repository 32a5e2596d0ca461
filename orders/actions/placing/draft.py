"""A new order on its way into the database, which it reaches in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection

from orders import sql
from orders.actions.holding import hold_for
from orders.actions.placing.facts import Facts, PartFacts, refuse_closed
from orders.actions.placing.placed import Placed, PlacedLine
from orders.actions.placing.plan import Plan
from orders.actions.placing.wanted import Header
from orders.ledger import Cause, Ledger
from orders.rules import derived_status
from orders.signals import Opened, Shortage
from orders.sourcing import Pick
from orders.trees import Line, Tree
from parts import sql_reserve
from parts.actions.reserving import Hold, reserve_parameters
from parts.documents import as_text
from parts.keys import new_key

S = TypeVar("S", Tree, Line)

_PLACE = sql.PLACE.format(reserve=sql_reserve.RESERVE)


class Draft:
    """A new order on its way into the database."""

    def __init__(self, header: Header, facts: Facts, cause: Cause, key: UUID) -> None:
        self.order, self.facts, self.cause, self.key = header, facts, cause, key
        self.ledger = Ledger(cause)
        self.reference = f"P-{facts.number:06d}"
        self.holds: list[Hold] = []
        self.lines: list[Line] = []
        self.shortages: list[Shortage] = []
        self.roots: list[tuple[Line, PartFacts, list[Line]]] = []
        self.header = _subject(Tree(), self.key, self.reference, cause.at)

    def add(self, position: int, plan: Plan) -> None:
        """Add a line: one leaf where one place has all of it, else a parent with a child per place and for the rest."""
        root = self._line(plan, None, position, 0, plan.wanted.quantity)
        children: list[Line] = []
        if len(plan.picks) == 1 and not plan.missing:
            self._hold(root, plan.picks[0])
            self.ledger.record(root, "line.placed", to="reserved", data=_quantity(root))
        else:
            root.is_split = True
            statuses = ["reserved"] * len(plan.picks) + ["back_ordered"] * bool(plan.missing)
            self.ledger.record(root, "line.placed", to=derived_status(statuses), data=_quantity(root))
            for number, pick in enumerate(plan.picks, start=1):
                child = self._line(plan, root, position, number, pick.quantity)
                self._hold(child, pick)
                self.ledger.record(child, "line.split_off", to="reserved", data=_quantity(child))
                children.append(child)
            if plan.missing:
                child = self._line(plan, root, position, len(plan.picks) + 1, plan.missing)
                self.ledger.record(child, "line.split_off", to="back_ordered", data=_quantity(child))
                self.shortages.append(self._shortage(plan, child))
                children.append(child)
        self.roots.append((root, plan.part, children))

    def _line(self, plan: Plan, parent: Line | None, position: int, child_number: int, quantity: Decimal) -> Line:
        suffix = f".{child_number}" if child_number else ""
        line = _subject(Line(), new_key(), f"{self.reference}/{position}{suffix}", self.cause.at)
        line.parent, line.position, line.child_number = parent, position, child_number
        line.part_id, line.quantity, line.is_split, line.warehouse_id = plan.part.id, quantity, False, None
        line.requested_on = plan.wanted.requested_on or self.order.requested_on
        line.minimum_fill = plan.wanted.minimum_fill
        self.lines.append(line)
        return line

    def _hold(self, line: Line, pick: Pick) -> None:
        line.warehouse_id = pick.level.warehouse_id
        self.holds.append(
            hold_for(self.order.kind, line_id=line.id, level_id=pick.level.id, quantity=pick.quantity, at=self.cause.at)
        )

    def _shortage(self, plan: Plan, line: Line) -> Shortage:
        least = plan.missing if self.order.complete_delivery_only else min(plan.wanted.minimum_fill, plan.missing)
        return Shortage(
            line_id=line.id,
            reference=line.reference,
            part_id=plan.part.id,
            criticality=plan.part.criticality,
            quantity=plan.missing,
            minimum_fill=least,
            customer_id=self.facts.customer_id,
            tier=self.facts.tier,
            order_kind=self.order.kind,
            downtime_cost=self.facts.downtime_cost,
            contract_points=self.facts.contract_points,
            requested_on=line.requested_on,
            excluded_warehouse_id=self.facts.destination_id,
            is_new=True,
        )

    def write(self) -> None:
        """Send it all in one statement: the order, its lines, what they hold, and every event.

        Raises Refused where the job it is for was closed since it was read.
        """
        status = derived_status(root.status for root, _part, _children in self.roots)
        self.ledger.record(
            self.header,
            "parts_order.placed",
            to=status,
            note=self.order.note,
            data={"kind": self.order.kind, "lines": len(self.roots)},
        )
        parameters = reserve_parameters(self.holds, by=self.cause.by, source=self.cause.source, at=self.cause.at) | {
            "id": self.key,
            "kind": self.order.kind,
            "status": status,
            "customer_id": self.facts.customer_id,
            "service_order_id": self.facts.service_order_id,
            "region_id": self.facts.region_id,
            "destination_id": self.facts.destination_id,
            "external_reference": self.order.external_reference,
            "requested_on": self.order.requested_on,
            "complete_delivery_only": self.order.complete_delivery_only,
            "is_test": self.order.is_test,
            "reference": self.reference,
            "version": self.header.version,
            "chain_hash": self.header.chain_hash,
            "new_lines": as_text([_row(line) for line in self.lines]),
            **self.ledger.parameters(),
            "recorded_at": self.ledger.recorded_at,
        }
        with connection.cursor() as cursor:
            cursor.execute(_PLACE, parameters)
            status, _levels = cursor.fetchone()
        refuse_closed(status)  # it may have been closed since it was read

    def answer(self, opened: dict[UUID, Opened]) -> Placed:
        """Say how it was placed, with the back orders that were opened for it."""

        def of(line: Line, part: PartFacts, children: Sequence[Line] = ()) -> PlacedLine:
            return PlacedLine(
                id=line.id,
                reference=line.reference,
                part_id=part.id,
                part_number=part.number,
                quantity=line.quantity,
                status=line.status,
                warehouse_id=line.warehouse_id,
                back_order=opened.get(line.id),
                children=tuple(of(child, part) for child in children),
            )

        return Placed(
            id=self.key,
            reference=self.reference,
            status=self.header.status,
            version=self.header.version,
            lines=tuple(of(root, part, children) for root, part, children in self.roots),
        )


def _subject(subject: S, key: UUID, reference: str, at: datetime) -> S:
    subject.id, subject.reference, subject.version = key, reference, 0
    subject.chain_hash, subject.status, subject.status_since = b"", "", at
    return subject


def _quantity(line: Line) -> dict[str, str]:
    return {"quantity": str(line.quantity)}


def _row(line: Line) -> dict[str, Any]:
    return {
        "id": str(line.id),
        "parent_id": str(line.parent.id) if line.parent else None,
        "position": line.position,
        "child_number": line.child_number,
        "part_id": str(line.part_id),
        "quantity": str(line.quantity),
        "status": line.status,
        "is_split": line.is_split,
        "warehouse_id": str(line.warehouse_id) if line.warehouse_id else None,
        "requested_on": str(line.requested_on),
        "minimum_fill": str(line.minimum_fill),
        "reference": line.reference,
        "version": line.version,
        "chain_hash": line.chain_hash.hex(),
    }

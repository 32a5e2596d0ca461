"""Place a parts order: reserve what is there, split what is short, open its back order. One transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar, cast
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from orders import sql
from orders.actions import service_orders, taking_back
from orders.ledger import Cause, Ledger
from orders.models import PartsOrder
from orders.rules import LONGEST_NOTE, derived_status, text_faults
from orders.signals import Opened, Shortage, line_short
from orders.sourcing import Destination, Pick, choose
from orders.trees import Line, Tree
from parts import sql_reserve
from parts.actions.reserving import Hold, LevelRow, lock_levels, reserve_parameters
from parts.actors import Actor
from parts.documents import as_text
from parts.errors import Invalid, NotFound, Refused
from parts.keys import new_key
from parts.rules import quantity_problem
from parts.statuses import Purpose

MOST_LINES = 500
#: From this quantity on a line is taken for a slip of the finger; it keeps sums far from what a column holds.
TOO_MANY = 10**9
#: How long stock is kept for soft demand (internal transfers, replenishment) that nobody picks.
SOFT_FOR = timedelta(days=7)
SOFT_KINDS = (Purpose.TRANSFER.value, Purpose.STOCK.value)
#: Demand that may take back what softer demand holds.
SERVICE_KINDS = (Purpose.SERVICE.value, Purpose.EMERGENCY.value)

S = TypeVar("S", Tree, Line)

_PLACE = sql.PLACE.format(reserve=sql_reserve.RESERVE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One line of a new order: the part by key or number, and the quantity in the part's unit.

    `minimum_fill` is the smallest partial quantity the customer accepts once the line is short (0: any).
    """

    quantity: Decimal
    part_id: UUID | None = None
    part_number: str = ""
    requested_on: date | None = None
    minimum_fill: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """A line as placed; `parts` are its leaves (itself where it was not split)."""

    id: UUID
    reference: str
    part_id: UUID
    part_number: str
    quantity: Decimal
    status: str
    warehouse_id: UUID | None
    back_order: Opened | None
    children: tuple[PlacedLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """The answer to placing: what is reserved where, what is back-ordered and until when."""

    id: UUID
    reference: str
    status: str
    version: int
    lines: tuple[PlacedLine, ...]
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """What an order says of itself, beside its lines."""

    kind: str
    requested_on: date
    customer_id: UUID | None
    service_order_id: UUID | None
    destination_id: UUID | None
    complete_delivery_only: bool
    external_reference: str
    is_test: bool
    note: str


class _AlreadyPlaced(Exception):
    """An order of this key exists."""

    def __init__(self, key: UUID) -> None:
        super().__init__(str(key))
        self.key = key


@dataclass(slots=True)
class _PartFacts:
    id: UUID
    number: str
    criticality: str
    decimals: int


@dataclass(slots=True)
class _Facts:
    """What placing read before it locked stock."""

    number: int
    customer_id: UUID | None
    tier: str
    region_id: UUID
    service_order_id: UUID | None
    downtime_cost: Decimal
    contract_points: Decimal
    destination: Destination
    destination_id: UUID | None
    parts: dict[UUID, _PartFacts] = field(default_factory=dict)
    by_number: dict[str, _PartFacts] = field(default_factory=dict)


@dataclass(slots=True)
class _Plan:
    """A wanted line with where it is taken from; `missing` is what nobody has."""

    part: _PartFacts
    wanted: Wanted
    picks: list[Pick]
    missing: Decimal


def place(
    *,
    kind: str,
    lines: Sequence[Wanted],
    requested_on: date,
    by: Actor,
    source: str,
    at: datetime,
    customer_id: UUID | None = None,
    service_order_id: UUID | None = None,
    destination_id: UUID | None = None,
    complete_delivery_only: bool = False,
    external_reference: str = "",
    is_test: bool = False,
    key: UUID | None = None,
    note: str = "",
    message_id: str = "",
) -> Placed:
    """Place an order: every unit of every line is reserved, or back-ordered in the same instant.

    `key`, if given, becomes the order's key: the same key again changes nothing and answers with the order as it was
    placed (`replayed`). `at` is when the order was given. `complete_delivery_only` makes each short line wait for all
    of its quantity. Raises Forbidden, Invalid (naming every bad field), NotFound; nothing is changed then.
    Statements: 3, one more where something is short, two more where that pauses a service order.
    """
    by.require("orders.place_partsorder")
    _check_form(kind, lines, customer_id, service_order_id, destination_id, external_reference, note)
    cause = Cause(by=by, source=source, at=at, message_id=message_id)
    header = Header(
        kind,
        requested_on,
        customer_id,
        service_order_id,
        destination_id,
        complete_delivery_only,
        external_reference,
        is_test,
        note,
    )
    try:
        with transaction.atomic():
            return _place(header, lines, cause, key)
    except _AlreadyPlaced as known:
        return _as_placed(known.key, header)
    except IntegrityError:
        # The same order, placed by somebody else a moment ago? Which of its rows met the other's first is chance.
        if key and PartsOrder.objects.filter(pk=key).exists():
            return _as_placed(key, header)
        raise


def _place(header: Header, lines: Sequence[Wanted], cause: Cause, key: UUID | None) -> Placed:
    facts = _read(lines, header, cause.at, key)
    demands = _demands(lines, facts)
    part_ids = list({part.id for part, _wanted in demands})
    levels = lock_levels(part_ids=part_ids)
    plans = _source(demands, levels, facts)
    missing = _missing_by_part(plans)
    if header.kind in SERVICE_KINDS and taking_back.worth_it(missing, levels, facts.destination_id):
        taking_back.take_back(needs=missing, destination_id=facts.destination_id, cause=cause)
        plans = _source(demands, lock_levels(part_ids=part_ids), facts)
    draft = _Draft(header, facts, cause, key or new_key())
    for position, plan in enumerate(plans, start=1):
        draft.add(position, plan)
    draft.write()
    opened = _announce(draft.shortages, cause)
    if draft.shortages and facts.service_order_id:
        service_orders.pause_for_parts(ids=[facts.service_order_id], cause=cause)
    return draft.answer(opened)


def _check_form(
    kind: str,
    lines: Sequence[Wanted],
    customer_id: UUID | None,
    service_order_id: UUID | None,
    destination_id: UUID | None,
    external_reference: str,
    note: str,
) -> None:
    fields = text_faults(external_reference=(external_reference, 80), note=(note, LONGEST_NOTE))
    if kind not in Purpose.values:
        fields["kind"] = [f"Must be one of {', '.join(Purpose.values)}."]
    elif kind in SERVICE_KINDS and customer_id is None and service_order_id is None:
        fields["customer"] = ["Name the customer or the service order this is for."]
    elif kind in SOFT_KINDS and destination_id is None:
        fields["destination"] = ["Name the warehouse this is for."]
    if not lines:
        fields["lines"] = ["An order needs at least one line."]
    elif len(lines) > MOST_LINES:
        fields["lines"] = [f"At most {MOST_LINES} lines; split the order."]
    if fields:
        raise Invalid("The order cannot be placed as it is.", fields)


def _read(lines: Sequence[Wanted], header: Header, at: datetime, key: UUID | None) -> _Facts:
    """Read what placing must know. Raises _AlreadyPlaced where an order of this key exists."""
    parameters: dict[str, Any] = {
        "part_ids": [line.part_id for line in lines if line.part_id],
        "part_numbers": [line.part_number for line in lines if line.part_number],
        "customer_id": header.customer_id,
        "service_order_id": header.service_order_id,
        "destination_id": header.destination_id,
        "key": key,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql.READ_FOR_PLACING, parameters)
        rows = cursor.fetchall()
    if not rows:
        raise Invalid(
            "The order cannot be placed as it is.",
            {f"lines.{index}.part": ["There is no such part."] for index in range(len(lines))},
        )
    first = rows[0]
    if first[19] and key:
        raise _AlreadyPlaced(key)
    _check_parties(first, header)
    facts = _Facts(
        number=first[5],
        customer_id=first[6],
        tier=first[7] or "",
        region_id=first[9],
        service_order_id=first[12],
        downtime_cost=first[14] or Decimal(0),
        contract_points=first[15] or Decimal(0),
        destination_id=first[16],
        destination=Destination(
            region_id=first[9],
            latitude=first[10] if first[16] is None else first[17],
            longitude=first[11] if first[16] is None else first[18],
            at=at,
        ),
    )
    for row in rows:
        if row[3]:
            part = _PartFacts(row[0], row[1], row[2], row[4])
            facts.parts[part.id] = facts.by_number[part.number] = part
    return facts


def _check_parties(row: tuple[Any, ...], header: Header) -> None:
    fields: dict[str, list[str]] = {}
    if header.service_order_id and row[12] is None:
        fields["service_order"] = ["There is no such service order."]
    elif header.service_order_id and row[13] in ("completed", "cancelled"):
        raise Refused(f"The service order is {row[13]}; nothing more can be ordered for it.", current=row[13])
    elif header.service_order_id and header.customer_id not in (None, row[20]):
        fields["service_order"] = ["This service order is another customer's."]
    if header.customer_id and row[6] is None:
        fields["customer"] = ["There is no such customer."]
    elif row[6] is not None and not row[8]:
        fields["customer"] = ["This customer is not active."]
    if header.destination_id and row[16] is None:
        fields["destination"] = ["There is no such warehouse."]
    if fields:
        raise Invalid("The order cannot be placed as it is.", fields)


def _demands(lines: Sequence[Wanted], facts: _Facts) -> list[tuple[_PartFacts, Wanted]]:
    fields: dict[str, list[str]] = {}
    demands: list[tuple[_PartFacts, Wanted]] = []
    for index, line in enumerate(lines):
        part = facts.parts.get(line.part_id) if line.part_id else facts.by_number.get(line.part_number)
        if part is None:
            fields[f"lines.{index}.part"] = ["There is no such part, or it can no longer be ordered."]
            continue
        if problem := quantity_problem(line.quantity, part.decimals):
            fields[f"lines.{index}.quantity"] = [f"It {problem}."]
        elif line.quantity >= TOO_MANY:
            fields[f"lines.{index}.quantity"] = [f"It must be less than {TOO_MANY:,}."]
        elif not (line.minimum_fill.is_finite() and 0 <= line.minimum_fill <= line.quantity):
            fields[f"lines.{index}.minimum_fill"] = ["Must lie between 0 and the quantity."]
        demands.append((part, line))
    if fields:
        raise Invalid("The order cannot be placed as it is.", fields)
    return demands


def _source(demands: Iterable[tuple[_PartFacts, Wanted]], levels: Sequence[LevelRow], facts: _Facts) -> list[_Plan]:
    """Choose stock for every line from the locked levels, never the same unit twice, never a transfer's own place."""
    by_part: dict[UUID, list[LevelRow]] = defaultdict(list)
    for level in levels:
        if level.warehouse_id != facts.destination_id:
            by_part[level.part_id].append(level)
    plans = []
    for part, wanted in demands:
        picks = choose(by_part[part.id], wanted.quantity, facts.destination)
        taken = {pick.level.id: pick.quantity for pick in picks}
        by_part[part.id] = [
            replace(level, available=level.available - taken[level.id]) if level.id in taken else level
            for level in by_part[part.id]
        ]
        plans.append(_Plan(part, wanted, picks, wanted.quantity - sum(taken.values(), Decimal(0))))
    return plans


def _missing_by_part(plans: Iterable[_Plan]) -> dict[UUID, Decimal]:
    missing: dict[UUID, Decimal] = defaultdict(Decimal)
    for plan in plans:
        if plan.missing:
            missing[plan.part.id] += plan.missing
    return missing


class _Draft:
    """A new order on its way into the database."""

    def __init__(self, header: Header, facts: _Facts, cause: Cause, key: UUID) -> None:
        self.order, self.facts, self.cause, self.key = header, facts, cause, key
        self.ledger = Ledger(cause)
        self.reference = f"P-{facts.number:06d}"
        self.holds: list[Hold] = []
        self.lines: list[Line] = []
        self.shortages: list[Shortage] = []
        self.roots: list[tuple[Line, _PartFacts, list[Line]]] = []
        self.header = _subject(Tree(), self.key, self.reference, cause.at)

    def add(self, position: int, plan: _Plan) -> None:
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

    def _line(self, plan: _Plan, parent: Line | None, position: int, child_number: int, quantity: Decimal) -> Line:
        suffix = f".{child_number}" if child_number else ""
        line = _subject(Line(), new_key(), f"{self.reference}/{position}{suffix}", self.cause.at)
        line.parent, line.position, line.child_number = parent, position, child_number
        line.part_id, line.quantity, line.is_split, line.warehouse_id = plan.part.id, quantity, False, None
        line.requested_on = plan.wanted.requested_on or self.order.requested_on
        self.lines.append(line)
        return line

    def _hold(self, line: Line, pick: Pick) -> None:
        soft = self.order.kind in SOFT_KINDS
        line.warehouse_id = pick.level.warehouse_id
        self.holds.append(
            Hold.new(
                level_id=pick.level.id,
                demand_id=line.id,
                quantity=pick.quantity,
                purpose=self.order.kind,
                strength="soft" if soft else "hard",
                expires_at=self.cause.at + SOFT_FOR if soft else None,
            )
        )

    def _shortage(self, plan: _Plan, line: Line) -> Shortage:
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
        status = derived_status(root.status for root, _part, _children in self.roots)
        self.ledger.record(
            self.header,
            "parts_order.placed",
            to=status,
            note=self.order.note,
            data={"kind": self.order.kind, "lines": len(self.roots)},
        )
        events, texts = self.ledger.as_json()
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
            "events": events,
            "texts": texts,
            "recorded_at": self.ledger.recorded_at,
        }
        with connection.cursor() as cursor:
            cursor.execute(_PLACE, parameters)

    def answer(self, opened: dict[UUID, Opened]) -> Placed:
        def of(line: Line, part: _PartFacts, children: Sequence[Line] = ()) -> PlacedLine:
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
        "reference": line.reference,
        "version": line.version,
        "chain_hash": line.chain_hash.hex(),
    }


def _announce(shortages: list[Shortage], cause: Cause) -> dict[UUID, Opened]:
    """Tell the floor above what is short and return its answers by line."""
    if not shortages:
        return {}
    answers = line_short.send(sender=place, shortages=shortages, cause=cause, serve=False)
    answered: list[Opened] = [opened for _receiver, answer in answers for opened in cast(list[Opened], answer)]
    return {opened.line_id: opened for opened in answered}


def _as_placed(key: UUID, header: Header) -> Placed:
    """Return an order that was placed before, as it stands now; refuse the key of an order for somebody else."""
    order = PartsOrder.objects.filter(pk=key).first()
    if order is None:
        raise NotFound("There is no such order.")
    if (order.kind, order.service_order_id, order.destination_id) != (
        header.kind,
        header.service_order_id,
        header.destination_id,
    ) or header.customer_id not in (None, order.customer_id):
        raise Refused("This key belongs to another order.")
    rows = list(order.lines.select_related("part", "back_order").order_by("position", "child_number"))

    def of(row: Any) -> PlacedLine:
        back = getattr(row, "back_order", None)
        return PlacedLine(
            id=row.id,
            reference=row.reference,
            part_id=row.part_id,
            part_number=row.part.number,
            quantity=row.quantity,
            status=row.status,
            warehouse_id=row.warehouse_id,
            back_order=Opened(row.id, back.id, back.reference, back.expected_on) if back else None,
            children=tuple(of(child) for child in rows if child.parent_id == row.id),
        )

    lines = tuple(of(row) for row in rows if row.parent_id is None)
    return Placed(order.id, order.reference, order.status, order.version, lines, replayed=True)

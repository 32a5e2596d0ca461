"""What else could be done for a back order: each way with its day, its cost, and what it takes from whom.

Nothing is written. The days come from the same pegging that dates the queue, so a way says what taking it would do; the
fingerprint of a way is what `actions.taking` compares under the locks before it does it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, Sum

from backorders.allocation import ZERO, Free, Waiting, plan
from backorders.models import AllocationPolicy, BackOrder
from backorders.pegs import Incoming
from backorders.statuses import BACK_ORDER_WAITING
from backorders.whatif import (
    WEIGHTS,
    Shift,
    Standing,
    dates,
    fingerprint,
    queues,
    shifts_between,
    supply_of,
    worst_first,
)
from parts.models import PartRelation, PurchaseOrderLine, StockLevel, SupplierPart, Warehouse
from parts.querysets import FIT_CONDITIONS
from parts.rules import rounded

#: The kinds of ways, in the order in which equals are listed.
TAKE_NOW, TRANSFER, SUBSTITUTE, PIN = "take-now", "transfer", "substitute", "pin"
EXPEDITE, PURCHASE, PROMISE, CANCEL = "expedite", "purchase", "promise", "cancel"
KINDS = (TAKE_NOW, TRANSFER, SUBSTITUTE, PIN, EXPEDITE, PURCHASE, PROMISE, CANCEL)
#: What a person must hold to take a way, beside the right to choose one.
RIGHTS: Mapping[str, tuple[str, ...]] = {
    TAKE_NOW: ("backorders.allocate_backorder",),
    TRANSFER: ("parts.transfer_stock",),
    SUBSTITUTE: ("orders.cancel_orderline", "orders.place_partsorder"),
    PIN: ("backorders.pin_backorder",),
    EXPEDITE: ("parts.manage_purchase_orders",),
    PURCHASE: ("parts.manage_purchase_orders",),
    PROMISE: ("orders.promise_orderline",),
    CANCEL: ("orders.cancel_orderline",),
}
#: How many of a kind are offered at most.
MOST_OF_A_KIND = 5
#: How many relations of a part are looked at, of those that hold.
MOST_RELATIONS = 100
#: How many may stand before it so that it is worked out what they take first.
FAR_BACK = 1_000
#: Of what is not written yet.
_NEW = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Way:
    """A way to serve a back order. `key` names it among the ways of its back order.

    `gets` is how much of what is missing it covers, `on` the day by which all of that is there (None: not known), `now`
    that it is there at once, `sooner` that this is, or may be, before it is expected as things stand. `cost` is what it
    costs more (None: not known, `facts` may say why). `shifts` is what it does to others. `facts` are the names and
    quantities that its words and its action need.
    """

    kind: str
    key: str
    gets: Decimal
    on: date | None
    now: bool = False
    sooner: bool = True
    cost: Decimal | None = None
    shifts: tuple[Shift, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    fingerprint: str = ""

    @property
    def losers(self) -> tuple[Shift, ...]:
        """Those who would come later, or stand further back."""
        return tuple(shift for shift in self.shifts if shift.direction > 0)

    @property
    def gainers(self) -> tuple[Shift, ...]:
        """Those who would come earlier, or stand further ahead."""
        return tuple(shift for shift in self.shifts if shift.direction < 0)

    @property
    def days_lost(self) -> int:
        """The days that others wait longer together."""
        return sum(shift.days or 0 for shift in self.losers)

    def order(self) -> tuple[Any, ...]:
        """Sort: what serves it sooner, soonest first; then what takes least from others, and costs least."""
        serves = self.kind not in (PROMISE, CANCEL) and self.gets > 0
        soon = date.min if self.now else (self.on or date.max)
        cost = self.cost if self.cost is not None else Decimal("Infinity")
        stage = int(not self.sooner) if serves else 2
        return (stage, soon, len(self.losers), self.days_lost, cost, KINDS.index(self.kind), self.key)


@dataclass(frozen=True, slots=True)
class Ways:
    """A back order, when it is expected as things stand, and the ways there are, best first."""

    row: Any
    expected_on: date | None
    ahead: int
    quantity_ahead: Decimal
    ways: tuple[Way, ...]

    def named(self, key: str) -> Way | None:
        """Return the way of that key, None where there is none (any more)."""
        return next((way for way in self.ways if way.key == key), None)


class _Scene:
    """Everything that the ways of one back order are worked out from. `only` is the key of the one that is wanted."""

    def __init__(self, row: Any, today: date, by_day: date | None, only: str | None) -> None:
        self.row, self.today, self.by_day, self.only = row, today, by_day, only
        self.order = row.line.order
        before = BackOrder.objects.waiting().filter(
            Q(rank__gt=row.rank) | Q(rank=row.rank, id__lt=row.id), part_id=row.part_id, on_hold=False
        )
        found = before.aggregate(count=Count("id"), quantity=Sum("quantity"))
        self.ahead, self.quantity_ahead = found["count"], found["quantity"] or ZERO
        policy = AllocationPolicy.objects.get(pk="default")
        self.revision = policy.revision
        weights = {name: getattr(policy, name) for name in WEIGHTS}
        deeper = self.quantity_ahead + row.quantity if self.ahead <= FAR_BACK else ZERO
        pinned = [] if row.pinned_at else [row.id]
        rows, _moving = queues(weights=weights, pin=pinned, part_ids=[row.part_id], deeper=deeper)
        self.pinned = rows
        #: The queue as it stands: nobody is anywhere else yet.
        self.queue = [replace(each, new_place=each.place) for each in rows]
        self.supply = supply_of([row.part_id]).get(row.part_id, [])
        self.mine = next((each for each in self.queue if each.id == row.id), None)
        self.days = dates(self.queue, self.supply, today=today)

    def wants(self, key: str) -> bool:
        """Tell whether the way of this key is asked for: each is worked out from the whole queue."""
        return self.only is None or self.only == key

    def way(
        self,
        kind: str,
        key: str,
        *,
        gets: Decimal,
        left: Mapping[UUID, Decimal] | None = None,
        supply: Sequence[Incoming] | None = None,
        queue: Sequence[Standing] | None = None,
        now: bool = False,
        **facts: Any,
    ) -> Way:
        """Work out what a way does to the queue, and when it serves this back order."""
        cost = facts.pop("cost", None)
        standing, coming = queue or self.queue, self.supply if supply is None else supply
        new_days = dates(standing, coming, today=self.today, left=left)
        before, on = self.days.get(self.row.id), self.today if now else new_days.get(self.row.id)
        shifts = shifts_between(standing, self.days, new_days, left=left)
        others = worst_first([shift for shift in shifts if shift.id != self.row.id and shift.direction])
        return Way(
            kind=kind,
            key=key,
            gets=gets,
            on=on,
            now=now,
            sooner=on is not None and (before is None or on < before),
            cost=cost,
            shifts=others,
            facts=facts,
        )


def ways(back_order_id: UUID, at: datetime, by_day: date | None = None, *, only: str | None = None) -> Ways | None:
    """Return the ways for a waiting back order, best first; None where it does not wait (any more).

    `by_day` is the day that a supplier names (for what is expedited) or that is promised. With `only`, the key of a
    way, no other is worked out. The number of statements does not depend on how many ways or back orders there are.
    """
    row = (
        BackOrder.objects.filter(pk=back_order_id, status__in=BACK_ORDER_WAITING)
        .select_related("part__unit", "customer", "line__order__region", "line__order__service_order__equipment")
        .first()
    )
    if row is None:
        return None
    scene = _Scene(row, at.astimezone(UTC).date(), by_day, only)
    found: list[Way] = []
    levels = _levels([row.part_id])
    destination = _destination(scene)
    if not row.on_hold:
        found += _take_now(scene, levels)
        found += _transfers(scene, levels, destination)
        found += _pin(scene)
        found += _expedites(scene)
        found += _purchases(scene, destination)
    found += _substitutes(scene)
    found += _promise_and_cancel(scene)
    marked = [replace(way, fingerprint=_mark(scene, way)) for way in found if scene.wants(way.key)]
    return Ways(
        row=row,
        expected_on=scene.days.get(row.id),
        ahead=scene.ahead,
        quantity_ahead=scene.quantity_ahead,
        ways=tuple(sorted(marked, key=Way.order)),
    )


def _mark(scene: _Scene, way: Way) -> str:
    facts = [f"{name}={value}" for name, value in sorted(way.facts.items())]
    head = f"{way.key} {scene.row.pk} {scene.row.version} {scene.row.line.version} revision {scene.revision}"
    does = f"{way.gets.normalize():f} {way.on} {way.now} {way.cost}"
    coming = sorted(f"{each.id} {each.quantity.normalize():f} {each.expected_on}" for each in scene.supply)
    return fingerprint(head, does, *facts, *coming, *(shift.as_text() for shift in way.shifts))


# --- What is there ---------------------------------------------------------------------------------------------------


def _levels(part_ids: Sequence[UUID]) -> list[Any]:
    """Read our own fit stock of these parts that nobody holds, wherever it lies."""
    levels: Any = StockLevel.objects.filter(part__in=part_ids, condition__in=FIT_CONDITIONS, owner="own")
    there = levels.with_available().filter(available__gt=0)
    return list(there.select_related("warehouse").order_by("-available", "id"))


def _usable(scene: _Scene, level: Any) -> bool:
    return level.warehouse.allocatable and level.warehouse_id != scene.row.excluded_warehouse_id


def _take_now(scene: _Scene, levels: Sequence[Any]) -> list[Way]:
    """Take what is free although it is less than the back order accepts."""
    free = [level for level in levels if _usable(scene, level)]
    there = sum((level.available for level in free), ZERO)
    if not scene.wants(TAKE_NOW) or not there or scene.order.complete_delivery_only or there >= scene.row.quantity:
        return []
    rest = scene.row.quantity - there
    way = scene.way(
        TAKE_NOW,
        TAKE_NOW,
        gets=there,
        left={scene.row.id: rest},
        cost=ZERO,
        rest=rest,
        accepts=scene.row.minimum_fill,
        warehouses=", ".join(sorted({level.warehouse.code for level in free})),
    )
    return [replace(way, on=scene.today, now=True, sooner=True, facts={**way.facts, "rest_on": way.on})]


def _destination(scene: _Scene) -> Any:
    """Return the warehouse that supply for this back order goes to: of its region first, central before others."""
    places = [
        place
        for place in Warehouse.objects.filter(allocatable=True).order_by("code")
        if place.pk != scene.row.excluded_warehouse_id
    ]
    return min(
        places,
        key=lambda place: (place.region_id != scene.order.region_id, place.kind != "central", place.code),
        default=None,
    )


def _transfers(scene: _Scene, levels: Sequence[Any], destination: Any) -> list[Way]:
    """Bring stock from places that serve no orders (vans, consignment) to one that does. It goes by rank there."""
    if destination is None or scene.mine is None:
        return []
    free = [Free(level.pk, level.warehouse_id, level.available) for level in levels if level.warehouse.allocatable]
    found = []
    for level in [level for level in levels if not level.warehouse.allocatable][:MOST_OF_A_KIND]:
        if not scene.wants(f"{TRANSFER}:{level.pk}"):
            continue
        quantity = min(level.available, scene.quantity_ahead + scene.row.quantity)
        given = _given(scene, [*free, Free(_NEW, destination.pk, quantity)])
        gets = given.get(scene.row.id, ZERO)
        left = {each.id: each.quantity - given[each.id] for each in scene.queue if each.id in given}
        way = scene.way(
            TRANSFER,
            f"{TRANSFER}:{level.pk}",
            gets=gets,
            left=left,
            quantity=quantity,
            available=level.available,
            condition=level.condition,
            origin=level.warehouse.code,
            origin_id=level.warehouse_id,
            destination=destination.code,
            destination_id=destination.pk,
            others=sum((amount for key, amount in given.items() if key != scene.row.id), ZERO),
            rest=scene.row.quantity - gets,
        )
        if gets:
            way = replace(way, on=scene.today, now=True, sooner=True, facts={**way.facts, "rest_on": way.on})
        found.append(way)
    return found


def _given(scene: _Scene, free: Sequence[Free]) -> dict[UUID, Decimal]:
    """Return who gets how much of what is free: what is brought counts together with what lies there already."""
    queue = [
        Waiting(
            id=each.id,
            line_id=each.id,
            order_id=each.id,
            part_id=each.part_id,
            quantity=each.quantity,
            minimum_fill=each.minimum_fill,
            rank=ZERO,
            excluded_warehouse_id=each.excluded_warehouse_id,
            on_hold=False,
        )
        for each in scene.queue
    ]
    decisions = plan(queue, free).decisions
    return {decision.waiting.id: decision.given for decision in decisions if decision.given}


# --- What is on order ------------------------------------------------------------------------------------------------


def _pin(scene: _Scene) -> list[Way]:
    """Go before the others: what is on order for them serves this one first."""
    if not scene.wants(PIN) or scene.row.pinned_at or not scene.ahead or scene.mine is None:
        return []
    return [scene.way(PIN, PIN, gets=scene.row.quantity, queue=scene.pinned, cost=ZERO)]


def _expedites(scene: _Scene) -> list[Way]:
    """Let a supplier deliver earlier: the lines that this back order counts on, or that are nearest."""
    if not scene.supply:
        return []
    named = {
        line.pk: line
        for line in PurchaseOrderLine.objects.filter(pk__in=[each.id for each in scene.supply]).select_related(
            "purchase_order__supplier", "purchase_order__warehouse"
        )
    }
    found = []
    for each in sorted(scene.supply, key=lambda each: (each.expected_on or date.max, each.id))[:MOST_OF_A_KIND]:
        if not scene.wants(f"{EXPEDITE}:{each.id}"):
            continue
        line = named[each.id]
        facts: dict[str, Any] = {
            "line_id": each.id,
            "number": line.purchase_order.number,
            "supplier": line.purchase_order.supplier.name,
            "quantity": each.quantity,
            "said": each.expected_on,
            "day": scene.by_day,
        }
        supply = [replace(other, expected_on=scene.by_day) if other is each else other for other in scene.supply]
        way = scene.way(
            EXPEDITE,
            f"{EXPEDITE}:{each.id}",
            gets=scene.row.quantity,
            supply=supply if scene.by_day else None,
            **facts,
        )
        found.append(way if scene.by_day else replace(way, on=None, sooner=True))
    return found


def _purchases(scene: _Scene, destination: Any) -> list[Way]:
    """Order from whoever sells the part: enough for all who stand before it, too."""
    if destination is None:
        return []
    offers = SupplierPart.objects.filter(part=scene.row.part_id, supplier__is_active=True).select_related("supplier")
    coming = sum((each.quantity for each in scene.supply), ZERO)
    reach = scene.quantity_ahead if scene.ahead <= FAR_BACK else ZERO
    needed = max(reach + scene.row.quantity - coming, scene.row.quantity)
    found = []
    for offer in offers.order_by("lead_time_days", "supplier__code")[:MOST_OF_A_KIND]:
        if not scene.wants(f"{PURCHASE}:{offer.pk}"):
            continue
        quantity = max(needed, offer.minimum_quantity)
        quantity = (quantity / offer.order_multiple).to_integral_value(ROUND_CEILING) * offer.order_multiple
        day = scene.today + timedelta(days=offer.lead_time_days)
        bought = Incoming(_NEW, scene.row.part_id, destination.pk, quantity, day)
        found.append(
            scene.way(
                PURCHASE,
                f"{PURCHASE}:{offer.pk}",
                gets=scene.row.quantity,
                supply=[*scene.supply, bought],
                cost=(quantity * offer.unit_cost).quantize(Decimal("0.01")) if offer.unit_cost else None,
                quantity=quantity,
                unit_cost=offer.unit_cost,
                supplier=offer.supplier.name,
                supplier_id=offer.supplier_id,
                destination=destination.code,
                destination_id=destination.pk,
                day=day,
                lead=offer.lead_time_days,
            )
        )
    return found


# --- Something else --------------------------------------------------------------------------------------------------


def _substitutes(scene: _Scene) -> list[Way]:
    """Put another part aside that may stand in, where one place has it: a way for each relation that allows it."""
    pairs = [_stand_in(scene, relation) for relation in _relations(scene)]
    best: dict[UUID, Any] = {}
    for level in _levels([part.pk for _relation, part, _factor in pairs]):
        if _usable(scene, level):
            best.setdefault(level.part_id, level)
    found = []
    for relation, part, factor in pairs:
        level = best.get(part.pk)
        if level is None or not part.is_active or not scene.wants(f"{SUBSTITUTE}:{relation.pk}"):
            continue
        if (way := _substitute(scene, relation, part, factor, level)) is not None:
            found.append(way)
        if len(found) == MOST_OF_A_KIND:
            break
    return found


def _relations(scene: _Scene) -> list[PartRelation]:
    """Return the relations that hold today and for the machine (one that is not known is asked of nobody)."""
    job = scene.order.service_order
    machine = job.equipment if job is not None else None
    allowed = Q(equipment_models=[])
    if machine is not None:
        allowed |= Q(equipment_models__contains=[machine.model])
    return list(
        PartRelation.objects.filter(Q(other=scene.row.part_id) | Q(part=scene.row.part_id, both_ways=True))
        .filter(Q(effective_from=None) | Q(effective_from__lte=scene.today))
        .filter(Q(effective_until=None) | Q(effective_until__gte=scene.today))
        .filter(allowed)
        .select_related("part__unit", "other__unit")
        .order_by("id")[:MOST_RELATIONS]
    )


def _stand_in(scene: _Scene, relation: PartRelation) -> tuple[PartRelation, Any, Fraction]:
    """Return the part that stands in, and exactly how many of it for one (a third is no decimal number)."""
    factor = Fraction(relation.quantity_factor)
    if relation.other_id == scene.row.part_id:
        return relation, relation.part, factor
    return relation, relation.other, 1 / factor


def _substitute(scene: _Scene, relation: PartRelation, part: Any, factor: Fraction, level: Any) -> Way | None:
    covers = rounded(Fraction(level.available) / factor, scene.row.part.unit.decimals, up=False)
    gets = min(scene.row.quantity, covers)
    quantity = rounded(Fraction(gets) * factor, part.unit.decimals, up=True)
    if gets <= 0 or quantity > level.available:
        return None
    both = scene.row.part.unit_cost and part.unit_cost
    rest = scene.row.quantity - gets
    way = scene.way(
        SUBSTITUTE,
        f"{SUBSTITUTE}:{relation.pk}",
        gets=gets,
        left={scene.row.id: rest},
        cost=(quantity * part.unit_cost - gets * scene.row.part.unit_cost).quantize(Decimal("0.01")) if both else None,
        number=part.number,
        description=part.description,
        part_id=part.pk,
        quantity=quantity,
        available=level.available,
        warehouse=level.warehouse.code,
        warehouse_id=level.warehouse_id,
        relation=relation.kind,
        rest=rest,
    )
    return replace(way, on=scene.today, now=True, sooner=True, facts={**way.facts, "rest_on": way.on})


def _promise_and_cancel(scene: _Scene) -> list[Way]:
    """Say another day, or give it up: neither brings anything, and the second lets others go ahead."""
    expected = scene.days.get(scene.row.id)
    promised = scene.row.line.promised_on
    promise = Way(
        PROMISE,
        PROMISE,
        ZERO,
        scene.by_day,
        cost=ZERO,
        facts={"promised": promised, "expected": expected, "day": scene.by_day},
    )
    if not scene.wants(CANCEL):
        return [promise]
    return [promise, scene.way(CANCEL, CANCEL, gets=ZERO, left={scene.row.id: ZERO}, cost=ZERO)]

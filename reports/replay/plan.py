"""Turn monthly demand into orders with days, hours, customers and lines. Pure: the same seed gives the same orders."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from parts.keys import key_at
from reports.replay.demand import Demand
from reports.replay.dice import Dice
from reports.replay.layout import DESTINATIONS, CustomerPlan

#: The stated mix of order kinds, in percent.
KINDS = {"service": 62, "emergency": 8, "stock": 18, "transfer": 12}
#: How many lines an order has: one to eight, in percent; a machine that is down never waits for more than two parts.
LINES = (15, 18, 18, 15, 12, 9, 7, 6)
#: Saturday has less of everything; on Sunday nobody works.
SATURDAY = 0.3
SUNDAY = 6
#: Shares of orders: delivered complete only; for a job on a machine (emergencies always are); cancelled in part or
#: whole within ten days.
COMPLETE_ONLY, FOR_A_JOB, CANCELLED = 0.05, 0.10, 0.025
#: A line of two or more units of which the customer takes no part delivery.
NO_PART = 0.05
#: Opening hours for orders, UTC.
OPENS, OPEN_HOURS = time(10), 7


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """A part and whole pieces of it; `minimum_fill` is the least part delivery the customer takes."""

    part: str
    quantity: int
    minimum_fill: int = 0


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """An order of the plan. `key` becomes the order's key, so that placing it twice places it once."""

    key: UUID
    at: datetime
    kind: str
    customer: str | None
    destination: str | None
    machine: int | None
    requested_on: date
    complete_delivery_only: bool
    lines: tuple[PlannedLine, ...]

    @property
    def job_key(self) -> UUID:
        """The key of the service order it is for."""
        return key_at(self.at, self.key, "job")


@dataclass(frozen=True, slots=True)
class PlannedCancel:
    """A customer's change of mind: one line (by position), some of its quantity or all (None); no position: all."""

    order_key: UUID
    position: int | None
    quantity: int | None


@dataclass(frozen=True, slots=True)
class Itinerary:
    """What happens to come from outside on each day."""

    orders: dict[date, list[PlannedOrder]]
    cancels: dict[date, list[PlannedCancel]]


def working_day(day: date) -> date:
    """Return the day, or the Monday after a Sunday."""
    return day + timedelta(days=1) if day.weekday() == SUNDAY else day


def moment(day: date, hour: int, minute: int = 0) -> datetime:
    """Return a time of a simulated day."""
    return datetime.combine(day, time(hour, minute), UTC)


def make_plan(demand: Demand, dice: Dice, namespace: UUID, customers: Sequence[CustomerPlan]) -> Itinerary:
    """Return all orders of the demand: every unit of it stands in exactly one line of one order."""
    orders: dict[date, list[PlannedOrder]] = {}
    cancels: defaultdict[date, list[PlannedCancel]] = defaultdict(list)
    for month in demand.months:
        for day, lines in sorted(_lines_by_day(demand, dice, month).items()):
            orders[day] = list(_orders(dice, namespace, day, lines, customers))
            for order in orders[day]:
                if dice.happens(CANCELLED, order.key, "cancel"):
                    when = working_day(day + timedelta(days=dice.whole(0, 10, order.key, "cancel after")))
                    cancels[when].append(_cancel(dice, order))
    return Itinerary(orders, dict(cancels))


def _lines_by_day(demand: Demand, dice: Dice, month: date) -> dict[date, list[PlannedLine]]:
    days = [month.replace(day=number) for number in range(1, monthrange(month.year, month.month)[1] + 1)]
    working = [day for day in days if day.weekday() != SUNDAY]
    weights = [SATURDAY if day.weekday() == SUNDAY - 1 else 1.0 for day in working]
    by_day: defaultdict[date, list[PlannedLine]] = defaultdict(list)
    for part in demand.parts:
        for number, quantity in enumerate(_portions(dice, part, month, demand.of(part, month) or 0)):
            day = dice.choose(working, part, month, number, "day", weights=weights)
            whole_only = quantity > 1 and dice.happens(NO_PART, part, month, number, "whole only")
            by_day[day].append(PlannedLine(part, quantity, quantity if whole_only else 0))
    return by_day


def _portions(dice: Dice, part: str, month: date, units: int) -> Iterator[int]:
    """Cut a month's units into line quantities: mostly one, often two, now and then half of what is left."""
    number = 0
    while units > 0:
        size = dice.choose((1, 2, -(-units // 2)), part, month, number, "size", weights=(40, 30, 30))
        yield min(size, units)
        units, number = units - size, number + 1


def _orders(
    dice: Dice, namespace: UUID, day: date, lines: Sequence[PlannedLine], customers: Sequence[CustomerPlan]
) -> Iterator[PlannedOrder]:
    """Put the lines of a day together into orders, spread over the opening hours; no part twice in one order."""
    shuffled = sorted(enumerate(lines), key=lambda item: dice.share(day, item[0], "place"))
    groups: list[tuple[str, list[PlannedLine]]] = []
    room = 0
    for _, line in shuffled:
        if not room or any(line.part == other.part for other in groups[-1][1]):
            kind = dice.choose(list(KINDS), day, len(groups), "kind", weights=list(KINDS.values()))
            room = dice.choose(range(1, len(LINES) + 1), day, len(groups), "lines", weights=LINES)
            room = min(room, 2) if kind == "emergency" else room
            groups.append((kind, []))
        groups[-1][1].append(line)
        room -= 1
    pause = timedelta(hours=OPEN_HOURS) / max(len(groups), 1)
    for sequence, (kind, members) in enumerate(groups):
        at = datetime.combine(day, OPENS, UTC) + pause * sequence
        yield _order(dice, namespace, sequence, at, kind, tuple(members), customers)


def _order(
    dice: Dice,
    namespace: UUID,
    sequence: int,
    at: datetime,
    kind: str,
    lines: tuple[PlannedLine, ...],
    customers: Sequence[CustomerPlan],
) -> PlannedOrder:
    day = at.date()
    key = key_at(at, namespace, f"order/{day:%Y-%m}/{day.day}/{sequence}")
    for_customer = kind in ("service", "emergency")
    customer = dice.choose(customers, key, "customer")
    has_job = kind == "emergency" or (for_customer and dice.happens(FOR_A_JOB, key, "job"))
    wait = {"emergency": (1, 2), "service": (2, 10), "stock": (7, 21), "transfer": (5, 14)}[kind]
    return PlannedOrder(
        key=key,
        at=at,
        kind=kind,
        customer=customer.code if for_customer else None,
        destination=None if for_customer else dice.choose(DESTINATIONS, key, "destination"),
        machine=dice.whole(0, len(customer.machines) - 1, key, "machine") if has_job else None,
        requested_on=day + timedelta(days=dice.whole(*wait, key, "wait")),
        complete_delivery_only=for_customer and len(lines) > 1 and dice.happens(COMPLETE_ONLY, key, "complete"),
        lines=lines,
    )


def _cancel(dice: Dice, order: PlannedOrder) -> PlannedCancel:
    if len(order.lines) == 1 or dice.happens(0.3, order.key, "cancel all"):
        return PlannedCancel(order.key, None, None)
    position = dice.whole(1, len(order.lines), order.key, "cancel position")
    quantity = order.lines[position - 1].quantity
    is_part = quantity > 1 and dice.happens(0.5, order.key, "cancel part")
    return PlannedCancel(
        order.key, position, dice.whole(1, quantity - 1, order.key, "cancel units") if is_part else None
    )

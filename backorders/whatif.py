"""Who would gain and who would lose, in places and in days, if the queue were ranked otherwise. Nothing is written.

The order is computed by the formula that ranks (`sql.rank`), the days by the pegging that dates (`pegs`): what is shown
is what the change would do.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from backorders import sql
from backorders.models import AllocationPolicy, BackOrder
from backorders.pegs import Incoming, Wanting, pegs
from backorders.sql_whatif import QUEUES, STATE, WEIGHTS
from parts import statements
from parts.documents import as_text

#: How many back orders are dated at most; of more it is said that they were left out.
MOST = 50_000
#: How deep a queue is looked at where no supply reaches: there only places change.
SHALLOW = 10


@dataclass(frozen=True, slots=True)
class Standing:
    """A back order in the queue of its part (1 is next), as it is and as it would be."""

    id: UUID
    part_id: UUID
    quantity: Decimal
    excluded_warehouse_id: UUID | None
    version: int
    place: int
    new_place: int
    minimum_fill: Decimal

    def wanting(self) -> Wanting:
        """Return what the pegging needs of it."""
        return Wanting(self.id, self.part_id, self.quantity, self.excluded_warehouse_id)


@dataclass(frozen=True, slots=True)
class Shift:
    """What changes for a back order: its place, and the day on which all of it can be expected (None: not known)."""

    id: UUID
    part_id: UUID
    version: int
    place: int
    new_place: int
    before: date | None
    after: date | None

    @property
    def days(self) -> int | None:
        """How many days later it comes (below 0: earlier); None where one of the two is not known."""
        return (self.after - self.before).days if self.before and self.after else None

    @property
    def days_earlier(self) -> int | None:
        """How many days earlier it comes."""
        return None if self.days is None else -self.days

    @property
    def direction(self) -> int:
        """1: it loses; -1: it gains; 0: only who stands around it changes. Days decide, without any the place."""
        if self.before != self.after:
            return 1 if (self.after or date.max) > (self.before or date.max) else -1
        if self.before is None:
            return (self.new_place > self.place) - (self.new_place < self.place)
        return 0

    def as_text(self) -> str:
        """Return it as it goes into a fingerprint."""
        return f"{self.id}:{self.version}:{self.place}>{self.new_place}:{self.before}>{self.after}"


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change would do. `shifts`: who loses most first, who gains most last; `moving`: how many places change in
    all, also where no supply reaches; `is_cut`: more are dated than were looked at."""

    shifts: tuple[Shift, ...]
    moving: int
    is_cut: bool
    fingerprint: str

    @property
    def losers(self) -> tuple[Shift, ...]:
        """Those who come later, or (where no day is known) stand further back."""
        return tuple(shift for shift in self.shifts if shift.direction > 0)

    @property
    def gainers(self) -> tuple[Shift, ...]:
        """Those who come earlier, or (where no day is known) stand further ahead."""
        return tuple(shift for shift in self.shifts if shift.direction < 0)

    @property
    def days_lost(self) -> int:
        """The days that all losers wait longer, where both days are known."""
        return sum(shift.days or 0 for shift in self.losers)

    @property
    def days_gained(self) -> int:
        """The days that all gainers wait less, where both days are known."""
        return -sum(shift.days or 0 for shift in self.gainers)


def effect(
    *,
    changes: Mapping[str, Decimal] | None = None,
    pin: Collection[UUID] = (),
    unpin: Collection[UUID] = (),
    today: date,
) -> Effect:
    """Return what other weights would do to all queues, or a pin (or its end) to the queue of its part.

    Three statements, four for a pin. The fingerprint covers the revision of the policy, the change, and every row
    that is dated or stands at the head of its queue: if any of that differs, it is another one.
    """
    policy = AllocationPolicy.objects.get(pk="default")
    part_ids = None
    if pin or unpin:
        found = BackOrder.objects.filter(pk__in=[*pin, *unpin]).order_by().values_list("part_id", flat=True)
        part_ids = sorted(set(found))
    weights = {name: getattr(policy, name) for name in WEIGHTS} | dict(changes or {})
    rows, moving = queues(weights=weights, pin=pin, unpin=unpin, part_ids=part_ids, changed=True)
    supply = supply_of({row.part_id for row in rows})
    shifts: list[Shift] = []
    for part_id, standing in by_part(rows[:MOST]).items():
        shifts += compare(standing, supply.get(part_id, []), today=today)
    told = sorted(f"{name}={value.normalize():f}" for name, value in (changes or {}).items())
    told += [f"pin {key}" for key in pin] + [f"unpin {key}" for key in unpin]
    mark = fingerprint(f"revision {policy.revision}", *told, *(shift.as_text() for shift in shifts))
    return Effect(worst_first(shifts), moving, len(rows) > MOST, mark)


def state() -> str:
    """Return a mark of all that decides about all queues: the same mark, the same effect. One quick statement."""
    with connection.cursor() as cursor:
        cursor.execute(STATE)
        return str(cursor.fetchone())


def queues(
    *,
    weights: Mapping[str, Decimal] | None = None,
    pin: Collection[UUID] = (),
    unpin: Collection[UUID] = (),
    part_ids: Collection[UUID] | None,
    changed: bool = False,
    deeper: Decimal = Decimal(0),
) -> tuple[list[Standing], int]:
    """Read queues as they stand and would stand, and how many places change in all. One statement, two without
    weights (they are read then)."""
    if weights is None:
        policy = AllocationPolicy.objects.get(pk="default")
        weights = {name: getattr(policy, name) for name in WEIGHTS}
    with connection.cursor() as cursor:
        cursor.execute(
            QUEUES,
            {
                **weights,
                "pin": list(pin),
                "unpin": list(unpin),
                "part_ids": None if part_ids is None else list(part_ids),
                "changed": changed,
                "deeper": deeper,
                "shallow": SHALLOW,
                "most": MOST,
            },
        )
        rows = cursor.fetchall()
    return [Standing(*row[:8]) for row in rows], int(rows[0][8]) if rows else 0


def by_part(rows: Sequence[Standing]) -> dict[UUID, list[Standing]]:
    """Group the rows of queues, as they stand, by part."""
    grouped: dict[UUID, list[Standing]] = defaultdict(list)
    for row in rows:
        grouped[row.part_id].append(row)
    return grouped


def supply_of(part_ids: Collection[UUID]) -> dict[UUID, list[Incoming]]:
    """Read what is on order for these parts. One statement, none for none."""
    grouped: dict[UUID, list[Incoming]] = defaultdict(list)
    for row in statements.rows_of(sql.SUPPLY, {"part_ids": sorted(part_ids)}) if part_ids else ():
        grouped[row[1]].append(Incoming(*row))
    return grouped


def dates(
    standing: Sequence[Standing],
    supply: Sequence[Incoming],
    *,
    today: date,
    left: Mapping[UUID, Decimal] | None = None,
) -> dict[UUID, date]:
    """Return the day on which all of each back order of one queue can be expected, as its `new_place` has it. Pure.

    `left` is what some of them still want (0: nothing any more). Who has no day is left out.
    """
    left = left or {}
    queue = [
        Wanting(row.id, row.part_id, left.get(row.id, row.quantity), row.excluded_warehouse_id)
        for row in sorted(standing, key=lambda row: row.new_place)
        if left.get(row.id, row.quantity) > 0
    ]
    return pegs(queue, supply, today)[1]


def compare(
    standing: Sequence[Standing],
    supply: Sequence[Incoming],
    *,
    today: date,
    left: Mapping[UUID, Decimal] | None = None,
    new_supply: Sequence[Incoming] | None = None,
) -> list[Shift]:
    """Return for whom a place or a day changes in one queue, in its order. Pure.

    `left` is what some of them still want afterwards (those who want nothing any more are not told of); `new_supply`
    is what is on order afterwards, where that changes too.
    """
    days = pegs([row.wanting() for row in standing], supply, today)[1]
    new_days = dates(standing, supply if new_supply is None else new_supply, today=today, left=left)
    return shifts_between(standing, days, new_days, left=left)


def shifts_between(
    standing: Sequence[Standing],
    days: Mapping[UUID, date],
    new_days: Mapping[UUID, date],
    *,
    left: Mapping[UUID, Decimal] | None = None,
) -> list[Shift]:
    """Return for whom in one queue a place or a day changes, in its order, where the days are worked out. Pure."""
    left = left or {}
    return [
        Shift(row.id, row.part_id, row.version, row.place, row.new_place, days.get(row.id), new_days.get(row.id))
        for row in standing
        if left.get(row.id, row.quantity) > 0
        and (row.place != row.new_place or days.get(row.id) != new_days.get(row.id))
    ]


def worst_first(shifts: Sequence[Shift]) -> tuple[Shift, ...]:
    """Sort: who loses most days first, who gains most last."""

    def weight(shift: Shift) -> tuple[int, int, int, str]:
        lost = shift.days if shift.days is not None else shift.direction * 100_000 * (shift.before != shift.after)
        return (-shift.direction, -lost, shift.place - shift.new_place, str(shift.id))

    return tuple(sorted(shifts, key=weight))


def fingerprint(*facts: str) -> str:
    """Return a short mark of what was shown, to compare it with what holds when it is to be done."""
    return hashlib.sha256(as_text(list(facts)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Told:
    """A shift with the names of what it is about."""

    shift: Shift
    reference: str
    order: str
    customer: str
    part: str
    promised_on: date | None

    @property
    def breaks_promise(self) -> bool:
        """Whether it would come after the day that was promised, and would not have without the change."""
        shift, promised = self.shift, self.promised_on
        if promised is None or shift.direction <= 0:
            return False
        return (shift.after or date.max) > promised and (shift.before or date.max) <= promised


def tell(shifts: Sequence[Shift]) -> list[Told]:
    """Name these shifts, in their order. One statement, none for none."""
    if not shifts:
        return []
    names: dict[UUID, tuple[Any, ...]] = {
        row[0]: row[1:]
        for row in BackOrder.objects.filter(pk__in=[shift.id for shift in shifts])
        .order_by()
        .values_list("id", "reference", "line__order__reference", "customer__name", "part__number", "line__promised_on")
    }
    return [
        Told(shift, names[shift.id][0], names[shift.id][1], names[shift.id][2] or "", *names[shift.id][3:])
        for shift in shifts
        if shift.id in names
    ]

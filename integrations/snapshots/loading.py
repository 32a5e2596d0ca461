"""Compare a file with the books: copy its rows beside them, add them up, then a slice of the parts at a time.

Each slice is a statement and a transaction of its own that locks no row, and the loader rests as long as it worked
(`Pace`), so that orders are placed beside it hardly slower. Whoever is killed leaves a claim that lapses; the file is
then compared from its beginning.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, BinaryIO
from uuid import UUID

from django.db import connection, transaction

from integrations.models import InventorySnapshot, SnapshotDifference
from integrations.snapshots import reading, sql
from integrations.snapshots.reading import Listed, Unusable
from integrations.statuses import DifferenceKind, DifferenceStatus
from parts.errors import Refused
from parts.keys import key_at
from parts.sentences import Figure, in_english, sentence

#: So many stocks are compared by one statement.
SLICE = 20_000
#: So many rows are copied between two rests.
PIECE = 20_000
#: Where more differs, it is the file of another system, or of another day.
MOST_DIFFERENCES = 200_000
#: So many rows that cannot be used are kept to be looked at; all are counted.
MOST_SHOWN = 1_000
#: Clocks of two machines differ by less.
_SKEW = timedelta(hours=1)
_NAMESPACE = UUID("1f0f7c1e-6a52-4a4b-9d3e-6a1f6f0c6b11")
_SMALLEST, _LARGEST = UUID(int=0), UUID(int=(1 << 128) - 1)


class NotThisSystems(Refused):
    """A file of which so much differs that nobody would want to decide on each."""

    code = "snapshot_differs_everywhere"
    status = 422


@dataclass(slots=True)
class Pace:
    """Rest after work: `share` 0.5 works half of the time. Says how far it is after each piece."""

    share: float = 0.5
    rest: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    alive: Callable[[int, int], None] = lambda done, of: None
    _since: float = field(init=False)

    def __post_init__(self) -> None:
        self._since = self.clock()

    def piece(self, done: int = 0, of: int = 0) -> None:
        """Note that a piece of the work is done, of so many, and rest as long as is due for it."""
        worked = self.clock() - self._since
        self.alive(done, of)
        if self.share < 1:
            self.rest(worked * (1 - self.share) / self.share)
        self._since = self.clock()


@dataclass(slots=True)
class Found:
    """What came out of a comparison, in rows and stocks; `value` at unit cost."""

    rows: int = 0
    unreadable: int = 0
    stock: int = 0
    same: int = 0
    different: int = 0
    unknown: int = 0
    not_listed: int = 0
    beyond: int = 0
    value: Decimal = Decimal(0)

    def add(self, same: int, different: int, not_listed: int, beyond: int, value: Decimal) -> None:
        """Add what a slice found."""
        self.same += same
        self.different += different
        self.not_listed += not_listed
        self.beyond += beyond
        self.value += value


def compare(*, snapshot: InventorySnapshot, file: BinaryIO, pace: Pace) -> Found:
    """Compare a file with the books and write down, as pending, what differs. Outside of any transaction.

    Raises UnreadableFile and NotThisSystems; what was written down until then is for the caller to remove.
    """
    found = Found()
    SnapshotDifference.objects.filter(snapshot=snapshot).delete()  # of somebody who was killed
    sql.CLEAR.rows()
    sql.STAGE.rows()
    _copy(snapshot, file, found, pace)
    for statement, parameters in _PREPARING:
        statement.rows(**{name: value(snapshot) for name, value in parameters.items()})
        pace.piece()
    [(found.stock,)] = sql.COUNT.rows()
    [(found.unknown,)] = sql.UNKNOWN.rows(snapshot=snapshot.pk, most=MOST_SHOWN)
    ends = [part_id for (part_id,) in sql.SLICES.rows(size=SLICE)]
    for place, (first, last) in enumerate(_slices(ends), start=1):
        _compare_slice(snapshot, first, last, found)
        pace.piece(place, len(ends) + 1)
    return found


_PREPARING: tuple[tuple[Any, dict[str, Callable[[InventorySnapshot], Any]]], ...] = (
    (sql.FIND_PARTS, {"system": lambda snapshot: snapshot.system.code}),
    (sql.FIND_PLACES, {}),
    (sql.ADD_UP, {}),
    (sql.INDEX, {}),
    (sql.ANALYZE, {}),
)


def _copy(snapshot: InventorySnapshot, file: BinaryIO, found: Found, pace: Pace) -> None:
    """Copy the rows that can be used; keep the first of the others to be looked at."""
    unusable: list[Unusable] = []
    rows = reading.read(file)
    while piece := list(_usable(rows, found, unusable, PIECE)):
        with transaction.atomic(), connection.cursor() as cursor, cursor.copy(sql.COPY_ROWS) as copy:
            for row in piece:
                copy.write_row((row.part_number, row.warehouse, row.condition, row.owner, row.on_hand, row.unfit))
        pace.piece()
    SnapshotDifference.objects.bulk_create(
        SnapshotDifference(
            snapshot=snapshot,
            kind=DifferenceKind.UNREADABLE,
            status=DifferenceStatus.PENDING,
            line=row.line,
            named=in_english(row.reason)[:200],
            problem=row.reason.kept(),
        )
        for row in unusable
    )


def _usable(rows: Iterator[Listed | Unusable], found: Found, unusable: list[Unusable], most: int) -> Iterator[Listed]:
    """Yield up to so many rows that can be used, and count all."""
    yielded = 0
    while yielded < most:
        row = next(rows, None)
        if row is None:
            return
        found.rows += 1
        if isinstance(row, Listed):
            yielded += 1
            yield row
            continue
        found.unreadable += 1
        if len(unusable) < MOST_SHOWN:
            unusable.append(row)


def _slices(ends: Iterable[UUID]) -> Iterator[tuple[UUID, UUID]]:
    """Yield after which part each slice begins, and with which it ends; together they are all parts."""
    first = _SMALLEST
    for last in ends:
        yield first, last
        first = last
    yield first, _LARGEST


def _compare_slice(snapshot: InventorySnapshot, first: UUID, last: UUID, found: Found) -> None:
    [row] = sql.COMPARE.rows(
        snapshot=snapshot.pk,
        first=first,
        last=last,
        as_of=snapshot.as_of,
        since=_youngest_before(snapshot.as_of),
        is_complete=snapshot.is_complete,
    )
    found.add(*row)
    if found.different + found.not_listed > MOST_DIFFERENCES:
        raise NotThisSystems(
            sentence(
                "More than {most} stocks differ. Is it the file of this system, and of this moment?",
                most=Figure(MOST_DIFFERENCES),
            )
        )


def _youngest_before(as_of: datetime) -> UUID:
    """Return a key below those of all movements that were recorded after a moment."""
    return key_at(as_of - _SKEW, _NAMESPACE, "")

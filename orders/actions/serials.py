"""Serial numbers of what leaves: what may be named, and that no unit leaves twice.

A number that nobody read at the dock may leave: deliveries name those of some of their units, and what was on the shelf
before has none on record. What counts is its key, as people find it: spelled otherwise it is the same unit. A number is
gone once it has left. It may leave again when its line is known to have come back, wholly or so many units of it; when
it went to one of our own warehouses and arrived; or when a delivery has brought it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Any, Protocol
from uuid import UUID

from django.db import connection

from orders import sql
from orders.errors import SerialGone
from orders.models import ShipmentLine, ShippedSerial
from orders.trees import Line
from parts.errors import Invalid
from parts.lookups import key_of
from parts.rules import text_problem
from parts.sentences import Says, sentence
from parts.statuses import FOR_OUR_STOCK

LONGEST = 80


class Named(Protocol):
    """What leaves, as far as its serial numbers go."""

    @property
    def serials(self) -> Sequence[str]:
        """What was read off its units: off some of them, or off all."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a number was named, and for which part."""

    field: str
    part_id: UUID
    serial: str


@dataclass(frozen=True, slots=True)
class _Gone:
    """A number that has left and is asked for again. `family` is the position of the order that it left with."""

    place: _Place
    key: UUID
    shipment: str
    family: tuple[UUID, int]
    may_be_back: Decimal
    was_delivered: bool


def leaving(lines: Sequence[Line], items: Sequence[Named]) -> dict[UUID, tuple[str, ...]]:
    """Return by line the serial numbers that leave with it, each free to leave; `items` name those of `lines`.

    Must be called under the lock of the parts' stock. Raises Invalid for more numbers than units, for one that stands
    there twice or cannot be one, SerialGone for one that has left and is not back. One statement, two where something
    has come back; none without serial numbers.
    """
    if not any(item.serials for item in items):
        return {}
    _let_back(_places(lines, items))
    return {line.id: tuple(item.serials) for line, item in zip(lines, items, strict=True) if item.serials}


class Leaving:
    """Serial numbers that several messages name at once: read once for all, and judged for each by itself.

    Must be used under the lock of the parts' stock. One statement, none without serial numbers.
    """

    def __init__(self, named: Iterable[tuple[UUID, Sequence[str]]]) -> None:
        """Read what is known of these numbers, each given with its part."""
        self._known: dict[tuple[UUID, str], _Gone] = {}
        self._seen: set[tuple[UUID, str]] = set()
        self._back: list[UUID] = []
        places = [
            _Place("serials", part_id, serial)
            for part_id, serials in named
            for serial in serials
            if _problem(serial, is_repeated=False) is None
        ]
        if places:
            self._known = {(row.place.part_id, key_of(row.place.serial)): row for row in _gone(places)}

    def take(self, part_id: UUID, serials: Sequence[str], quantity: Decimal) -> None:
        """Let these numbers leave with so many units. Raises Invalid and SerialGone as `leaving`; then none leaves."""
        problems: list[Says] = []
        if len(serials) > quantity:
            problems.append(sentence("More serial numbers than units: at most {most}.", most=int(quantity)))
        keys = [(part_id, key_of(serial)) for serial in serials]
        for place, (serial, key) in enumerate(zip(serials, keys, strict=True)):
            problem = _problem(serial, is_repeated=key in self._seen or key in keys[:place])
            problems += [problem] if problem else []
        if problems:
            raise Invalid(sentence("These serial numbers cannot be."), {"serials": problems})
        gone = [self._known[key] for key in keys if key in self._known]
        if away := list(_still_away(gone)):
            said = [_has_left(row) for row in away]
            raise SerialGone(said[0], fields={"serials": said}, serials=[row.place.serial for row in away])
        self._seen.update(keys)
        self._back += [row.key for row in gone]

    def finish(self) -> None:
        """Note of those that had left that they were back. One statement, none where nothing was."""
        if self._back:
            ShippedSerial.objects.filter(pk__in=self._back).update(is_gone=False)


def keep(carried: Sequence[ShipmentLine], parts: Mapping[UUID, UUID], serials: Mapping[UUID, Sequence[str]]) -> None:
    """Write down which numbers left with which line; `parts` and `serials` by line. One statement, none for none."""
    if not serials:
        return
    ShippedSerial.objects.bulk_create(
        ShippedSerial(shipment_line=item, part_id=parts[item.line_id], serial=serial)
        for item in carried
        for serial in serials.get(item.line_id, ())
    )


def _places(lines: Sequence[Line], items: Sequence[Named]) -> list[_Place]:
    """Return each number with the field that names it. Raises Invalid."""
    places: list[_Place] = []
    seen: set[tuple[UUID, str]] = set()
    problems: dict[str, list[Says]] = {}
    for index, (line, item) in enumerate(zip(lines, items, strict=True)):
        field = f"lines.{index}.serials"
        if len(item.serials) > line.quantity:
            most = int(line.quantity)
            problems.setdefault(field, []).append(
                sentence("More serial numbers than units: at most {most}.", most=most)
            )
        for serial in item.serials:
            key = line.part_id, key_of(serial)
            if problem := _problem(serial, is_repeated=key in seen):
                problems.setdefault(field, []).append(problem)
            seen.add(key)
            places.append(_Place(field, line.part_id, serial))
    if problems:
        raise Invalid(sentence("These serial numbers cannot be."), problems)
    return places


def _problem(serial: str, *, is_repeated: bool) -> Says | None:
    if problem := text_problem(serial, LONGEST, needed=True):
        return sentence("A serial number {problem}.", problem=problem)
    if not key_of(serial):
        return sentence("{serial} has no letter and no digit.", serial=serial)
    return sentence("{serial} stands there twice.", serial=serial) if is_repeated else None


def _let_back(places: Sequence[_Place]) -> None:
    """Note of those among these numbers that had left that they are back, where they can be. Raises SerialGone."""
    gone = _gone(places)
    away = list(_still_away(gone))
    if away:
        fields: dict[str, list[Says]] = {}
        for row in away:
            fields.setdefault(row.place.field, []).append(_has_left(row))
        raise SerialGone(_has_left(away[0]), fields=fields, serials=[row.place.serial for row in away])
    if gone:
        ShippedSerial.objects.filter(pk__in=[row.key for row in gone]).update(is_gone=False)


def _has_left(row: _Gone) -> Says:
    return sentence(
        "{serial} has left before, with {shipment}, and is not back.", serial=row.place.serial, shipment=row.shipment
    )


def _gone(places: Sequence[_Place]) -> list[_Gone]:
    parameters: dict[str, Any] = {
        "part_ids": [place.part_id for place in places],
        "serials": [place.serial for place in places],
        "for_our_stock": list(FOR_OUR_STOCK),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql.GONE_SERIALS, parameters)
        return [
            _Gone(places[place - 1], key, shipment, (order_id, position), may_be_back, was_delivered)
            for place, key, shipment, order_id, position, may_be_back, was_delivered in cursor.fetchall()
        ]


def _still_away(gone: Sequence[_Gone]) -> Iterator[_Gone]:
    """Give those that cannot be back: more of their line than came back, where no delivery brought them."""
    doubtful = sorted((row for row in gone if not row.was_delivered), key=attrgetter("family"))
    for _family, rows in groupby(doubtful, key=attrgetter("family")):
        together = list(rows)
        if len(together) > together[0].may_be_back:
            yield from together

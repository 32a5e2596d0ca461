"""Which stock a line is filled from: a list of small rules that rank a level or abstain. Pure, on plain values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import asin, cos, radians, sin, sqrt
from uuid import UUID
from zoneinfo import ZoneInfo

from parts.actions.reserving import LevelRow

_EARTH_RADIUS_KM = 6371.0088
#: Half way round the Earth: where a place of unknown position is taken to be.
_FARTHEST_KM = 20_016.0


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the goods go, and when the question is asked."""

    region_id: UUID | None
    latitude: float | None
    longitude: float | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Pick:
    """A quantity of a level chosen for a line."""

    level: LevelRow
    quantity: Decimal


#: A rule gives a level a number, smaller is better; None where it has no opinion, which counts as the middle.
Rule = Callable[[LevelRow, Decimal, Destination], float | None]


def whole_quantity(level: LevelRow, wanted: Decimal, _destination: Destination) -> float | None:
    """Prefer a place that can fill all of it: fewest splits."""
    return 0.0 if level.available >= wanted else 1.0


def same_region(level: LevelRow, _wanted: Decimal, destination: Destination) -> float | None:
    """Prefer the customer's own region."""
    if destination.region_id is None:
        return None
    return 0.0 if level.region_id == destination.region_id else 1.0


def new_before_refurbished(level: LevelRow, _wanted: Decimal, _destination: Destination) -> float | None:
    """Prefer new goods."""
    return 0.0 if level.condition == "new" else 1.0


def leaves_today(level: LevelRow, _wanted: Decimal, destination: Destination) -> float | None:
    """Prefer a place whose cut-off has not passed by its own clock."""
    if level.cut_off is None:
        return None
    local = destination.at.astimezone(ZoneInfo(level.time_zone)).time()
    return 0.0 if local <= level.cut_off else 1.0


def nearest(level: LevelRow, _wanted: Decimal, destination: Destination) -> float | None:
    """Prefer the shortest way, in kilometres on the great circle (haversine formula)."""
    if destination.latitude is None or destination.longitude is None:
        return None
    if level.latitude is None or level.longitude is None:
        return _FARTHEST_KM
    lat1, lon1 = radians(level.latitude), radians(level.longitude)
    lat2, lon2 = radians(destination.latitude), radians(destination.longitude)
    a = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * _EARTH_RADIUS_KM * asin(sqrt(min(a, 1.0)))


#: Asked in this order; the first that tells two levels apart decides.
RULES: tuple[Rule, ...] = (whole_quantity, same_region, leaves_today, new_before_refurbished, nearest)
_ABSTAINED = 0.5


def ranked(levels: Sequence[LevelRow], wanted: Decimal, destination: Destination) -> list[LevelRow]:
    """Return the levels, best first; equals in key order, so that the answer is always the same."""

    def score(level: LevelRow) -> tuple[object, ...]:
        opinions = (rule(level, wanted, destination) for rule in RULES)
        return (*(_ABSTAINED if opinion is None else opinion for opinion in opinions), level.id)

    return sorted(levels, key=score)


def choose(levels: Sequence[LevelRow], wanted: Decimal, destination: Destination) -> list[Pick]:
    """Return from where `wanted` units are taken, best place first; together at most `wanted`, less where short."""
    with_stock = [level for level in levels if level.available > 0]
    if len(with_stock) == 1:
        return [Pick(with_stock[0], min(with_stock[0].available, wanted))]
    picks: list[Pick] = []
    for level in ranked(with_stock, wanted, destination):
        quantity = min(level.available, wanted)
        if quantity <= 0:
            break
        picks.append(Pick(level, quantity))
        wanted -= quantity
    return picks

"""Figures that rooms beside this one compute: the roof brings them here, since the third floor's rooms never call each
other. Each is a tile among the others that leads to a page of its own, and is compared as the others are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reports.figures.charts import Column
from reports.figures.forms import Filters
from reports.figures.reading import Key, Period, Sum


@dataclass(frozen=True, slots=True)
class ContributedTile:
    """A tile: what it is called, what it says for the period and for the one before, its course, where it leads."""

    title: Any
    value: str
    before: str
    formula: Any
    course: list[Column]
    address: str


@dataclass(frozen=True, slots=True)
class Contributed:
    """A figure: its tile (None: it cannot be narrowed so), and its sums as they are read, and raw."""

    name: str
    tile: Callable[[Filters], ContributedTile | None]
    read: Callable[[Period], Mapping[Key, Sum]]
    raw: Callable[[Period], Mapping[Key, Sum]]


_ALL: dict[str, Contributed] = {}


def contribute(figure: Contributed) -> None:
    """Bring a figure; the same name again takes its place."""
    _ALL[figure.name] = figure


def every() -> Iterator[Contributed]:
    """Return the figures that were brought."""
    yield from _ALL.values()


def tiles(filters: Filters) -> list[ContributedTile]:
    """Return their tiles."""
    return [tile for figure in every() if (tile := figure.tile(filters))]

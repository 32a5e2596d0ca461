"""Charts as plain geometry, in percent of the drawing: the templates write it as SVG, the style sheet colours it.

Texts stand beside the drawing, not in it, so that they stay readable when it is stretched to the width of a phone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

#: How much of its place a column takes.
_FILLED = Decimal("0.72")


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its corner and size as SVG numbers, and what it says."""

    x: str
    y: str
    width: str
    height: str
    label: str


@dataclass(frozen=True, slots=True)
class Point:
    """What a chart shows at one place: a value (None: nothing to compute it from) and its words."""

    value: Decimal | None
    label: str


def columns(points: Sequence[Point], top: Decimal) -> list[Column]:
    """Return the columns of a chart 100 wide and 100 high whose upper edge is `top`."""
    if not points or top <= 0:
        return []
    step = Decimal(100) / len(points)
    found = []
    for number, point in enumerate(points):
        if point.value is not None:
            height = min(max(point.value / top * 100, Decimal("0.8")), Decimal(100))
            x = step * number + step * (1 - _FILLED) / 2
            found.append(
                Column(_number(x), _number(100 - height), _number(step * _FILLED), _number(height), point.label)
            )
    return found


def share_of(value: Decimal | None, top: Decimal) -> str:
    """Return how long a bar is of 100."""
    return _number(value / top * 100) if value and top > 0 else "0"


def nice_top(values: Sequence[Decimal | None]) -> Decimal:
    """Return a round number not below any of the values: 1, 2 or 5 times a power of ten."""
    most = max((value for value in values if value is not None), default=Decimal(0))
    if most <= 0:
        return Decimal(1)
    power = Decimal(10) ** most.adjusted()
    return next(times * power for times in (Decimal(1), Decimal(2), Decimal(5), Decimal(10)) if times * power >= most)


def _number(value: Any) -> str:
    return format(Decimal(value).quantize(Decimal("0.01")).normalize(), "f")

"""How figures are written: shares in per cent, days with one place, spans in the unit that suits."""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

#: What stands where there is nothing to compute a figure from.
NOTHING = "–"
_HOUR, _DAY = 3600, 86400


def said(value: Decimal | None, unit: str) -> str:
    """Return a figure with its unit."""
    if value is None:
        return NOTHING
    if unit == "share":
        return _("%(number)s %%") % {"number": _number(value * 100, 1)}
    if unit == "days":
        return _("%(number)s d") % {"number": _number(value, 1)}
    if unit == "seconds":
        return span_said(timedelta(seconds=float(value)))
    return _number(value, 0 if value == int(value) else 3)


def span_said(span: timedelta | None) -> str:
    """Return a duration: minutes below two hours, hours below two days, days above."""
    if span is None:
        return NOTHING
    seconds = Decimal(str(span.total_seconds()))
    if seconds < 2 * _HOUR:
        return _("%(number)s min") % {"number": _number(seconds / 60, 0)}
    if seconds < 2 * _DAY:
        return _("%(number)s h") % {"number": _number(seconds / _HOUR, 1)}
    return _("%(number)s d") % {"number": _number(seconds / _DAY, 1)}


def count_said(count: int | Decimal) -> str:
    """Return a count or a quantity, with separators of thousands."""
    return said(Decimal(count), "units")


def _number(value: Decimal, places: int) -> str:
    rounded: Any = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return number_format(rounded, decimal_pos=places, force_grouping=True)

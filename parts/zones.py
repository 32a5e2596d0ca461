"""Time zones by their names in the IANA database (https://www.iana.org/time-zones)."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _


@cache
def known_zones() -> frozenset[str]:
    """Return the names of all time zones that this machine knows."""
    return frozenset(available_timezones())


def known_zone(name: str) -> None:
    """Raise ValidationError unless there is a time zone of this name."""
    if name not in known_zones():
        raise ValidationError(_("There is no time zone of this name; “Europe/Berlin” is one."), code="unknown_zone")

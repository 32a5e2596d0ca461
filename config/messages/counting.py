"""How many of their notices somebody has not read, as the bar shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.cache import cache

from notifications import inbox

#: Many tabs of one person ask one after the other: they are answered from here for so many seconds.
KEPT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Unread:
    """The count, and how it is written."""

    number: int

    @property
    def written(self) -> str:
        """The count as it is shown: `3`, `99+`, nothing for none."""
        if self.number > inbox.MOST_COUNTED:
            return f"{inbox.MOST_COUNTED}+"
        return str(self.number or "")


def unread(person: Any) -> Unread | None:
    """Return what somebody of the house has not read; None for anybody else. One statement."""
    if person is None or not person.is_authenticated or not person.is_staff:
        return None
    count = inbox.count_unread(person.pk)
    cache.set(_place(person), count, KEPT_SECONDS)
    return Unread(count)


def unread_lately(person: Any) -> Unread | None:
    """Return the same, as it was a few seconds ago at most."""
    count = cache.get(_place(person))
    return unread(person) if count is None else Unread(count)


def forget(person: Any) -> None:
    """Count anew the next time: something was read."""
    cache.delete(_place(person))


def _place(person: Any) -> str:
    return f"inbox-unread:{person.pk}"

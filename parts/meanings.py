"""What a status means to whoever reads it: one of a few meanings, each with one colour, one icon and always a word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Model

#: Tone of each status of every flow. What is not named here is neutral.
TONES = {
    # waits for something
    "back_ordered": "warning",
    "awaiting_parts": "warning",
    "awaiting_kitting": "warning",
    "sourcing": "warning",
    "waiting": "warning",
    # is being worked on
    "in_progress": "info",
    "with_manufacturer": "info",
    "supply_confirmed": "info",
    "reserved": "info",
    "released": "info",
    "picking": "info",
    "packed": "info",
    "ordered": "info",
    "active": "info",
    "picked": "info",
    # went well
    "allocated": "success",
    "ready_for_return": "success",
    "shipped": "success",
    "delivered": "success",
    "completed": "success",
    "fulfilled": "success",
    "issued": "success",
    "given": "success",
    "applied": "success",
    "resolved": "success",
    "kept": "info",
    # ended otherwise
    "cancelled": "danger",
    "returned": "danger",
    "taken": "danger",
    "refused": "danger",
    "passed_over": "warning",
    "emergency": "danger",
}


@dataclass(frozen=True, slots=True)
class Meaning:
    """`name` is what the style sheet knows (waiting, late, done, moving, neutral); `icon` a file of static/icons."""

    name: str
    icon: str


WAITING = Meaning("waiting", "hourglass")
LATE = Meaning("late", "triangle-alert")
DONE = Meaning("done", "circle-check")
MOVING = Meaning("moving", "circle-dot")
NEUTRAL = Meaning("neutral", "circle")
ENDED = Meaning("neutral", "circle-slash")
REFUSED = Meaning("neutral", "circle-x")

_BY_TONE = {"warning": WAITING, "info": MOVING, "success": DONE, "neutral": NEUTRAL, "danger": REFUSED}
#: Icons that say more than their meaning's.
_ICONS = {
    "awaiting_parts": "package-x",
    "back_ordered": "package-x",
    "with_manufacturer": "factory",
    "ready_for_return": "package-check",
    "shipped": "truck",
    "delivered": "circle-check",
    "packed": "package",
    "picking": "package-open",
    "reserved": "lock",
    "scheduled": "calendar",
    "draft": "pencil",
    "in_progress": "wrench",
    "returned": "undo-2",
    "emergency": "zap",
}


def meaning_of(value: str) -> Meaning:
    """Return what the value of a status (or of a kind or outcome) means."""
    if value in ("cancelled", "returned"):
        return Meaning("neutral", _ICONS.get(value, ENDED.icon))
    if value == "emergency":
        return Meaning("late", _ICONS[value])
    meaning = _BY_TONE.get(TONES.get(value, "neutral"), NEUTRAL)
    return Meaning(meaning.name, _ICONS.get(value, meaning.icon))


def word_of(subject: Model, field: str = "status") -> Any:
    """Return the word of a row's status, in the reader's language."""
    return getattr(subject, f"get_{field}_display")()

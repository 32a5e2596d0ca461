"""The steps that a technician chooses from on the phone: by status, the likely one first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from config.phone.forms import WALK
from orders.statuses import ServiceOrderStatus

_WORDS: dict[str, Any] = dict(ServiceOrderStatus.choices)


@dataclass(frozen=True, slots=True)
class Choice:
    """A button: the status it leads to, what it is called, and whether it walks every step in between."""

    to: str
    title: Any
    walks: bool = False
    is_back: bool = False

    @property
    def value(self) -> str:
        """What the button sends."""
        return f"{WALK}{self.to}" if self.walks else self.to

    @property
    def word(self) -> Any:
        """The status it leads to, as everybody reads it."""
        return _WORDS[self.to]


_START, _DONE, _BACK = _("Start work"), _("Repair is done"), _("A step back")
#: Status → buttons, the first one large.
CHOICES: dict[str, tuple[Choice, ...]] = {
    "scheduled": (Choice("in_progress", _START, walks=True),),
    "new": (Choice("in_progress", _START),),
    "in_progress": (
        Choice("ready_for_return", _DONE, walks=True),
        Choice("awaiting_parts", _("Parts are missing")),
        Choice("new", _BACK, is_back=True),
    ),
    "awaiting_parts": (
        Choice("in_progress", _("Go on working")),
        Choice("with_manufacturer", _("It goes to the manufacturer")),
        Choice("ready_for_return", _DONE, walks=True),
    ),
    "with_manufacturer": (
        Choice("ready_for_return", _DONE),
        Choice("awaiting_parts", _BACK, is_back=True),
    ),
    "ready_for_return": (
        Choice("completed", _("The customer has it")),
        Choice("with_manufacturer", _BACK, is_back=True),
    ),
}

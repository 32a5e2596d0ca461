"""What people call each kind of event in the ledger, and the icon beside it: the same at every door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy, pgettext_lazy

from parts.sentences import from_kept

_STATUS = gettext_lazy("Status")
_FILED = gettext_lazy("Reported late, filed")
_OVERRIDDEN = gettext_lazy("Status overridden")
#: Kind → (title, icon). Where the icon is empty, that of the status stands there.
TITLES: dict[str, tuple[Any, str]] = {
    "attachment.added": (gettext_lazy("File added"), "paperclip"),
    "attachment.hidden": (gettext_lazy("File kept from the customer"), "eye-off"),
    "attachment.removed": (gettext_lazy("File removed"), "trash-2"),
    "attachment.shown": (gettext_lazy("File shown to the customer"), "eye"),
    "back_order.held": (gettext_lazy("Passed over until it is let go"), "pause"),
    "back_order.let_go": (gettext_lazy("Takes part again"), "play"),
    "back_order.minimum_fill_changed": (gettext_lazy("Accepts less than before"), "split"),
    "back_order.opened": (gettext_lazy("Back order opened"), "package-x"),
    "back_order.pinned": (gettext_lazy("Pinned to the top of its queue"), "chevron-up"),
    "back_order.quantity_changed": (gettext_lazy("Missing quantity changed"), "package-x"),
    "back_order.status_changed": (_STATUS, ""),
    "back_order.status_overridden": (_OVERRIDDEN, "shield-alert"),
    "back_order.unpinned": (gettext_lazy("Unpinned"), "chevron-down"),
    "back_order.way_taken": (gettext_lazy("Another way was taken for it"), "git-branch"),
    "case.assigned": (gettext_lazy("Given to somebody"), "user"),
    "case.escalated": (gettext_lazy("Escalated"), "triangle-alert"),
    "case.opened": (gettext_lazy("Case opened"), "flag"),
    "case.reopened": (gettext_lazy("Opened again"), "undo-2"),
    "case.resolved": (gettext_lazy("Resolved"), "circle-check"),
    "diagnosis.added": (gettext_lazy("Diagnosis"), "scan-line"),
    "equipment.arrived": (gettext_lazy("Equipment arrived"), "package-check"),
    "equipment.sent": (gettext_lazy("Equipment sent"), "truck"),
    "labour.logged": (gettext_lazy("Labour"), "timer"),
    "line.let_go": (pgettext_lazy("event", "Let go"), "play"),
    "line.override_asked": (gettext_lazy("Override asked for"), "shield-alert"),
    "line.override_expired": (gettext_lazy("Override asked for, expired"), "timer"),
    "line.override_refused": (gettext_lazy("Override refused"), "ban"),
    "line.override_withdrawn": (gettext_lazy("Override taken back"), "undo-2"),
    "line.placed": (gettext_lazy("Ordered"), "package"),
    "line.promise_changed": (gettext_lazy("Promised"), "calendar"),
    "line.promise_derived": (gettext_lazy("Promise, from its line or parts"), "calendar"),
    "line.quantity_changed": (gettext_lazy("Quantity changed"), "split"),
    "line.split": (gettext_lazy("Split"), "split"),
    "line.split_off": (gettext_lazy("Split off"), "split"),
    "line.status_changed": (_STATUS, ""),
    "line.status_derived": (gettext_lazy("Status, from its parts"), ""),
    "line.status_filed": (_FILED, "history"),
    "line.status_overridden": (_OVERRIDDEN, "shield-alert"),
    "message.received": (gettext_lazy("Message from the customer"), "mail"),
    "messages.started": (gettext_lazy("The customer wants messages again"), "bell"),
    "messages.stopped": (gettext_lazy("The customer wants no messages"), "bell"),
    "note.added": (gettext_lazy("Note"), "message-square"),
    "note.erased": (gettext_lazy("Text erased"), "trash-2"),
    "parts_order.cancelled": (gettext_lazy("Cancelled"), "ban"),
    "parts_order.held": (gettext_lazy("Held"), "pause"),
    "parts_order.let_go": (pgettext_lazy("event", "Let go"), "play"),
    "parts_order.placed": (gettext_lazy("Parts ordered"), "package"),
    "parts_order.status_derived": (gettext_lazy("Status, from its lines"), ""),
    "service_order.assigned": (gettext_lazy("Technician assigned"), "user"),
    "service_order.claimed": (gettext_lazy("Claimed"), "user-plus"),
    "service_order.completion_estimated": (gettext_lazy("Completion estimated"), "calendar-clock"),
    "service_order.created": (gettext_lazy("Opened"), "plus"),
    "service_order.override_asked": (gettext_lazy("Override asked for"), "shield-alert"),
    "service_order.override_expired": (gettext_lazy("Override asked for, expired"), "timer"),
    "service_order.override_refused": (gettext_lazy("Override refused"), "ban"),
    "service_order.override_withdrawn": (gettext_lazy("Override taken back"), "undo-2"),
    "service_order.rescheduled": (gettext_lazy("Rescheduled"), "calendar"),
    "service_order.status_changed": (_STATUS, ""),
    "service_order.status_filed": (_FILED, "history"),
    "service_order.status_overridden": (_OVERRIDDEN, "shield-alert"),
    "tracking.link_issued": (gettext_lazy("Customer's link made"), "link"),
    "tracking.link_revoked": (gettext_lazy("Customer's link revoked"), "link-2-off"),
}


def title_of(kind: str) -> str:
    """Return what a kind of event is called; one that has no name yet is called as it is written."""
    title, _icon = TITLES.get(kind, (kind, ""))
    return str(title)


def icon_of(kind: str) -> str:
    """Return the icon of a kind of event; empty where that of the status is meant."""
    _title, icon = TITLES.get(kind, ("", ""))
    return icon


def said_by_a_rule(data: Mapping[str, Any]) -> dict[str, str]:
    """Return what a rule said in an event's data, in the reader's language, by the name of the value.

    The value itself stands beside in English, for who reads the ledger without us.
    """
    return {name: str(from_kept(kept)) for name, kept in data.get("sentences", {}).items()}

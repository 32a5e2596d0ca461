"""The two views of a discrepancy case, side by side: what each says, and what stands there now."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from integrations.models import Discrepancy
from integrations.statuses import DiscrepancyKind
from parts.labels import plain

#: What the two are called that contradict each other.
_HEADS: dict[str, tuple[Any, Any]] = {
    DiscrepancyKind.SCAN_ORDER: (_("The order says"), _("The scan says")),
    DiscrepancyKind.COUNT_LEVEL: (_("The books say"), _("The count says")),
    DiscrepancyKind.MESSAGE_STATUS: (_("Our status"), _("The message says")),
}


@dataclass(frozen=True)
class Side:
    """One of the two: who speaks, what they said when it was opened, what they say now, and the way there."""

    head: Any
    said: str
    now: str = ""
    way: str = ""
    word: str = ""


def sides_of(case: Discrepancy) -> tuple[Side, Side]:
    """Return what was expected and what was found, each with the source it comes from, if it is known."""
    expected, found = _HEADS[case.kind]
    return Side(expected, case.expected_said, *_ours(case)), Side(found, case.found_said, *_theirs(case))


def _ours(case: Discrepancy) -> tuple[str, str, str]:
    """Return how our side stands now, its address and its name."""
    if case.level is not None:
        facts = {"on_hand": plain(case.level.on_hand), "reserved": plain(case.level.reserved)}
        word = f"{case.level.part} · {case.level.warehouse}"
        return _g("Now: %(on_hand)s on hand, %(reserved)s reserved") % facts, _address(case.level), word
    if (ordered := case.purchase_order_line) is not None:
        facts = {"open": plain(max(ordered.quantity - ordered.received - ordered.cancelled, Decimal(0)))}
        word = f"{ordered.purchase_order} · {ordered.part}"
        return _g("Now: %(open)s to come") % facts, _address(ordered.purchase_order), word
    subject = case.line or case.service_order
    if subject is not None:
        return _g("Now: %(status)s") % {"status": subject.get_status_display()}, _address(subject), subject.reference
    return "", "", ""


def _theirs(case: Discrepancy) -> tuple[str, str, str]:
    """Return what the other side was, with its address and its name; nothing for what a person reported."""
    if case.count_line is not None:
        count = case.count_line.count
        return "", _address(count), _g("Count of %(warehouse)s") % {"warehouse": count.warehouse}
    if case.delivery is not None:
        return "", _address(case.delivery), str(case.delivery)
    if case.correction is not None:
        return _g("Counted, and booked as a correction"), "", ""
    return (_g("Reported by another system") if case.message_key else _g("Reported by a person")), "", ""


def _address(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])

"""What happened, as a person reads it: events with who, when, note and marks."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.event_words import said_by_a_rule, title_of
from orders.models import OrderEvent, ReturnShipment
from orders.statuses import LineStatus, ServiceOrderStatus, SubjectKind
from parts.labels import names_of, status_label, written
from parts.statuses import Purpose

KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
QUANTITY = re.compile(r"-?[0-9]+\.[0-9]+")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOMENT = re.compile(DAY.pattern + r"T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2})")

#: How many events a page shows.
MOST_SHOWN = 100

#: What of an event's data is told in words of its own, or (the digest of a file) is for machines.
_SAID_OTHERWISE = ("reported", "from", "to", "consented_by", "evidence", "attachment", "sha256", "size", "sentences")
#: Names in an event's data that are not called as they are written, and values that have words.
_NAMES = {"estimated_completion_at": gettext_lazy("estimated completion")}
_VALUES: dict[str, dict[str, Any]] = {
    "direction": dict(ReturnShipment.Direction.choices),
    "kind": dict(Purpose.choices),
}
#: Names whose values a page may bring words for.
_WORDED = ("kind", "resolution", "way")
STATUS_WORDS: dict[str, Any] = {**dict(ServiceOrderStatus.choices), **dict(LineStatus.choices)}


@dataclass(frozen=True)
class Happening:
    """One event, in words. `about` names the subject where a page shows more than one."""

    title: str
    occurred_at: datetime
    recorded_at: datetime
    who: str
    source: str
    about: str
    from_label: str
    to_label: str
    to_status: str
    note: str
    details: str
    visibility: str
    is_override: bool
    override_reference: str
    passed_through: bool
    is_late: bool


def timeline(
    subject_ids: Collection[UUID], *, words: Mapping[str, Any] | None = None, of: UUID | None = None
) -> list[Happening]:
    """Return the newest MOST_SHOWN events of these subjects, the latest first. Two queries.

    `words` are further status words; events of other subjects than `of` are named by their reference.
    """
    rows = list(
        OrderEvent.objects.of_subjects(list(subject_ids))
        .select_related("text")
        .order_by("-occurred_at", "-recorded_at", "-id")[:MOST_SHOWN]
    )
    names = names_of([row.actor for row in rows] + [given for row in rows for given in _given_to(row)])
    known = {**STATUS_WORDS, **(words or {})}
    return [_happening(row, names, known, of) for row in rows]


def timeline_panel(
    subject_ids: Collection[UUID], *, words: Mapping[str, Any] | None = None, of: UUID
) -> dict[str, Any]:
    """Return what the template of the timeline needs."""
    happenings = timeline(subject_ids, words=words, of=of)
    return {"timeline": happenings, "timeline_cut": len(happenings) == MOST_SHOWN}


def _happening(row: OrderEvent, names: Mapping[str, str], words: Mapping[str, Any], of: UUID | None) -> Happening:
    text = getattr(row, "text", None)
    reported = row.data.get("reported", "")
    return Happening(
        title=title_of(row.kind),
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        who=names[row.actor],
        source=row.source,
        about="" if row.subject_id == of else f"{SubjectKind(row.subject_kind).label} {row.reference}",
        from_label=str(words.get(row.from_status, row.from_status)),
        to_label=status_label(row.to_status, words.get(row.to_status, row.to_status)) if row.to_status else "",
        to_status=row.to_status,
        note=text.text if text else (_("(erased)") if row.note_commitment else ""),
        details=_details(row, names, words),
        visibility=row.visibility,
        is_override=row.is_override,
        override_reference=row.override_reference,
        passed_through=row.passed_through,
        is_late=bool(reported) or row.kind.endswith(".status_filed"),
    )


def _given_to(row: OrderEvent) -> list[str]:
    """Return who had a job and who has it now, where an event gave it to somebody."""
    if row.data.get("consented_by"):
        return [row.data["consented_by"]]
    if row.kind not in ("service_order.assigned", "service_order.claimed", "case.assigned"):
        return []
    return [f"user:{key}" for key in (row.data.get("from"), row.data.get("to")) if key]


def _details(row: OrderEvent, names: Mapping[str, str], words: Mapping[str, Any]) -> str:
    """Return what an event says beside its status, in one line."""
    data, said = row.data, []
    if reported := data.get("reported"):
        said.append(_("Reported: %(status)s") % {"status": words.get(reported, reported)})
    if consented_by := data.get("consented_by"):
        said.append(_("With the consent of %(person)s") % {"person": names.get(consented_by, consented_by)})
    elif _given_to(row):
        said.append(_change({end: names.get(f"user:{data[end]}") for end in ("from", "to")}))
    elif "from" in data or "to" in data:
        said.append(_change(data))
    if serials := data.get("serials"):
        said.append(_("Serials: %(serials)s") % {"serials": ", ".join(serials)})
    spoken = said_by_a_rule(data)
    for name, value in data.items():
        if name in _SAID_OTHERWISE or value in (None, "") or isinstance(value, list) or _is_key(value):
            continue
        known = _word(name, value, words) if isinstance(value, str) else ""
        told = spoken.get(name) or (_change(value) if isinstance(value, dict) else known or _value(value))
        said.append(f"{_NAMES.get(name) or _(name.replace('_', ' '))}: {told}")
    return " · ".join(said)


def _word(name: str, value: str, words: Mapping[str, Any]) -> Any:
    """Return what a value is called, empty for one without a word."""
    known = _VALUES.get(name, {}).get(value, "")
    return known or (words.get(value, "") if name in _WORDED else "")


def _is_key(value: Any) -> bool:
    """Whether a value names a row by its key, which says nothing to a person."""
    return isinstance(value, str) and KEY.fullmatch(value) is not None


def _change(ends: Mapping[str, Any]) -> str:
    return f"{_value(ends.get('from'))} → {_value(ends.get('to'))}"


def _value(value: Any) -> str:
    if value in (None, ""):
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if not isinstance(value, str):
        return str(value)
    if QUANTITY.fullmatch(value):
        return written(Decimal(value))
    if DAY.fullmatch(value):
        return date_format(date.fromisoformat(value), "SHORT_DATE_FORMAT")
    if MOMENT.fullmatch(value):
        return date_format(localtime(datetime.fromisoformat(value)), "SHORT_DATETIME_FORMAT")
    return value.replace("_", " ") if value.isidentifier() else value

"""What happened, as a person reads it: each event in words, with who, when, its note and its marks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backorders.statuses import BackOrderStatus
from orders.event_words import icon_of, said_by_a_rule, title_of
from orders.models import OrderEvent, ReturnShipment
from orders.statuses import LineStatus, ServiceOrderStatus, SubjectKind
from orders.tracking import MESSAGE
from parts.labels import names_of, written
from parts.meanings import meaning_of

_STATUS_WORDS: dict[str, dict[str, Any]] = {
    SubjectKind.SERVICE_ORDER: dict(ServiceOrderStatus.choices),
    SubjectKind.PARTS_ORDER: dict(LineStatus.choices),
    SubjectKind.LINE: dict(LineStatus.choices),
    SubjectKind.BACK_ORDER: dict(BackOrderStatus.choices),
}
#: The subject of no event, so that each says what it is about.
NOBODY_ELSE = UUID(int=0)
#: Runs of at least so many like events are folded.
FOLDED_FROM = 3
#: What of an event's data is not for people, or is said elsewhere.
_UNSAID = (
    "attachment",
    "sha256",
    "entry",
    "diagnosis",
    "from",
    "to",
    "reported",
    "rule",
    "kind",
    "size",
    "from_stock",
    "line",
    "link",
    "quantity",
    "request",
    "evidence",
    "consented_by",
    "sentences",
)


@dataclass(frozen=True)
class Happening:
    """One event in words, or (with `folded`) several of the same kind under one heading."""

    title: str
    icon: str
    meaning: str
    occurred_at: datetime
    recorded_at: datetime
    who: str = ""
    source: str = ""
    about: str = ""
    part: str = ""
    quantity: str = ""
    from_word: str = ""
    to_status: str = ""
    to_word: str = ""
    note: str = ""
    is_note: bool = False
    details: str = ""
    rule: str = ""
    is_public: bool = False
    is_override: bool = False
    override_reference: str = ""
    passed_through: bool = False
    is_late: bool = False
    file_key: str = ""
    folded: list[Happening] = field(default_factory=list)


def happenings(
    rows: Sequence[OrderEvent],
    *,
    of: UUID,
    parts: Mapping[UUID, str],
    texts: Mapping[str, str],
    files: Collection[str] = (),
) -> list[Happening]:
    """Return events as a page shows them, runs folded. One query for the names of people.

    Events of other subjects than `of` name what they are about, with the number of its part from `parts`; `texts` are
    findings and work by their keys; `files` are keys of attachments that still have a file.
    """
    people = [row.actor for row in rows]
    for row in rows:
        people += _people_in(row)
    names = names_of(people)
    rows = sorted(rows, key=_place)
    return fold([_happening(row, names, of, parts, texts, files) for row in rows])


def one_by_one(rows: Sequence[OrderEvent]) -> list[Happening]:
    """Return events of any subjects as a page shows them, in the order given. One query for the names of people."""
    names = names_of([row.actor for row in rows] + [person for row in rows for person in _people_in(row)])
    return [_happening(row, names, NOBODY_ELSE, {}, {}, ()) for row in rows]


#: Of what happened in one moment, what follows stands above what it follows from.
_PLACES = (SubjectKind.SERVICE_ORDER, SubjectKind.BACK_ORDER, SubjectKind.LINE, SubjectKind.PARTS_ORDER)


def _place(row: OrderEvent) -> tuple[Any, ...]:
    """Sort newest first; what happened in one moment by what it is about, so that like stands beside like."""
    kinds = [kind.value for kind in _PLACES]
    return (
        -row.occurred_at.timestamp(),
        -row.recorded_at.timestamp(),
        kinds.index(row.subject_kind),
        -row.version,
        row.kind,
        row.reference,
    )


def fold(shown: Sequence[Happening]) -> list[Happening]:
    """Put steps that were only passed through, and long runs of the same event, under one heading each."""
    found: list[Happening] = []
    run: list[Happening] = []
    for one in shown:
        if run and _alike(run[-1], one):
            run.append(one)
        else:
            found += _as_one(run)
            run = [one]
    return found + _as_one(run)


def _alike(one: Happening, other: Happening) -> bool:
    if one.passed_through or other.passed_through:
        return one.passed_through == other.passed_through and one.recorded_at == other.recorded_at
    plain_ones = not (one.note or other.note or one.is_override or other.is_override)
    return plain_ones and (one.title, one.to_status, one.occurred_at, one.who) == (
        *(other.title, other.to_status),
        *(other.occurred_at, other.who),
    )


def _as_one(run: list[Happening]) -> list[Happening]:
    if not run:
        return []
    first, count = run[0], len(run)
    if first.passed_through:
        title = ngettext("%(count)s step passed through", "%(count)s steps passed through", count) % {"count": count}
        words = ", ".join(dict.fromkeys(one.to_word for one in reversed(run)))
        return [_heading(first, title, words, "chevron-right", run)]
    if count < FOLDED_FROM:
        return run
    title = _("%(count)s × %(what)s") % {"count": count, "what": first.title}
    return [_heading(first, title, "", first.icon, run)]


def _heading(first: Happening, title: str, details: str, icon: str, run: list[Happening]) -> Happening:
    return Happening(
        title=title,
        icon=icon,
        meaning="neutral" if first.passed_through else first.meaning,
        occurred_at=first.occurred_at,
        recorded_at=first.recorded_at,
        who=first.who,
        source=first.source,
        to_status="" if first.passed_through else first.to_status,
        to_word="" if first.passed_through else first.to_word,
        details=details,
        folded=run,
    )


def _happening(
    row: OrderEvent,
    names: Mapping[str, str],
    of: UUID,
    parts: Mapping[UUID, str],
    texts: Mapping[str, str],
    files: Collection[str],
) -> Happening:
    text, words = getattr(row, "text", None), _STATUS_WORDS.get(row.subject_kind, {})
    meaning = meaning_of(row.to_status) if row.to_status else None
    file_key = str(row.data.get("attachment", ""))
    return Happening(
        title=title_of(row.kind),
        icon=icon_of(row.kind) or (meaning.icon if meaning else "circle-dot"),
        meaning="late" if row.is_override else (meaning.name if meaning else "neutral"),
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        who=names[row.actor],
        source=row.source,
        about="" if row.subject_id == of else row.reference,
        part=parts.get(row.subject_id, ""),
        quantity=_value(row.data["quantity"]) if parts.get(row.subject_id) and row.data.get("quantity") else "",
        from_word=str(words.get(row.from_status, row.from_status)),
        to_status=row.to_status,
        to_word=str(words.get(row.to_status, row.to_status)),
        note=text.text if text else (_("(erased)") if row.note_commitment else _text_beside(row, texts)),
        is_note=row.kind in ("note.added", MESSAGE),
        details=_details(row, names, words),
        rule="" if ".override_" in row.kind else str(row.data.get("rule", "")),
        is_public=row.visibility == "public",
        is_override=row.is_override,
        override_reference=row.override_reference,
        passed_through=row.passed_through,
        is_late=bool(row.data.get("reported")) or row.kind.endswith(".status_filed"),
        file_key=file_key if file_key in files else "",
    )


def _text_beside(row: OrderEvent, texts: Mapping[str, str]) -> str:
    """Return the finding, or what was done, that an event tells of."""
    return texts.get(str(row.data.get("diagnosis") or row.data.get("entry") or ""), "")


# --- What an event says beside its status ----------------------------------------------------------------------------


def _people_in(row: OrderEvent) -> list[str]:
    """Return the people whom an event names beside who acted, as the ledger writes them."""
    if consented_by := row.data.get("consented_by"):
        return [consented_by]
    if row.kind not in ("service_order.assigned", "service_order.claimed"):
        return []
    return [f"user:{row.data[name]}" for name in ("from", "to") if row.data.get(name)]


def _details(row: OrderEvent, names: Mapping[str, str], words: Mapping[str, Any]) -> str:
    data, said = row.data, []
    if reported := data.get("reported"):
        said.append(_("Reported: %(status)s") % {"status": words.get(reported, reported)})
    if row.kind in ("service_order.assigned", "service_order.claimed"):
        return names.get(f"user:{data.get('to')}", "") if data.get("to") else _("nobody")
    if ".override_" in row.kind:
        return str(words.get(data.get("to"), data.get("to")))
    if consented_by := data.get("consented_by"):
        said.append(_("With the consent of %(person)s") % {"person": names.get(consented_by, consented_by)})
    if row.kind == "labour.logged":
        return ngettext("%(count)s minute", "%(count)s minutes", data["minutes"]) % {"count": data["minutes"]}
    if row.kind == "equipment.sent" or row.kind == "equipment.arrived":
        way = dict(ReturnShipment.Direction.choices).get(data.get("direction", ""), data.get("direction"))
        return " · ".join(str(text) for text in (way, data.get("carrier"), data.get("tracking_number")) if text)
    if row.kind == "parts_order.placed":
        return ngettext("%(count)s line", "%(count)s lines", data.get("lines", 0)) % {"count": data.get("lines", 0)}
    said += _changes(data)
    if serials := data.get("serials"):
        said.append(_("Serials: %(serials)s") % {"serials": ", ".join(serials)})
    spoken = said_by_a_rule(data)
    for name, value in data.items():
        if name not in _UNSAID and value not in (None, "") and not isinstance(value, list | dict | bool):
            told = spoken.get(name) or _value(value)
            said.append(told if name == "name" else f"{_(name.replace('_', ' '))}: {told}")
    return " · ".join(said)


def _changes(data: Mapping[str, Any]) -> Iterable[str]:
    """Give what went from what to what."""
    pairs = [data] if "to" in data else [value for value in data.values() if isinstance(value, dict) and "to" in value]
    for pair in pairs:
        before, after = _value(pair.get("from")), _value(pair.get("to"))
        yield f"{before} → {after}" if pair.get("from") else after


def _value(value: Any) -> str:
    """Return a value as the reader writes such values: a day, a time, a quantity, or as it is."""
    if value in (None, ""):
        return "–"
    if not isinstance(value, str):
        return str(value)
    try:
        if len(value) == 10:
            return date_format(date.fromisoformat(value), "SHORT_DATE_FORMAT")
        if "T" in value:
            return date_format(timezone.localtime(datetime.fromisoformat(value)), "SHORT_DATETIME_FORMAT")
        return written(Decimal(value)) if "." in value else value
    except (ValueError, InvalidOperation):
        return value

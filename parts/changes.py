"""What a change of a controlled part would do, in words; and since when, by whom a part is controlled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from parts.entries import Entry, from_kept, parts_of
from parts.labels import names_of, plain
from parts.models import Category, Part, PartChange
from parts.statuses import RelationKind


@dataclass(frozen=True, slots=True)
class Control:
    """Who put a part under control, when and why; `who` and `why` are empty where that is not known."""

    since: datetime
    who: str
    why: str


def controlled_since(part: Part) -> Control | None:
    """Return since when a controlled part has been so without a break; None where its history does not say. Three
    queries at most."""
    history = part.history.all()
    free = history.filter(is_controlled=False).order_by("-history_date", "-history_id").first()
    rows = history.filter(is_controlled=True).order_by("history_date", "history_id")
    first = rows.filter(history_date__gt=free.history_date).first() if free else rows.first()
    if first is None:
        return None
    who = names_of([f"user:{first.history_user_id}"]) if first.history_user_id else {}
    return Control(first.history_date, next(iter(who.values()), ""), first.history_change_reason or "")


def words_of(change: PartChange) -> list[str]:
    """Return what changes: the names of fields, and whether numbers or relations are among it."""
    words = [str(field.verbose_name) for field in Part._meta.concrete_fields if field.name in change.changes]
    kinds = {entry["what"] for entry in change.entries}
    named = [("number", _("numbers in other systems")), ("relation", _("relations"))]
    return words + [word for kind, word in named if kind in kinds]


def difference_of(change: PartChange) -> list[tuple[str, str, str]]:
    """Return what it is about, how it was and how it is to be, in words. Two queries at most."""
    entries = [from_kept(kept) for kept in change.entries]
    paths = Category.objects.filter(pk__in=[key for key in change.changes.get("category", []) if key])
    named = {str(key): path for key, path in paths.values_list("pk", "path")} if "category" in change.changes else {}
    fields = {field.name: str(field.verbose_name) for field in Part._meta.concrete_fields}
    rows = [
        (fields.get(name, name), _said(named.get(before, before)), _said(named.get(after, after)))
        for name, (before, after) in change.changes.items()
    ]
    keys = parts_of(entries)
    numbers = {str(key): number for key, number in Part.objects.filter(pk__in=keys).values_list("pk", "number")}
    for entry in entries:
        word = _("number in another system") if entry.what == "number" else _("relation")
        rows.append((word, _entry_said(entry, entry.before, numbers), _entry_said(entry, entry.after, numbers)))
    return rows


def _said(value: str) -> str:
    return {"True": _("yes"), "False": _("no")}.get(value, value)


def _entry_said(entry: Entry, texts: Mapping[str, str] | None, numbers: Mapping[str, str]) -> str:
    if texts is None:
        return ""
    if entry.what == "number":
        own = f"{texts['system']} {texts['number']}"
        return own if len({*numbers.values()}) < 2 else f"{own} ({numbers.get(texts['part'], '')})"
    words: dict[str, Any] = dict(RelationKind.choices)
    part, other = numbers.get(texts["part"], "?"), numbers.get(texts["other"], "?")
    said = [f"{part} {words.get(texts['kind'], texts['kind'])} {other}"]
    said.append(_("factor %(factor)s") % {"factor": plain(Decimal(texts["quantity_factor"]))})
    if texts["both_ways"] == "True":
        said.append(_("both ways"))
    if texts["equipment_models"] not in ("", "[]"):
        said.append(_("in %(models)s") % {"models": texts["equipment_models"].strip("[]").replace('"', "")})
    for name, says in (("effective_from", _("from %(day)s")), ("effective_until", _("until %(day)s"))):
        if texts[name]:
            said.append(says % {"day": date_format(date.fromisoformat(texts[name]), "SHORT_DATE_FORMAT")})
    return " · ".join(said)

"""What the pages of wordings show, read in a constant number of queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from notifications.models import Template, TemplateVersion
from notifications.rendering import FIELDS, LISTS

#: The parts of a wording, in the order in which they are shown: name → title.
PARTS: Mapping[str, Any] = {
    "subject": pgettext_lazy("notice", "subject"),
    "text": _("plain text"),
    "html": _("HTML"),
    "sms": _("SMS"),
}
#: How many lines stand around a changed one.
_AROUND = 2


@dataclass(frozen=True, slots=True)
class InLanguage:
    """Where a wording stands in one language."""

    language: str
    name: str
    in_use: TemplateVersion | None
    draft: TemplateVersion | None
    has_html: bool


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of two versions compared: `kind` is same, added or removed, or gap for what was left out."""

    kind: str
    text: str


def language_of(asked: str) -> str:
    """Return a language that is asked for and spoken, English for any other."""
    return asked if asked in dict(settings.LANGUAGES) else "en"


def overview() -> list[tuple[Template, list[InLanguage]]]:
    """Return every wording with how it stands in each language. Three queries."""
    versions = TemplateVersion.objects.defer("text", "sms").order_by("template_id", "language", "-number")
    in_use = versions.filter(published_at__isnull=False).distinct("template_id", "language")
    found: dict[tuple[Any, str], dict[bool, TemplateVersion]] = {}
    for version in [*in_use, *versions.filter(published_at=None)]:
        found.setdefault((version.template_id, version.language), {})[version.published_at is None] = version
    return [
        (template, [_standing(found.get((template.pk, code), {}), code, name) for code, name in settings.LANGUAGES])
        for template in Template.objects.order_by("-for_customers", "name", "id")
    ]


def _standing(versions: Mapping[bool, TemplateVersion], code: str, name: Any) -> InLanguage:
    in_use = versions.get(False)
    return InLanguage(code, str(name), in_use, versions.get(True), bool(in_use and in_use.html))


def compared(old: TemplateVersion | None, new: Any) -> list[tuple[Any, list[DiffLine]]]:
    """Return what differs between two versions, part by part; nothing for a part that says the same."""
    found = []
    for name, title in PARTS.items():
        before, after = (getattr(old, name) if old else ""), getattr(new, name)
        if _lines(before) != _lines(after):
            found.append((title, list(_differing(_lines(before), _lines(after)))))
    return found


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").split("\n")


def _differing(before: Sequence[str], after: Sequence[str]) -> Iterator[DiffLine]:
    for number, group in enumerate(SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(_AROUND)):
        if number:
            yield DiffLine("gap", "…")
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                yield from (DiffLine("same", line) for line in before[i1:i2])
                continue
            yield from (DiffLine("removed", line) for line in before[i1:i2])
            yield from (DiffLine("added", line) for line in after[j1:j2])


def names() -> list[tuple[str, list[str]]]:
    """Return what a wording may name, by its first word, for the help beside the editor."""
    from_fields = [(name, [f"{name}.{field}" for field in sorted(of)] or [name]) for name, of in FIELDS.items()]
    return [*from_fields, ("news", [f"one.{field}" for field in sorted(LISTS["news"])])]

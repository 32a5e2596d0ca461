"""How people are shown a status, a quantity and a person: a word always, a colour on top."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from parts.icons import icon
from parts.meanings import TONES, meaning_of
from parts.models import UnitOfMeasure
from parts.units import unit_word


def status_label(value: str, word: Any) -> SafeString:
    """Return the word of a status with the icon of what it means, on the colour of its tone."""
    return mark(TONES.get(value, "neutral"), meaning_of(value).icon, word)


def mark(tone: str, icon_name: str, word: Any) -> SafeString:
    """Return any word as a mark of the back office; `tone` is neutral, info, success, warning or danger."""
    return format_html('<span class="desk-label desk-{}">{}{}</span>', tone, icon(icon_name), word)


def inside(word: str) -> str:
    """Return a word as it stands inside a sentence: its first letter small, the others as they are.

    German writes nouns with a capital, so the rest of `Wartet auf Kitting` keeps what it has.
    """
    return f"{word[:1].lower()}{word[1:]}"


def role_word(name: str) -> str:
    """Return what a role is called in the reader's language; one that the house made itself is called what it is.

    Roles are kept, and compared, by the name of their group.
    """
    return pgettext("role", name) if name else ""


def moment_label(value: datetime) -> SafeString:
    """Return a time in the reader's zone and language, with the exact one for machines."""
    local = timezone.localtime(value)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        value.isoformat(),
        f"{date_format(local, 'DATETIME_FORMAT')} {local.tzname() or ''}",
        date_format(local, "SHORT_DATETIME_FORMAT"),
    )


def plain(quantity: Decimal | None) -> str:
    """Return a quantity without the zeros that only say how it is stored (`4`, `2.5`)."""
    if quantity is None:
        return ""
    text = f"{quantity:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def written(quantity: Decimal | None) -> str:
    """Return a quantity as its reader writes it (`4`, and `2.5` or `2,5`); for people, not for fields of numbers."""
    return number_format(plain(quantity)) if quantity is not None else ""


def counted(quantity: Decimal, unit: UnitOfMeasure) -> str:
    """Return a quantity with the word of its unit (`4 pieces`, `2.5 m`)."""
    return f"{written(quantity)} {unit_word(unit, quantity)}"


def full_name(person: User | None) -> str:
    """Return what somebody is called; nothing for nobody."""
    return (person.get_full_name() or person.get_username()) if person else ""


def names_of(references: Iterable[str]) -> dict[str, str]:
    """Return the names behind actor references (`user:17`); rules and systems are called what they are. One query."""
    wanted = set(references)
    keys = {reference[5:]: reference for reference in wanted if reference.startswith("user:")}
    names = {reference: reference.partition(":")[2].replace("_", " ") or reference for reference in wanted}
    for person in User.objects.filter(pk__in=[key for key in keys if key.isascii() and key.isdecimal()]):
        names[f"user:{person.pk}"] = full_name(person)
    for reference in wanted:
        if reference.startswith("link:"):  # of a customer who acted by the link to their order, in nobody's name
            names[reference] = _("the customer, by their link")
    for reference in keys.values():
        if names[reference] == reference[5:]:
            names[reference] = f"person {reference[5:]}"
    return names

"""What the back office's templates need: a status with its colour, quantities as people write them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import template
from django.utils.safestring import SafeString

from parts.labels import mark as mark_of
from parts.labels import role_word as word_of_role
from parts.labels import status_label, written
from parts.models import UnitOfMeasure
from parts.units import unit_word

register = template.Library()


@register.simple_tag
def status(subject: Any) -> SafeString:
    """Return the status of an object as a coloured word."""
    return status_label(subject.status, subject.get_status_display())


@register.simple_tag
def label(value: str, word: Any) -> SafeString:
    """Return any word on the colour of a value."""
    return status_label(value, word)


@register.simple_tag
def mark(tone: str, icon_name: str, word: Any) -> SafeString:
    """Return any word as a mark: `tone` is neutral, info, success, warning or danger."""
    return mark_of(tone, icon_name, word)


@register.filter
def worded(unit: UnitOfMeasure, quantity: Decimal) -> str:
    """Return the word of a unit as it follows a quantity: `{{ line.part.unit|worded:line.quantity }}`."""
    return unit_word(unit, quantity)


@register.filter
def plain(quantity: Decimal | None) -> str:
    """Return a quantity without superfluous zeros, as the reader writes it."""
    return written(quantity)


@register.filter
def role_word(name: str) -> str:
    """Return what a role is called in the reader's language."""
    return word_of_role(name)


@register.filter
def signed(change: Decimal) -> str:
    """Return a change with its sign; nothing for no change."""
    return f"{'+' if change > 0 else ''}{written(change)}" if change else ""


@register.filter
def share(value: Decimal) -> str:
    """Return a share of one as a percentage."""
    return f"{value:.0%}"

"""What the pages' templates are written with: icons, statuses, times, quantities, and parts of the address."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.forms import BaseForm
from django.http import HttpRequest
from django.template.base import FilterExpression, Parser, TextNode, Token
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from parts.icons import icon
from parts.labels import written
from parts.meanings import meaning_of
from parts.models import UnitOfMeasure
from parts.units import unit_word

register = template.Library()


class IconNode(template.Node):
    """An icon whose name the page knows."""

    def __init__(self, name: FilterExpression) -> None:
        self.name = name

    def render(self, context: template.Context) -> SafeString:
        """Return the icon."""
        return icon(self.name.resolve(context))


@register.tag("icon")
def _icon(parser: Parser, token: Token) -> template.Node:
    """`{% icon name %}`; `{% icon "truck" %}` is drawn as the template is read, once: a board has hundreds of them."""
    words = token.split_contents()
    if len(words) != 2:
        raise template.TemplateSyntaxError("An icon has one name.")
    name = parser.compile_filter(words[1])
    is_known = isinstance(name.var, str) and not name.filters
    return TextNode(icon(name.var)) if is_known else IconNode(name)


@register.simple_tag
def status(value: str, word: Any) -> SafeString:
    """Return a status: its word with the icon and the colour of what it means."""
    meaning = meaning_of(value)
    return format_html('<span class="status" data-meaning="{}">{}{}</span>', meaning.name, icon(meaning.icon), word)


@register.simple_tag
def mark(meaning: str, icon_name: str, word: Any) -> SafeString:
    """Return any word as a mark: `meaning` is waiting, late, done, moving or neutral."""
    return format_html('<span class="status" data-meaning="{}">{}{}</span>', meaning, icon(icon_name), word)


@register.filter
def meaning(value: str) -> str:
    """Return what a status means (for `data-meaning`)."""
    return meaning_of(value).name


@register.simple_tag
def moment(value: datetime | None, missing: str = "–") -> SafeString | str:
    """Return a time in the reader's zone as `<time>`, with the zone in its title."""
    if value is None:
        return missing
    local = timezone.localtime(value)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        value.isoformat(),
        f"{date_format(local, 'DATETIME_FORMAT')} {local.tzname() or ''}",
        date_format(local, "SHORT_DATETIME_FORMAT"),
    )


@register.simple_tag
def day(value: date | datetime | None, missing: str = "–") -> SafeString | str:
    """Return a day as `<time>`: of a time, the day it was in the reader's zone."""
    if value is None:
        return missing
    local = timezone.localtime(value).date() if isinstance(value, datetime) else value
    return format_html('<time datetime="{}">{}</time>', local.isoformat(), date_format(local, "SHORT_DATE_FORMAT"))


@register.filter
def ago(value: datetime | None) -> str:
    """Return how long something has been so, in one short unit: `3 d`, `5 h`, `12 min`."""
    return span(timezone.now() - value) if value else ""


@register.filter
def left(value: datetime | None) -> str:
    """Return how long something is still to come, in one short unit."""
    return span(value - timezone.now()) if value else ""


@register.filter
def span(value: timedelta | None) -> str:
    """Return a duration in one short unit."""
    if value is None:
        return ""
    minutes = max(int(value.total_seconds() // 60), 0)
    if minutes < 60:
        return _("%(count)s min") % {"count": minutes}
    if minutes < 48 * 60:
        return _("%(count)s h") % {"count": minutes // 60}
    return _("%(count)s d") % {"count": minutes // (24 * 60)}


@register.filter
def days_late(value: date | None) -> int:
    """Return how many days ago a day was, in the reader's zone; 0 for today and later, and for no day."""
    return max((timezone.localdate() - value).days, 0) if value else 0


@register.filter
def days_word(count: int) -> str:
    """Return `1 day`, `3 days`."""
    return ngettext("%(count)s day", "%(count)s days", count) % {"count": count}


@register.filter
def plain(quantity: Decimal | None) -> str:
    """Return a quantity without superfluous zeros, as the reader writes it."""
    return written(quantity)


@register.filter
def worded(unit: UnitOfMeasure, quantity: Decimal) -> str:
    """Return the word of a unit as it follows a quantity: `{{ line.part.unit|worded:line.quantity }}`."""
    return unit_word(unit, quantity)


@register.filter
def answered(form: BaseForm) -> int:
    """Return how many fields of a form of filters say something."""
    return sum(1 for name in form.fields if form.data.get(name))


@register.simple_tag(takes_context=True)
def here(context: template.Context, **changes: Any) -> str:
    """Return this page's query with some parameters changed (None takes one away), as a link's address."""
    request: HttpRequest = context["request"]
    query = request.GET.copy()
    for name, value in changes.items():
        if value is None:
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"?{query.urlencode()}"

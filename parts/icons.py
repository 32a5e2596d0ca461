"""The icons of pages and back office: files of static/backline/icons, drawn into the page in the colour of the text."""

from __future__ import annotations

from functools import cache

from django.contrib.staticfiles import finders
from django.utils.safestring import SafeString, mark_safe


class UnknownIcon(LookupError):
    """There is no icon of that name."""


@cache
def _svg(name: str) -> str:
    path = finders.find(f"backline/icons/{name}.svg")
    if not isinstance(path, str):
        raise UnknownIcon(f"There is no icon named {name}.")
    with open(path, encoding="utf-8") as file:
        return file.read().replace("<svg ", '<svg class="icon" aria-hidden="true" focusable="false" ', 1)


def icon(name: str) -> SafeString:
    """Return an icon as SVG in the colour of the text; it says nothing by itself, so a word stands beside it."""
    return mark_safe(_svg(name))  # noqa: S308 - our own file

"""What events are called: each kind that anything records has a name and an icon, the same at every door."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from orders.event_words import TITLES, icon_of, title_of

FLOORS = ("orders", "backorders", "integrations", "notifications", "reports", "config")


def recorded() -> Iterator[str]:
    """Give the kinds of events that the code names where it records one."""
    for path in (path for floor in FLOORS for path in Path(settings.BASE_DIR, floor).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "record":
                said = [each.value for each in node.args if isinstance(each, ast.Constant)]
                yield from (kind for kind in said if isinstance(kind, str) and "." in kind)


def test_whatever_is_recorded_has_a_name() -> None:
    found = set(recorded())
    assert len(found) > 20
    assert found - set(TITLES) == set()


@pytest.mark.parametrize("kind", TITLES)
def test_every_name_has_words_and_an_icon_that_exists(kind: str) -> None:
    assert title_of(kind) != kind
    icon = icon_of(kind)
    assert not icon or Path(settings.BASE_DIR, "static/backline/icons", f"{icon}.svg").exists()


def test_a_kind_without_a_name_is_called_as_it_is_written() -> None:
    assert (title_of("pump.exploded"), icon_of("pump.exploded")) == ("pump.exploded", "")

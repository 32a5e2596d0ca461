"""Whatever somebody writes into a wording: it is refused with its line, or it can be said with any values, safely."""

from __future__ import annotations

from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from notifications import rendering
from notifications.html_rules import LINKS, TAGS, faults_of_html
from notifications.rendering import FIELDS, LISTS, NUMBERS, faults_of

_KNOWN = [f"{name}.{field}" if field else name for name, of in FIELDS.items() for field in (sorted(of) or [""])]
_KNOWN += [f"one.{field}" for field in sorted(LISTS["news"])]
_PIECES = st.one_of(
    st.sampled_from(_KNOWN).map(lambda name: "{{ " + name + " }}"),
    st.sampled_from(_KNOWN).map(lambda name: "{% if " + name + " %}"),
    st.tuples(st.sampled_from(_KNOWN), st.sampled_from(["==", "<", ">=", "in", "and", "or", "~", "+"])).map(
        lambda pair: "{% if " + pair[0] + " " + pair[1] + " 3 %}"
    ),
    st.sampled_from(["{% endif %}", "{% else %}", "{% for one in news %}", "{% endfor %}", "{{ one }}", "{{ news }}"]),
    st.sampled_from(["{{", "}}", "{%", "%}", "{#", "#}", "{{ '", "\n", "<", ">", "<p>", '<a href="', '">', "</a>"]),
    st.sampled_from(["{{ 7 * 7 }}", "{{ order.__class__ }}", "{% set x = 1 %}", "{{ range(9) }}", "{{ 1 | int }}"]),
    st.text(max_size=12),
)
SOURCES = st.one_of(st.text(max_size=200), st.lists(_PIECES, max_size=12).map("".join))
#: What customers, technicians and systems may have written.
TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["<script>alert(1)</script>", '" onmouseover="x', "Ada\r\nBcc: all@example.org", "{{ why }}", ""]),
)


@st.composite
def values(draw: st.DrawFn) -> dict[str, Any]:
    """Draw everything that a wording may name."""

    def one(name: str) -> Any:
        return draw(st.integers(-5, 10**6)) if name in NUMBERS else draw(st.one_of(TEXTS, st.booleans()))

    found: dict[str, Any] = {
        name: {field: one(f"{name}.{field}") for field in sorted(of)} if of else one(name)
        for name, of in FIELDS.items()
    }
    for name, of in LISTS.items():
        found[name] = [{field: draw(TEXTS) for field in sorted(of)} for _ in range(draw(st.integers(0, 3)))]
    return found


@settings(max_examples=400)
@given(SOURCES)
@example("{{ " + "9" * 5_000 + " }}")
@example("{% if count %}" * 120 + "x" + "{% endif %}" * 120)
@example("{{ " + "not " * 3_000 + "count }}")
@example("{{ " + "(" * 3_000 + "count" + ")" * 3_000 + " }}")
@example("{% if " + " and ".join(["count"] * 2_500) + " %}{% endif %}")
@example("{% for loop in news %}{{ loop.what }}{% endfor %}")
@example("{% for order in news %}{{ order.what }}{% endfor %}")
@example("<a href='")
def test_no_source_crashes_the_check(source: str) -> None:
    lines = source.count("\n") + source.count("\r") + 1
    for fault in [*faults_of(source), *faults_of_html(source)]:
        assert 1 <= fault.line <= lines
        assert str(fault.what)


@settings(max_examples=400)
@given(SOURCES, values())
@example("{% if order.title < 3 %}x{% endif %}", {})
@example("{% if 3 in order.days_late %}x{% endif %}", {})
def test_what_passes_the_check_can_be_said_whatever_the_values(source: str, given_values: dict[str, Any]) -> None:
    if faults_of(source):
        return
    subject = rendering.one_line(rendering.render(source, given_values))
    mail = EmailMessage()
    mail["Subject"] = subject  # it refuses what would begin another header
    assert "\n" not in subject
    assert "\r" not in subject
    assert rendering.segments(rendering.render(source, given_values)) >= 0


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _value in attrs)))


def _tags_of(html: str) -> list[tuple[str, tuple[str, ...]]]:
    reader = _Tags()
    reader.feed(html)
    reader.close()
    return reader.found


@settings(max_examples=400)
@given(SOURCES, values())
@example("<{{ order.title }}>", {})
@example("<{% if count %}script{% endif %}>", {})
@example('<p title="{{ order.title }}">', {})
def test_no_value_becomes_a_tag_of_the_html(source: str, given_values: dict[str, Any]) -> None:
    if faults_of(source) or faults_of_html(source):
        return
    written = _tags_of(rendering.render(source, given_values, is_html=True))
    assert {tag for tag, _names in written} <= TAGS
    assert not any(name.startswith("on") for _tag, names in written for name in names)


@pytest.mark.parametrize("link", sorted(LINKS))
def test_links_of_ours_may_be_the_address_of_a_link(link: str) -> None:
    assert faults_of_html('<p>\n<a href="{{ ' + link + ' }}" style="color: red">x</a></p>') == []


@pytest.mark.parametrize(
    "source",
    [
        '<a href="javascript:alert(1)">x</a>',
        '<a href=" JAVASCRIPT:alert(1)">x</a>',
        '<a href="https://{{ order.title }}">x</a>',
        '<p style="background: URL(//x)">x</p>',
        "<img src=x>",
        "<!-- [if mso]> -->",
        "<![CDATA[x]]>",
        "<?php x ?>",
        "<p {% if count %}onclick=x{% endif %}>x</p>",
        "</div></body><p",
    ],
)
def test_what_runs_loads_or_pretends_is_refused(source: str) -> None:
    assert faults_of_html(source)

"""Wordings: what they may say, checked before they are kept, and how they are put into words.

A wording is a Jinja template of which only this is allowed: text, `{{ name }}` and `{{ name.field }}` of the names in
`FIELDS`, `{% if %}` with comparisons, `and`, `or`, `not`, and `{% for one in news %}`. Everything else is refused when
it is saved, so that a wording can neither reach into the program nor run for long, and whatever the values are, can be
put into words. Values are plain texts; those in `NUMBERS` are numbers. What HTML may hold says `html_rules`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from notifications.faults import Fault
from parts.sentences import sentence

#: What a wording may name: name → its fields; a list stands under its singular's fields.
FIELDS: Mapping[str, frozenset[str]] = {
    "reader": frozenset({"name"}),
    "order": frozenset(
        {"reference", "title", "status", "next_step", "day", "day_kind", "is_late", "days_late", "theirs", "machine"}
    ),
    "parts": frozenset({"waiting", "lines"}),
    "links": frozenset({"order", "stop", "feedback", "confirm"}),
    "house": frozenset({"name"}),
    "why": frozenset(),
    "count": frozenset(),
    "more": frozenset(),
}
#: Lists: name → the fields of what is in it.
LISTS: Mapping[str, frozenset[str]] = {
    "news": frozenset({"what", "at", "about", "note", "by", "order", "link"}),
}
#: Values that are numbers, and may be compared by size.
NUMBERS = frozenset({"count", "more", "parts.waiting", "parts.lines", "order.days_late"})
LONGEST = 20_000
#: No wording needs more; Python refuses to read what is nested a hundred times.
DEEPEST = 30
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Getattr,
    nodes.If,
    nodes.For,
    nodes.Const,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
)


class _Environment(ImmutableSandboxedEnvironment):
    """No globals, no filters, no tests: a wording has what it is given, and nothing else."""

    def __init__(self, *, autoescape: bool) -> None:
        super().__init__(
            undefined=StrictUndefined, autoescape=autoescape, keep_trailing_newline=False, trim_blocks=True
        )
        self.globals.clear()
        self.filters.clear()
        self.tests.clear()


_PLAIN, _HTML = _Environment(autoescape=False), _Environment(autoescape=True)


def faults_of(source: str) -> list[Fault]:
    """Return what is wrong with a wording; nothing where it may be kept."""
    if len(source) > LONGEST:
        return [Fault(1, sentence("At most {most} characters.", most=LONGEST))]
    try:
        tree = _PLAIN.parse(source)
        faults = list(_faults(tree, {}, DEEPEST))
        if not faults:
            _compiled(source, is_html=False)
    except TemplateSyntaxError as error:
        return [Fault(error.lineno, sentence("This is not a wording: {why}", why=error.message or ""))]
    except ValueError:  # Python reads no number of more than 4,300 digits
        return [Fault(1, sentence("There is a number in it that is too large."))]
    except (RecursionError, MemoryError, SyntaxError):
        return [Fault(1, sentence("This is too deeply nested."))]
    return faults


def _faults(node: nodes.Node, loops: Mapping[str, str], depth: int) -> Iterator[Fault]:
    """Yield the faults of a node and what is in it; `loops` tells which list each loop's name walks."""
    if depth == 0:
        yield Fault(node.lineno, sentence("This is too deeply nested."))
    elif not isinstance(node, _ALLOWED):
        yield Fault(node.lineno, sentence("{what} is not allowed in a wording.", what=type(node).__name__))
    elif isinstance(node, nodes.For):
        yield from _faults_of_loop(node, loops, depth)
    elif isinstance(node, nodes.Getattr):
        yield from _faults_of_field(node, loops)
    else:
        yield from _faults_of_itself(node, loops)
        for child in node.iter_child_nodes():
            yield from _faults(child, loops, depth - 1)


def _faults_of_itself(node: nodes.Node, loops: Mapping[str, str]) -> Iterator[Fault]:
    if isinstance(node, nodes.Name) and not _is_known(node.name, loops):
        yield Fault(node.lineno, sentence("There is no “{name}”.", name=node.name))
    if isinstance(node, nodes.Output):
        for said in node.nodes:
            if isinstance(said, nodes.Name) and (said.name in loops or said.name in LISTS):
                yield Fault(said.lineno, sentence("“{name}” is a list; name what is in it.", name=said.name))
    if isinstance(node, nodes.Compare):
        yield from _faults_of_comparison(node)


def _faults_of_comparison(node: nodes.Compare) -> Iterator[Fault]:
    """Sizes are compared of numbers only: of a text and a number, neither is the larger one."""
    compared = [node.expr, *(operand.expr for operand in node.ops)]
    for operand in node.ops:
        if operand.op in ("in", "notin"):
            yield Fault(node.lineno, sentence("{what} is not allowed in a wording.", what="in"))
        elif operand.op not in ("eq", "ne") and not all(_is_number(one) for one in compared):
            yield Fault(node.lineno, sentence("Only numbers are larger or smaller than one another."))


def _is_number(node: nodes.Node) -> bool:
    if isinstance(node, nodes.Const):
        return isinstance(node.value, int | float)
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        return f"{node.node.name}.{node.attr}" in NUMBERS
    return isinstance(node, nodes.Name) and node.name in NUMBERS


def _is_known(name: str, loops: Mapping[str, str]) -> bool:
    return name in loops or name in LISTS or (name in FIELDS and not FIELDS[name])


def _faults_of_loop(node: nodes.For, loops: Mapping[str, str], depth: int) -> Iterator[Fault]:
    walked = node.iter.name if isinstance(node.iter, nodes.Name) else ""
    if walked not in LISTS or loops or not isinstance(node.target, nodes.Name) or node.test or node.recursive:
        yield Fault(
            node.lineno,
            sentence("A loop goes over one of {lists}, and none stands in another.", lists=", ".join(LISTS)),
        )
        return
    if node.target.name in FIELDS or node.target.name in LISTS:
        yield Fault(node.lineno, sentence("“{name}” means something else; use another name.", name=node.target.name))
        return
    for child in node.body:
        yield from _faults(child, {node.target.name: walked}, depth - 1)
    for child in node.else_:  # nothing is walked there
        yield from _faults(child, {}, depth - 1)


def _faults_of_field(node: nodes.Getattr, loops: Mapping[str, str]) -> Iterator[Fault]:
    owner = node.node.name if isinstance(node.node, nodes.Name) else ""
    known = LISTS[loops[owner]] if owner in loops else FIELDS.get(owner, frozenset())
    if node.attr not in known:
        yield Fault(node.lineno, sentence("There is no “{name}”.", name=f"{owner or '…'}.{node.attr}"))


@lru_cache(maxsize=512)
def _compiled(source: str, is_html: bool) -> Any:
    return (_HTML if is_html else _PLAIN).from_string(source)


#: What putting a wording into words that was never checked may raise, or one that was checked by other rules.
CANNOT_BE_SAID = (TemplateError, TypeError, ValueError, RecursionError, MemoryError, SyntaxError)


def render(source: str, values: Mapping[str, Any], *, is_html: bool = False) -> str:
    """Put a checked wording into words; in HTML every value is escaped. Raises one of CANNOT_BE_SAID for another."""
    return str(_compiled(source, is_html).render(values))


def one_line(text: str) -> str:
    """Return a text on one line, as a subject wants it: nothing in it can begin a header."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


# --- SMS --------------------------------------------------------------------------------------------------------------

#: The basic set of 3GPP TS 23.038 (GSM 7 bit), and what of it takes two places.
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWICE = frozenset("^{}\\[~]|€")


def segments(text: str) -> int:
    """Return how many SMS a text takes (3GPP TS 23.038): 160 places of the basic set, or 70 of UCS-2; 153 or 67 each
    where it takes several. Nothing takes none."""
    if not text:
        return 0
    if all(letter in _GSM or letter in _GSM_TWICE for letter in text):
        sizes, one, part = [2 if letter in _GSM_TWICE else 1 for letter in text], 160, 153
    else:
        sizes, one, part = [2 if ord(letter) > 0xFFFF else 1 for letter in text], 70, 67
    if sum(sizes) <= one:
        return 1
    count, room = 1, part
    for size in sizes:  # a letter of two places is not torn apart
        if size > room:
            count, room = count + 1, part
        room -= size
    return count

"""What the HTML of a wording may hold: text, structure and links; nothing that runs, loads or pretends.

Values are escaped where they stand as text. Inside a tag that would not be enough (`href="javascript:…"`), so that a
value may stand there only as the whole of a link's address, and only one of our own links. No `{% if %}` stands inside
a tag, so that what is read here is what mail programs read, whatever the values are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from notifications.faults import Fault
from parts.sentences import sentence

TAGS = frozenset(
    ("a", "b", "blockquote", "br", "code", "dd", "div", "dl", "dt", "em", "h1", "h2", "h3", "hr", "i", "li", "ol")
    + ("p", "small", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "u", "ul")
)
ATTRIBUTES = frozenset({"align", "class", "dir", "href", "lang", "style", "title"})
#: The values that are addresses of ours.
LINKS = frozenset({"links.order", "links.stop", "links.feedback", "links.confirm", "one.link"})
_SAFE = ("https://", "http://", "mailto:", "tel:")
_VALUE, _STATEMENT = re.compile(r"\{\{-?(.*?)-?\}\}", re.DOTALL), re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
#: What stands in the place of a value, and of a statement, while the HTML is read; no keyboard has these letters.
_OPEN, _SHUT, _DONE = "\ue000", "\ue001", "\ue002"
#: Where a tag would begin that is none before its values are known.
_BEGUN = re.compile(f"<[/!?]?(?:[{_OPEN}{_DONE}]|$)")
_UNSAFE_STYLE = re.compile(r"url|expression|import|@|\\|behavior", re.IGNORECASE)


def faults_of_html(source: str) -> list[Fault]:
    """Return what is wrong with the HTML of a wording; nothing where it may be kept."""
    if {_OPEN, _SHUT, _DONE} & set(source):
        return [Fault(1, sentence("{what} is not allowed in a wording.", what="U+E000"))]
    reader = _Reader()
    reader.feed(_VALUE.sub(_placed, _STATEMENT.sub(_lines_only, source)))
    if "<" in reader.rawdata:
        reader.note("<")
    reader.close()
    return reader.faults


def _placed(found: re.Match[str]) -> str:
    name = found[1].strip()
    return _OPEN + (name if name in LINKS else "") + _SHUT + "\n" * found[0].count("\n")


def _lines_only(found: re.Match[str]) -> str:
    return _DONE + "\n" * found[0].count("\n")


class _Reader(HTMLParser):
    """Reads the tags of a wording."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[Fault] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what is not allowed of a tag."""
        if tag not in TAGS:
            self.note(f"<{tag}>")
        if _DONE in (self.get_starttag_text() or ""):
            self.note("{% %} < >")
        for name, value in attrs:
            if name not in ATTRIBUTES:
                self.note(name)
            for what in _wrong_in(name, value or ""):
                self.note(what)

    def handle_data(self, data: str) -> None:
        """Text may say anything, but not begin a tag that its values end."""
        if _BEGUN.search(data):
            self.note("<")

    def handle_endtag(self, tag: str) -> None:
        """What may not begin may not end."""
        if tag not in TAGS:
            self.note(f"</{tag}>")

    def handle_decl(self, decl: str) -> None:
        """A wording is a part of a page that has its own."""
        self.note("<!>")

    def unknown_decl(self, data: str) -> None:
        """Some browsers read what stands in it, others do not."""
        self.note("<![>")

    def handle_pi(self, data: str) -> None:
        """Nothing of ours reads it."""
        self.note("<?>")

    def handle_comment(self, data: str) -> None:
        """Some mail programs run what stands in it."""
        self.note("<!-- -->")

    def note(self, what: str) -> None:
        """Note what is not allowed, in the line that was reached."""
        shown = what.replace(_OPEN, "{{ ").replace(_SHUT, " }}").replace(_DONE, "{% %}")
        self.faults.append(Fault(self.getpos()[0], sentence("{what} is not allowed in a wording.", what=shown[:60])))


def _wrong_in(name: str, value: str) -> Iterator[str]:
    if name == "href":
        whole = value.strip()
        is_ours = whole.startswith(_OPEN) and whole.endswith(_SHUT) and whole[1:-1] in LINKS
        if not is_ours and (_OPEN in whole or not whole.lower().startswith(_SAFE)):
            yield f'href="{value}"'
    elif _OPEN in value or _SHUT in value or (name == "style" and _UNSAFE_STYLE.search(value)):
        yield f'{name}="{value}"'

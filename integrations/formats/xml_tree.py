"""XML, read without its dangers: no document type, so no entities and nothing fetched, and limits on size and depth.

The parser is expat behind defusedxml, which refuses what makes XML dangerous. It also says at which byte an element
begins and ends: so a file is cut into messages that are exactly the bytes which came.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from xml.etree.ElementTree import ParseError
from xml.parsers import expat

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from integrations.facts import Unreadable
from parts.sentences import sentence

MOST_BYTES = 10_000_000
MOST_DEPTH = 40
MOST_ELEMENTS = 400_000
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["'][^>]{0,100}\?>""")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
#: What a file may be written in; each is a plain code table, or Unicode.
_ENCODINGS = {"utf-8", "ascii", "utf-16", "utf-16-le", "utf-16-be"}
_ENCODINGS |= {f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)}
_ENCODINGS |= {f"cp125{part}" for part in range(9)}


@dataclass(slots=True)
class Element:
    """An element: its name without a prefix, its own text, what it holds, and which bytes of the UTF-8 text it is."""

    name: str
    start: int
    end: int = 0
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, name: str) -> list[Element]:
        """Return the elements of this name that it holds itself."""
        return [child for child in self.children if child.name == name]

    def first(self, name: str) -> Element | None:
        """Return the first of them."""
        return next((child for child in self.children if child.name == name), None)

    def says(self, name: str) -> str:
        """Return the text of the first of them; empty where there is none."""
        found = self.first(name)
        return found.text.strip() if found is not None else ""


def as_utf8(body: bytes) -> bytes:
    """Return a document in UTF-8, whatever it was written in; its declaration stays as it is. Raises Unreadable."""
    if len(body) > MOST_BYTES:
        raise Unreadable(sentence("At most {most} bytes.", most=MOST_BYTES))
    named = next((name for mark, name in _MARKS if body.startswith(mark)), "")
    if not named:
        declared = _DECLARED.match(body)
        named = declared.group(1).decode("ascii") if declared else "utf-8"
    try:
        encoding = codecs.lookup(named).name
    except LookupError:
        encoding = ""
    if encoding not in _ENCODINGS:
        raise Unreadable(sentence("The encoding {name} is not read here.", name=named), "encoding")
    if encoding == "utf-8":
        _check_utf8(body)
        return body.removeprefix(codecs.BOM_UTF8)
    try:
        return body.decode(encoding).removeprefix("\ufeff").encode()
    except UnicodeError as error:
        raise Unreadable(sentence("This is not written in {name}.", name=named), "encoding") from error


def parse(body: bytes) -> Element:
    """Read a document in UTF-8 into its root element, in time proportional to it. Raises Unreadable."""
    builder = _Builder(body)
    parser = DefusedXMLParser(target=builder, encoding="utf-8", forbid_dtd=True)
    builder.place = parser.parser
    try:
        parser.feed(body)
        parser.close()
    except DefusedXmlException as error:
        raise Unreadable(sentence("A document type is not read here: send none."), "DOCTYPE") from error
    except ParseError as error:
        line, column = error.position
        raise Unreadable(sentence("This is not XML."), f"{line}:{column}") from error
    return builder.root()


class _Builder:
    """Builds the tree from what the parser comes upon; `place` knows where in the bytes that is."""

    def __init__(self, body: bytes) -> None:
        self.place: expat.XMLParserType
        self._body = body
        self._top = Element("", 0)
        self._open = [self._top]
        self._texts: list[list[str]] = [[]]
        self._count = 0

    def root(self) -> Element:
        """Return the element that holds all others."""
        return self._top.children[0]

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        """Open an element. Raises Unreadable where it lies too deep, or there were too many."""
        self._count += 1
        if len(self._open) > MOST_DEPTH or self._count > MOST_ELEMENTS:
            raise Unreadable(sentence("It is too deep or too large."), f"{self.place.CurrentLineNumber}")
        element = Element(name.rpartition("}")[2], self.place.CurrentByteIndex)
        self._open[-1].children.append(element)
        self._open.append(element)
        self._texts.append([])

    def end(self, _name: str) -> None:
        """Close the element that was opened last."""
        element = self._open.pop()
        element.text = "".join(self._texts.pop())
        element.end = self._body.index(b">", self.place.CurrentByteIndex) + 1

    def data(self, text: str) -> None:
        """Add to the text of the element that is open."""
        self._texts[-1].append(text)

    def close(self) -> None:
        """Nothing is left to do at the end."""


def _check_utf8(body: bytes) -> None:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(sentence("This is not UTF-8, from byte {place} on.", place=error.start)) from error

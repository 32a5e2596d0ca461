"""A segment, and the refusal that says in which one something is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from integrations.facts import Unreadable
from parts.sentences import sentence

#: More segments are in no message of orders: 100,000 lines of ten each would be.
MOST_SEGMENTS = 1_000_000
#: Lines, or statuses of lines, in one message.
MOST_LINES = 10_000
LONGEST_VALUE, LONGEST_CODE = 120, 30
_POSITION = re.compile(r"0{0,5}([1-9][0-9]{0,4})(?:\.0{0,4}([1-9][0-9]{0,4}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment: its tag, its elements with their components, and its place in its message (the first is 1)."""

    tag: str
    elements: tuple[tuple[str, ...], ...]
    place: int

    def value(self, element: int, component: int = 1) -> str:
        """Return what stands there, both counted from 1; nothing where nothing is."""
        if element > len(self.elements) or component > len(self.elements[element - 1]):
            return ""
        text = self.elements[element - 1][component - 1].strip()
        return text if text.isprintable() else "".join(one if one.isprintable() else " " for one in text).strip()

    def where(self, element: int = 0) -> str:
        """Return the place in words of the standards: `QTY02, segment 17`."""
        return f"{self.tag}{element:02d}, segment {self.place}" if element else f"{self.tag}, segment {self.place}"

    def named(self, element: int, component: int = 1, most: int = LONGEST_VALUE) -> str:
        """Return a number or name that has to be there. Raises Unreadable."""
        value = self.value(element, component)
        if not value or len(value) > most:
            raise Unreadable(sentence("Must be a text of 1 to {most} characters.", most=most), self.where(element))
        return value

    def code(self, element: int, component: int = 1) -> str:
        """Return a code that has to be there. Raises Unreadable."""
        return self.named(element, component, LONGEST_CODE)

    def position(self, element: int, component: int = 1) -> str:
        """Return the position of a line in its order, `2`, or of a part of it, `2.1`. Raises Unreadable."""
        found = _POSITION.fullmatch(self.value(element, component))
        if found is None:
            raise Unreadable(sentence("Must be the number of a line of the order."), self.where(element))
        return found.group(1) if found.group(2) is None else f"{found.group(1)}.{found.group(2)}"


def groups(segments: Sequence[Segment], tag: str) -> tuple[Sequence[Segment], list[Sequence[Segment]]]:
    """Cut segments into what comes before the first `tag`, and one group from each `tag` to the next."""
    starts = [place for place, segment in enumerate(segments) if segment.tag == tag]
    if not starts:
        return segments, []
    ends = [*starts[1:], len(segments)]
    return segments[: starts[0]], [segments[start:end] for start, end in zip(starts, ends, strict=True)]


def until(segments: Sequence[Segment], *tags: str) -> Sequence[Segment]:
    """Return the segments up to the first with one of these tags."""
    stop = next((place for place, one in enumerate(segments) if one.tag in tags), len(segments))
    return segments[:stop]


def bounded(count: int, segment: Segment, most: int = MOST_LINES) -> None:
    """Raises Unreadable where there are more of something than anybody sends."""
    if count > most:
        raise Unreadable(sentence("At most {most} of these in one message.", most=most), segment.where())


def all_of(segments: Sequence[Segment], tag: str, *qualifiers: str) -> Iterator[Segment]:
    """Give the segments with a tag and, if any are named, with one of these qualifiers in their first place."""
    return (one for one in segments if one.tag == tag and (not qualifiers or one.value(1) in qualifiers))


def first_of(segments: Sequence[Segment], tag: str, *qualifiers: str) -> Segment | None:
    """Return the first such segment."""
    return next(all_of(segments, tag, *qualifiers), None)

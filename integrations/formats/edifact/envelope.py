"""The envelope of UN/EDIFACT: interchanges (UNA UNB … UNZ) of messages (UNH … UNT), perhaps in groups (UNG … UNE).

Separators are those of the UNA, else the usual ones; a release character makes the next one data. References must agree
and counts must be right, else nothing of the interchange is taken. A message whose own count is wrong is refused alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from integrations.facts import LONGEST_KEY, Piece, Unreadable
from integrations.formats.edi.letters import Letter
from integrations.formats.edi.segments import MOST_SEGMENTS, Segment
from integrations.formats.edi.values import moment
from parts.sentences import sentence

_BLANK = b" \t\r\n\x00\x1a"
#: Character sets by their syntax identifier (0001). Those that switch between alphabets are not read.
CHARACTER_SETS = {
    "UNOA": "ascii",
    "UNOB": "ascii",
    "UNOC": "iso8859-1",
    "UNOD": "iso8859-2",
    "UNOE": "iso8859-5",
    "UNOF": "iso8859-7",
    "UNOG": "iso8859-3",
    "UNOH": "iso8859-4",
    "UNOI": "iso8859-6",
    "UNOJ": "iso8859-8",
    "UNOK": "iso8859-9",
    "UNOW": "utf-8",
    "UNOY": "utf-8",
}


@dataclass(frozen=True, slots=True)
class _Marks:
    """The separators of an interchange, each one byte; `release` is empty where there is none."""

    component: bytes = b":"
    element: bytes = b"+"
    release: bytes = b"?"
    terminator: bytes = b"'"


@dataclass(frozen=True, slots=True)
class _Cut:
    """A segment as it lies in the bytes: its tag, where it begins, where it ends, and where the next one begins."""

    tag: str
    start: int
    stop: int
    end: int


@dataclass(slots=True)
class _Interchange:
    """One interchange in the bytes: where it begins (its UNA or UNB), its marks, character set, cuts and messages.

    A message is its first and last cut, and those of the group that it is in.
    """

    start: int
    marks: _Marks
    encoding: str
    cuts: list[_Cut]
    messages: list[tuple[int, int, tuple[_Cut, _Cut] | None]] = field(default_factory=list)


def split(body: bytes) -> list[Piece]:
    """Cut what came in into messages, each in its envelope; keys are the sender's and the references.

    The envelope of a message that did not come alone still has the counts of all. Raises Unreadable.
    """
    pieces = [piece for found in _interchanges(body, whole=True) for piece in _pieces(body, found)]
    if not pieces:
        raise Unreadable(sentence("There is nothing in it."))
    return pieces


def opened(body: bytes, zone: ZoneInfo) -> list[Letter]:
    """Return the messages in what came. Raises Unreadable, also for a test and for a wrong count."""
    letters = []
    for found in _interchanges(body, whole=False):
        head = _segment(body, found, found.cuts[0], 1)
        if head.value(11) == "1":
            raise Unreadable(sentence("This is a test, by its own word; nothing comes of it."), head.where(11))
        sent_at = moment(head.value(4), head.value(4, 2), zone, head.where(4))
        letters += [_letter(body, found, first, last, sent_at) for first, last, _group in found.messages]
    if not letters:
        raise Unreadable(sentence("There is no message in it."))
    return letters


def _letter(body: bytes, found: _Interchange, first: int, last: int, sent_at: datetime) -> Letter:
    cuts = found.cuts[first : last + 1]
    segments = tuple(_segment(body, found, cut, place) for place, cut in enumerate(cuts, start=1))
    head, tail = segments[0], segments[-1]
    if tail.value(2) != head.value(1):
        raise Unreadable(sentence("The control numbers of head and trailer differ."), tail.where(2))
    if _count(said := tail.value(1)) != len(segments):
        wrong = sentence("It says {said} segments and has {found}.", said=said[:10], found=len(segments))
        raise Unreadable(wrong, tail.where(1))
    return Letter(head.value(2), f"{head.value(2, 2)}{head.value(2, 3)}"[:20], sent_at, segments)


def _pieces(body: bytes, found: _Interchange) -> Iterator[Piece]:
    head = _segment(body, found, found.cuts[0], 1)
    sender = f"{'/'.join(filter(None, (head.value(2, 2), head.value(2))))}:{head.value(5)}"
    first_byte, last_byte = found.start, found.cuts[-1].end
    filling = _BLANK.replace(found.marks.terminator, b"")
    for first, last, group in found.messages:
        key = f"{sender}:{_segment(body, found, found.cuts[first], 1).value(1)}"
        if len(found.messages) == 1:
            yield Piece(_key(key), body[first_byte:last_byte].rstrip(filling))
        else:
            opening, closing = group or (None, None)
            parts = [body[found.start : found.cuts[0].end]]
            cuts = [opening, *found.cuts[first : last + 1], closing, found.cuts[-1]]
            yield Piece(_key(key), b"".join([*parts, *(body[cut.start : cut.end] for cut in cuts if cut)]))
    if not found.messages:
        yield Piece(_key(sender), body[first_byte:last_byte].rstrip(filling))


def _key(key: str) -> str:
    return key if len(key) <= LONGEST_KEY and key.isprintable() else ""


def _interchanges(body: bytes, *, whole: bool) -> Iterator[_Interchange]:
    """Give the interchanges in the bytes. `whole`: as they were sent, so that trailers count exactly what is there."""
    place = _skip(body, 0)
    while place < len(body):
        found = _interchange(body, place)
        _structure(body, found, whole=whole)
        yield found
        place = _skip(body, found.cuts[-1].end)


def _interchange(body: bytes, start: int) -> _Interchange:
    marks, begins = _Marks(), start
    if body.startswith(b"UNA", start):
        said = body[start + 3 : start + 9]
        marks = _Marks(said[0:1], said[1:2], said[3:4].strip(), said[5:6])
        own = [marks.component, marks.element, marks.terminator, *([marks.release] if marks.release else [])]
        if len(said) < 6 or len(set(own)) < len(own) or any(not one or one.isalnum() or one > b"\x7f" for one in own):
            raise Unreadable(sentence("The separators cannot be told from each other or from data."), f"byte {start}")
        begins = _skip(body, start + 9)
    if not body.startswith(b"UNB" + marks.element, begins):
        raise Unreadable(sentence("An interchange begins with {tag}.", tag="UNA, UNB"), f"byte {begins}")
    syntax = body[begins + 4 : begins + 8].decode("latin-1")
    if syntax not in CHARACTER_SETS:
        raise Unreadable(sentence("The character set {name} is not read.", name=syntax), f"UNB01, byte {begins}")
    return _Interchange(start, marks, CHARACTER_SETS[syntax], list(_cuts(body, begins, marks)))


def _cuts(body: bytes, start: int, marks: _Marks) -> Iterator[_Cut]:
    """Give the segments from a UNB to its UNZ."""
    pattern = _segment_pattern(marks)
    for _turn in range(MOST_SEGMENTS):
        found = pattern.match(body, start)
        if found is None:
            break
        stop = found.end() - 1
        tag = body[start : start + 3]
        if not (tag.isalpha() and tag.isupper() and body[start + 3 : start + 4] in (marks.element, marks.terminator)):
            raise Unreadable(sentence("This is no segment."), f"byte {start}")
        yield _Cut(tag.decode(), start, stop, _skip(body, found.end(), marks.terminator))
        if tag == b"UNZ":
            return
        start = _skip(body, found.end(), marks.terminator)
    raise Unreadable(sentence("It is cut off: {tag} is missing.", tag="UNZ"), f"byte {start}")


def _segment_pattern(marks: _Marks) -> re.Pattern[bytes]:
    """Return what matches a segment with its terminator, in time proportional to its length."""
    end, release = re.escape(marks.terminator), re.escape(marks.release)
    if not marks.release:
        return re.compile(rb"[^" + end + rb"]*" + end, re.DOTALL)
    plain = rb"[^" + release + end + rb"]*"
    return re.compile(plain + rb"(?:" + release + rb"." + plain + rb")*" + end, re.DOTALL)


def _structure(body: bytes, found: _Interchange, *, whole: bool) -> None:
    """Find the messages, and check that heads and trailers belong together. Raises Unreadable."""
    message: int | None = None
    group: _Cut | None = None
    groups, waiting = 0, list[tuple[int, int]]()
    for place, cut in enumerate(found.cuts[1:-1], start=1):
        if cut.tag == "UNG" and message is None and group is None:
            group, waiting = cut, []
        elif cut.tag == "UNH" and message is None:
            message = place
        elif cut.tag == "UNT" and message is not None:
            waiting.append((message, place))
            message = None
            if group is None:
                found.messages.append((*waiting.pop(), None))
        elif cut.tag == "UNE" and message is None and group is not None:
            _check(body, found, (group, 5), cut, len(waiting), whole=whole)
            found.messages += [(first, last, (group, cut)) for first, last in waiting]
            group, groups = None, groups + 1
        elif cut.tag in ("UNA", "UNB", "UNG", "UNH", "UNT", "UNE") or message is None:
            raise Unreadable(sentence("{tag} does not belong here.", tag=cut.tag), f"byte {cut.start}")
    if message is not None or group is not None:
        missing = "UNT" if message is not None else "UNE"
        raise Unreadable(sentence("It is cut off: {tag} is missing.", tag=missing), f"byte {found.cuts[-1].start}")
    parts = groups or len(found.messages)
    _check(body, found, (found.cuts[0], 5), found.cuts[-1], parts, whole=whole)


def _check(body: bytes, found: _Interchange, head: tuple[_Cut, int], tail: _Cut, count: int, *, whole: bool) -> None:
    """Compare a trailer with its head and with what lies between. What was cut out of its envelope has less of it."""
    first, last = _segment(body, found, head[0], 1), _segment(body, found, tail, 1)
    if first.value(head[1]) != last.value(2):
        raise Unreadable(sentence("The control numbers of head and trailer differ."), f"{last.tag}, byte {tail.start}")
    said = _count(last.value(1))
    if said is None or (said != count if whole else said < count):
        wrong = sentence("It says {said} parts and has {found}.", said=last.value(1)[:10], found=count)
        raise Unreadable(wrong, f"{last.tag}, byte {tail.start}")


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


def _segment(body: bytes, found: _Interchange, cut: _Cut, place: int) -> Segment:
    try:
        text = body[cut.start : cut.stop].decode(found.encoding)
    except UnicodeDecodeError as error:
        wrong = sentence("This is not {encoding}, from byte {place} on.", encoding=found.encoding, place=error.start)
        raise Unreadable(wrong, f"{cut.tag}, byte {cut.start}") from error
    marks = found.marks
    element, component, release = (one.decode() for one in (marks.element, marks.component, marks.release))
    if not release or release not in text:
        parts: Sequence[Sequence[str]] = [one.split(component) for one in text.split(element)[1:]]
    else:
        parts = [_unreleased(one, component, release) for one in _parted(text, element, release)[1:]]
    return Segment(cut.tag, tuple(tuple(one) for one in parts), place)


def _parted(text: str, mark: str, release: str) -> list[str]:
    """Cut a text at each mark that no release character stands before; what is released stays as it is."""
    pattern = rf"(?:[^{re.escape(mark + release)}]|{re.escape(release)}.)*"
    found, place = [], 0
    matcher = re.compile(pattern, re.DOTALL)
    while True:
        match = matcher.match(text, place)
        assert match is not None, "nothing at all matches as well"
        found.append(match.group())
        place = match.end() + 1
        if place > len(text):
            return found


def _unreleased(text: str, component: str, release: str) -> list[str]:
    said = re.compile(rf"{re.escape(release)}(.)", re.DOTALL)
    return [said.sub(r"\1", one) for one in _parted(text, component, release)]


def _skip(body: bytes, place: int, terminator: bytes = b"") -> int:
    """Return where the next byte is that is no line end or filling between segments."""
    while place < len(body) and body[place] in _BLANK and body[place : place + 1] != terminator:
        place += 1
    return place

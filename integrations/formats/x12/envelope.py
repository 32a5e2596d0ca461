"""The envelope of ANSI X12: interchanges (ISA … IEA) of groups (GS … GE) of transaction sets (ST … SE).

Separators are those that the ISA names by its fixed widths. Control numbers must agree and counts must be right, else
nothing of the interchange is taken: something was cut off or put in. A set whose own count is wrong is refused alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from integrations.facts import LONGEST_KEY, Piece, Unreadable
from integrations.formats.edi.letters import Letter
from integrations.formats.edi.segments import MOST_SEGMENTS, Segment
from integrations.formats.edi.values import moment
from parts.sentences import sentence

#: The ISA is 105 characters and its terminator; an element separator stands at each of these.
_ISA_LENGTH = 105
_SEPARATORS_AT = (3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103)
_BLANK = b" \t\r\n\x00\x1a"


@dataclass(frozen=True, slots=True)
class _Cut:
    """A segment as it lies in the bytes: its tag, where it begins, and where the next one does."""

    tag: bytes
    start: int
    end: int


@dataclass(slots=True)
class _Group:
    head: _Cut
    sets: list[tuple[int, int]] = field(default_factory=list)
    tail: _Cut | None = None


@dataclass(slots=True)
class _Interchange:
    """One interchange in the bytes: its separators, its cuts, and which of them are its groups and sets."""

    element: bytes
    component: bytes
    terminator: bytes
    cuts: list[_Cut]
    groups: list[_Group]


def split(body: bytes) -> list[Piece]:
    """Cut what came in into transaction sets, each in its envelope; keys are the sender's and the control numbers.

    The envelope of a set that did not come alone still has the counts of all. Raises Unreadable.
    """
    pieces = [piece for found in _interchanges(body, whole=True) for piece in _pieces(body, found)]
    if not pieces:
        raise Unreadable(sentence("There is nothing in it."))
    return pieces


def opened(body: bytes, zone: ZoneInfo) -> list[Letter]:
    """Return the transaction sets in a message. Raises Unreadable, also for a test and for a wrong count."""
    letters = []
    for found in _interchanges(body, whole=False):
        isa = _segment(body, found, found.cuts[0], 1)
        if isa.value(15) == "T":
            raise Unreadable(sentence("This is a test, by its own word; nothing comes of it."), isa.where(15))
        for group in found.groups:
            head = _segment(body, found, group.head, 1)
            sent_at = moment(head.value(4), head.value(5), zone, head.where(4))
            letters += [_letter(body, found, first, last, head.value(8)[:6], sent_at) for first, last in group.sets]
    if not letters:
        raise Unreadable(sentence("There is no transaction set in it."))
    return letters


def _letter(body: bytes, found: _Interchange, first: int, last: int, release: str, sent_at: datetime) -> Letter:
    segments = tuple(
        _segment(body, found, cut, place) for place, cut in enumerate(found.cuts[first : last + 1], start=1)
    )
    head, tail = segments[0], segments[-1]
    if tail.value(2) != head.value(2):
        raise Unreadable(sentence("The control numbers of head and trailer differ."), tail.where(2))
    if _count(said := tail.value(1)) != len(segments):
        wrong = sentence("It says {said} segments and has {found}.", said=said[:10], found=len(segments))
        raise Unreadable(wrong, tail.where(1))
    return Letter(head.value(1), release, sent_at, segments)


def _pieces(body: bytes, found: _Interchange) -> Iterator[Piece]:
    isa = _segment(body, found, found.cuts[0], 1)
    sender = f"{isa.value(5)}/{isa.value(6)}:{isa.value(13)}"
    sets = [(group, first, last) for group in found.groups for first, last in group.sets]
    start, end = found.cuts[0].start, found.cuts[-1].end
    for group, first, last in sets:
        own = _segment(body, found, found.cuts[first], 1)
        key = f"{sender}:{_segment(body, found, group.head, 1).value(6)}:{own.value(2)}"
        if len(sets) == 1:
            yield Piece(_key(key), body[start:end].rstrip(_BLANK.replace(found.terminator, b"")))
        else:
            assert group.tail is not None, "an interchange that is whole has its trailers"
            cuts = (found.cuts[0], group.head, *found.cuts[first : last + 1], group.tail, found.cuts[-1])
            yield Piece(_key(key), b"".join(body[cut.start : cut.end] for cut in cuts))
    if not sets:
        yield Piece(_key(sender), body[start:end])


def _key(key: str) -> str:
    return key if len(key) <= LONGEST_KEY and key.isprintable() else ""


def _interchanges(body: bytes, *, whole: bool) -> Iterator[_Interchange]:
    """Give the interchanges in the bytes. `whole`: as they were sent, so that trailers count exactly what is there."""
    place = _skip(body, 0, b"")
    while place < len(body):
        found = _interchange(body, place, whole=whole)
        yield found
        place = _skip(body, found.cuts[-1].end, b"")


def _interchange(body: bytes, start: int, *, whole: bool) -> _Interchange:
    head = body[start : start + _ISA_LENGTH + 1]
    if not head.startswith(b"ISA"):
        raise Unreadable(sentence("An interchange begins with {tag}.", tag="ISA"), f"byte {start}")
    element, component, terminator = head[3:4], head[104:105], head[105:106]
    if len(head) <= _ISA_LENGTH or any(head[at : at + 1] != element for at in _SEPARATORS_AT):
        raise Unreadable(sentence("The ISA does not have its fixed widths."), f"byte {start}")
    marks = {element, component, terminator}
    if len(marks) < 3 or any(mark.isalnum() or mark == b" " or mark > b"\x7f" for mark in marks):
        raise Unreadable(sentence("The separators cannot be told from each other or from data."), f"byte {start}")
    cuts = list(_cuts(body, start, element, terminator))
    found = _Interchange(element, component, terminator, cuts, [])
    _structure(body, found, whole=whole)
    return found


def _cuts(body: bytes, start: int, element: bytes, terminator: bytes) -> Iterator[_Cut]:
    """Give the segments from an ISA to its IEA."""
    for _turn in range(MOST_SEGMENTS):
        end = body.find(terminator, start)
        if end < 0:
            break
        tag = body[start : min(end, start + 4)].split(element, 1)[0]
        after = _skip(body, end + 1, terminator)
        if not (2 <= len(tag) <= 3 and tag.isalnum() and tag.isascii()):
            raise Unreadable(sentence("This is no segment."), f"byte {start}")
        yield _Cut(tag, start, after)
        if tag == b"IEA":
            return
        start = after
    raise Unreadable(sentence("It is cut off: {tag} is missing.", tag="IEA"), f"byte {start}")


def _structure(body: bytes, found: _Interchange, *, whole: bool) -> None:
    """Find groups and sets, and check that heads and trailers belong together. Raises Unreadable."""
    opened_at: int | None = None
    group: _Group | None = None
    for place, cut in enumerate(found.cuts[1:-1], start=1):
        inside = group is not None and group.tail is None
        if cut.tag == b"GS" and not inside:
            group = _Group(cut)
            found.groups.append(group)
        elif group is not None and inside and cut.tag == b"ST" and opened_at is None:
            opened_at = place
        elif group is not None and inside and cut.tag == b"SE" and opened_at is not None:
            group.sets.append((opened_at, place))
            opened_at = None
        elif group is not None and inside and cut.tag == b"GE" and opened_at is None:
            group.tail = cut
            _check(body, found, group.head, 6, cut, len(group.sets), whole=whole)
        elif cut.tag in (b"ISA", b"GS", b"GE", b"ST", b"SE") or (opened_at is None and cut.tag != b"TA1"):
            raise Unreadable(sentence("{tag} does not belong here.", tag=cut.tag.decode()), f"byte {cut.start}")
    if opened_at is not None or (group is not None and group.tail is None):
        raise Unreadable(sentence("It is cut off: {tag} is missing.", tag="GE"), f"byte {found.cuts[-1].start}")
    _check(body, found, found.cuts[0], 13, found.cuts[-1], len(found.groups), whole=whole)


def _check(body: bytes, found: _Interchange, head: _Cut, element: int, tail: _Cut, count: int, *, whole: bool) -> None:
    """Compare a trailer with its head and with what lies between. What was cut out of its envelope has less of it."""
    first, last = _segment(body, found, head, 1), _segment(body, found, tail, 1)
    if first.value(element) != last.value(2):
        raise Unreadable(
            sentence("The control numbers of head and trailer differ."), f"{last.tag}02, byte {tail.start}"
        )
    said = _count(last.value(1))
    if said is None or (said != count if whole else said < count):
        raise Unreadable(
            sentence("It says {said} parts and has {found}.", said=last.value(1)[:10], found=count),
            f"{last.tag}01, byte {tail.start}",
        )


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


def _segment(body: bytes, found: _Interchange, cut: _Cut, place: int) -> Segment:
    raw = body[cut.start : body.index(found.terminator, cut.start)]
    is_isa = cut.tag == b"ISA"
    elements = _text(raw).split(_text(found.element))[1:]
    separator = _text(found.component)
    return Segment(
        cut.tag.decode(), tuple((one,) if is_isa else tuple(one.split(separator)) for one in elements), place
    )


def _text(raw: bytes) -> str:
    """Return bytes as text. X12 names no encoding: UTF-8, else ISO 8859-1, which only names and free texts can show."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _skip(body: bytes, place: int, terminator: bytes) -> int:
    """Return where the next byte is that is no line end or filling between segments."""
    while place < len(body) and body[place] in _BLANK and body[place : place + 1] != terminator:
        place += 1
    return place

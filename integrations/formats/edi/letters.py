"""A message of either standard, out of its envelope, and how the messages of a file become facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from integrations.facts import Fact, Reading, Unreadable
from integrations.formats.edi.segments import Segment
from integrations.formats.form import Speech
from parts.sentences import sentence


@dataclass(frozen=True, slots=True)
class Letter:
    """A transaction set (`855`, release `004010`) or message (`DESADV`, directory `D96A`): when it was sent, and its
    segments, those that open and close it included."""

    kind: str
    release: str
    sent_at: datetime
    segments: tuple[Segment, ...]


#: Reads one letter into facts. Raises Unreadable.
LetterReader = Callable[[Letter, Speech], Sequence[Fact]]


def reader_of(
    opened: Callable[[bytes, ZoneInfo], Sequence[Letter]], kinds: Mapping[str, LetterReader], named_in: int
) -> Callable[[bytes, Speech], Reading]:
    """Return what reads a piece: `opened` takes its letters out of the envelope, `kinds` are those that are read here,
    and `named_in` is the element of a letter's first segment that names its kind."""

    def read(body: bytes, speech: Speech) -> Reading:
        facts: list[Fact] = []
        letters = opened(body, speech.zone)
        for letter in letters:
            if letter.kind not in kinds:
                wanted = sentence("A {kind} is not read here, only {allowed}.", kind=letter.kind, allowed=list(kinds))
                raise Unreadable(wanted, letter.segments[0].where(named_in))
            facts += kinds[letter.kind](letter, speech)
        return Reading(tuple(facts), letters[0].sent_at)

    return read

"""HL: the levels of an 856 or 870 (shipment, order, tare, pack, item), each under its parent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from integrations.facts import Unreadable
from integrations.formats.edi.segments import Segment, groups
from parts.sentences import sentence

#: Shipment, order, tare, pack, item are five; nobody's goods lie deeper than this.
DEEPEST = 12


@dataclass(frozen=True, slots=True)
class Level:
    """A level: its own segments, and the level above it, which came before it."""

    kind: str
    segments: Sequence[Segment]
    above: Level | None
    depth: int

    def find(self, tag: str, *qualifiers: str) -> Segment | None:
        """Return the nearest such segment: of this level, or of one above."""
        level: Level | None = self
        while level is not None:
            for one in level.segments:
                if one.tag == tag and (not qualifiers or one.value(1) in qualifiers):
                    return one
            level = level.above
        return None

    def needs(self, tag: str) -> Segment:
        """Return the nearest such segment. Raises Unreadable where there is none."""
        found = self.find(tag)
        if found is None:
            raise Unreadable(sentence("{tag} is missing.", tag=tag), self.segments[0].where())
        return found


def levels(segments: Sequence[Segment]) -> Iterator[Level]:
    """Give the levels in their order. Raises Unreadable for one whose parent did not come before it."""
    known: dict[str, Level] = {}
    for group in groups(segments, "HL")[1]:
        head = group[0]
        name, parent = head.named(1), head.value(2)
        if name in known:
            raise Unreadable(sentence("This level was there before."), head.where(1))
        if parent and parent not in known:
            raise Unreadable(sentence("The level above was not there before."), head.where(2))
        above = known[parent] if parent else None
        depth = above.depth + 1 if above else 1
        if depth > DEEPEST:
            raise Unreadable(sentence("Levels may lie {most} deep.", most=DEEPEST), head.where(2))
        known[name] = Level(head.named(3), group, above, depth)
        yield known[name]

"""What supersedes and stands in for a part, and for those in turn: read a few steps far, and laid out to be drawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from parts.models import Part, PartRelation
from parts.statuses import RelationKind

#: How many steps from the part are looked at, and how many parts are drawn at most.
STEPS = 4
MOST_DRAWN = 40

#: Sizes of the drawing, in its own units.
WIDTH, HEIGHT, ACROSS, DOWN, MARGIN = 150, 44, 80, 18, 8


@dataclass(frozen=True, slots=True)
class Node:
    """A part in the drawing: its box, by the upper left corner."""

    part: Part
    x: int
    y: int
    is_self: bool

    @property
    def middle(self) -> int:
        """Half the height of its box."""
        return self.y + HEIGHT // 2


@dataclass(frozen=True, slots=True)
class Edge:
    """A relation in the drawing: from what is replaced to what replaces it."""

    relation: PartRelation
    x1: int
    y1: int
    x2: int
    y2: int

    @property
    def path(self) -> str:
        """The line, bent so that it leaves and arrives level."""
        if self.x1 == self.x2:
            return f"M{self.x1} {self.y1} L{self.x2} {self.y2}"
        bend = (self.x2 - self.x1) // 2
        return f"M{self.x1} {self.y1} C{self.x1 + bend} {self.y1} {self.x2 - bend} {self.y2} {self.x2} {self.y2}"

    @property
    def is_supersession(self) -> bool:
        """Whether the one replaces the other for good."""
        return self.relation.kind == RelationKind.SUPERSEDES


@dataclass(frozen=True, slots=True)
class Drawing:
    """Parts and relations with their places; `cut` where more parts hang together than are drawn."""

    nodes: Sequence[Node]
    edges: Sequence[Edge]
    width: int
    height: int
    cut: bool


def drawing_of(part: Part) -> Drawing | None:
    """Return the relations around a part as they are drawn; None where it has none. At most STEPS + 1 queries."""
    relations, cut = _around(part.pk)
    return lay_out(part.pk, relations, cut) if relations else None


def _around(part_id: UUID) -> tuple[list[PartRelation], bool]:
    known: dict[UUID, PartRelation] = {}
    parts, edge, cut = {part_id}, {part_id}, False
    for _step in range(STEPS):
        rows = PartRelation.objects.filter(Q(part__in=edge) | Q(other__in=edge)).select_related("part", "other")
        edge = set()
        for row in rows.order_by("id")[: MOST_DRAWN * 4]:
            ends = {row.part_id, row.other_id}
            if len(parts | ends) > MOST_DRAWN:
                cut = True
                continue
            known[row.pk] = row
            edge |= ends - parts
            parts |= ends
        if not edge:
            break
    return list(known.values()), cut


def lay_out(part_id: UUID, relations: Sequence[PartRelation], cut: bool) -> Drawing:
    """Give every part a column (what replaces stands to the right of what it replaces) and a row. A pure decision."""
    parts = {row.part_id: row.part for row in relations} | {row.other_id: row.other for row in relations}
    columns = _columns(part_id, relations)
    first = min(columns.values())
    by_column: defaultdict[int, list[Part]] = defaultdict(list)
    for key in sorted(parts, key=lambda key: (key != part_id, parts[key].number)):
        by_column[columns[key] - first].append(parts[key])
    tallest = max(len(column) for column in by_column.values())
    nodes = {
        part.pk: Node(
            part,
            MARGIN + column * (WIDTH + ACROSS),
            MARGIN + (tallest - len(members)) * (HEIGHT + DOWN) // 2 + row * (HEIGHT + DOWN),
            part.pk == part_id,
        )
        for column, members in by_column.items()
        for row, part in enumerate(members)
    }
    edges = [_edge(row, nodes[row.other_id], nodes[row.part_id]) for row in relations]
    width = 2 * MARGIN + len(by_column) * WIDTH + (len(by_column) - 1) * ACROSS
    return Drawing(list(nodes.values()), edges, width, 2 * MARGIN + tallest * (HEIGHT + DOWN) - DOWN, cut)


def _edge(relation: PartRelation, old: Node, new: Node) -> Edge:
    if old.x == new.x:  # side by side in one column: straight down, or up
        middle, down = old.x + WIDTH // 2, new.y > old.y
        return Edge(relation, middle, old.y + HEIGHT if down else old.y, middle, new.y if down else new.y + HEIGHT)
    if old.x > new.x:
        return Edge(relation, old.x, old.middle, new.x + WIDTH, new.middle)
    return Edge(relation, old.x + WIDTH, old.middle, new.x, new.middle)


def _columns(part_id: UUID, relations: Iterable[PartRelation]) -> dict[UUID, int]:
    """Return the column of each part, counted from this one; what is reached first by the shortest way counts."""
    steps: defaultdict[UUID, list[tuple[UUID, int]]] = defaultdict(list)
    for row in relations:
        steps[row.other_id].append((row.part_id, 1))
        steps[row.part_id].append((row.other_id, -1))
    columns, waiting = {part_id: 0}, [part_id]
    for key in waiting:
        for other, step in steps[key]:
            if other not in columns:
                columns[other] = columns[key] + step
                waiting.append(other)
    return _without_gaps(columns)


def _without_gaps(columns: dict[UUID, int]) -> dict[UUID, int]:
    places = {column: place for place, column in enumerate(sorted(set(columns.values())))}
    return {key: places[column] for key, column in columns.items()}

"""What the placing of an order comes to, line by line: what is put aside where, what is missing, who loses by it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from django.db.models.expressions import RawSQL

from backorders.actions import pegging
from backorders.prospects import Prospect, prospects
from orders.actions.placing import Placed, PlacedLine
from orders.models import OrderEvent
from parts.models import Warehouse


@dataclass(frozen=True, slots=True)
class PutAside:
    """A quantity that is reserved in one warehouse."""

    warehouse: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class ForeseenLine:
    """A line: where its quantity is put aside, what is missing of it, and what the missing can expect."""

    part_id: UUID
    part_number: str
    quantity: Decimal
    put_aside: tuple[PutAside, ...]
    missing: Decimal
    expected_on: date | None
    prospect: Prospect | None

    @property
    def is_split(self) -> bool:
        """Whether it comes in more than one part."""
        return len(self.put_aside) + bool(self.missing) > 1


@dataclass(frozen=True, slots=True)
class Foreseen:
    """An order: its lines, the lines of others that lose what they held softly, and whether its job has to wait."""

    at: datetime
    lines: tuple[ForeseenLine, ...]
    losers: tuple[str, ...]
    job_waits: bool

    @property
    def missing(self) -> int:
        """How many lines are short."""
        return sum(1 for line in self.lines if line.missing)

    @property
    def digest(self) -> str:
        """Return what was decided in short, to compare with what is decided in the end."""
        return digest_of([line.missing for line in self.lines])


def digest_of(missing: list[Decimal]) -> str:
    """Return the missing quantity of each line in one text."""
    return ";".join(f"{quantity.normalize():f}" for quantity in missing)


def missing_of(line: PlacedLine) -> Decimal:
    """Return what is missing of a placed line."""
    leaves = line.children or (line,)
    return sum((leaf.quantity for leaf in leaves if leaf.status == "back_ordered"), Decimal(0))


def foresee(placed: Placed, at: datetime) -> Foreseen:
    """Read what came of an order that was placed in this transaction, `at` or later, with what it can expect.

    Its parts' queues are pegged first, which otherwise happens right after the commit: for a rehearsal only. A constant
    number of statements.
    """
    short = [line.part_id for line in placed.lines if missing_of(line)]
    dates = {
        change.back_order_id: change.now for change in pegging.repeg(part_ids=short, today=at.astimezone(UTC).date())
    }
    leaves = [(line, leaf) for line in placed.lines for leaf in (line.children or (line,))]
    codes = dict(Warehouse.objects.values_list("pk", "code"))
    waiting = prospects([leaf.back_order.back_order_id for _line, leaf in leaves if leaf.back_order])
    losers, job_waits = _others(placed, at)
    return Foreseen(at, tuple(_line(line, codes, waiting, dates) for line in placed.lines), losers, job_waits)


def _line(
    line: PlacedLine,
    codes: dict[UUID, str],
    waiting: dict[UUID, Prospect],
    dates: dict[UUID, date | None],
) -> ForeseenLine:
    leaves = line.children or (line,)
    short = next((leaf.back_order for leaf in leaves if leaf.back_order), None)
    return ForeseenLine(
        part_id=line.part_id,
        part_number=line.part_number,
        quantity=line.quantity,
        put_aside=tuple(PutAside(codes[leaf.warehouse_id], leaf.quantity) for leaf in leaves if leaf.warehouse_id),
        missing=missing_of(line),
        expected_on=dates.get(short.back_order_id, short.expected_on) if short else None,
        prospect=waiting.get(short.back_order_id) if short else None,
    )


def _others(placed: Placed, at: datetime) -> tuple[tuple[str, ...], bool]:
    """Return the lines of others that go short by it, and whether a job is paused, from this transaction's events."""
    here = RawSQL("(pg_current_xact_id()::text)::bigint", [])
    events = OrderEvent.objects.filter(transaction_id=here, recorded_at__gte=at).exclude(
        reference__startswith=f"{placed.reference}/"
    )
    moved = list(
        events.exclude(to_status="")
        .order_by("reference", "version")
        .values_list("subject_kind", "reference", "to_status")
    )
    losers = tuple(dict.fromkeys(reference for kind, reference, to in moved if kind == "line" and to == "back_ordered"))
    return losers, any(kind == "service_order" and to == "awaiting_parts" for kind, _reference, to in moved)

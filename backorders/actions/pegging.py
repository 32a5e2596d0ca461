"""Tell each waiting back order which supply it can count on, and when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from backorders import sql
from backorders.models import BackOrder, DueQueue, Peg
from backorders.pegs import Incoming, PlannedPeg, Wanting, pegs
from parts import statements
from parts.documents import as_text

#: How many queues are pegged in one transaction, and how many times in one run.
_PEGGED_AT_ONCE, _BATCHES = 500, 20


@dataclass(frozen=True, slots=True)
class NewDate:
    """A back order whose expected date changed."""

    back_order_id: UUID
    before: date | None
    now: date | None


def repeg(*, part_ids: Sequence[UUID], today: date) -> list[NewDate]:
    """Peg the queues of these parts to what is on order, and return whose expected date changed.

    Only the expected date moves, never a promise. A day before `today` is none: its supply is overdue. A repeat changes
    nothing. Four statements, however many parts and back orders. The parts' queues are pegged one transaction at a time
    (an advisory lock per group of parts), so that two who peg at once cannot mix their pegs.
    """
    if not part_ids:
        return []
    wanted = sorted(set(part_ids))
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                # 256 locks for all parts: one each is more than the server has room for when a file brings thousands.
                "SELECT pg_advisory_xact_lock(hashtext('repeg'), bucket)"
                " FROM (SELECT DISTINCT hashtext(id::text) & 255 AS bucket FROM unnest(%s::uuid[]) AS id ORDER BY 1)"
                " AS b",
                [wanted],
            )
        planned, days = _planned(wanted, today)
        parameters: dict[str, Any] = {
            "part_ids": wanted,
            "pegs": as_text(planned),
            "days": as_text([{"back_order_id": key, "day": day} for key, day in days.items()]),
        }
        with connection.cursor() as cursor:
            cursor.execute(sql.PEG, parameters)
            return [NewDate(*row) for row in cursor.fetchall()]


def date_due(*, today: date) -> int:
    """Peg the queues that new weights put in another order; return how many expected dates changed.

    Some hundred queues in a transaction, of some thousand at most: the rest waits for the next run. A queue stays due
    until it is dated, whatever dies in between; two who do it at once do it twice.
    """
    changed = 0
    for _ in range(_BATCHES):
        due = dict(DueQueue.objects.order_by("id").values_list("id", "part_id")[:_PEGGED_AT_ONCE])
        if not due:
            break
        changed += len(repeg(part_ids=list(due.values()), today=today))
        DueQueue.objects.filter(pk__in=due).delete()
    return changed


def out_of_date(*, today: date, limit: int) -> list[UUID]:
    """Return parts whose queue counts on a day that has passed; nothing is changed here."""
    counted = BackOrder.objects.waiting().filter(expected_on__lt=today).order_by().values_list("part_id", flat=True)
    pegged = Peg.objects.filter(expected_on__lt=today).order_by().values_list("back_order__part_id", flat=True)
    return list(counted.union(pegged)[:limit])


def _planned(part_ids: Sequence[UUID], today: date) -> tuple[list[PlannedPeg], dict[UUID, date]]:
    """Read what is on order, and of each queue what it can reach, and plan."""
    supply: dict[UUID, list[Incoming]] = defaultdict(list)
    for row in statements.rows_of(sql.SUPPLY, {"part_ids": list(part_ids)}):
        supply[row[1]].append(Incoming(*row))
    queues: dict[UUID, list[Wanting]] = defaultdict(list)
    for row in statements.rows_of(sql.QUEUE_FOR_SUPPLY, _reach(supply)):
        queues[row[1]].append(Wanting(*row))
    planned: list[PlannedPeg] = []
    days: dict[UUID, date] = {}
    for part_id, queue in queues.items():
        made, dated = pegs(queue, supply[part_id], today)
        planned += made
        days |= dated
    return planned, days


def _reach(supply: Mapping[UUID, Sequence[Incoming]]) -> dict[str, list[Any]]:
    """Return the parameters by which a queue is read as deep as its supply reaches."""
    return {
        "part_ids": list(supply),
        "totals": [sum(each.quantity for each in incoming) for incoming in supply.values()],
        "warehouses": [as_text(sorted({each.warehouse_id for each in incoming})) for incoming in supply.values()],
    }

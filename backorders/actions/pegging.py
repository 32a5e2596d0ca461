"""Tell each waiting back order which supply it can count on, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import connection, transaction

from backorders import sql


@dataclass(frozen=True, slots=True)
class NewDate:
    """A back order whose expected date changed."""

    back_order_id: UUID
    before: date | None
    now: date | None


def repeg(*, part_ids: Sequence[UUID]) -> list[NewDate]:
    """Peg the queues of these parts to what is on order, and return whose expected date changed.

    Only the expected date moves, never a promise. One statement; a repeat changes nothing. The parts' queues are
    pegged one transaction at a time (an advisory lock per group of parts), so that two who peg at once cannot mix
    their pegs.
    """
    if not part_ids:
        return []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            # 256 locks for all parts: one each is more than the server has room for when a file brings thousands.
            "SELECT pg_advisory_xact_lock(hashtext('repeg'), bucket)"
            " FROM (SELECT DISTINCT hashtext(id::text) & 255 AS bucket FROM unnest(%s::uuid[]) AS id ORDER BY 1) AS b",
            [sorted(set(part_ids))],
        )
        cursor.execute(sql.REPEG, {"part_ids": sorted(set(part_ids))})
        return [NewDate(*row) for row in cursor.fetchall()]

"""Pages of a long list without counting it."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db import connections
from django.db.models import QuerySet
from django.utils.functional import cached_property

#: Up to here rows are counted; what lies beyond is an estimate.
MOST_COUNTED = 5_000


class BoundedPaginator(Paginator[Any]):
    """Counts at most MOST_COUNTED rows.

    A longer list that is not filtered says what the database last estimated (`pg_class.reltuples`); a longer filtered
    one ends at MOST_COUNTED, which is where a person filters further.
    """

    @cached_property
    def count(self) -> int:
        """Return how many rows there are, exactly up to the bound."""
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]  # the admin only hands querysets over
        counted = rows.order_by()[: MOST_COUNTED + 1].count()
        if counted <= MOST_COUNTED:
            return counted
        return MOST_COUNTED if rows.query.where else max(_estimate(rows), MOST_COUNTED)


def _estimate(rows: QuerySet[Any]) -> int:
    with connections[rows.db].cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [rows.model._meta.db_table])
        return int(cursor.fetchone()[0])

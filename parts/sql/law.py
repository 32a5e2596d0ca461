"""A law: a promise about all rows of the database, and the question that finds the rows that break it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection


@dataclass(frozen=True, slots=True)
class Breach:
    """One row that breaks a law: which, how it is, and how it should be."""

    subject: str
    what_is: str
    what_should_be: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check of one law found: how many rows break it, and the first of them by name."""

    total: int
    breaches: tuple[Breach, ...]


@dataclass(frozen=True, slots=True)
class Law:
    """A promise about all rows, and the SELECT that returns (subject, what is, what should be) for each that breaks it.

    All three are text. The statement takes no parameters: a per cent sign in it (`format('%s', …)`) stands for itself.
    """

    name: str
    promise: str
    sql: str

    def check(self, limit: int | None = None) -> Finding:
        """Look through the whole database in one statement; name at most `limit` breaking rows, but count them all."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"/* law {self.name} */ SELECT subject, what_is, what_should_be, count(*) OVER ()"
                f" FROM ({self.sql}) AS breach (subject, what_is, what_should_be)"
                f" ORDER BY subject LIMIT {'ALL' if limit is None else max(1, limit)}"  # the count is in a row
            )
            rows = cursor.fetchall()
        return Finding(rows[0][3] if rows else 0, tuple(Breach(*row[:3]) for row in rows[:limit]))

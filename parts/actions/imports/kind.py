"""What makes a kind of import: who may do it, its columns, and how its rows are compared and written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from parts.actors import Actor
from parts.importing import Column, Difference, ImportedRow, ImportResult
from parts.progress import Progress
from parts.sql.statement import Statement


class Compare(Protocol):
    def __call__(self, rows: Sequence[ImportedRow], progress: Progress) -> Difference:
        """Tell what the rows would do, without a lock."""


class Apply(Protocol):
    def __call__(
        self,
        rows: Sequence[ImportedRow],
        *,
        by: Actor,
        source: str,
        at: datetime,
        progress: Progress,
        shown: str | None,
    ) -> ImportResult:
        """Do it, inside the caller's transaction. Raises ImportRefused, also where it is not what was `shown`."""


@dataclass(frozen=True, slots=True)
class ImportKind:
    """One kind of import file; `analyze` is run after a large one."""

    name: str
    permission: str
    columns: Sequence[Column]
    compare: Compare
    apply: Apply
    analyze: Statement

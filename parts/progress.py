"""How long work tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

#: Told how far the work is: what is being done, how many rows are done, of how many (None: not known yet).
Progress = Callable[[str, int, int | None], None]
#: How many rows are read or written between two words about the progress, and by one statement.
CHUNK = 5_000


def silent(stage: str, done: int, total: int | None) -> None:
    """Take no notice of the progress."""

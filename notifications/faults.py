"""What is wrong with a wording."""

from __future__ import annotations

from dataclasses import dataclass

from parts.sentences import Says


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a wording, and in which line of it."""

    line: int
    what: Says

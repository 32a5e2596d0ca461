"""What a form of message must be able to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from integrations.facts import Piece, Reading
from parts.sentences import Says


@dataclass(frozen=True, slots=True)
class Speech:
    """How a sender speaks where a message does not say so itself.

    `code_list` and `release` are those of codes that name none; `zone` is that of times without one. `fields` is the
    field map that the interface declares, where its form is read by one.
    """

    code_list: str = ""
    release: str = ""
    zone: ZoneInfo = ZoneInfo("UTC")
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Form:
    """A form: its code and name, the versions of it that are read, and how.

    `split` cuts what came in into its messages and gives each its key, if it carries one; `read` reads one of them.
    Both take bytes as they came, promise to end in time proportional to them, and raise Unreadable, nothing else.
    """

    code: str
    name: Says
    versions: tuple[str, ...]
    content_types: tuple[str, ...]
    split: Callable[[bytes], Sequence[Piece]]
    read: Callable[[bytes, Speech], Reading]

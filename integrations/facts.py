"""What messages say, in our words: every form of message is read into these, and only these have effects.

A fact names its subject as its sender knows it; who it is here is looked up later, for a whole batch at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from parts.errors import Refused
from parts.sentences import Says

#: Longer keys are not: they stand in an index.
LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a fact is about: our reference (`PO-000017/2`, `SO-000004`), our key, or a number of its sender's.

    `kind` is `line` or `service_order`; `by` says what `value` is: `reference`, `id`, or the kind of the sender's own
    number (`delivery_item`).
    """

    kind: str
    by: str
    value: str


@dataclass(frozen=True, slots=True)
class Code:
    """A status in the words of others: a code of a list, in a release of it (empty: whichever)."""

    code_list: str
    release: str
    code: str

    @property
    def key(self) -> str:
        """What a message that waits for its meaning waits for: a decision on the code, in whichever release."""
        return f"code:{self.code_list}:{self.code}"


@dataclass(frozen=True, slots=True)
class StatusReached:
    """A subject has reached a status, by its sender's clock: one of ours, or what `codes` mean together."""

    subject: Subject
    occurred_at: datetime
    status: str = ""
    codes: tuple[Code, ...] = ()
    note: str = ""
    is_public: bool = False


Fact = StatusReached


@dataclass(frozen=True, slots=True)
class Piece:
    """One message of what came in: its own key if it has one (else empty), and exactly the bytes that are it."""

    key: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message says: its facts in their order, and when it was sent by its sender's clock."""

    facts: tuple[Fact, ...]
    sent_at: datetime | None = None


class Unreadable(Refused):
    """A message, or what holds several, is not of its form; `extra["where"]` says where in it."""

    code = "unreadable"
    status = 422

    def __init__(self, detail: Says, where: str = "") -> None:
        super().__init__(detail, where=where)

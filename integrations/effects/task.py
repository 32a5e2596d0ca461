"""A fact on its way to its effect."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from integrations.actions.cases import Contradiction
from integrations.facts import Fact, Subject
from orders.actions.reporting import UNKNOWN, Result
from parts.errors import NotFound, Refused
from parts.sentences import Sentence, sentence

F = TypeVar("F", bound=Fact)

#: How it is said that what a fact speaks of is not here.
_MISSING: dict[str, Sentence] = UNKNOWN | {
    "parts_order": sentence("There is no such parts order."),
    "purchase_order_line": sentence("There is no such purchase order line."),
    "part": sentence("There is no such part, or the number means several."),
    "warehouse": sentence("There is no such warehouse."),
    "customer": sentence("There is no such customer."),
    "region": sentence("There is no such region."),
    "equipment": sentence("There is no such machine, or the number means several."),
    "supplier": sentence("There is no such supplier."),
}


#: A message id in the ledger has its limit; longer keys are known there by their hash.
LONGEST_MESSAGE_ID = 110


def message_id(key: str, place: int = 0, count: int = 1) -> str:
    """Return the id by which the ledger knows the fact at `place` of the `count` facts of the message with this key."""
    short = key if len(key) <= LONGEST_MESSAGE_ID else f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"
    return short if count == 1 else f"{short}:{place + 1}"


@dataclass(slots=True)
class Task(Generic[F]):
    """A fact of a message and, once its effect has run, what became of it.

    `message_id` makes the effect happen once. `waits_for` is what a refused one may have its effect after;
    `contradiction` the case to open if it has waited for that in vain.
    """

    fact: F
    message_id: str
    results: list[Result] = field(default_factory=list)
    waits_for: list[str] = field(default_factory=list)
    contradiction: Contradiction | None = None

    def refuse(self, refusal: Refused, waits_for: str = "") -> None:
        """Note that the fact, or one thing in it, had no effect; with `waits_for`, that it may have one later."""
        self.results.append(Result("refused", refusal=refusal))
        if waits_for:
            self.waits_for.append(waits_for)

    def is_missing(self, subject: Subject) -> None:
        """Refuse it for now because what it speaks of is not here, or not for its sender: messages overtake."""
        named = f"{subject.kind}:{subject.by}:{subject.value}"
        self.refuse(NotFound(_MISSING[subject.kind], named=subject.value), named[:240])

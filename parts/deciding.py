"""What waits for another person's decision: a change of a controlled part, an override that a rule holds up.

A request has the fields `status` ("waiting" until it is decided), `requested_by`, `decided_by` and `decided_at`. What
it is about, the rights and the words are its own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet, TextChoices

from parts.actors import Actor
from parts.errors import AlreadyDecided, AnotherPersonNeeded, Forbidden, NotFound
from parts.sentences import Says, Word, sentence

Row = TypeVar("Row", bound=Model)


def waiting(locked: QuerySet[Row], key: UUID, statuses: type[TextChoices], *, none: Says) -> Row:
    """Return a request that waits, of those that the query locks; whoever decides second sees what was decided.

    Raises NotFound (saying `none`), AlreadyDecided.
    """
    row: Any = locked.filter(pk=key).first()
    if row is None:
        raise NotFound(none, id=str(key))
    if row.status != "waiting":
        raise AlreadyDecided(
            sentence("It is {status} already.", status=Word(statuses(row.status).label)), status=row.status
        )
    found: Row = row
    return found


def refuse_own(row: Any, by: Actor, *, only_people: Says) -> None:
    """Let only another person than the one who asked decide. Raises Forbidden for who is none, AnotherPersonNeeded."""
    if by.user_id is None:
        raise Forbidden(only_people)
    if by.user_id == row.requested_by_id:
        raise AnotherPersonNeeded(sentence("Another person than the one who asked has to decide."))


def refuse_others(row: Any, by: Actor) -> None:
    """Let only the one who asked take it back. Raises Forbidden."""
    if row.requested_by_id is None or by.user_id != row.requested_by_id:
        raise Forbidden(sentence("Only who asked for it can take it back."))


def decide(row: Any, status: str, by: Actor | None, at: datetime, *, also: tuple[str, ...] = ()) -> None:
    """Write what was decided, by whom (None: by nobody else) and when, and the other fields that are named."""
    row.status, row.decided_by_id, row.decided_at = status, by.user_id if by else None, at
    row.save(update_fields=["status", "decided_by", "decided_at", *also])

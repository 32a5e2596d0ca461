"""The same call with the same key: carried out once, answered each time alike. docs/adr/0002 tells why it works so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DEFAULT_DB_ALIAS, OperationalError, connections, transaction
from psycopg import errors as postgres

from integrations import sql
from integrations.models import IdempotentRequest
from parts.errors import Refused
from parts.keys import new_key
from parts.sentences import sentence

#: How long an answer is kept.
KEPT_FOR = timedelta(hours=48)
#: How long a repeat waits for the first call's answer, and any call with a key for a row that others hold.
PATIENCE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was sent; `kept` is what is kept of it for a repeat, where that is not the same."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    kept: bytes | None = None


class KeyReused(Refused):
    """The key was used with another method, address or body."""

    code = "idempotency_key_reused"
    status = 422


class InFlight(Refused):
    """The first call with this key is still being worked on."""

    code = "idempotency_in_flight"


def once(
    *,
    client: str,
    key: str,
    fingerprint: bytes,
    at: datetime,
    work: Callable[[], Answer],
    patience: timedelta = PATIENCE,
) -> tuple[Answer, bool]:
    """Carry out `work` unless this client's key has an answer; return the answer and whether it is a kept one.

    Claiming the key, the work and keeping the answer are one transaction: whatever breaks off leaves no trace, and the
    next call with the key begins anew. A refusal (400 and above) undoes whatever the work has written; it is kept as
    well, but for 500 and above. Raises KeyReused, and InFlight where the first call has not ended within `patience`.
    Two statements beside the work.
    """
    with transaction.atomic():
        kept = _claim(client, key, fingerprint, at, patience)
        if kept:
            return kept, True
        with _one_transaction():
            answer = work()
        undone = answer.status >= 500 or transaction.get_rollback()
        if undone:
            transaction.set_rollback(True)
        else:
            _keep(client, key, answer)
    if undone and answer.status < 500:  # the refusal, in a transaction that holds nothing else
        return once(client=client, key=key, fingerprint=fingerprint, at=at, work=lambda: answer, patience=patience)
    return answer, False


@contextmanager
def _one_transaction() -> Iterator[None]:
    """Let the work's own transaction be this one, with no savepoint between: two round trips less.

    An exception in it marks all of this transaction for rollback, as it does where the work is called alone.
    Transactions within the work's own keep their savepoints.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    depth, savepoint = len(connection.savepoint_ids), connection.savepoint

    def savepoint_within() -> str | None:
        return savepoint() if len(connection.savepoint_ids) > depth else None

    vars(connection)["savepoint"] = savepoint_within
    try:
        yield
    finally:
        del vars(connection)["savepoint"]


def _claim(client: str, key: str, fingerprint: bytes, at: datetime, patience: timedelta) -> Answer | None:
    """Claim the key; return the kept answer where there is one."""
    try:
        [(known, status, headers, body)] = sql.CLAIM_KEY.rows(
            id=new_key(),
            client=client,
            key=key,
            fingerprint=fingerprint,
            at=at,
            oldest=at - KEPT_FOR,
            patience=f"{int(patience.total_seconds() * 1000)}ms",
        )
    except OperationalError as error:
        if isinstance(error.__cause__, postgres.LockNotAvailable):
            raise InFlight(sentence("The first call with this key is still being worked on."), retry_after=1) from error
        raise
    if bytes(known) != fingerprint:
        raise KeyReused(sentence("This key was used for another call; take a new one for each."))
    return None if status is None else Answer(status, json.loads(headers), bytes(body))


def _keep(client: str, key: str, answer: Answer) -> None:
    sql.KEEP_ANSWER.rows(
        client=client,
        key=key,
        status=answer.status,
        headers=json.dumps(dict(answer.headers)),
        body=answer.body if answer.kept is None else answer.kept,
    )


def prune(*, at: datetime, most: int = 10_000) -> int:
    """Delete up to `most` answers that are past their time; return how many. Safe to repeat."""
    old = IdempotentRequest.objects.filter(created_at__lt=at - KEPT_FOR).order_by("created_at").values("pk")[:most]
    deleted, _ = IdempotentRequest.objects.filter(pk__in=old).delete()
    return deleted

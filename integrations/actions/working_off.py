"""Work off what was kept and not settled: what came by ways that do not wait, what a killed process left, what waited.

A claim lapses, so that nothing is lost with whoever worked on it. What was tried before is worked on alone, so that a
message that ends its worker hinders no other; one that was tried too often is dead, and a person looks at it.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction

from integrations import sql
from integrations.actions.taking_in import CLAIM_LASTS
from integrations.actions.working import Stored, Verdict, problem, settle, work
from integrations.models import InboundMessage
from integrations.senders import Disconnected, senders_of
from integrations.statuses import MessageStatus
from parts.sentences import sentence

BATCH = 200
#: Who was tried so often is dead: with the pauses between, after about two hours.
MOST_ATTEMPTS = 8
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)
#: How long what a disconnected system had sent before lies still before somebody looks again.
UNTIL_CONNECTED = timedelta(minutes=5)

_DEAD = Verdict(
    MessageStatus.DEAD.value,
    "not_worked",
    (problem("not_worked", sentence("Working on it failed {count} times.", count=MOST_ATTEMPTS)),),
)


def work_off(*, at: datetime, most: int = BATCH) -> int:
    """Work on up to `most` messages that are due; return how many were taken up. Safe beside others and to repeat."""
    claimed: dict[UUID, int] = dict(sql.CLAIM_MESSAGES.rows(at=at, until=at + CLAIM_LASTS, most=most))
    if not claimed:
        return 0
    dead = {key for key, attempts in claimed.items() if attempts >= MOST_ATTEMPTS}
    settle(verdicts=dict.fromkeys(dead, _DEAD), at=at)
    fresh = sorted(key for key, attempts in claimed.items() if not attempts)
    tried = sorted(key for key, attempts in claimed.items() if 0 < attempts < MOST_ATTEMPTS)
    if fresh:
        _work_on(fresh, 0, at)
    for key in tried:  # each alone: one of them may be what broke the others off
        _work_on([key], claimed[key], at)
    return len(claimed)


def wake(*, at: datetime, waits_for: Collection[str] = (), most: int = 1000) -> int:
    """Let parked messages be worked on again that wait for one of these, or whose time has come; return how many."""
    return len(sql.WAKE_MESSAGES.rows(waits_for=list(waits_for), at=at, most=most))


def wake_all(*, at: datetime, waits_for: Collection[str]) -> int:
    """Let every parked message be worked on again that waits for one of these, however many; return how many."""
    woken = 0
    while waits_for and (some := wake(at=at, waits_for=waits_for)):
        woken += some
    return woken


def _work_on(keys: Sequence[UUID], attempts: int, at: datetime) -> None:
    """Work on claimed messages in one transaction. Where the database breaks it off they come again, later."""
    try:
        with transaction.atomic():
            stored, later = _load(keys)
            settle(verdicts=work(stored=stored, at=at), at=at)
            _put_off(later, at + UNTIL_CONNECTED)
    except (OperationalError, InterfaceError):  # a deadlock, a lock not to be had, a server that went away
        if not connection.is_usable():
            raise
        _put_off(keys, at + _pause(attempts), counts=True)


def _load(keys: Sequence[UUID]) -> tuple[list[Stored], list[UUID]]:
    """Return messages with their senders, and the keys of those whose sender is disconnected. Two queries."""
    rows = list(
        InboundMessage.objects.filter(pk__in=keys)
        .order_by("received_at", "id")
        .values_list("id", "interface_id", "key", "body", "received_at")
    )
    senders = senders_of({row[1] for row in rows})
    stored, later = [], []
    for key, interface, name, body, received_at in rows:
        sender = senders[interface]
        if isinstance(sender, Disconnected):
            later.append(key)
        else:
            stored.append(Stored(key, sender, name, bytes(body), received_at))
    return stored, later


def _put_off(keys: Collection[UUID], until: datetime, *, counts: bool = False) -> None:
    """Let claimed messages lie until then; only what failed counts as an attempt."""
    if not keys:
        return
    messages = InboundMessage.objects.filter(pk__in=keys, status=MessageStatus.RECEIVED)
    if counts:
        messages.update(claimed_until=None, due_at=until)
    else:
        messages.update(claimed_until=None, due_at=until, attempts=0)


def _pause(attempts: int) -> timedelta:
    """Return a pause that doubles with each attempt, by up to a fifth more, so that not all come at once again."""
    pause = min(FIRST_PAUSE * 2 ** (2 * attempts), LONGEST_PAUSE)
    return pause * (1 + secrets.randbelow(200) / 1000)

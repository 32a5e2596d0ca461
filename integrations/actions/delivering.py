"""What is done to a delivery on its way out: claimed, handed over, tried again, given up.

Whoever delivers claims a batch of one subscriber in a short transaction, hands it over with no transaction open, and
records what came of it in another. What is told is kept before it is told: a claim that lapses with whoever had it is
taken up again, and the same is told under the same id. Nothing is lost; a thing may be told twice.
"""

from __future__ import annotations

import random
from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction

from integrations.actions.subscribing import secrets_of, sign
from integrations.envelope import Told, envelope
from integrations.models import OutboundDelivery, Subscriber
from integrations.outbound import ladder, sql
from integrations.outbound.kinds import FOR_PARTNERS
from integrations.outbound.ways import WAYS, Said
from integrations.statuses import DeliveryState, OffBecause, SubscriberState
from parts.actors import Actor
from parts.documents import as_text
from parts.keys import new_key

#: How long a claim lasts: longer than a batch may take.
CLAIM_LASTS = timedelta(minutes=5)
#: Who answers so slowly on average, or fails, is told by others than those who tell the quick.
SLOW_MS = 2_000
_CHANCE = random.SystemRandom()
_FOR_PARTNERS = list(FOR_PARTNERS)
#: Who switches off what fails, in the history.
DELIVERER = Actor.system("deliverer")
_NOT_THEIRS = "The account may not see it any more."


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is ours for a while: the number of this attempt, and how many came before it in this round."""

    id: UUID
    message_id: str
    number: int
    tried: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """What was claimed of one subscriber, and how it is told."""

    subscriber: UUID
    code: str
    road: str
    address: str
    secrets: Sequence[str]
    claimed: Sequence[Claimed]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt."""

    claimed: Claimed
    at: datetime
    milliseconds: int
    said: Said


def due(*, is_slow: bool, busy: Collection[UUID], at: datetime, most: int = 20) -> list[UUID]:
    """Return subscribers for whom something is due, whoever waited longest first: the quick ones, or the others."""
    rows = sql.DUE.rows(
        at=at, is_slow=is_slow, slow_ms=SLOW_MS, roads=list(WAYS), busy=[str(key) for key in busy], most=most
    )
    return [key for (key,) in rows]


def claim(*, subscriber: UUID, most: int, at: datetime) -> Batch | None:
    """Claim what is due for a subscriber, as much as it bears now; None where it is none, or another is at it.

    Of one that fails only a single delivery is claimed. Raises NoSealingKey. At most eight statements.
    """
    with transaction.atomic():
        row = _free(subscriber)
        if row is None or (row.paused_until and row.paused_until > at):
            return None
        tokens = _tokens(row, at)
        allowed = min(most, int(tokens), 1 if row.failures else most)
        if not allowed:
            return None
        rows = sql.CLAIM.rows(
            subscriber=row.pk, newest_only=row.newest_only, at=at, until=at + CLAIM_LASTS, most=allowed
        )
        numbers = {key: number for key, number in rows if number is not None}
        Subscriber.objects.filter(pk=row.pk).update(tokens=tokens - len(numbers), tokens_at=at, claimed_at=at)
        claimed = _worded(row, numbers, at)
        secrets = secrets_of([row.pk], at)[row.pk] if claimed else []
    return Batch(row.pk, row.code, row.road, row.address, secrets, claimed) if claimed else None


def _free(key: UUID) -> Subscriber | None:
    """Return a subscriber that is told, its row locked; None where another claims for it just now."""
    free = Subscriber.objects.select_for_update(no_key=True, skip_locked=True)
    return free.filter(pk=key, state=SubscriberState.ACTIVE).first()


def _tokens(row: Subscriber, at: datetime) -> float:
    """Return how full a subscriber's bucket is now."""
    elapsed = (at - row.tokens_at).total_seconds() if row.tokens_at else 0.0
    return min(row.tokens + max(elapsed, 0.0) * row.per_second, float(row.burst))


def _worded(row: Subscriber, numbers: Mapping[UUID, int], at: datetime) -> list[Claimed]:
    """Return claimed deliveries in words, in their order; what may not be told any more is cancelled."""
    found = list(OutboundDelivery.objects.filter(pk__in=numbers).order_by("id")) if numbers else []
    events = [one.event_id for one in found if one.event_id]
    told = {}
    if events:
        for key, is_visible, *facts in sql.TOLD.rows(subscriber=row.pk, events=events, for_partners=_FOR_PARTNERS):
            told[key] = _told(key, facts) if is_visible else None
    claimed, new, hidden = [], [], []
    for one in found:
        about = told.get(one.event_id) if one.event_id else None
        if one.event_id and about is None:
            hidden.append(one.pk)
            continue
        body = bytes(one.body or b"")
        if not body and about is not None:
            body = envelope(about, row.schema_version)
            new.append({"id": one.pk, "body": b64encode(body).decode()})
        number = numbers[one.pk]
        claimed.append(Claimed(one.pk, str(one.event_id or one.pk), number, number - 1 - one.round_began, body))
    if new:
        sql.KEEP_BODIES.rows(bodies=as_text(new))
    if hidden:
        OutboundDelivery.objects.filter(pk__in=hidden).update(
            state=DeliveryState.CANCELLED, error=_NOT_THEIRS, claimed_until=None, ended_at=at
        )
    return claimed


def _told(key: UUID, facts: Sequence[Any]) -> Told:
    for_staff, subject_kind, subject_id, reference, version, kind, from_status, to_status, *rest = facts
    occurred, recorded, visibility, order_kind, order_id, order, is_test, customer, actor, source, data, *more = rest
    return Told(
        id=key,
        for_staff=for_staff,
        subject_kind=subject_kind,
        subject_id=subject_id,
        reference=reference,
        version=version,
        kind=kind,
        from_status=from_status,
        to_status=to_status,
        occurred_at=occurred,
        recorded_at=recorded,
        visibility=visibility,
        order_kind=order_kind,
        order_id=order_id,
        order_reference=order,
        is_test=is_test,
        customer=customer,
        actor=actor,
        source=source,
        data=orjson.loads(data) if isinstance(data, str) else data,
        passed_through=more[0],
        is_override=more[1],
        has_note=more[2],
    )


def record(*, batch: Batch, outcomes: Sequence[Outcome], given_back: Sequence[Claimed] = ()) -> None:
    """Write down what came of attempts, each attempt, and how it goes with the subscriber; switch off what is to be.

    What is given back was not tried, and is due again at once. One transaction, at most five statements.
    """
    if not outcomes and not given_back:
        return
    with transaction.atomic():
        row = Subscriber.objects.select_for_update(no_key=True).get(pk=batch.subscriber)
        if outcomes:
            _course(row, outcomes)
            sql.RECORD.rows(outcomes=as_text([_written(outcome) for outcome in outcomes]))
        if given_back:
            claims = as_text([{"id": one.id, "number": one.number} for one in given_back])
            at = outcomes[-1].at if outcomes else row.claimed_at
            sql.GIVE_BACK.rows(claims=claims, due_at=at)
            row.tokens = min(row.tokens + len(given_back), float(row.burst))  # what was not told cost nothing
        _keep_course(row)


def _course(row: Subscriber, outcomes: Sequence[Outcome]) -> None:
    """Let a locked subscriber's course go on by what came of attempts, and switch it off where that is to be."""
    for outcome in outcomes:
        said, at = outcome.said, outcome.at
        if not said.error:
            row.failures, row.failing_since, row.failing_because, row.paused_until = 0, None, "", None
            row.last_taken_at = at
            continue
        row.failures += 1
        row.failing_since, row.failing_because = row.failing_since or at, said.error[:300]
        pauses = [ladder.left_alone(row.failures)]
        if said.is_busy and said.retry_after:
            pauses.append(min(said.retry_after, ladder.MOST_ASKED_FOR))
        longest = max((pause for pause in pauses if pause), default=None)
        row.paused_until = at + longest if longest else None
        if row.state == SubscriberState.ACTIVE:
            if said.is_gone:
                _switch_off(row, OffBecause.GONE, at)
            elif ladder.is_given_up(row.failures, row.failing_since, at):
                _switch_off(row, OffBecause.FAILING, at)
    row.pace_ms = sum(outcome.milliseconds for outcome in outcomes) // len(outcomes)


def _switch_off(row: Subscriber, because: OffBecause, at: datetime) -> None:
    row.state, row.off_because, row.off_since, row.told_off_at = SubscriberState.OFF, because, at, None
    sign(row, DELIVERER, row.failing_because)
    row.save(update_fields=["state", "off_because", "off_since", "told_off_at"])


def _keep_course(row: Subscriber) -> None:
    Subscriber.objects.filter(pk=row.pk).update(
        failures=row.failures,
        failing_since=row.failing_since,
        failing_because=row.failing_because,
        paused_until=row.paused_until,
        pace_ms=row.pace_ms,
        last_taken_at=row.last_taken_at,
        tokens=row.tokens,
    )


def _written(outcome: Outcome) -> dict[str, Any]:
    said, ended = outcome.said, outcome.at
    state, again = DeliveryState.DELIVERED, None
    if said.error:
        again = ladder.next_attempt(outcome.claimed.tried + 1, ended, _CHANCE.random(), said.retry_after)
        state = DeliveryState.WAITING if again else DeliveryState.DEAD
    return {
        "id": outcome.claimed.id,
        "attempt": new_key(),
        "number": outcome.claimed.number,
        "state": state.value,
        "error": said.error[:300],
        "due_at": again,
        "ended_at": None if again else ended,
        "at": ended,
        "milliseconds": outcome.milliseconds,
        "status": said.status,
        "request_headers": dict(said.request_headers),
        "answer": said.answer[:2_000],
    }


def forget(*, before: datetime, most: int = 10_000) -> int:
    """Delete deliveries that were done before a moment, with their attempts; return how many. Safe to repeat."""
    old = OutboundDelivery.objects.filter(ended_at__lt=before).order_by("ended_at", "pk").values("pk")[:most]
    keys = list(old.values_list("pk", flat=True))
    deleted, _by_model = OutboundDelivery.objects.filter(pk__in=keys).delete()
    return len(keys) if deleted else 0

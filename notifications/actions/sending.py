"""What is done to a notice on its way out: claimed, handed over, tried again, given up.

Whoever sends claims notices in one short transaction, hands them over with no transaction open, and records what came
of it in another. Nothing is said twice: an open notice is claimed by one, and what joins it meanwhile gets a notice of
its own. Nothing is lost: a claim that lapses is taken up again, and what cannot be sent goes by another channel, or is
kept for somebody to look at.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Greatest

from notifications import sql
from notifications.actions import addresses, failing
from notifications.actions.falling_back import fall_back
from notifications.composing import Composed
from notifications.hours import pause_before
from notifications.models import Attempt, ChannelSetting, Message, Notice
from notifications.statuses import DeadCause, NoticeState, OffReason
from parts.documents import as_text
from parts.keys import new_key
from parts.sentences import Says

#: How long a claim lasts: longer than any provider is waited for.
CLAIM_LASTS = timedelta(minutes=5)
#: Spreads attempts, so that what failed together is not tried together again.
_CHANCE = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt. `error` is empty where it was handed over."""

    composed: Composed
    started_at: datetime
    ended_at: datetime
    provider_id: str = ""
    is_delivered: bool = False
    error: str = ""
    retry_after: timedelta | None = None
    is_final: bool = False
    is_address_dead: bool = False
    dead: tuple[str, ...] = ()


def claim(*, channel: str, most: int, at: datetime) -> list[UUID]:
    """Claim what is due on a channel, as much of it as the channel bears now; return the keys, the urgent first.

    What a maintenance window holds back stays. Claims that lapsed are taken up first.
    """
    if not _has_work(channel, at):
        return []
    with transaction.atomic():
        setting = _locked(channel)
        _take_up_lapsed(setting, at)
        allowed = min(most, _allowed(setting, at), failing.most_of(setting, at)) if setting.is_on else 0
        claimed: list[UUID] = []
        if allowed:
            with connection.cursor() as cursor:
                soonest = at - timedelta(seconds=setting.gap_seconds)
                cursor.execute(
                    sql.CLAIM,
                    {"channel": channel, "at": at, "until": at + CLAIM_LASTS, "soonest": soonest, "most": allowed},
                )
                claimed = [key for (key,) in cursor.fetchall()]
        if claimed:  # by a statement of its own: what the channel has sent is no change of how it is to be used
            failing.hold_for_trial(setting, at)
            ChannelSetting.objects.filter(pk=channel).update(
                tokens=setting.tokens - len(claimed),
                tokens_at=setting.tokens_at,
                day=setting.day,
                sent_on_day=setting.sent_on_day + len(claimed),
            )
    return claimed


def _has_work(channel: str, at: datetime) -> bool:
    """Tell whether anything may be due, before the lock: locking a row twice a second would write to the disk."""
    waiting = Q(state=NoticeState.WAITING, due_at__lte=at)
    lapsed = Q(state=NoticeState.SENDING, claimed_until__lt=at)
    of_channel = Notice.objects.filter(channel=channel).order_by()
    return of_channel.filter(waiting).exists() or of_channel.filter(lapsed).exists()


def _locked(channel: str) -> ChannelSetting:
    """Return how a channel is used. Its row is locked: of two who send, one counts and claims after the other."""
    return ChannelSetting.objects.select_for_update().get(channel=channel)


def _allowed(setting: ChannelSetting, at: datetime) -> int:
    """Fill the channel's bucket up to this moment; return how many may go now, by the second and by the day (UTC)."""
    elapsed = (at - setting.tokens_at).total_seconds() if setting.tokens_at else 1.0
    setting.tokens = min(setting.tokens + max(elapsed, 0.0) * setting.per_second, float(setting.per_second))
    setting.tokens_at = at
    if setting.day != at.date():
        setting.day, setting.sent_on_day = at.date(), 0
    left = max(setting.per_day - setting.sent_on_day, 0) if setting.per_day is not None else int(setting.tokens)
    return min(int(setting.tokens), left)


def _take_up_lapsed(setting: ChannelSetting, at: datetime) -> None:
    """Take up what somebody claimed and was never heard of again: it went out or it did not.

    It is tried again under the same key, unless the channel says that twice is worse than not at all: then it counts as
    failed for good there, and goes by another channel.
    """
    lapsed = Notice.objects.filter(channel=setting.channel, state=NoticeState.SENDING, claimed_until__lt=at)
    if setting.resend_in_doubt:
        lapsed.update(state=NoticeState.WAITING, claimed_until=None, due_at=at)
        return
    for notice in lapsed.select_for_update(skip_locked=True):
        give_up(notice, DeadCause.IN_DOUBT, "The sender was stopped; nobody knows whether it went out.", at)


def postpone(*, notices: Collection[UUID], until: datetime, for_reader: bool) -> None:
    """Put claimed notices off; that was no attempt. Where it is done for their reader, who is not to be disturbed now,
    it is no lateness of ours.
    """
    held = {"held_until": Greatest("held_until", Value(until))} if for_reader else {}
    Notice.objects.filter(pk__in=notices, state=NoticeState.SENDING).update(
        state=NoticeState.WAITING, claimed_until=None, due_at=until, attempts=F("attempts") - 1, **held
    )


def drop(*, notice: Notice, messages: Sequence[Message], why: Says, at: datetime) -> None:
    """End a claimed notice whose messages are of no use any more; what joined it since gets a notice of its own."""
    with transaction.atomic():
        row = Notice.objects.select_for_update().get(pk=notice.pk)
        if row.state != NoticeState.SENDING or row.attempts != notice.attempts:
            return  # our claim lapsed, and another took it up
        row.state, row.claimed_until, row.ended_at = NoticeState.DROPPED, None, at
        row.error, row.messages_count = str(why)[:500], len(messages)
        row.save(update_fields=["state", "claimed_until", "ended_at", "error", "messages_count"])
        _follow_up(row, messages, at)


def record(*, outcomes: Sequence[Outcome]) -> None:
    """Write down what came of attempts, in one transaction; seven statements for any number that were handed over."""
    if not outcomes:
        return
    channel, faults = (
        outcomes[0].composed.notice.channel,
        [_provider_said(one) for one in outcomes if one.composed.address],
    )
    with transaction.atomic():
        failing.note(
            channel=channel, faults=faults, at=outcomes[-1].ended_at
        )  # locks the channel first, as a claim does
        keys = [outcome.composed.notice.pk for outcome in outcomes]
        notices = {
            notice.pk: notice
            for notice in Notice.objects.select_for_update(of=("self",))
            .select_related("recipient")
            .filter(pk__in=keys, state=NoticeState.SENDING)
            .order_by("pk")
        }
        ours = [
            (notice, outcome)
            for outcome in outcomes
            if (notice := notices.get(outcome.composed.notice.pk))
            and notice.attempts == outcome.composed.notice.attempts  # otherwise our claim lapsed, another took it up
        ]
        Attempt.objects.bulk_create(_attempt(notice, outcome) for notice, outcome in ours)
        _handed_over([(notice, outcome) for notice, outcome in ours if not outcome.error])
        for notice, outcome in ours:  # a phone that was given away: rare
            if outcome.dead:
                _switch_off(notice, outcome, outcome.dead)
        failed = [(notice, outcome) for notice, outcome in ours if outcome.error]
        if failed:
            setting = ChannelSetting.objects.get(channel=channel)
            for notice, outcome in failed:
                _failed(notice, outcome, setting)


def _provider_said(outcome: Outcome) -> str:
    """Return what was wrong with the provider; empty where it answered: what it refuses for good is no fault of its."""
    return "" if outcome.is_final else outcome.error


def _attempt(notice: Notice, outcome: Outcome) -> Attempt:
    return Attempt(
        notice=notice,
        number=notice.attempts,
        started_at=outcome.started_at,
        ended_at=outcome.ended_at,
        succeeded=not outcome.error,
        provider_id=outcome.provider_id[:200],
        error=outcome.error[:500],
    )


def _follow_up(notice: Notice, said: Sequence[Message], at: datetime) -> None:
    """Give what joined a notice after it was put into words a notice of its own."""
    keys = [message.pk for message in said]
    with connection.cursor() as cursor:
        cursor.execute(sql.FOLLOW_UP, {"notice": notice.pk, "follows": new_key(), "said": keys, "at": at})


def _handed_over(taken: Sequence[tuple[Notice, Outcome]]) -> None:
    if not taken:
        return
    rows = [_taken(notice, outcome) for notice, outcome in taken]
    said = [message.pk for _notice, outcome in taken for message in outcome.composed.messages]
    with connection.cursor() as cursor:
        cursor.execute(sql.HANDED_OVER, {"taken": as_text(rows)})
        cursor.execute(sql.LATE, {"notices": [notice.pk for notice, _outcome in taken], "said": said})
        late = {key for (key,) in cursor.fetchall()}
    for notice, outcome in taken:
        if notice.pk in late:  # rare: something happened to the order while its notice was on its way
            _follow_up(notice, outcome.composed.messages, outcome.ended_at)


def _taken(notice: Notice, outcome: Outcome) -> dict[str, Any]:
    composed = outcome.composed
    return {
        "id": notice.pk,
        "state": (NoticeState.DELIVERED if outcome.is_delivered else NoticeState.SENT).value,
        "handed_over_at": outcome.ended_at,
        "delivered_at": outcome.ended_at if outcome.is_delivered else None,
        "address": composed.address,
        "language": composed.language,
        "template_version_id": composed.version.pk,
        "subject": composed.subject,
        "text": composed.text,
        "html": composed.html,
        "provider_id": outcome.provider_id[:200],
        "messages_count": len(composed.messages),
    }


def _switch_off(notice: Notice, outcome: Outcome, values: Collection[str]) -> None:
    addresses.switch_off(
        channel=notice.channel,
        values=values,
        reason=OffReason.BOUNCED,
        at=outcome.ended_at,
        since=outcome.started_at,
        recipient=notice.recipient_id,
    )


def _failed(notice: Notice, outcome: Outcome, setting: ChannelSetting) -> None:
    notice.error = outcome.error[:500]
    if outcome.is_address_dead:
        _switch_off(notice, outcome, [outcome.composed.address])
    if outcome.is_final or notice.attempts >= setting.most_attempts:
        give_up(notice, _cause(outcome), outcome.error, outcome.ended_at)
        return
    pause = pause_before(
        notice.attempts + 1,
        setting.first_pause_seconds,
        setting.longest_pause_seconds,
        _CHANCE.random(),
    )
    notice.state, notice.claimed_until = NoticeState.WAITING, None
    notice.due_at = outcome.ended_at + max(pause, outcome.retry_after or timedelta())
    notice.save(update_fields=["state", "claimed_until", "due_at", "error"])


def _cause(outcome: Outcome) -> DeadCause:
    """Return why a notice cannot be sent, by its last attempt."""
    if outcome.is_address_dead or outcome.dead:
        return DeadCause.REJECTED
    if outcome.is_final:
        return DeadCause.REFUSED if outcome.composed.address else DeadCause.NO_ADDRESS
    return DeadCause.PROVIDER


def give_up(notice: Notice, cause: DeadCause, why: str, at: datetime) -> None:
    """End a locked notice that cannot be sent, and let its messages go by the next channel of their rules."""
    notice.state, notice.claimed_until, notice.ended_at = NoticeState.DEAD, None, at
    notice.cause, notice.error = cause, why[:500]
    notice.save(update_fields=["state", "claimed_until", "ended_at", "cause", "error"])
    fall_back(notice, at)

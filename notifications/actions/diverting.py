"""What must not wait goes round a channel that is down: by the next one that its reader has and that works.

A channel is down where it is switched off, left alone after its provider failed, has sent all that it may send today,
or where a maintenance window says so. What cannot be muted, and what a rule calls urgent, is not held for that; what
is silenced on purpose is, and so is all else. Where no other way is open it waits as before.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from notifications.actions.falling_back import next_ways, write_again
from notifications.models import ChannelSetting, MaintenanceWindow, Message, Notice
from notifications.statuses import DeadCause, NoticeState

logger = logging.getLogger(__name__)

#: How many notices are looked at in a step: reading and writing them takes milliseconds.
PAGE = 100
#: After all were looked at, who looks for them rests: what waits may be a lot, and finding what must go reads it all.
REST = timedelta(seconds=5)
_WHY = "The channel was down; it went another way."


@dataclass(frozen=True, slots=True)
class Down:
    """What is down: whole channels, and channels for what windows name."""

    channels: frozenset[str]
    windows: Sequence[MaintenanceWindow]

    def for_notice(self, notice: Notice) -> set[str]:
        """Return the channels that are down for what a notice says."""
        named = {
            window.channel
            for window in self.windows
            if window.region_id in (None, notice.region_id) and (not window.source or window.source in notice.sources)
        }
        return named | self.channels

    def holding(self, channel: str) -> Q:
        """Return which notices of a channel are held by its being down."""
        if channel in self.channels:
            return Q()
        held = Q(pk__in=[])
        for window in self.windows:
            if window.channel == channel:
                region = Q(region=window.region_id) if window.region_id else Q()
                held |= region & (Q(sources__contains=[window.source]) if window.source else Q(pk__isnull=False))
        return held


@dataclass(frozen=True, slots=True)
class Looked:
    """How far was looked: after which notice there may be more, or until when it is rested."""

    after: UUID | None = None
    rests_until: datetime | None = None


def divert(*, channel: str, looked: Looked, at: datetime) -> Looked:
    """Let what must not wait for a channel that is down go another way, a page of it; return how far was looked.

    One statement while the channel works, none at rest.
    """
    if looked.rests_until and at < looked.rests_until:
        return looked
    if not _is_down(channel, at):
        return Looked()
    down = _what_is_down(at)
    with transaction.atomic():
        setting = ChannelSetting.objects.get(pk=channel)
        waiting = Notice.objects.filter(
            Q(due_at__lte=at) | Q(attempts__gt=0) | Q(due_at=setting.trial_at),
            Q(is_urgent=True) | Exists(Message.objects.filter(notice=OuterRef("pk"), rule__cannot_be_muted=True)),
            down.holding(channel),
            channel=channel,
            state=NoticeState.WAITING,
            messages_count__gt=0,
        )
        if looked.after:
            waiting = waiting.filter(pk__gt=looked.after)
        page = list(waiting.select_for_update(of=("self",), skip_locked=True).order_by("pk")[:PAGE])
        if page:
            _go_round(page, down, at)
    return Looked(after=page[-1].pk) if len(page) == PAGE else Looked(rests_until=at + REST)


def _is_down(channel: str, at: datetime) -> bool:
    return ChannelSetting.objects.filter(_shut(at) | Exists(_windows(at).filter(channel=channel)), pk=channel).exists()


def _what_is_down(at: datetime) -> Down:
    shut = ChannelSetting.objects.filter(_shut(at)).values_list("channel", flat=True)
    return Down(frozenset(shut), list(_windows(at)))


def _shut(at: datetime) -> Q:
    used_up = Q(day=at.date(), sent_on_day__gte=F("per_day"))
    return Q(is_on=False) | Q(trial_at__gt=at) | used_up


def _windows(at: datetime) -> QuerySet[MaintenanceWindow]:
    return MaintenanceWindow.objects.filter(
        starts_at__lte=at, ends_at__gt=at, cancelled_at=None, channel_is_down=True
    ).order_by()


def _go_round(page: Sequence[Notice], down: Down, at: datetime) -> None:
    """Write what must go over the next channels that work, and take it out of these locked notices.

    What its reader hears there anyway waits to be said here, too, as its rule wants it.
    """
    of_key = {notice.pk: notice for notice in page}
    said: defaultdict[UUID, list[Message]] = defaultdict(list)
    for message in Message.objects.filter(notice__in=page).select_related("rule", "event", "recipient"):
        said[_notice_of(message)].append(message)
    must_go = [one for news in said.values() for one in news if one.rule.cannot_be_muted or one.rule.is_urgent]
    ways = next_ways(must_go, lambda message: down.for_notice(of_key[_notice_of(message)]))
    moved = [(message, way.channel) for message, way in ways if way.channel and not way.is_heard]
    if not moved:
        return
    write_again([(of_key[_notice_of(message)], message, channel) for message, channel in moved], at)
    _take_out([message for message, _channel in moved], of_key, said, at)
    logger.info("news went round a channel that is down", extra={"channel": page[0].channel, "news": len(moved)})


def _take_out(
    moved: Sequence[Message], of_key: Mapping[UUID, Notice], said: Mapping[UUID, Sequence[Message]], at: datetime
) -> None:
    """End the notices of which everything went another way; of others, split off what went. Four statements at most."""
    gone: defaultdict[UUID, list[Message]] = defaultdict(list)
    for message in moved:
        gone[_notice_of(message)].append(message)
    ended, kept, split, of_split = [], [], [], []
    for key, messages in gone.items():
        notice = of_key[key]
        left = [message for message in said[key] if message not in messages]
        if not left:
            ended.append(_ended(notice, at))
            continue
        part = _ended(_part_of(notice, messages), at)
        for message in messages:
            message.notice = part
        notice.messages_count, notice.is_urgent = len(left), any(message.rule.is_urgent for message in left)
        notice.target_seconds = min(message.rule.target_seconds for message in left)
        kept.append(notice)
        split.append(part)
        of_split += messages
    Notice.objects.bulk_update(ended, ["state", "ended_at", "cause", "error", "fell_back", "held_by"])
    Notice.objects.bulk_update(kept, ["messages_count", "is_urgent", "target_seconds"])
    Notice.objects.bulk_create(split)
    Message.objects.bulk_update(of_split, ["notice"])


def _ended(notice: Notice, at: datetime) -> Notice:
    notice.state, notice.ended_at, notice.held_by = NoticeState.DEAD, at, None
    notice.cause, notice.error, notice.fell_back = DeadCause.PROVIDER, _WHY, True
    return notice


def _part_of(notice: Notice, messages: Sequence[Message]) -> Notice:
    """Return a notice of its own for some messages of another."""
    return Notice(
        recipient_id=notice.recipient_id,
        channel=notice.channel,
        thread_kind=notice.thread_kind,
        thread_id=notice.thread_id,
        reference=notice.reference,
        region_id=notice.region_id,
        sources=notice.sources,
        messages_count=len(messages),
        is_urgent=notice.is_urgent,
        target_seconds=notice.target_seconds,
        due_at=notice.due_at,
        caused_at=notice.caused_at,
        held_until=notice.held_until,
    )


def _notice_of(message: Message) -> UUID:
    assert message.notice_id is not None
    return message.notice_id

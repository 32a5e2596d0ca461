"""Sends what is due, a channel at a time: each has a thread of its own, so that a slow one delays no other."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Thread
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from notifications import composing, letters, links, replies
from notifications.actions import diverting, failing, sending
from notifications.actions.diverting import Looked
from notifications.actions.sending import Outcome
from notifications.composing import Composed, Stale
from notifications.hours import quiet_until
from notifications.models import Address, Message, Notice
from notifications.readers import zone_of
from notifications.statuses import Channel
from notifications.transports import Rejected, Transport, Unreachable
from notifications.transports.choosing import transport_of
from notifications.transports.ways import Outgoing

logger = logging.getLogger(__name__)

#: How many are claimed at once; fewer where each may take seconds, so that a claim does not lapse while others wait.
BATCH_LOCAL, BATCH = 100, 10
#: How long to wait after nothing was due, in seconds.
POLL = 0.5
_LONGEST_PAUSE = 60.0


@dataclass(slots=True)
class Sender:
    """One channel's sender."""

    channel: str
    transport: Transport
    clock: Callable[[], datetime] = timezone.now
    #: How far was looked for what goes round the channel while it is down.
    looked: Looked = field(default_factory=Looked)

    def step(self) -> int:
        """Send what is due now, one batch of it; return how many were claimed.

        Where the channel is down, what is for safety or urgent goes another way first, a page of it.
        """
        at = self.clock()
        self.looked = diverting.divert(channel=self.channel, looked=self.looked, at=at)
        claimed = sending.claim(channel=self.channel, most=BATCH_LOCAL if self.transport.is_local else BATCH, at=at)
        if claimed:
            self._send(claimed, at)
        return len(claimed)

    def _send(self, claimed: Sequence[UUID], at: datetime) -> None:
        notices = list(
            Notice.objects.filter(pk__in=claimed)
            .select_related("recipient__customer", "recipient__user", "held_by")
            .order_by("-is_urgent", "due_at", "id")
        )
        awake = self._awake(notices, at)
        addresses = addresses_of(awake)
        composed = []
        for one in composing.compose(awake, addresses, at):
            if isinstance(one, Stale):
                sending.drop(notice=one.notice, messages=one.messages, why=one.why, at=self.clock())
            else:
                composed.append(one)
        if self.transport.is_local:
            sending.record(outcomes=[self._hand_over(one) for one in composed])
        else:
            self._hand_over_each(composed)

    def _hand_over_each(self, composed: Sequence[Composed]) -> None:
        """Hand notices over one after the other, each recorded at once; those left are put off if the channel fails."""
        for place, one in enumerate(composed, start=1):
            outcome = self._hand_over(one)
            sending.record(outcomes=[outcome])
            if outcome.error and (until := failing.paused_until(self.channel)):
                left = [one.notice.pk for one in composed[place:]]
                sending.postpone(notices=left, until=until, for_reader=False)
                return

    def _awake(self, notices: Sequence[Notice], at: datetime) -> list[Notice]:
        """Return the notices whose readers may be disturbed now, and put the others off until they may."""
        awake = []
        for notice in notices:
            reader = notice.recipient
            zone = zone_of(reader.time_zone or (reader.customer.time_zone if reader.customer else "UTC"))
            until = quiet_until(at, reader.quiet_from, reader.quiet_until, zone)
            if until is None or notice.is_urgent or notice.channel == Channel.INBOX:
                awake.append(notice)
            else:
                sending.postpone(notices=[notice.pk], until=until, for_reader=True)
        return awake

    def _hand_over(self, one: Composed) -> Outcome:
        started_at = self.clock()
        if not one.address and self.channel != Channel.INBOX:
            return Outcome(one, started_at, self.clock(), error="The reader has no address any more.", is_final=True)
        try:
            handed = self.transport.send(outgoing_of(one))
        except Unreachable as error:
            return Outcome(
                one,
                started_at,
                self.clock(),
                error=str(error) or "?",
                retry_after=error.retry_after,
                dead=error.dead,
            )
        except Rejected as error:
            return Outcome(
                one,
                started_at,
                self.clock(),
                error=str(error) or "?",
                is_final=True,
                is_address_dead=error.is_address_dead,
                dead=error.dead,
            )
        return Outcome(
            one,
            started_at,
            self.clock(),
            provider_id=handed.provider_id,
            is_delivered=handed.is_delivered,
            dead=handed.dead,
        )


def addresses_of(notices: Sequence[Notice]) -> dict[UUID, str]:
    """Return where each notice goes, by its key. One statement; one more where readers unticked where some would go.

    To an unticked address goes only what cannot be muted, and what is about the reader's own addresses and wishes.
    """
    rows = (
        Address.objects.allowed()
        .filter(recipient__in={notice.recipient_id for notice in notices})
        .order_by("is_wanted", "pk")  # of several phones, one that is wanted
        .values_list("recipient", "channel", "value", "is_wanted")
    )
    values = {(recipient, channel): (value, is_wanted) for recipient, channel, value, is_wanted in rows}
    found: dict[UUID, str] = {}
    unticked: dict[UUID, str] = {}
    for notice in notices:
        value, is_wanted = values.get((notice.recipient_id, notice.channel), ("", True))
        if value:
            (found if is_wanted or notice.thread_kind in letters.OF_THE_READER else unticked)[notice.pk] = value
    if unticked:
        legal = Message.objects.filter(notice__in=list(unticked), rule__cannot_be_muted=True)
        found |= {key: unticked[key] for key in legal.values_list("notice", flat=True).distinct() if key}
    return found


def outgoing_of(one: Composed) -> Outgoing:
    """Return a notice as a way out takes it."""
    headers = links.unsubscribing(one.stop_link) if one.stop_link else {}
    return Outgoing(
        notice_id=one.notice.pk,
        recipient_id=one.notice.recipient_id,
        channel=one.notice.channel,
        address=one.address,
        language=one.language,
        subject=one.subject,
        text=one.text,
        html=one.html,
        link=links.on_the_phone(one.notice) if one.notice.channel == Channel.PUSH else one.link,
        topic=links.topic_of(one.notice),
        is_urgent=one.notice.is_urgent,
        stop_link=one.stop_link,
        reply_to=replies.address_of(one.notice.pk) if one.stop_link else "",
        return_path=replies.address_of(one.notice.pk),
        headers=headers,
    )


def run(channels: Sequence[str], stopping: Event) -> None:
    """Send on these channels until told to stop, each in a thread of its own."""
    threads = [Thread(target=_run_one, args=(channel, stopping), name=f"send {channel}") for channel in channels]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _run_one(channel: str, stopping: Event) -> None:
    sender, failures = Sender(channel, transport_of(channel)), 0
    try:
        while not stopping.is_set():
            try:
                sent = sender.step()
            except (OperationalError, InterfaceError) as error:
                connection.close()
                failures += 1
                pause = min(2.0 ** min(failures, 10) / 4, _LONGEST_PAUSE)
                logger.warning("database away: %s", error, extra={"channel": channel, "pause_seconds": pause})
                stopping.wait(pause)
                continue
            failures = 0
            if sent:
                logger.info("notices sent: %d by %s", sent, channel, extra={"channel": channel, "notices": sent})
            else:
                stopping.wait(POLL)
    finally:
        sender.transport.close()
        connection.close()


def catch_up(channels: Sequence[str], seconds: float, clock: Callable[[], float] = time.monotonic) -> int:
    """Send what is due now on these channels, one after the other, for at most so many seconds; return how many."""
    total, deadline = 0, clock() + seconds
    for channel in channels:
        sender = Sender(channel, transport_of(channel))
        try:
            while clock() < deadline and (sent := sender.step()):
                total += sent
        finally:
            sender.transport.close()
    return total


#: A claim outlasts a batch of which each waits for its provider as long as it may.
assert BATCH * timedelta(seconds=20) < sending.CLAIM_LASTS

"""What cannot go by one channel goes by the next that its rule names and its reader has, and never twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from notifications import planning, sql
from notifications.digest_letters import STUCK
from notifications.models import Address, DigestIssue, Message, Notice
from notifications.statuses import Channel
from parts.documents import as_text
from parts.keys import new_key


@dataclass(frozen=True, slots=True)
class Way:
    """The next channel for a message; empty where there is none. `is_heard`: its reader hears it there anyway."""

    channel: str
    is_heard: bool = False


def _none_shut(_message: Message) -> Collection[str]:
    return ()


def fall_back(notice: Notice, at: datetime) -> bool:
    """Say what a dead notice could not say over the next channel that each of its rules names and its reader has.

    What its reader hears over that channel anyway is not said twice. Return whether all of it goes another way.
    """
    if notice.thread_kind == STUCK:
        return _digest_in_the_house(notice, at)
    messages = list(Message.objects.filter(notice=notice).select_related("rule", "event", "recipient"))
    ways = next_ways(messages)
    write_again([(notice, message, way.channel) for message, way in ways if way.channel and not way.is_heard], at)
    notice.fell_back = bool(ways) and all(way.channel for _message, way in ways)
    notice.save(update_fields=["fell_back"])
    return notice.fell_back


def next_ways(
    messages: Sequence[Message], shut_for: Callable[[Message], Collection[str]] = _none_shut
) -> list[tuple[Message, Way]]:
    """Return the next way of each message, which has its rule and reader with it, round what is shut for it.

    Two statements for any number of them.
    """
    usable: defaultdict[UUID, dict[bool, set[str]]] = defaultdict(lambda: {True: set(), False: set()})
    left = Address.objects.allowed().filter(recipient__in={message.recipient_id for message in messages})
    for reader, channel, is_wanted in left.values_list("recipient", "channel", "is_wanted"):
        usable[reader][is_wanted].add(channel)
    for message in messages:
        if message.recipient.user_id is not None:
            usable[message.recipient_id][True].add(Channel.INBOX.value)
    tried: defaultdict[tuple[Any, ...], set[str]] = defaultdict(set)
    known = Message.objects.filter(
        event__in={message.event_id for message in messages},
        recipient__in={message.recipient_id for message in messages},
    )
    for *of_message, channel in known.values_list("recipient", "event", "alert", "alert_level", "channel"):
        tried[tuple(of_message)].add(channel)
    found = []
    for message in messages:
        heard = tried[message.recipient_id, message.event_id, message.alert_id, message.alert_level]
        channel = _next_channel(message, usable[message.recipient_id], heard, shut_for(message))
        found.append((message, Way(channel, channel in heard)))
    return found


def _next_channel(
    message: Message, usable: Mapping[bool, Collection[str]], tried: Collection[str], shut: Collection[str]
) -> str:
    """Return the next channel that a message's rule names and that may be used; empty where there is none.

    What cannot be muted goes by any way that was not tried, at last by one that its reader unticked. `usable` names the
    channels by whether their address is ticked.
    """
    ways = [message.rule.channel, *message.rule.fallbacks]
    if message.rule.cannot_be_muted:
        left = planning.ways_to(usable[True], usable[False], ways, cannot_be_muted=True)
        return next((way for way in left if way not in tried and way != message.channel and way not in shut), "")
    later = ways[ways.index(message.channel) + 1 :] if message.channel in ways else []
    return next((way for way in later if way in usable[True] and way not in shut), "")


def write_again(said: Sequence[tuple[Notice, Message, str]], at: datetime) -> None:
    """Write messages of notices once more, each over another channel. One statement, none without messages."""
    if not said:
        return
    counts: defaultdict[tuple[UUID, str], int] = defaultdict(int)
    for notice, _message, channel in said:
        counts[notice.pk, channel] += 1
    of_key = {notice.pk: notice for notice, _message, _channel in said}
    notices = {(key, channel): _row_over(of_key[key], channel, number, at) for (key, channel), number in counts.items()}
    rows = [
        {
            "id": new_key(),
            "event_id": message.event_id,
            "alert_id": message.alert_id,
            "alert_level": message.alert_level,
            "rule_id": message.rule_id,
            "rule_revision": message.rule_revision,
            "audience": message.audience,
            "recipient_id": message.recipient_id,
            "channel": channel,
            "notice": notices[notice.pk, channel]["id"],
            "unheard": "",
        }
        for notice, message, channel in said
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql.WRITE, {"notices": as_text(list(notices.values())), "messages": as_text(rows)})


def _digest_in_the_house(notice: Notice, at: datetime) -> bool:
    """Let a digest that could not be sent be read in the house; return whether it goes that way."""
    if notice.channel == Channel.INBOX:
        return False
    row = _row_over(notice, Channel.INBOX.value, 0, at)
    with connection.cursor() as cursor:
        cursor.execute(sql.WRITE_NOTICES, {"notices": as_text([row])})
        ((_thread, instead),) = cursor.fetchall()
    DigestIssue.objects.filter(notice=notice).update(notice=instead)
    notice.fell_back = True
    notice.save(update_fields=["fell_back"])
    return True


def _row_over(notice: Notice, channel: str, messages_count: int, at: datetime) -> dict[str, Any]:
    """Return a notice that says over another channel what this one could not say."""
    return {
        "id": new_key(),
        "recipient_id": notice.recipient_id,
        "channel": channel,
        "thread_kind": notice.thread_kind,
        "thread_id": notice.thread_id,
        "reference": notice.reference,
        "region_id": notice.region_id,
        "sources": notice.sources,
        "messages_count": messages_count,
        "is_urgent": notice.is_urgent,
        "target_seconds": notice.target_seconds,
        "due_at": at,
        "caused_at": notice.caused_at,
        "held_until": notice.held_until,
    }

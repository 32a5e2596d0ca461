"""What could not be told is listed with what its silence costs, by the clock.

It may be stopped anywhere and run twice at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from notifications import facts, sql_dead
from notifications.models import Message, Notice
from notifications.statuses import DeadCause, NoticeState, Unheard
from parts.documents import as_text
from parts.keys import new_key

#: How many are listed in one transaction.
BATCH = 500

#: The states of notices whose readers hear of their news, or heard.
HEARD = ["waiting", "sending", "sent", "delivered", "told", "dropped"]

_Place = tuple[UUID, str, UUID]


def collect(*, at: datetime, go_on: Callable[[], bool] = lambda: True) -> int:
    """List what could not be told and is in no letter yet; return how many notices and messages that was.

    What has no news of orders is left out: a word about an address, whose owner is told another way, or a digest.
    """
    total = 0
    while go_on():
        done = _collect_some(at)
        total += done
        if done < BATCH:
            break
    return total


def weigh(*, only: Collection[UUID] | None = None) -> int:
    """Bring the impact of the open letters, or of some, up to date; return how many it changed. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql_dead.WEIGH, {"only": None if only is None else list(only)})
        return int(cursor.rowcount)


@dataclass(slots=True)
class _Listed:
    """What goes into one letter."""

    row: dict[str, Any]
    notices: list[UUID] = field(default_factory=list)
    messages: list[UUID] = field(default_factory=list)


def _collect_some(at: datetime) -> int:
    with transaction.atomic():
        dead = list(
            Notice.objects.filter(state=NoticeState.DEAD, fell_back=False, dead_letter=None, messages_count__gt=0)
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("id")[:BATCH]
        )
        unheard = list(
            Message.objects.filter(unheard=Unheard.NO_ADDRESS, dead_letter=None)
            .select_for_update(skip_locked=True, of=("self",))
            .select_related("event")
            .order_by("id")[: BATCH - len(dead)]
        )
        if not dead and not unheard:
            return 0
        listed = _letters_of(dead, unheard)
        with connection.cursor() as cursor:
            cursor.execute(sql_dead.LIST_DEAD, {"letters": as_text([one.row for one in listed]), "at": at})
            key_of = dict(cursor.fetchall())
            notices = [(key, key_of[one.row["id"]]) for one in listed for key in one.notices]
            messages = [(key, key_of[one.row["id"]]) for one in listed for key in one.messages]
            cursor.execute(
                sql_dead.PUT_IN_LETTERS,
                {
                    "notices": [key for key, _letter in notices],
                    "notice_letters": [letter for _key, letter in notices],
                    "messages": [key for key, _letter in messages],
                    "message_letters": [letter for _key, letter in messages],
                },
            )
        weigh(only=set(key_of.values()))
    return len(dead) + len(unheard)


def _letters_of(dead: Sequence[Notice], unheard: Sequence[Message]) -> list[_Listed]:
    """Return the letters that list dead notices, and messages for which there was no address. Three statements."""
    listed: dict[_Place, _Listed] = {}
    untold = _untold(dead)
    # Their readers hear all of it over other channels, by other rules.
    Notice.objects.filter(pk__in=[notice.pk for notice in dead if notice.pk not in untold]).update(fell_back=True)
    for notice in dead:
        if messages := untold.get(notice.pk):
            row = _of_notice(notice, messages)
            one = listed.setdefault((notice.recipient_id, notice.channel, notice.thread_id), _Listed(row))
            _join(one, row, [message.pk for message in messages])
            one.notices.append(notice.pk)
    about = facts.of_subjects({(message.event.subject_kind, message.event.subject_id) for message in unheard})
    for message in unheard:
        row = _of_message(message, about.get(message.event.subject_id))
        one = listed.setdefault((message.recipient_id, message.channel, row["thread_id"]), _Listed(row))
        _join(one, row, [message.pk])
    return list(listed.values())


def _join(letter: _Listed, row: dict[str, Any], messages: Iterable[UUID]) -> None:
    letter.messages.extend(messages)
    letter.row["news_count"] = len(letter.messages)
    letter.row["since"] = min(letter.row["since"], row["since"])
    letter.row["cause"] = row["cause"]
    letter.row["error"] = row["error"] or letter.row["error"]


def _untold(dead: Sequence[Notice]) -> dict[UUID, list[Message]]:
    """Return what each dead notice was to say that does not go another way."""
    same = Q(alert=OuterRef("alert")) | Q(alert=None)
    elsewhere = Message.objects.filter(
        same,
        event=OuterRef("event"),
        alert_level=OuterRef("alert_level"),
        recipient=OuterRef("recipient"),
        notice__state__in=HEARD,
    ).exclude(channel=OuterRef("channel"))
    rows = Message.objects.filter(~Exists(elsewhere), notice__in=[notice.pk for notice in dead]).order_by("id")
    found: defaultdict[UUID, list[Message]] = defaultdict(list)
    for message in rows:
        assert message.notice_id is not None
        found[message.notice_id].append(message)
    return found


def _of_notice(notice: Notice, messages: Sequence[Message]) -> dict[str, Any]:
    return {
        "id": new_key(),
        "recipient_id": notice.recipient_id,
        "channel": notice.channel,
        "thread_kind": notice.thread_kind,
        "thread_id": notice.thread_id,
        "reference": notice.reference,
        "region_id": notice.region_id,
        "event_id": messages[0].event_id,
        "cause": notice.cause or DeadCause.PROVIDER.value,
        "error": notice.error,
        "news_count": 0,
        "since": notice.caused_at,
    }


def _of_message(message: Message, fact: facts.Fact | None) -> dict[str, Any]:
    event = message.event
    return {
        "id": new_key(),
        "recipient_id": message.recipient_id,
        "channel": message.channel,
        "thread_kind": fact.thread_kind if fact else event.subject_kind,
        "thread_id": fact.thread_id if fact else event.subject_id,
        "reference": fact.reference if fact else event.reference,
        "region_id": fact.region_id if fact else None,
        "event_id": event.pk,
        "cause": DeadCause.NO_ADDRESS.value,
        "error": "",
        "news_count": 0,
        "since": message.written_at,
    }

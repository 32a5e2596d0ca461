"""Dead letters are seen to by people: sent again, told by telephone, let rest; each deed is on record.

A letter is settled once: who comes second is told who was first, and nothing is sent twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from notifications import sql_dead
from notifications.models import Address, DeadLetter, Message
from notifications.statuses import AddressState, Channel, DeadState, NoticeState
from parts.actors import Actor
from parts.documents import as_text
from parts.errors import Invalid, NotFound, Refused
from parts.keys import new_key
from parts.labels import names_of
from parts.sentences import sentence

REPLAY, TELL = "notifications.replay_notice", "notifications.tell_deadletter"
#: How many are listed, or sent again, in one transaction.
BATCH = 500
#: How many one confirmation sends again at most.
MOST_AT_ONCE = 5_000
LONGEST_WHY, LONGEST_WHOM = 300, 120

_Place = tuple[UUID, str, UUID]
_Telling = tuple[UUID, UUID, UUID | None, int, str]


class AlreadySettled(Refused):
    """Somebody has seen to it already; `extra['outcome']` says how."""

    code = "already_settled"


class NoWay(Refused):
    """The reader has no address by which the rules may tell them."""

    code = "no_way"


class _Known(NamedTuple):
    """A message of the same event to the same reader; `is_given_up`: it failed, and its news went on from there."""

    message: UUID
    notice: UUID | None
    is_given_up: bool


@dataclass(slots=True)
class Replayed:
    """What came of sending again: letters that go out, the notices they became, and those whose reader has no way."""

    letters: int = 0
    notices: int = 0
    without_a_way: int = 0


def replay(*, letters: Collection[UUID], why: str, by: Actor, at: datetime) -> Replayed:
    """Send open letters again: each reader gets one notice of an order, which says where it stands now.

    It goes by the channel that failed, where the reader has an address there, else by the next that the rules name; a
    letter whose reader has none stays open. One that was settled meanwhile is left out. Raises Forbidden, Invalid.
    """
    by.require(REPLAY)
    why = because(why)
    done, keys = Replayed(), list(letters)
    for start in range(0, len(keys), BATCH):
        _replay_some(keys[start : start + BATCH], DeadState.REPLAYED, why, by, at, done)
    return done


def replay_one(*, letter_id: UUID, why: str, by: Actor, at: datetime) -> Replayed:
    """Send a letter again. Raises as `replay`, and NotFound, AlreadySettled, NoWay."""
    by.require(REPLAY)
    why = because(why)
    with transaction.atomic():
        letter = open_letter(letter_id)
        done = Replayed()
        _replay_some([letter.pk], DeadState.REPLAYED, why, by, at, done)
        if done.without_a_way:
            raise NoWay(sentence("The reader has no address by which this could be sent. Correct the address first."))
    return done


def _replay_some(keys: Sequence[UUID], state: DeadState, why: str, by: Actor, at: datetime, done: Replayed) -> None:
    with transaction.atomic():
        letters = list(
            DeadLetter.objects.select_for_update(of=("self",))
            .filter(pk__in=keys, state=DeadState.OPEN)
            .select_related("recipient")
            .order_by("pk")
        )
        plan = _Again.of(letters, at)
        goes_as = plan.write()
        for letter in letters:
            if letter.pk not in plan.ways:
                continue
            letter.state, letter.settled_by, letter.settled_at, letter.why = state, by.reference, at, why
            letter.goes_as_id = goes_as.get(plan.ways[letter.pk])
        settled = [letter for letter in letters if letter.pk in plan.ways]
        DeadLetter.objects.bulk_update(settled, ["state", "settled_by", "settled_at", "why", "goes_as"])
        _settle_notices([letter.pk for letter in settled], NoticeState.REPLAYED, plan.others)
    done.letters += len(settled)
    done.notices += len(set(goes_as.values()))
    done.without_a_way += len(letters) - len(settled)


@dataclass(slots=True)
class _Again:
    """How letters are sent again: which notices are asked for, which messages they say."""

    notices: dict[_Place, dict[str, Any]] = field(default_factory=dict)
    moves: list[dict[str, Any]] = field(default_factory=list)
    #: Letter → the notice that is asked for it; None where its news go another way already.
    ways: dict[UUID, UUID | None] = field(default_factory=dict)
    #: Notices that are in no letter and lose messages by it.
    others: set[UUID | None] = field(default_factory=set)

    @classmethod
    def of(cls, letters: Sequence[DeadLetter], at: datetime) -> _Again:
        """Plan it. Three statements."""
        plan = cls()
        messages = _messages_of(letters)
        usable = _usable(letters)
        known = _known(messages)
        for letter in letters:
            plan._add(letter, messages.get(letter.pk, []), usable[letter.recipient_id], known, at)
        return plan

    def _add(
        self,
        letter: DeadLetter,
        messages: Sequence[Message],
        usable: Collection[str],
        known: dict[_Telling, _Known],
        at: datetime,
    ) -> None:
        ways = {message.pk: _way(letter, message, usable) for message in messages}
        if messages and not any(ways.values()):
            return
        self.ways[letter.pk] = None
        for message in messages:
            if not (way := ways[message.pk]):
                continue
            there = known.get(_telling(message, way))
            if there is None or there.message == message.pk:
                self._say(letter, message, message.pk, way, at)
            elif there.is_given_up:  # it failed there before anything else did, and goes there now
                self._say(letter, message, there.message, way, at)
                self.others.add(there.notice)

    def _say(self, letter: DeadLetter, message: Message, moved: UUID, way: str, at: datetime) -> None:
        rule, event = message.rule, message.event
        notice = self.notices.setdefault(
            (letter.recipient_id, way, letter.thread_id),
            {
                "id": new_key(),
                "recipient_id": letter.recipient_id,
                "channel": way,
                "thread_kind": letter.thread_kind,
                "thread_id": letter.thread_id,
                "reference": letter.reference,
                "region_id": letter.region_id,
                "sources": [],
                "messages_count": 0,
                "is_urgent": False,
                "target_seconds": rule.target_seconds,
                "due_at": at,
                "caused_at": letter.since,
            },
        )
        notice["messages_count"] += 1
        notice["is_urgent"] = notice["is_urgent"] or rule.is_urgent
        notice["target_seconds"] = min(notice["target_seconds"], rule.target_seconds)
        notice["caused_at"] = min(notice["caused_at"], letter.since)
        notice["sources"] = sorted({*notice["sources"], event.source})
        self.moves.append({"id": moved, "channel": way, "notice": notice["id"]})
        self.ways[letter.pk] = notice["id"]

    def write(self) -> dict[UUID | None, UUID]:
        """Write it; return which notice says now what was asked for. One statement, none where there is nothing."""
        if not self.moves:
            return {}
        with connection.cursor() as cursor:
            asked = {"notices": as_text(list(self.notices.values())), "moves": as_text(self.moves)}
            cursor.execute(sql_dead.SAY_AGAIN, asked)
            return dict(cursor.fetchall())


def _messages_of(letters: Sequence[DeadLetter]) -> dict[UUID, list[Message]]:
    rows = Message.objects.filter(dead_letter__in=[letter.pk for letter in letters]).select_related("rule", "event")
    found: defaultdict[UUID, list[Message]] = defaultdict(list)
    for message in rows.order_by("id"):
        assert message.dead_letter_id is not None
        found[message.dead_letter_id].append(message)
    return found


def _usable(letters: Iterable[DeadLetter]) -> dict[UUID, set[str]]:
    """Return by which channels each reader may be reached now."""
    found: dict[UUID, set[str]] = {}
    for letter in letters:
        inside = {Channel.INBOX.value} if letter.recipient.user_id is not None else set()
        found.setdefault(letter.recipient_id, inside)
    rows = Address.objects.filter(recipient__in=found, state=AddressState.CONFIRMED, is_wanted=True)
    for reader, channel in rows.values_list("recipient", "channel"):
        found[reader].add(channel)
    return found


def _telling(message: Message, channel: str) -> _Telling:
    return (message.event_id, message.recipient_id, message.alert_id, message.alert_level, channel)


def _known(messages: dict[UUID, list[Message]]) -> dict[_Telling, _Known]:
    """Return what these readers hear of these events, or were to hear, over which channels."""
    every = [message for of_letter in messages.values() for message in of_letter]
    rows = Message.objects.filter(
        event__in={message.event_id for message in every}, recipient__in={message.recipient_id for message in every}
    ).select_related("notice")
    return {
        _telling(message, message.channel): _Known(
            message.pk,
            message.notice_id,
            message.dead_letter_id is None and message.notice is not None and message.notice.state == NoticeState.DEAD,
        )
        for message in rows
    }


def _way(letter: DeadLetter, message: Message, usable: Collection[str]) -> str:
    ways = [letter.channel, message.rule.channel, *message.rule.fallbacks]
    return next((way for way in ways if way in usable), "")


def tell(*, letter_id: UUID, whom: str, told_at: datetime, why: str, by: Actor, at: datetime) -> DeadLetter:
    """Write down that somebody was told by telephone, and when. Raises Forbidden, NotFound, Invalid, AlreadySettled."""
    by.require(TELL)
    faults: dict[str, list[Any]] = {}
    if not whom.strip():
        faults["whom"] = [sentence("Say who was told.")]
    if told_at > at:
        faults["told_at"] = [sentence("This is yet to come.")]
    with transaction.atomic():
        letter = open_letter(letter_id)
        if told_at < letter.since.replace(second=0, microsecond=0):
            faults["told_at"] = [sentence("There was nothing to tell yet.")]
        if faults:
            raise Invalid(sentence("This cannot be kept as it is."), faults)
        letter.told_whom, letter.told_at = whom.strip()[:LONGEST_WHOM], told_at
        said = why.strip() or "by telephone"
        return _settle(letter, DeadState.TOLD, NoticeState.TOLD, said, by, at)


def discard(*, letter_id: UUID, why: str, by: Actor, at: datetime) -> DeadLetter:
    """Let a letter rest untold, for a reason. Raises Forbidden, NotFound, Invalid, AlreadySettled."""
    by.require(REPLAY)
    why = because(why)
    with transaction.atomic():
        return _settle(open_letter(letter_id), DeadState.DISCARDED, NoticeState.DISCARDED, why, by, at)


def _settle(
    letter: DeadLetter, state: DeadState, of_notices: NoticeState, why: str, by: Actor, at: datetime
) -> DeadLetter:
    letter.state, letter.settled_by, letter.settled_at, letter.why = state, by.reference, at, why[:LONGEST_WHY]
    letter.save(update_fields=["state", "settled_by", "settled_at", "why", "told_whom", "told_at"])
    _settle_notices([letter.pk], of_notices)
    return letter


def _settle_notices(letters: Sequence[UUID], state: NoticeState, others: Collection[UUID | None] = ()) -> None:
    with connection.cursor() as cursor:
        asked: dict[str, Any] = {"letters": list(letters), "others": list(others), "state": state.value}
        cursor.execute(sql_dead.SETTLE_NOTICES, asked)


def because(why: str) -> str:
    if not why.strip():
        raise Invalid(sentence("Say why."), {"why": [sentence("Say why.")]})
    return why.strip()[:LONGEST_WHY]


def open_letter(letter_id: UUID) -> DeadLetter:
    """Return a locked letter that is open. Raises NotFound, AlreadySettled."""
    letter = DeadLetter.objects.select_for_update(of=("self",)).select_related("recipient").filter(pk=letter_id).first()
    if letter is None:
        raise NotFound(sentence("There is no such message."))
    if letter.state != DeadState.OPEN:
        who = names_of([letter.settled_by])[letter.settled_by]
        raise AlreadySettled(
            sentence("{who} has seen to it already: {outcome}.", who=who, outcome=letter.get_state_display()),
            outcome=letter.state,
        )
    return letter

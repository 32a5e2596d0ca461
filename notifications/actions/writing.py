"""From events to messages and their notices: once, whatever is read again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from notifications import facts, planning, readers, sql
from notifications.facts import Fact
from notifications.models import Message, Rule
from notifications.planning import DIGEST, RuleBook, Said
from notifications.readers import Readers
from notifications.statuses import ROLE_OF, Timing
from orders.models import OrderEvent
from parts.documents import as_text
from parts.keys import new_key


def write_messages(*, events: Sequence[OrderEvent], at: datetime) -> int:
    """Write who is to hear of these events, by the rules that are on; return how many messages that is.

    What was written before is left as it is. A fixed number of statements, whatever there is to say.
    """
    with transaction.atomic():
        book = RuleBook.of(Rule.objects.filter(is_active=True, trigger=""))
        said = said_of(events, book, at)
        return write(said)


def said_of(events: Sequence[OrderEvent], book: RuleBook, at: datetime) -> list[Said]:
    """Return who is to hear of these events by a book of rules. Seven statements at most."""
    asked = planning.candidates(events, book)
    if not asked:
        return []
    found = facts.read(event for event, _rules in asked)
    who = readers_for(book.audiences, found.values(), at)
    return planning.plan(asked, found, who, at)


def readers_for(audiences: Collection[str], found: Iterable[Fact], at: datetime) -> Readers:
    """Return the readers that these audiences may be for these subjects. Six statements at most."""
    told = [fact for fact in found if not fact.is_test]
    people: set[int] = set()
    if planning.Audience.TECHNICIAN.value in audiences:
        people.update(fact.technician_id for fact in told if fact.technician_id is not None)
    if planning.Audience.REQUESTER.value in audiences:
        people.update(fact.requester_id for fact in told if fact.requester_id is not None)
    customers: set[UUID] = set()
    if planning.Audience.CUSTOMER.value in audiences:
        customers.update(fact.customer_id for fact in told if fact.customer_id is not None)
    watched: set[UUID] = set()
    if planning.Audience.WATCHERS.value in audiences:
        watched.update(fact.thread_id for fact in told)
        watched.update(fact.customer_id for fact in told if fact.customer_id is not None)
    roles = sorted(ROLE_OF[audience] for audience in audiences if audience in ROLE_OF)
    return readers.read(customers=customers, users=people, roles=roles, watched=watched, at=at)


def write(said: Collection[Said]) -> int:
    """Write messages and let each join its notice; return how many are new. Two statements."""
    known = set(
        Message.objects.filter(event__in={one.event.pk for one in said}, alert=None).values_list(
            "event_id", "recipient_id", "channel"
        )
    )
    return write_new([one for one in said if (one.event.pk, one.reader.id, one.channel) not in known], caused_at=None)


def write_new(said: Collection[Said], *, caused_at: datetime | None) -> int:
    """Write messages that nobody wrote yet and let each join its notice; return how many. One statement.

    `caused_at` is when what they tell came up, where that is not when their events were recorded.
    """
    notices: dict[tuple[UUID, str, UUID], dict[str, Any]] = {}
    messages = []
    for one in said:
        notice = None if one.unheard else _join(notices, one, caused_at or one.event.recorded_at)
        messages.append(_message(one, notice))
    if messages:
        with connection.cursor() as cursor:
            cursor.execute(sql.WRITE, {"notices": as_text(list(notices.values())), "messages": as_text(messages)})
    return len(messages)


def _join(notices: dict[tuple[UUID, str, UUID], dict[str, Any]], one: Said, caused_at: datetime) -> UUID:
    """Let a message join the notice of its reader, channel and thread; return that notice's key."""
    rule, fact = one.rule.rule, one.fact
    is_digest = rule.timing == Timing.DIGEST
    thread = one.reader.id if is_digest else fact.thread_id
    place = (one.reader.id, one.channel, thread)
    notice = notices.get(place)
    if notice is None:
        notice = notices[place] = {
            "id": new_key(),
            "recipient_id": one.reader.id,
            "channel": one.channel,
            "thread_kind": DIGEST if is_digest else fact.thread_kind,
            "thread_id": thread,
            "reference": "" if is_digest else fact.reference,
            "region_id": None if is_digest else fact.region_id,
            "sources": [one.event.source],
            "messages_count": 1,
            "is_urgent": rule.is_urgent,
            "target_seconds": rule.target_seconds,
            "due_at": one.due_at,
            "caused_at": caused_at,
            "held_until": one.due_at if is_digest else None,
        }
    else:
        notice["messages_count"] += 1
        notice["is_urgent"] = notice["is_urgent"] or rule.is_urgent
        notice["target_seconds"] = min(notice["target_seconds"], rule.target_seconds)
        notice["due_at"] = min(notice["due_at"], one.due_at)
        notice["caused_at"] = min(notice["caused_at"], caused_at)
        if is_digest:
            notice["held_until"] = notice["due_at"]
        if one.event.source not in notice["sources"]:
            notice["sources"].append(one.event.source)
    key: UUID = notice["id"]
    return key


def _message(one: Said, notice: UUID | None) -> dict[str, Any]:
    return {
        "id": new_key(),
        "event_id": one.event.pk,
        "alert_id": one.alert_id,
        "alert_level": one.alert_level,
        "rule_id": one.rule.rule.pk,
        "rule_revision": one.rule.rule.revision,
        "audience": one.rule.audience,
        "recipient_id": one.reader.id,
        "channel": one.channel,
        "notice": notice,
        "unheard": one.unheard,
    }

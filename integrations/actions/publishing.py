"""Who is to be told of what: written down once for each event and subscriber, in one statement for a batch."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from integrations.actions.subscribing import require_replay, subscriber_of
from integrations.envelope import envelope_of_a_test
from integrations.models import OutboundDelivery, Subscriber
from integrations.outbound import sql
from integrations.outbound.kinds import FOR_PARTNERS, KINDS, TEST
from integrations.statuses import SubscriberState
from orders.errors import NothingToDo
from parts.actors import Actor
from parts.errors import Invalid, NotFound
from parts.keys import new_key
from parts.sentences import sentence

#: So many events are looked at in one replay; who wants more asks again from the last one's time.
MOST_EVENTS = 50_000
MOST_DELIVERIES = 10_000
_KINDS, _FOR_PARTNERS = list(KINDS), list(FOR_PARTNERS)
#: So many tests of one subscriber within a minute are enough.
MOST_TESTS = 10


def publish(*, events: Sequence[UUID], at: datetime) -> int:
    """Write down who is to be told of these events; return how many tellings that is. A repeat adds none.

    One statement where nobody listens, else two, whatever the number of events and of subscribers.
    """
    if not events or not sql.ANYBODY.rows()[0][0]:
        return 0
    return len(sql.PUBLISH.rows(events=list(events), kinds=_KINDS, for_partners=_FOR_PARTNERS, at=at))


def replay(*, deliveries: Collection[UUID], by: Actor, at: datetime) -> int:
    """Tell again what was told, given up or overtaken, the same in the same words; return how many.

    Raises Forbidden, NotFound for what is not theirs, Invalid for more than 10,000.
    """
    if len(deliveries) > MOST_DELIVERIES:
        raise Invalid(sentence("At most {most} messages at once.", most=MOST_DELIVERIES))
    rows = OutboundDelivery.objects.filter(pk__in=deliveries).values_list("subscriber_id", flat=True)
    subscribers = {subscriber.pk: subscriber for subscriber in Subscriber.objects.filter(pk__in=set(rows))}
    if not subscribers:
        raise NotFound(sentence("There is no such message."))
    for subscriber in subscribers.values():
        require_replay(by, subscriber)
        _require_on(subscriber)
    return len(sql.AGAIN.rows(deliveries=list(deliveries), at=at))


def replay_since(*, subscriber: UUID, since: datetime, by: Actor, at: datetime) -> int:
    """Tell a subscriber everything since a moment, whether it was told or not; return how many that is.

    It looks at the first 50,000 events. Raises Forbidden, NotFound, Invalid for a moment to come, and NothingToDo.
    """
    row = subscriber_of(subscriber)
    require_replay(by, row)
    _require_on(row)
    if since > at:
        raise Invalid(sentence("This is still to come."), {"since": [sentence("Choose a moment that has passed.")]})
    told = sql.PUBLISH_SINCE.rows(
        subscriber=row.pk,
        since=since,
        first=_first_key(since - timedelta(minutes=5)),
        most=MOST_EVENTS,
        kinds=_KINDS,
        for_partners=_FOR_PARTNERS,
        at=at,
    )
    if not told:
        raise NothingToDo(sentence("Nothing has happened since that it may be told."))
    return len(told)


def send_test(*, subscriber: UUID, by: Actor, at: datetime) -> OutboundDelivery:
    """Tell a subscriber that this is a test. Raises Forbidden, NotFound, NothingToDo where it is off."""
    row = subscriber_of(subscriber)
    require_replay(by, row)
    _require_on(row)
    lately = OutboundDelivery.objects.filter(subscriber=row, event=None, created_at__gt=at - timedelta(minutes=1))
    if lately.count() >= MOST_TESTS:
        raise NothingToDo(sentence("It was just tried {count} times. Wait a minute.", count=MOST_TESTS))
    key = new_key()
    return OutboundDelivery.objects.create(
        id=key,
        subscriber=row,
        kind=TEST,
        topic=TEST,
        due_at=at,
        caused_at=at,
        created_at=at,
        body=envelope_of_a_test(key, at, row.schema_version),
    )


def _require_on(subscriber: Subscriber) -> None:
    if subscriber.state != SubscriberState.ACTIVE:
        raise NothingToDo(sentence("{code} is switched off. Switch it on first.", code=subscriber.code))


def _first_key(moment: datetime) -> UUID:
    """Return the smallest key of version 7 that an event of a moment can have."""
    return UUID(int=max(int(moment.timestamp() * 1000), 0) << 80 | 0x7 << 76 | 0b10 << 62)

"""Which reader is to hear of which event over which channel: a pure decision on what was read for a batch.

The same decision serves the consumer of the ledger, which writes it down, and the trial of a rule, which only shows it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID

from notifications.facts import Fact
from notifications.models import Rule
from notifications.readers import Reader, Readers, zone_of
from notifications.statuses import ROLE_OF, Audience, Channel, Timing, Unheard, kind_of
from orders.models import OrderEvent

_CUSTOMER, _REQUESTER = Audience.CUSTOMER.value, Audience.REQUESTER.value
_TECHNICIAN, _WATCHERS = Audience.TECHNICIAN.value, Audience.WATCHERS.value
#: The kind of thread that a digest has; its key is its reader's.
DIGEST = "digest"
#: The channels in the order in which they are taken where a rule says nothing.
_ANY = (Channel.EMAIL.value, Channel.SMS.value, Channel.CHAT.value, Channel.PUSH.value, Channel.INBOX.value)


class Said(NamedTuple):
    """One message: who is to hear of an event, by which rule, and over which channel; or why nobody is told."""

    event: OrderEvent
    fact: Fact
    rule: Compiled
    reader: Reader
    channel: str
    unheard: str
    due_at: datetime
    #: The alert that is told, and its level then; of the event itself, none.
    alert_id: UUID | None = None
    alert_level: int = 0
    #: When the time ran out of which a trial speaks; of events, none.
    ran_out_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule made ready to be asked of many events."""

    rule: Rule
    kinds: frozenset[str]
    active_since: datetime | None
    to_statuses: frozenset[str]
    criticalities: frozenset[str]
    order_kinds: frozenset[str]
    tiers: frozenset[str]
    regions: frozenset[UUID]
    public_only: bool
    audience: str
    channels: tuple[str, ...]

    @classmethod
    def of(cls, rule: Rule) -> Compiled:
        """Return a rule made ready."""
        return cls(
            rule=rule,
            kinds=frozenset(rule.kinds),
            active_since=rule.active_since,
            to_statuses=frozenset(rule.to_statuses),
            criticalities=frozenset(rule.criticalities),
            order_kinds=frozenset(rule.order_kinds),
            tiers=frozenset(rule.tiers),
            regions=frozenset(rule.regions),
            public_only=rule.public_only,
            audience=rule.audience,
            channels=(rule.channel, *rule.fallbacks),
        )

    def matches_event(self, event: OrderEvent) -> bool:
        """Tell whether the rule speaks of such an event, whatever it is about."""
        return (
            (not self.to_statuses or event.to_status in self.to_statuses)
            and (not self.public_only or event.visibility == "public")
            and (self.active_since is None or event.recorded_at >= self.active_since)
        )

    def matches(self, fact: Fact) -> bool:
        """Tell whether the rule speaks of such a subject."""
        return (
            (not self.criticalities or fact.criticality in self.criticalities)
            and (not self.order_kinds or fact.order_kind in self.order_kinds)
            and (not self.tiers or fact.tier in self.tiers)
            and (not self.regions or fact.region_id in self.regions)
        )


@dataclass(slots=True)
class RuleBook:
    """The rules to be asked, by the kind of event they speak of."""

    by_kind: dict[str, list[Compiled]] = field(default_factory=lambda: defaultdict(list))
    audiences: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> RuleBook:
        """Return a book of rules; the more important come first, so that they choose before others."""
        book = cls()
        for rule in sorted(rules, key=lambda rule: (-rule.importance, rule.code)):
            compiled = Compiled.of(rule)
            book.audiences.add(rule.audience)
            for kind in compiled.kinds:
                book.by_kind[kind].append(compiled)
        return book

    @property
    def roles(self) -> list[str]:
        """The roles that are audiences of some rule."""
        return sorted(ROLE_OF[audience] for audience in self.audiences if audience in ROLE_OF)


def candidates(events: Iterable[OrderEvent], book: RuleBook) -> list[tuple[OrderEvent, list[Compiled]]]:
    """Return the events of which some rule speaks, whatever they are about, with those rules.

    What an order only passed through on its way is not told: its end is.
    """
    found = []
    for event in events:
        rules = book.by_kind.get(event.kind)
        if rules and not event.passed_through:
            asked = [rule for rule in rules if rule.matches_event(event)]
            if asked:
                found.append((event, asked))
    return found


def plan(
    asked: Sequence[tuple[OrderEvent, list[Compiled]]], facts: Mapping[UUID, Fact], readers: Readers, now: datetime
) -> list[Said]:
    """Return who is to hear what. Each reader hears of an event once over a channel, by the most important rule.

    Orders for tests and training are told to nobody, drafts not to their customers.
    """
    said: list[Said] = []
    for event, rules in asked:
        fact = facts.get(event.subject_id)
        if fact is None or fact.is_test:
            continue
        heard: set[tuple[UUID, str]] = set()
        for rule in rules:
            if not rule.matches(fact):
                continue
            for reader in audience_of(rule.audience, fact, readers):
                if reader.regions and fact.region_id not in reader.regions:
                    continue
                channel, unheard = way_to(reader, rule, fact, now, kind_of(event.kind))
                if (reader.id, channel) not in heard:
                    heard.add((reader.id, channel))
                    said.append(
                        Said(event, fact, rule, reader, channel, unheard, due_at(rule.rule, reader, event.recorded_at))
                    )
    return said


class Raised(NamedTuple):
    """A time ran out that is to be told: the alert, the event that began the stay, and of what level it is now."""

    alert_id: UUID
    level: int
    event: OrderEvent
    fact: Fact


def plan_alerts(raised: Iterable[Raised], rule: Compiled, readers: Readers, now: datetime) -> list[Said]:
    """Return who is to hear of alerts by a rule, or by a level of its escalation. Each hears once of a level."""
    said = []
    for one in raised:
        heard: set[UUID] = set()
        for reader in audience_of(rule.audience, one.fact, readers):
            if reader.id in heard or (reader.regions and one.fact.region_id not in reader.regions):
                continue
            heard.add(reader.id)
            channel, unheard = way_to(reader, rule, one.fact, now)
            due = due_at(rule.rule, reader, now)
            said.append(Said(one.event, one.fact, rule, reader, channel, unheard, due, one.alert_id, one.level))
    return said


def audience_of(audience: str, fact: Fact, readers: Readers) -> Sequence[Reader]:
    """Return who is meant by an audience, for a subject."""
    if audience == _CUSTOMER:
        return readers.by_customer.get(fact.customer_id, ()) if fact.customer_id and not fact.is_draft else ()
    if audience == _TECHNICIAN:
        return _person(readers, fact.technician_id)
    if audience == _REQUESTER:
        return _person(readers, fact.requester_id)
    if audience == _WATCHERS:
        watchers = [*readers.watching.get(fact.thread_id, ())]
        if fact.customer_id:
            watchers += readers.watching.get(fact.customer_id, ())
        return watchers
    return readers.by_role.get(ROLE_OF[audience], ())


def _person(readers: Readers, user_id: int | None) -> Sequence[Reader]:
    reader = readers.by_user.get(user_id) if user_id is not None else None
    return (reader,) if reader else ()


def way_to(reader: Reader, rule: Compiled, fact: Fact, now: datetime, kind: str = "") -> tuple[str, str]:
    """Return the first channel over which a reader is told by a rule, and why none may be used, if so.

    What cannot be muted goes to who muted all or does not want this kind of news, and to the customer who wants no
    messages about an order; over which ways says `ways_to`.
    """
    if not rule.rule.cannot_be_muted:
        if fact.is_stopped and reader.customer_id is not None:
            return rule.channels[0], Unheard.STOPPED.value
        if reader.is_muted(now):
            return rule.channels[0], Unheard.MUTED.value
        if kind in reader.unwanted_kinds and reader.customer_id is not None:
            return rule.channels[0], Unheard.UNWANTED.value
    ways = ways_to(reader.channels, reader.unticked, rule.channels, cannot_be_muted=rule.rule.cannot_be_muted)
    return (ways[0], "") if ways else (rule.channels[0], Unheard.NO_ADDRESS.value)


def ways_to(
    ticked: Collection[str], unticked: Collection[str], channels: Sequence[str], *, cannot_be_muted: bool
) -> list[str]:
    """Return the channels over which a reader may be told by a rule that names some, the best first.

    Those of the rule that the reader ticked. What cannot be muted has to reach somebody: if not over them, then over
    any other that the reader ticked, and over one that they unticked only where nothing is ticked that is left.
    """
    ways = [channel for channel in channels if channel in ticked]
    if cannot_be_muted:
        ways += [channel for channel in _ANY if channel in ticked]
        ways += [channel for channel in (*channels, *_ANY) if channel in unticked]
    return list(dict.fromkeys(ways))


def due_at(rule: Rule, reader: Reader, recorded_at: datetime) -> datetime:
    """Return when a message is to go out that a rule chose of an event recorded then."""
    if rule.timing == Timing.DIGEST:
        return next_hour(recorded_at, reader.digest_hour, reader.zone)
    if rule.timing == Timing.DELAYED:
        return recorded_at + timedelta(minutes=rule.delay_minutes)
    return recorded_at


def next_hour(after: datetime, hour: int, zone: str) -> datetime:
    """Return the first full hour of this number in a zone after a moment.

    Where the clocks go forward over it, that is the moment at which they do; where they go back, its first time.
    """
    there = after.astimezone(zone_of(zone))
    for days in range(3):
        day = there.date() + timedelta(days=days)
        moment = datetime.combine(day, time(hour), zone_of(zone))
        if moment.timestamp() > after.timestamp():
            return moment.astimezone(after.tzinfo)
    raise AssertionError("Within three days every hour comes.")

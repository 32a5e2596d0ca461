"""A rule tried against what happened: who would have got what, by the same planning that writes messages.

Nothing is written. Where the past is not known any more, `Trial.unknown` says so. Whoever tries a rule waits for it:
it looks at no more than the latest `MOST_EVENTS` events that the rule speaks of, for no longer than `MOST_SECONDS`, and
`Trial` says from when until when.
"""

from __future__ import annotations

import copy
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _
from psycopg.errors import QueryCanceled

from backorders.models import BackOrder
from notifications import clocks, composing, facts, planning
from notifications.actions.writing import readers_for, said_of
from notifications.models import Alert, ChannelSetting, Message, Notice, Recipient, Rule
from notifications.planning import DIGEST, Compiled, Raised, RuleBook, Said
from notifications.statuses import Audience, Channel, Timing, Trigger, Unheard
from orders.models import OrderEvent

#: How many events that the rule speaks of, and how many seconds, a trial looks at; and for how long one statement of it
#: may run, whatever the ledger holds, in milliseconds.
MOST_EVENTS, MOST_SECONDS, LONGEST_STATEMENT = 25_000, 8.0, 15_000
BATCH = 2_000
SAMPLES, NAMES = 8, 12


@dataclass(frozen=True, slots=True)
class Sample:
    """One notice as it would read now."""

    at: datetime
    reference: str
    reader: str
    channel: str
    subject: str
    text: str


@dataclass(slots=True)
class Trial:
    """What a rule would have done between two moments: those that were looked at, fewer than asked for where it was
    cut. `is_too_long`: nothing came of it in time.
    """

    since: datetime
    until: datetime
    is_cut: bool = False
    is_too_long: bool = False
    events: int = 0
    messages: int = 0
    notices: int = 0
    days: list[tuple[date, int]] = field(default_factory=list)
    channels: list[tuple[str, str, int]] = field(default_factory=list)
    readers: list[tuple[str, int]] = field(default_factory=list)
    unreached: list[tuple[str, int, list[str]]] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)


def tried(
    rule: Rule, *, at: datetime, days: int = 30, most: int = MOST_EVENTS, clock: Callable[[], float] = time.monotonic
) -> Trial:
    """Try a rule, whether it is on or not, against the days before a moment: the latest events, so many of them, for so
    many seconds.
    """
    asked = copy.copy(rule)
    asked.active_since = None
    trial = Trial(at - timedelta(days=days), at)
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:  # it ends with this transaction
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(LONGEST_STATEMENT)])
            _look(trial, asked, most, clock)
            transaction.set_rollback(True)  # readers that were missing are not to stay because somebody tried a rule
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        return Trial(at - timedelta(days=days), at, is_too_long=True)
    trial.unknown += [
        _("It goes by the readers, addresses and parts as they are today."),
        _("Quiet hours and maintenance windows are left out: they merge more, never less."),
    ]
    return trial


def _look(trial: Trial, rule: Rule, most: int, clock: Callable[[], float]) -> None:
    """Look at one batch after another until the time is over, and sum up."""
    deadline = clock() + MOST_SECONDS
    for told, seen, reached in _of_a_time(rule, trial) if rule.trigger else _of_events(rule, trial, most):
        trial.said += told
        trial.events += seen
        if clock() > deadline or (rule.trigger and trial.events >= most):
            trial.is_cut, trial.until = True, reached
            break
    _sum_up(trial, rule)


def _of_events(rule: Rule, trial: Trial, most: int) -> Iterator[tuple[list[Said], int, datetime]]:
    """Read on in the ledger, a batch after another, by when events were recorded: the latest ones, not more than so
    many."""
    book, last = RuleBook.of([rule]), UUID(int=max(int(trial.since.timestamp() * 1000), 0) << 80)
    wanted = OrderEvent.objects.filter(kind__in=rule.kinds, passed_through=False, recorded_at__lt=trial.until)
    wanted = wanted.filter(recorded_at__gte=trial.since)
    if rule.to_statuses:
        wanted = wanted.filter(to_status__in=rule.to_statuses)
    if rule.public_only:
        wanted = wanted.filter(visibility="public")
    newest = wanted.filter(pk__gt=last).order_by("-pk").values_list("pk", "recorded_at")
    for too_old, recorded_at in newest[most : most + 1]:
        trial.is_cut, trial.since, last = True, recorded_at, too_old
    while events := list(wanted.filter(pk__gt=last).select_related("text").order_by("pk")[:BATCH]):
        last = events[-1].pk
        yield said_of(events, book, trial.until), len(events), events[-1].recorded_at
        if len(events) < BATCH:
            return


def _of_a_time(rule: Rule, trial: Trial) -> Iterator[tuple[list[Said], int, datetime]]:
    """Go through the stays whose time ran out, the earliest first."""
    stays = _stays(rule, trial)
    compiled = Compiled.of(rule)
    for start in range(0, len(stays), BATCH):
        some = stays[start : start + BATCH]
        about = facts.of_subjects(clocks.subjects(rule.trigger, [subject for subject, _event, _at in some]))
        events = OrderEvent.objects.select_related("text").in_bulk({event for _subject, event, _at in some})
        who = readers_for({rule.audience}, about.values(), trial.until)
        told: list[Said] = []
        for subject, event, ran_out_at in some:
            if subject in about and event in events:
                raised = [Raised(subject, 1, events[event], about[subject])]
                said = planning.plan_alerts(raised, compiled, who, max(ran_out_at, trial.since))
                told += [one._replace(ran_out_at=ran_out_at) for one in said]
        yield told, len(some), some[-1][2]


def _stays(rule: Rule, trial: Trial) -> list[tuple[UUID, UUID, datetime]]:
    """Return (subject, event, when its time ran out) of the stays of that time, as far as they are known."""
    if rule.trigger == Trigger.LINE_WAITS:
        ahead = timedelta(hours=rule.threshold_hours or 0)
        every = BackOrder.objects.filter(Q(closed_at=None) | Q(closed_at__gte=F("opened_at") + ahead))
        found = clocks.waiting_lines(every, rule, ahead)
        trial.unknown.append(_("A line that was served and fell short again since counts once."))
    else:
        found = clocks.run_out(rule, trial.until)
        trial.unknown.append(_("Only what still stands is known of this time, not what was over before now."))
    within = found.filter(ran_out_at__gte=trial.since)
    rows = within.values_list("subject", "event", "ran_out_at").order_by("ran_out_at", "subject")
    return list(rows[:MOST_EVENTS])


def _sum_up(trial: Trial, rule: Rule) -> None:
    heard = [one for one in trial.said if not one.unheard]
    trial.messages = len(heard)
    trial.days = sorted(Counter(_moment(one).date() for one in heard).items())
    ways = Counter((one.rule.audience, one.channel) for one in heard)
    trial.channels = [
        (str(Audience(audience).label), str(Channel(channel).label), count)
        for (audience, channel), count in ways.most_common()
    ]
    notices = _merged(heard)
    trial.notices = len(notices)
    names = _recipients({one.reader.id for one in trial.said})
    by_reader = Counter(one.reader.id for one in heard)
    trial.readers = [(str(names[key]), count) for key, count in by_reader.most_common(NAMES)]
    silent: defaultdict[str, Counter[UUID]] = defaultdict(Counter)
    for one in trial.said:
        if one.unheard:
            silent[one.unheard][one.reader.id] += 1
    trial.unreached = [
        (str(Unheard(why).label), sum(who.values()), [str(names[key]) for key, _n in who.most_common(NAMES)])
        for why, who in silent.items()
    ]
    trial.samples = _samples(notices[: -SAMPLES - 1 : -1], names, rule)


def _moment(one: Said) -> datetime:
    return one.ran_out_at or one.event.recorded_at


def _merged(heard: Sequence[Said]) -> list[list[Said]]:
    """Return what goes out together: what comes before a notice has left joins it, and a channel keeps its pauses."""
    pauses = {one.channel: timedelta(seconds=one.gap_seconds) for one in ChannelSetting.objects.all()}
    found: list[list[Said]] = []
    open_until: dict[Any, tuple[datetime, list[Said]]] = {}
    for one in sorted(heard, key=_moment):
        thread = one.reader.id if one.rule.rule.timing == Timing.DIGEST else one.fact.thread_id
        place, came = (one.reader.id, one.channel, thread), _moment(one)
        leaves, together = open_until.get(place, (None, None))
        if together is not None and leaves is not None and came <= leaves:
            together.append(one)
            continue
        goes = max(one.due_at, came)
        if leaves is not None and not one.rule.rule.is_urgent:
            goes = max(goes, leaves + pauses.get(one.channel, timedelta()))
        open_until[place] = (goes, [one])
        found.append(open_until[place][1])
    return found


def _recipients(keys: set[UUID]) -> dict[UUID, Recipient]:
    return Recipient.objects.select_related("customer", "user").in_bulk(keys)


def _samples(notices: Sequence[Sequence[Said]], names: dict[UUID, Recipient], rule: Rule) -> list[Sample]:
    """Put the latest notices into words, as their order stands now."""
    drafts = [(_draft(together, names), [_message(one, rule) for one in together]) for together in notices]
    said = composing.sketch(drafts)
    return [
        Sample(
            _moment(together[-1]),
            together[-1].fact.reference,
            str(notice.recipient),
            str(notice.get_channel_display()),
            composed.subject,
            composed.text,
        )
        for together, (notice, _messages), composed in zip(notices, drafts, said, strict=True)
        if composed is not None
    ]


def _draft(together: Sequence[Said], names: dict[UUID, Recipient]) -> Notice:
    one = together[0]
    is_digest = one.rule.rule.timing == Timing.DIGEST
    return Notice(
        recipient=names[one.reader.id],
        channel=one.channel,
        thread_kind=DIGEST if is_digest else one.fact.thread_kind,
        thread_id=one.reader.id if is_digest else one.fact.thread_id,
        reference=one.fact.reference,
    )


def _message(one: Said, rule: Rule) -> Message:
    alert = Alert(rule=rule, event=one.event, due_at=one.ran_out_at) if one.ran_out_at else None
    return Message(event=one.event, rule=rule, alert=alert, channel=one.channel)

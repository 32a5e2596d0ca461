"""Alerts: a time ran out. Raised once for each stay, told level by level, until somebody acknowledges it or it is over.

`sweep` looks at the clock. Each of its transactions is small and leaves everything true, so it may be stopped anywhere
and run twice at once: the database takes an alert once, and who told a level moved it on under its lock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from notifications import clocks, facts, planning, sql
from notifications.actions.writing import readers_for, write_new
from notifications.models import Alert, EscalationLevel, Rule
from notifications.planning import Compiled, Raised
from orders.models import OrderEvent
from parts.actors import Actor
from parts.documents import as_text
from parts.errors import NotFound
from parts.keys import new_key
from parts.sentences import sentence

#: How many alerts are raised or told in one transaction.
BATCH = 500


@dataclass(slots=True)
class Swept:
    """What a sweep did."""

    raised: int = 0
    resolved: int = 0
    escalated: int = 0


def sweep(*, at: datetime, go_on: Callable[[], bool] = lambda: True) -> Swept:
    """Resolve what is over, raise what ran out, and tell the next level of what nobody acknowledged.

    `go_on` is asked before each batch; what is left then is for the next sweep.
    """
    swept = Swept()
    rules = list(Rule.objects.exclude(trigger="").prefetch_related("levels").order_by("-importance", "code"))
    for rule in rules:
        swept.resolved += resolve(rule=rule, at=at)
        if not rule.is_active:
            continue
        swept.raised += _until_done(partial(raise_some, rule=rule, at=at), go_on)
        for level in rule.levels.all():
            swept.escalated += _until_done(partial(escalate_some, level=level, at=at), go_on)
    return swept


def _until_done(some: Callable[[], int], go_on: Callable[[], bool]) -> int:
    """Do a batch after another until one is not full; return how many there were."""
    total = 0
    while go_on():
        done = some()
        total += done
        if done < BATCH:
            break
    return total


def resolve(*, rule: Rule, at: datetime) -> int:
    """Mark the standing alerts of a rule as over whose condition no longer holds; all, where the rule is off.

    Return how many. One statement.
    """
    standing = Alert.objects.filter(rule=rule, resolved_at=None)
    if rule.is_active:
        # However long the rule was on, and whatever it was changed to: what stands goes on while its time is over.
        holds = clocks.run_out(_for_ever(rule), at).filter(subject=OuterRef("subject_id"))
        if rule.trigger in clocks.BY_DEADLINE:
            holds = holds.filter(ran_out_at=OuterRef("due_at"))
        standing = standing.filter(~Exists(holds))
    return standing.update(resolved_at=at)


def _for_ever(rule: Rule) -> Rule:
    return Rule(
        trigger=rule.trigger,
        threshold_hours=rule.threshold_hours,
        to_statuses=rule.to_statuses,
        criticalities=rule.criticalities,
        order_kinds=rule.order_kinds,
        tiers=rule.tiers,
        regions=rule.regions,
    )


def waiting_to_be_raised(rule: Rule, at: datetime) -> Any:
    """Return what a rule's time ran out for and no alert was raised of, in this stay: (subject, event, ran out at)."""
    same_stay = Q(due_at=OuterRef("ran_out_at")) if rule.trigger in clocks.BY_DEADLINE else Q(event=OuterRef("event"))
    known = Alert.objects.filter(same_stay | Q(resolved_at=None), rule=rule, subject_id=OuterRef("subject"))
    return clocks.run_out(rule, at).filter(~Exists(known)).values_list("subject", "event", "ran_out_at")


def raise_some(*, rule: Rule, at: datetime) -> int:
    """Raise a batch of alerts of a rule and tell its audience; return how many there were to raise.

    A fixed number of statements. An alert and its messages are written together or not at all.
    """
    with transaction.atomic():
        found = list(waiting_to_be_raised(rule, at)[:BATCH])
        if not found:
            return 0
        keys = [subject for subject, _event, _ran_out_at in found]
        about = facts.of_subjects(clocks.subjects(rule.trigger, keys))
        events = OrderEvent.objects.in_bulk({event for _subject, event, _ran_out_at in found})
        rows = [
            _row(rule, about[subject], event, ran_out_at, at)
            for subject, event, ran_out_at in found
            if subject in about and event in events
        ]
        with connection.cursor() as cursor:
            cursor.execute(sql.RAISE, {"alerts": as_text(rows)})
            new = {key for (key,) in cursor.fetchall()}
        raised = [
            Raised(row["id"], 1, events[row["event_id"]], about[row["subject_id"]]) for row in rows if row["id"] in new
        ]
        _tell(raised, Compiled.of(rule), at)
    return len(found)


def _row(rule: Rule, fact: facts.Fact, event: UUID, ran_out_at: datetime, at: datetime) -> dict[str, Any]:
    return {
        "id": new_key(),
        "rule_id": rule.pk,
        "event_id": event,
        "subject_kind": clocks.subject_kind(rule.trigger, fact),
        "subject_id": fact.subject_id,
        "reference": fact.reference,
        "trigger": rule.trigger,
        "thread_kind": fact.thread_kind,
        "thread_id": fact.thread_id,
        "region_id": fact.region_id,
        "due_at": ran_out_at,
        "raised_at": at,
    }


def escalate_some(*, level: EscalationLevel, at: datetime) -> int:
    """Tell a level of a batch of alerts that nobody acknowledged in its time; return how many. Six statements or so.

    Levels are told in their order: one is told of what all before it were told of.
    """
    before = [each.level for each in level.rule.levels.all() if each.level < level.level]
    with transaction.atomic():
        alerts = list(
            Alert.objects.filter(
                rule=level.rule,
                level__lte=level.level,
                level__gt=max(before, default=0),
                raised_at__lte=at - timedelta(minutes=level.after_minutes),
                resolved_at=None,
                acknowledged_at=None,
            )
            .select_for_update(skip_locked=True, of=("self",), no_key=True)
            .select_related("event")
            .order_by("raised_at", "id")[:BATCH]
        )
        if not alerts:
            return 0
        Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).update(level=level.level + 1)
        about = facts.of_subjects({(alert.subject_kind, alert.subject_id) for alert in alerts})
        raised = [
            Raised(alert.pk, level.level + 1, alert.event, about[alert.subject_id])
            for alert in alerts
            if alert.subject_id in about
        ]
        _tell(raised, by_level(level), at)
    return len(alerts)


def by_level(level: EscalationLevel) -> Compiled:
    """Return a rule as a level of its escalation says it: to whom, and over which channel."""
    compiled = Compiled.of(level.rule)
    channels = (level.channel, *(other for other in compiled.channels if other != level.channel))
    return replace(compiled, audience=level.audience, channels=channels)


def _tell(raised: Sequence[Raised], rule: Compiled, at: datetime) -> None:
    readers = readers_for({rule.audience}, [one.fact for one in raised], at)
    write_new(planning.plan_alerts(raised, rule, readers, at), caused_at=at)


def acknowledge(*, alert_id: UUID, by: Actor, at: datetime) -> bool:
    """Write down who saw an alert and when, which ends its escalation; tell whether it was the first to.

    A repeat, or somebody else after that, changes nothing. Raises Forbidden, NotFound.
    """
    by.require("notifications.acknowledge_alert")
    changed = Alert.objects.filter(pk=alert_id, acknowledged_at=None).update(
        acknowledged_by=by.reference, acknowledged_at=at
    )
    if not changed and not Alert.objects.filter(pk=alert_id).exists():
        raise NotFound(sentence("There is no such alert."))
    return bool(changed)

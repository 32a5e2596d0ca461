"""What a time ran out for: for each trigger of a rule, the subjects for which it holds now, as the floors below say it.

A row is one stay: `subject` (the key of the line or job), `event` (what began the stay), `ran_out_at`. Between two
sweeps nothing is remembered but the alerts themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import (
    Case,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    When,
)
from django.db.models.functions import Coalesce

from backorders.models import BackOrder
from backorders.overview import at_risk
from backorders.statuses import BACK_ORDER_WAITING
from notifications.facts import Fact
from notifications.models import DeadLetter, Rule
from notifications.statuses import DeadState, Trigger
from orders.models import OrderEvent, ServiceOrder
from orders.statuses import SERVICE_ORDER_OPEN, SLA_REPAIR, SLA_RESPONSE, SubjectKind

#: What these triggers watch runs towards a deadline that may move: another deadline is another stay.
BY_DEADLINE = (Trigger.PROMISE_NEAR, Trigger.PROMISE_BROKEN, Trigger.SLA_NEAR, Trigger.SLA_BROKEN)
#: These speak of lines, the others of jobs.
OF_LINES = (Trigger.LINE_WAITS, Trigger.PROMISE_NEAR, Trigger.PROMISE_BROKEN)
_CLOCKS = (SLA_RESPONSE, SLA_REPAIR)
_PROMISES = ("line.promise_changed", "line.promise_derived")


def subjects(trigger: str, keys: Iterable[UUID]) -> set[tuple[str, UUID]]:
    """Return what a trigger's alerts are about, each with its kind; where that may be a job or a parts order, both."""
    kinds: tuple[str, ...] = (SubjectKind.LINE.value,) if trigger in OF_LINES else (SubjectKind.SERVICE_ORDER.value,)
    if trigger == Trigger.UNTOLD:
        kinds = (SubjectKind.SERVICE_ORDER.value, SubjectKind.PARTS_ORDER.value)
    return {(kind, key) for key in keys for kind in kinds}


def subject_kind(trigger: str, fact: Fact) -> str:
    """Return what an alert of a trigger is about."""
    if trigger == Trigger.UNTOLD:
        return fact.thread_kind
    return SubjectKind.LINE.value if trigger in OF_LINES else SubjectKind.SERVICE_ORDER.value


def run_out(rule: Rule, at: datetime) -> QuerySet[Any]:
    """Return what a rule's time has run out for, under its conditions. Orders for tests and training are left out.

    A rule speaks of what ran out since it was switched on; one that warns, of whatever is about to run out.
    """
    ahead = timedelta(hours=rule.threshold_hours or 0)
    since = rule.active_since
    match rule.trigger:
        case Trigger.LINE_WAITS:
            found = waiting_lines(BackOrder.objects.waiting(), rule, ahead).filter(opened_at__lte=at - ahead)
            return found.filter(opened_at__gte=since - ahead) if since else found
        case Trigger.PROMISE_NEAR:
            near = at_risk(at.date()).filter(
                line__promised_on__gte=at.date(), line__promised_on__lt=(at + ahead).date()
            )
            return _promised(_lines(near, rule))
        case Trigger.PROMISE_BROKEN:
            broken = BackOrder.objects.promise_overdue((at - ahead).date())
            if since:
                broken = broken.filter(line__promised_on__gte=(since - ahead).date())
            return _promised(_lines(broken, rule))
        case Trigger.SLA_NEAR:
            return _due(_jobs(rule).late(at + ahead).filter(due_at__gte=at))
        case Trigger.SLA_BROKEN:
            over = _jobs(rule).late(at - ahead)
            return _due(over.filter(due_at__gte=since - ahead) if since else over)
        case Trigger.UNTOLD:
            return _untold(rule, at - ahead, since - ahead if since else None)
    stuck = _jobs(rule).filter(
        status__in=[status for status in rule.to_statuses if status in SERVICE_ORDER_OPEN] or SERVICE_ORDER_OPEN,
        status_since__lte=at - ahead,
    )
    if since:
        stuck = stuck.filter(status_since__gte=since - ahead)
    return stuck.annotate(subject=F("pk"), event=_stands_since(), ran_out_at=_later("status_since", ahead))


def waiting_lines(back_orders: QuerySet[Any], rule: Rule, ahead: timedelta) -> QuerySet[Any]:
    """Return back orders that a rule speaks of, with when they had waited for so long."""
    return _lines(back_orders, rule).annotate(event=_waits_since(), ran_out_at=_later("opened_at", ahead))


def _lines(waiting: QuerySet[Any], rule: Rule) -> QuerySet[Any]:
    """Keep the waiting lines that a rule speaks of."""
    found = waiting.filter(Q(line__order__service_order=None) | Q(line__order__service_order__is_test=False))
    found = found.filter(is_test=False)
    if rule.criticalities:
        found = found.filter(part__criticality__in=rule.criticalities)
    if rule.order_kinds:
        found = found.filter(line__order__kind__in=rule.order_kinds)
    if rule.tiers:
        found = found.filter(customer__tier__in=rule.tiers)
    if rule.regions:
        found = found.filter(region__in=rule.regions)
    return found.order_by().annotate(subject=F("line_id"))


def _jobs(rule: Rule) -> Any:
    """Keep the open jobs that a rule speaks of: none where it asks for a part or a kind of parts order."""
    found = ServiceOrder.objects.production().filter(status__in=SERVICE_ORDER_OPEN).order_by()
    if rule.criticalities or rule.order_kinds:
        return found.none()
    if rule.tiers:
        found = found.filter(customer__tier__in=rule.tiers)
    if rule.regions:
        found = found.filter(region__in=rule.regions)
    return found


def _untold(rule: Rule, until: datetime, since: datetime | None) -> QuerySet[Any]:
    """Return the orders of machines that are down of which somebody could not be told: of each, its first letter."""
    earlier = DeadLetter.objects.filter(
        Q(found_at__lt=OuterRef("found_at")) | Q(found_at=OuterRef("found_at"), id__lt=OuterRef("id")),
        thread_id=OuterRef("thread_id"),
        state=DeadState.OPEN,
        machine_down=True,
    )
    found = DeadLetter.objects.filter(
        ~Exists(earlier),
        state=DeadState.OPEN,
        machine_down=True,
        thread_kind__in=[SubjectKind.SERVICE_ORDER, SubjectKind.PARTS_ORDER],
        found_at__lte=until,
    ).order_by()
    if rule.criticalities or rule.order_kinds:
        return found.none()
    if since:
        found = found.filter(found_at__gte=since)
    if rule.tiers:
        found = found.filter(tier__in=rule.tiers)
    if rule.regions:
        found = found.filter(region__in=rule.regions)
    return found.annotate(subject=F("thread_id"), ran_out_at=F("found_at"))


def _promised(found: QuerySet[Any]) -> QuerySet[Any]:
    named = OrderEvent.objects.filter(subject_id=OuterRef("line_id"), kind__in=_PROMISES).order_by("-version")
    return found.annotate(
        event=Coalesce(_first_of(named), _waits_since()),
        ran_out_at=Func(
            F("line__promised_on"),
            template="((%(expressions)s + 1)::timestamp AT TIME ZONE 'UTC')",
            output_field=DateTimeField(),
        ),
    )


def _due(found: QuerySet[Any]) -> QuerySet[Any]:
    """Say since when the clock of a contract runs that runs now: that of the response, or that of the repair."""
    response, repair = (
        _first_of(_steps().filter(to_status__in=phase).exclude(from_status__in=phase)) for phase in _CLOCKS
    )
    began = Coalesce(Case(When(status__in=SLA_REPAIR, then=repair), default=response), _created())
    return found.filter(due_at__isnull=False).annotate(subject=F("pk"), event=began, ran_out_at=F("due_at"))


def _steps() -> QuerySet[OrderEvent]:
    """Return the real steps of a subject, the last first: neither what it passed through nor what was filed late."""
    steps = OrderEvent.objects.filter(subject_id=OuterRef("pk"), passed_through=False).exclude(kind__endswith="_filed")
    return steps.order_by("-version")


def _first_of(events: QuerySet[OrderEvent]) -> Subquery:
    return Subquery(events.values("pk")[:1])


def _created() -> Subquery:
    return _first_of(OrderEvent.objects.filter(subject_id=OuterRef("pk"), version=1))


def _waits_since() -> Coalesce:
    """The event that brought a back order into the queue."""
    entered = _steps().filter(to_status__in=BACK_ORDER_WAITING).exclude(from_status__in=BACK_ORDER_WAITING)
    return Coalesce(_first_of(entered), _created())


def _stands_since() -> Coalesce:
    """The event that brought a job where it stands."""
    return Coalesce(_first_of(_steps().filter(to_status=OuterRef("status"))), _created())


def _later(field: str, ahead: timedelta) -> ExpressionWrapper:
    return ExpressionWrapper(F(field) + ahead, output_field=DateTimeField())

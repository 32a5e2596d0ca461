"""Times that run out: raised once for each stay, told level by level, until somebody saw it or it is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from backorders.models import BackOrder
from notifications.actions import alerting
from notifications.models import Alert, EscalationLevel, Message, Rule, Template
from notifications.statuses import Audience, Channel, Trigger
from orders.actions import lines, service_orders
from orders.models import OrderLine, ServiceOrder
from parts.actors import Actor
from parts.errors import Forbidden, NotFound
from parts.models import Part
from tests.notifications.telling import notices, only_rule, sender
from tests.orders.desk import NOBODY, NOW, TOLD, Desk, back_order, leaf, statements, told

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def manager_person(manager: User) -> User:
    """Somebody who is a parts manager hears of alerts."""
    return manager


def later(**after: float) -> datetime:
    return NOW + timedelta(**after)


def alert_rule(trigger: Trigger, hours: int, **fields: Any) -> Rule:
    """Switch every other rule off and one on: parts managers, in their inbox."""
    given: dict[str, Any] = {
        "kinds": [],
        "trigger": trigger,
        "threshold_hours": hours,
        "audience": Audience.PARTS_MANAGERS,
        "channel": Channel.INBOX,
        "template": Template.objects.get(code="staff_alert"),
        "active_since": LONG_AGO,
    }
    return only_rule(**given | fields)


def waiting(desk: Desk, **facts: Any) -> OrderLine:
    """Order what there is none of; return the line that waits."""
    return OrderLine.objects.get(pk=leaf(desk.place(2, **facts), "back_ordered").id)


def promised(desk: Desk, days: int) -> OrderLine:
    line = waiting(desk)
    lines.promise(line_id=line.pk, promised_on=(NOW + timedelta(days=days)).date(), reason="Told", **TOLD)
    return line


def contracted(desk: Desk, **due: datetime) -> ServiceOrder:
    job = desk.job("new", begins="new")
    ServiceOrder.objects.filter(pk=job.pk).update(**due)
    return job


def standing() -> list[str]:
    return sorted(Alert.objects.filter(resolved_at=None).values_list("trigger", flat=True))


def swept(at: datetime) -> tuple[int, int, int]:
    done = alerting.sweep(at=at)
    return done.raised, done.resolved, done.escalated


# --- The triggers ----------------------------------------------------------------------------------------------------


def test_a_line_that_waits_too_long_is_told_once(desk: Desk, manager: User) -> None:
    rule = alert_rule(Trigger.LINE_WAITS, 24)
    line = waiting(desk)
    assert swept(later(hours=23, minutes=59)) == (0, 0, 0)
    assert swept(later(hours=24)) == (1, 0, 0)
    assert swept(later(hours=25)) == (0, 0, 0)
    alert = Alert.objects.get()
    assert (alert.rule, alert.subject_id, alert.due_at, alert.raised_at) == (
        rule,
        line.pk,
        later(hours=24),
        later(days=1),
    )
    assert alert.event.kind == "back_order.opened"
    message = Message.objects.get()
    assert (message.alert, message.alert_level, message.recipient.user) == (alert, 1, manager)
    assert message.notice is not None
    assert (message.notice.thread_id, message.notice.caused_at) == (line.order_id, later(hours=24))


def test_it_is_over_when_the_line_no_longer_waits(desk: Desk) -> None:
    alert_rule(Trigger.LINE_WAITS, 24)
    line = waiting(desk)
    alerting.sweep(at=later(hours=24))
    desk.put(2)
    assert back_order(line.pk).status == "allocated"
    assert swept(later(hours=25)) == (0, 1, 0)
    assert Alert.objects.get().resolved_at == later(hours=25)


@pytest.mark.parametrize(
    "condition",
    [
        {"criticalities": ["B"]},
        {"order_kinds": ["stock"]},
        {"tiers": ["platinum"]},
        {"regions": ["00000000-0000-0000-0000-000000000001"]},
    ],
)
def test_what_its_rule_does_not_speak_of_raises_nothing(desk: Desk, condition: dict[str, Any]) -> None:
    Part.objects.filter(pk=desk.part.pk).update(criticality="A")
    type(desk.customer).objects.filter(pk=desk.customer.pk).update(tier="gold")
    alert_rule(Trigger.LINE_WAITS, 24, **condition)
    waiting(desk)
    assert swept(later(hours=30)) == (0, 0, 0)


def test_what_its_rule_speaks_of_raises_an_alert(desk: Desk) -> None:
    Part.objects.filter(pk=desk.part.pk).update(criticality="A")
    type(desk.customer).objects.filter(pk=desk.customer.pk).update(tier="gold")
    line = waiting(desk)
    region = line.order.region_id
    alert_rule(Trigger.LINE_WAITS, 24, criticalities=["A"], order_kinds=["service"], tiers=["gold"], regions=[region])
    assert swept(later(hours=30)) == (1, 0, 0)


def test_orders_for_training_raise_nothing(desk: Desk) -> None:
    alert_rule(Trigger.LINE_WAITS, 24)
    waiting(desk, is_test=True)
    assert swept(later(hours=30)) == (0, 0, 0)


def test_what_ran_out_before_the_rule_was_switched_on_is_not_told(desk: Desk) -> None:
    alert_rule(Trigger.LINE_WAITS, 24, active_since=later(hours=25))
    waiting(desk)
    assert swept(later(hours=30)) == (0, 0, 0)


def test_a_promise_that_breaks_is_told_when_its_day_is_over(desk: Desk) -> None:
    alert_rule(Trigger.PROMISE_BROKEN, 0)
    line = promised(desk, 3)
    midnight = datetime(2026, 3, 6, tzinfo=UTC)
    assert swept(midnight - timedelta(seconds=1)) == (0, 0, 0)
    assert swept(midnight) == (1, 0, 0)
    alert = Alert.objects.get()
    assert (alert.event.kind, alert.due_at, alert.subject_id) == ("line.promise_changed", midnight, line.pk)


def test_another_promise_ends_the_alert_and_is_watched_for_itself(desk: Desk) -> None:
    alert_rule(Trigger.PROMISE_BROKEN, 0)
    line = promised(desk, 1)
    assert swept(later(days=2)) == (1, 0, 0)
    lines.promise(line_id=line.pk, promised_on=later(days=4).date(), reason="Later", **told(hours=49))
    assert swept(later(days=3)) == (0, 1, 0)
    assert swept(later(days=5)) == (1, 0, 0)
    assert Alert.objects.count() == 2


def test_a_promise_without_supply_is_near_to_break_so_many_hours_before(desk: Desk) -> None:
    alert_rule(Trigger.PROMISE_NEAR, 48)
    promised(desk, 3)
    midnight = datetime(2026, 3, 6, tzinfo=UTC)
    assert swept(midnight - timedelta(hours=48, seconds=1)) == (0, 0, 0)
    assert swept(midnight - timedelta(hours=47)) == (1, 0, 0)
    assert swept(midnight) == (0, 1, 0)


def test_a_promise_whose_supply_comes_in_time_is_not_near_to_break(desk: Desk) -> None:
    alert_rule(Trigger.PROMISE_NEAR, 48)
    line = promised(desk, 1)
    BackOrder.objects.filter(line=line).update(expected_on=NOW.date())
    assert swept(later(hours=1)) == (0, 0, 0)
    BackOrder.objects.filter(line=line).update(expected_on=later(days=5).date())
    assert swept(later(hours=1)) == (1, 0, 0)
    BackOrder.objects.filter(line=line).update(expected_on=NOW.date())
    assert swept(later(hours=2)) == (0, 1, 0)
    BackOrder.objects.filter(line=line).update(expected_on=later(days=5).date())
    assert swept(later(hours=3)) == (0, 0, 0), "the same promise is in danger again: it was told"


def test_a_contract_that_is_nearly_over_and_then_over(desk: Desk) -> None:
    alert_rule(Trigger.SLA_NEAR, 4)
    job = contracted(desk, response_due_at=later(hours=8))
    assert swept(later(hours=3, minutes=59)) == (0, 0, 0)
    assert swept(later(hours=4, minutes=1)) == (1, 0, 0)
    alert = Alert.objects.get()
    assert (alert.subject_kind, alert.subject_id, alert.due_at) == ("service_order", job.pk, later(hours=8))
    assert alert.event.kind == "service_order.created"
    alert_rule(Trigger.SLA_BROKEN, 0)
    assert swept(later(hours=8)) == (0, 1, 0)
    assert swept(later(hours=8, minutes=1)) == (1, 0, 0)


def test_work_that_begins_ends_the_alert_of_the_response_and_the_repair_has_its_own(desk: Desk) -> None:
    alert_rule(Trigger.SLA_BROKEN, 0)
    job = contracted(desk, response_due_at=later(hours=8), repair_due_at=later(hours=20))
    assert swept(later(hours=9)) == (1, 0, 0)
    service_orders.move(service_order_id=job.pk, to="in_progress", **told(hours=10))
    assert swept(later(hours=11)) == (0, 1, 0)
    assert swept(later(hours=21)) == (1, 0, 0)
    assert Alert.objects.latest("raised_at").event.to_status == "in_progress"


def test_an_order_that_is_stuck_is_told_by_its_status(desk: Desk) -> None:
    alert_rule(Trigger.ORDER_STUCK, 72, to_statuses=["in_progress"])
    job = desk.job("in_progress", begins="new")
    assert swept(later(hours=71)) == (0, 0, 0)
    assert swept(later(hours=72)) == (1, 0, 0)
    service_orders.move(service_order_id=job.pk, to="awaiting_parts", **told(hours=80))
    assert swept(later(hours=81)) == (0, 1, 0)
    assert swept(later(hours=400)) == (0, 0, 0)
    service_orders.move(service_order_id=job.pk, to="in_progress", **told(hours=401))
    assert swept(later(hours=473)) == (1, 0, 0)


def test_a_rule_that_is_switched_off_ends_its_alerts(desk: Desk) -> None:
    rule = alert_rule(Trigger.LINE_WAITS, 24)
    waiting(desk)
    alerting.sweep(at=later(hours=24))
    Rule.objects.filter(pk=rule.pk).update(is_active=False)
    assert swept(later(hours=25)) == (0, 1, 0)


# --- Levels ----------------------------------------------------------------------------------------------------------


def levels_of(rule: Rule) -> None:
    for number, minutes, audience, channel in (
        (1, 60, Audience.PARTS_MANAGERS, Channel.EMAIL),
        (2, 240, Audience.ADMINISTRATORS, Channel.INBOX),
    ):
        EscalationLevel.objects.create(
            rule=rule, level=number, after_minutes=minutes, audience=audience, channel=channel
        )


def told_levels() -> list[tuple[int, str, str]]:
    rows = Message.objects.order_by("alert_level").values_list("alert_level", "audience", "channel")
    return [(level, audience, channel) for level, audience, channel in rows]


def test_levels_are_told_one_after_the_other(desk: Desk, manager: User, administrator: User) -> None:
    User.objects.filter(pk=manager.pk).update(email="m@house.example")
    levels_of(alert_rule(Trigger.LINE_WAITS, 24))
    waiting(desk)
    alerting.sweep(at=later(hours=24))
    assert swept(later(hours=24, minutes=59)) == (0, 0, 0)
    assert swept(later(hours=25)) == (0, 0, 1)
    assert swept(later(hours=26)) == (0, 0, 0)
    assert swept(later(hours=28)) == (0, 0, 1)
    assert swept(later(hours=99)) == (0, 0, 0)
    first, second, third = (
        (1, "parts_managers", "inbox"),
        (2, "parts_managers", "email"),
        (3, "administrators", "inbox"),
    )
    assert told_levels() == [first, second, third]
    assert Alert.objects.get().level == 3


def test_who_acknowledges_stops_the_levels_and_is_on_record(desk: Desk, manager: User) -> None:
    levels_of(alert_rule(Trigger.LINE_WAITS, 24))
    waiting(desk)
    alerting.sweep(at=later(hours=24))
    alert, actor = Alert.objects.get(), Actor.user(manager)
    assert alerting.acknowledge(alert_id=alert.pk, by=actor, at=later(hours=24, minutes=30))
    assert not alerting.acknowledge(alert_id=alert.pk, by=Actor.system("test"), at=later(hours=25))
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.acknowledged_at) == (actor.reference, later(hours=24, minutes=30))
    assert swept(later(hours=99)) == (0, 0, 0)


def test_who_may_not_acknowledge_changes_nothing(desk: Desk) -> None:
    alert_rule(Trigger.LINE_WAITS, 24)
    waiting(desk)
    alerting.sweep(at=later(hours=24))
    with pytest.raises(Forbidden):
        alerting.acknowledge(alert_id=Alert.objects.get().pk, by=NOBODY, at=NOW)
    assert Alert.objects.get().acknowledged_at is None


def test_what_does_not_exist_cannot_be_acknowledged(desk: Desk) -> None:
    with pytest.raises(NotFound):
        alerting.acknowledge(alert_id=desk.part.pk, by=Actor.system("test"), at=NOW)


def test_what_is_over_is_not_escalated(desk: Desk) -> None:
    levels_of(alert_rule(Trigger.LINE_WAITS, 24))
    waiting(desk)
    alerting.sweep(at=later(hours=24))
    desk.put(2)
    assert swept(later(hours=99)) == (0, 1, 0)


# --- What goes out ---------------------------------------------------------------------------------------------------


def test_the_notice_says_what_ran_out(desk: Desk) -> None:
    alert_rule(Trigger.LINE_WAITS, 24)
    line = waiting(desk)
    alerting.sweep(at=later(hours=24))
    sender(Channel.INBOX, at=later(hours=24, minutes=1)).step()
    (notice,) = notices()
    assert notice.state == "delivered"
    assert "A line waits longer than allowed" in notice.text
    assert line.order.reference in notice.subject


def test_what_is_over_before_it_goes_out_is_not_said(desk: Desk) -> None:
    alert_rule(Trigger.LINE_WAITS, 24)
    waiting(desk)
    alerting.sweep(at=later(hours=24))
    desk.put(2)
    alerting.sweep(at=later(hours=25))
    sender(Channel.INBOX, at=later(hours=26)).step()
    (notice,) = notices()
    assert notice.state == "dropped"


def test_a_sweep_of_many_takes_as_many_statements_as_one_of_two(desk: Desk) -> None:
    alert_rule(Trigger.LINE_WAITS, 24)
    counted: list[int] = []
    for number, hours in ((2, 24), (12, 26)):
        for _ in range(number):
            waiting(desk, at=later(hours=hours - 24))
        with statements() as sent:
            assert alerting.sweep(at=later(hours=hours)).raised == number
        counted.append(len(sent))
    assert counted[0] >= counted[1]


def test_it_stops_where_its_time_is_over_and_goes_on_the_next_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerting, "BATCH", 2)
    alert_rule(Trigger.LINE_WAITS, 24)
    for _ in range(5):
        waiting(desk)
    answers = iter([True])
    assert alerting.sweep(at=later(hours=24), go_on=lambda: next(answers, False)).raised == 2
    assert alerting.sweep(at=later(hours=24)).raised == 3

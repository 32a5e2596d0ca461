"""Whether people are told in time: what is counted, what excuses a wait and what does not, and that sums are right."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.actions import timeliness as deeds
from notifications.models import Address, ChannelSetting, DailyTimeliness, MaintenanceWindow, Notice, Recipient
from notifications.statuses import Channel
from notifications.timeliness.reading import Place, Timeliness, Told
from notifications.timeliness.rows import PAGE, rows_behind
from orders.actions import service_orders
from orders.models import Customer, OrderEvent
from tests.notifications.telling import one_more_rule, only_rule, sender, tell
from tests.orders.desk import TOLD, Desk, statements

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
THAT_DAY = MONDAY.date()
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def reader(dispatcher: User) -> Recipient:
    return Recipient.objects.create(user=dispatcher)


def notice(reader: Recipient, took: timedelta | None = 30 * SECOND, **fields: Any) -> Notice:
    """Write a notice down that was caused at nine on Monday, and how long it took from there; None: not yet."""
    asked: dict[str, Any] = {
        "caused_at": MONDAY,
        "target_seconds": 120,
        "channel": "email",
        "thread_kind": "x",
    } | fields
    caused = asked["caused_at"]
    asked |= {"due_at": caused, "thread_id": "00000000-0000-7000-8000-000000000000"}
    if took is not None:
        asked |= {"state": asked.get("state", "sent"), "handed_over_at": caused + took}
    one = Notice.objects.create(recipient=reader, **asked)
    Notice.objects.filter(pk=one.pk).update(created_at=caused + 2 * SECOND)
    return one


def read(since: date = THAT_DAY, until: date | None = None, at: datetime = MONDAY + DAY) -> Timeliness:
    return Timeliness(since, until or since, at)


def told(**asked: Any) -> dict[str, tuple[int, int]]:
    """Return by channel how many notices there are, and how many of them in time."""
    found: dict[str, Told] = {}
    for place, count in read(**asked).told().items():
        found[place.channel] = found.get(place.channel, Told()) + count
    return {channel: (count.notices, count.in_time) for channel, count in found.items()}


def lost(reader: Recipient, state: str = "dead", **fields: Any) -> Notice:
    return notice(reader, None, state=state, ended_at=fields.get("caused_at", MONDAY) + HOUR, **fields)


# --- What counts ------------------------------------------------------------------------------------------------------


def test_a_notice_is_in_time_up_to_its_target(reader: Recipient):
    notice(reader, 120 * SECOND)
    notice(reader, 120 * SECOND + timedelta(microseconds=1))
    notice(reader, 600 * SECOND, target_seconds=600)
    assert told() == {"email": (3, 2)}


def test_what_could_not_be_sent_was_not_in_time_and_what_was_dropped_counts_nowhere(reader: Recipient):
    lost(reader)
    for state in ("discarded", "replayed", "told"):
        lost(reader, state)
    lost(reader, "dead", fell_back=True)
    lost(reader, "dropped")
    assert told() == {"email": (5, 0)}


def test_what_still_has_time_counts_when_it_has_none_left(reader: Recipient):
    notice(reader, None)
    assert told(at=MONDAY + 120 * SECOND) == {}
    assert told(at=MONDAY + 121 * SECOND) == {"email": (1, 0)}
    assert read(at=MONDAY + 121 * SECOND).overdue() == 1


def test_what_a_window_holds_is_not_overdue(reader: Recipient):
    notice(reader, None)
    MaintenanceWindow.objects.create(name="x", reason="x", starts_at=MONDAY, ends_at=MONDAY + HOUR, made_by="x")
    MaintenanceWindow.objects.update(source="erp")
    reading = read(at=MONDAY + 30 * MINUTE)
    assert len(rows_behind(reading, reading.told()).notices) == 1
    Notice.objects.update(sources=["erp"])
    reading = read(at=MONDAY + 30 * MINUTE)
    assert reading.told() == {}
    assert rows_behind(reading, {Place(THAT_DAY, "email"): Told(1, 0)}).notices == []


def test_a_notice_belongs_to_the_day_its_clock_began(reader: Recipient):
    late = datetime(2026, 3, 9, 23, 59, 30, tzinfo=UTC)
    notice(reader, 60 * SECOND, caused_at=late)
    assert list(read().told()) == [Place(late.date(), "email")]
    notice(reader, 60 * SECOND, caused_at=late, held_until=late + HOUR)
    found = read(until=late.date() + DAY).told()
    assert {place.day for place in found} == {late.date(), late.date() + DAY}


# --- What excuses -----------------------------------------------------------------------------------------------------


def clock_of(desk: Desk, **rule: Any) -> Callable[[], Notice]:
    """Let a customer be told of a job; return what reads the one notice."""
    only_rule(**rule)
    desk.job("new")
    tell()
    return lambda: Notice.objects.get()


def test_nothing_is_excused_by_default(desk: Desk):
    one = clock_of(desk)
    caused = one().caused_at
    sender(at=caused + 5 * MINUTE).step()
    assert (one().held_until, one().measured_from) == (None, caused)
    assert told(since=caused.date(), until=caused.date() + DAY, at=caused + DAY) == {"email": (1, 0)}


def test_a_digest_is_measured_from_its_hour(desk: Desk):
    one = clock_of(desk, timing="digest")
    assert one().held_until == one().due_at
    sender(at=one().due_at + MINUTE).step()
    assert one().measured_from == one().due_at
    assert sum(told(since=one().due_at.date(), at=one().due_at + DAY)["email"]) == 2


def test_quiet_hours_are_measured_from_their_end(desk: Desk):
    one = clock_of(desk)
    caused = one().caused_at
    Recipient.objects.update(
        time_zone="UTC", quiet_from=(caused - HOUR).time().replace(tzinfo=None), quiet_until=(caused + HOUR).time()
    )
    sender(at=caused + MINUTE).step()
    assert one().state == "waiting"
    assert one().measured_from == one().due_at == one().held_until
    assert one().measured_from > caused


def window(starts_at: datetime, ends_at: datetime, **fields: Any) -> None:
    asked = {"name": "Works", "reason": "Works", "made_by": "user:1"}
    MaintenanceWindow.objects.create(**asked | fields, starts_at=starts_at, ends_at=ends_at)


def test_a_window_is_measured_from_its_end_and_two_in_a_row_from_the_last_ones(desk: Desk):
    one = clock_of(desk)
    caused = one().caused_at
    window(caused - HOUR, caused + HOUR)
    window(caused + HOUR, caused + 2 * HOUR, channel="email")
    window(caused + HOUR, caused + 9 * HOUR, channel="sms")
    assert sender(at=caused + 90 * MINUTE).step() == 0
    assert sender(at=caused + 2 * HOUR + MINUTE).step() == 1
    assert one().held_until == caused + 2 * HOUR


def test_a_window_does_not_excuse_what_was_late_before_it(desk: Desk):
    one = clock_of(desk)
    caused = one().caused_at
    window(caused + 10 * MINUTE, caused + HOUR)
    assert sender(at=caused + HOUR + MINUTE).step() == 1
    assert one().held_until is None


def test_a_window_that_was_over_before_excuses_nothing(desk: Desk):
    one = clock_of(desk)
    caused = one().caused_at
    window(caused - 2 * HOUR, caused - HOUR)
    assert sender(at=caused + HOUR).step() == 1
    assert one().held_until is None


def test_a_window_excuses_nothing_that_cannot_be_muted(desk: Desk):
    one = clock_of(desk, cannot_be_muted=True)
    caused = one().caused_at
    window(caused - HOUR, caused + HOUR)
    assert sender(at=caused + 2 * HOUR).step() == 1
    assert (one().held_until, one().measured_from) == (None, caused)


def test_a_window_excuses_what_cannot_be_muted_where_the_channel_is_down(desk: Desk):
    one = clock_of(desk, cannot_be_muted=True)
    caused = one().caused_at
    window(caused - HOUR, caused + HOUR, channel="email", channel_is_down=True)
    Address.objects.filter(channel="sms").delete()
    assert sender(at=caused + MINUTE).step() == 0
    assert sender(at=caused + 2 * HOUR).step() == 1
    assert one().held_until == caused + HOUR


def test_a_window_holds_news_until_one_joins_that_cannot_be_muted(desk: Desk):
    one = clock_of(desk, to_statuses=["new"])
    caused = one().caused_at
    window(caused - HOUR, caused + 4 * HOUR)
    one_more_rule(cannot_be_muted=True, to_statuses=["in_progress"])
    service_orders.move(service_order_id=one().thread_id, to="in_progress", **TOLD)
    tell()
    joined = OrderEvent.objects.filter(to_status="in_progress").get().recorded_at
    assert sender(at=joined + MINUTE).step() == 1
    assert one().held_until == joined


def test_news_that_join_keep_the_first_ones_clock_and_the_shortest_target(desk: Desk):
    one = clock_of(desk, target_seconds=300)
    caused = one().caused_at
    one_more_rule(target_seconds=60, kinds=["note.added"])
    assert one().target_seconds == 300
    assert one().measured_from == caused


# --- The sums ---------------------------------------------------------------------------------------------------------


def several(reader: Recipient) -> None:
    for number in range(40):
        caused = MONDAY + number * 7 * HOUR
        channel = list(Channel)[number % 4]
        if number % 10 == 9:
            lost(reader, caused_at=caused, channel=channel)
        else:
            delivered = caused + timedelta(seconds=9 * number + 1) if channel == "inbox" else None
            notice(
                reader,
                timedelta(seconds=9 * number),
                caused_at=caused,
                channel=channel,
                state="delivered" if delivered else "sent",
                delivered_at=delivered,
            )


def all_of(reading: Timeliness) -> Any:
    return reading.told(), reading.spans()


def test_what_is_added_up_is_what_the_notices_say(reader: Recipient):
    several(reader)
    end = MONDAY.date() + timedelta(days=20)
    raw = all_of(read(until=end))
    assert sum(count.notices for count in raw[0].values()) == 40
    at = timezone.now() + DAY
    deeds.add_up(at=at)
    rolled = read(until=end)
    assert rolled.fresh == []
    assert all_of(rolled) == raw
    assert deeds.add_up(at=at + DAY) == 0
    deeds.add_up_all(at=at + DAY)
    assert all_of(read(until=end)) == raw


def test_what_happens_after_it_was_added_up_is_read_at_once(reader: Recipient):
    several(reader)
    deeds.add_up(at=MONDAY + 30 * DAY)
    late = lost(reader, caused_at=MONDAY + 2 * DAY)
    Notice.objects.filter(pk=late.pk).update(ended_at=MONDAY + 31 * DAY)
    reading = read(until=MONDAY.date() + timedelta(days=20))
    assert reading.fresh == [MONDAY.date() + timedelta(days=2)]
    assert sum(count.notices for count in reading.told().values()) == 41
    assert deeds.add_up(at=MONDAY + 32 * DAY) == 1
    assert sum(DailyTimeliness.objects.values_list("notices", flat=True)) == 41


def test_percentiles_are_right_to_a_tenth(reader: Recipient):
    for seconds in range(1, 101):
        notice(reader, timedelta(seconds=seconds + 2))
    spans = read().spans()
    sent = spans["email", "sent"]
    assert sent.notices == 100
    assert sent.p50 == pytest.approx(50, rel=0.1)
    assert sent.p95 == pytest.approx(95, rel=0.1)
    assert spans["email", "written"].p95 == pytest.approx(2, rel=0.1)
    assert ("email", "delivered") not in spans


@pytest.mark.django_db(transaction=True)
def test_the_figures_are_compared_with_the_notices(reader: Recipient, capsys: pytest.CaptureFixture[str]):
    several(reader)
    deeds.add_up(at=timezone.now() + DAY)
    days = ["--since", "2026-03-01", "--until", "2026-04-30"]
    call_command("compare_figures", *days)
    assert "notification_timeliness" in capsys.readouterr().out
    DailyTimeliness.objects.filter(channel="email").update(in_time=0)
    with pytest.raises(Exception, match="differ"):
        call_command("compare_figures", *days)


# --- The rows behind it -----------------------------------------------------------------------------------------------


def test_the_rows_are_as_many_as_the_figure_counts(reader: Recipient):
    several(reader)
    for number in range(PAGE + 7):
        notice(reader, timedelta(seconds=100 + number), caused_at=MONDAY + number * MINUTE)
    notice(reader, None, caused_at=MONDAY)
    reading = read(until=MONDAY.date() + timedelta(days=20), at=MONDAY + 30 * DAY)
    counts = reading.told()
    for met in (None, True, False):
        for channel in ("", "email", "sms", "chat"):
            wanted = sum(
                {None: count.notices, True: count.in_time, False: count.notices - count.in_time}[met]
                for place, count in counts.items()
                if channel in ("", place.channel)
            )
            found: list[Notice] = []
            after: str | None = ""
            while after is not None:
                page = rows_behind(reading, counts, channel=channel, met=met, after=after)
                found += page.notices
                after = page.next
            assert len({one.pk for one in found}) == len(found) == wanted
            assert found == sorted(found, key=lambda one: (one.measured_from, one.pk), reverse=True)


def test_reading_costs_the_same_over_any_number_of_notices(reader: Recipient):
    def cost() -> int:
        with statements() as queries:
            reading = read(until=MONDAY.date() + timedelta(days=20))
            counts = reading.told()
            reading.spans()
            rows_behind(reading, counts)
        return len(queries)

    notice(reader)
    few = cost()
    several(reader)
    assert cost() == few == 7


def test_claiming_costs_no_more_statements_for_windows(desk: Desk):
    one = clock_of(desk)
    Customer.objects.update(email="")
    ChannelSetting.objects.update(per_second=1000)
    for hours in range(5):
        window(one().caused_at - (hours + 2) * HOUR, one().caused_at - (hours + 1) * HOUR)
    with CaptureQueriesContext(connection) as queries:
        sender(at=one().caused_at + HOUR).step()
    assert len(queries) < 40

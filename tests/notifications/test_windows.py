"""Maintenance windows: what they hold and let pass, and that they are made, changed and ended once, on record."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from notifications import window_list
from notifications.actions import sending, windows
from notifications.actions.windows import SILENCE, Wanted, WindowHolds, WindowOver
from notifications.models import Address, ChannelSetting, MaintenanceWindow, Notice
from notifications.statuses import NoticeState, WhenStale
from orders.actions import service_orders
from orders.models import ServiceOrder
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, NotFound, VersionConflict
from parts.keys import new_key
from tests.notifications.telling import notices, one_more_rule, only_rule, sender, tell
from tests.orders.desk import TOLD, Desk, only

pytestmark = pytest.mark.django_db
SILENCER = only(SILENCE)


def wanted(at: datetime | None = None, hours: float = 4, **more: Any) -> Wanted:
    at = at or timezone.now()
    given: dict[str, Any] = {"name": "Mail moves", "reason": "The server is changed"}
    return Wanted(**given | {"starts_at": at, "ends_at": at + timedelta(hours=hours)} | more)


def made(at: datetime | None = None, hours: float = 4, **more: Any) -> MaintenanceWindow:
    at = at or timezone.now()
    return windows.make(wanted=wanted(at, hours, **more), by=SILENCER, at=at)


def step(job: ServiceOrder, to: str) -> None:
    service_orders.move(service_order_id=job.pk, to=to, **TOLD)
    tell()


# --- What it holds ---------------------------------------------------------------------------------------------------


def test_what_is_held_goes_out_merged_when_it_ends_and_is_counted(desk: Desk) -> None:
    only_rule()
    window = made()
    job = desk.job("new")
    for to in ("in_progress", "awaiting_parts"):
        step(job, to)
    assert sender().step() == 0
    held = window_list.held_now(window, timezone.now() + timedelta(seconds=2))
    assert (held.notices, held.messages, held.orders, held.customers, held.house) == (1, 3, 1, 1, 0)
    assert [one.reference for one in held.first] == [job.reference]
    assert sender(hours=5).step() == 1
    came = window_list.came_of(window)
    assert (came.notices, came.messages, came.sent, came.dropped) == (1, 3, 1, 0)


def test_what_no_window_held_counts_for_none(desk: Desk) -> None:
    only_rule()
    window = made(region_id=desk.customer.region_id, source="elsewhere")
    desk.job("new")
    tell()
    assert sender().step() == 1
    assert window_list.came_of(window).notices == 0


def test_what_cannot_be_muted_passes_a_window(desk: Desk) -> None:
    only_rule(cannot_be_muted=True)
    window = made()
    desk.job("new")
    tell()
    assert window_list.held_now(window, timezone.now() + timedelta(seconds=2)).notices == 0
    assert sender().step() == 1


def test_what_cannot_be_muted_takes_the_news_of_its_notice_along(desk: Desk) -> None:
    only_rule()
    one_more_rule(kinds=["service_order.created"], cannot_be_muted=True)
    made()
    desk.job("new")
    tell()
    assert sender().step() == 1


def test_what_cannot_be_muted_waits_where_the_channel_itself_is_down_and_there_is_no_other(desk: Desk) -> None:
    only_rule(cannot_be_muted=True)
    window = made(channel="email", channel_is_down=True)
    desk.job("new")
    tell()
    Address.objects.filter(channel="sms").delete()
    assert sender().step() == 0
    assert window_list.held_now(window, timezone.now() + timedelta(seconds=2)).notices == 1
    assert sender(hours=5).step() == 1


@pytest.mark.parametrize(
    ("of_rule", "of_window", "state"),
    [
        (WhenStale.DROP, "", NoticeState.DROPPED),
        (WhenStale.TELL, "", NoticeState.DELIVERED),
        (WhenStale.TELL, WhenStale.DROP, NoticeState.DROPPED),
        (WhenStale.DROP, WhenStale.TELL, NoticeState.DELIVERED),
    ],
)
def test_old_news_are_told_or_dropped_as_the_window_says_else_as_the_rule_does(
    desk: Desk, of_rule: str, of_window: str, state: str
) -> None:
    only_rule(when_stale=of_rule)
    job = desk.job("in_progress")
    tell()
    sender().step()
    Notice.objects.update(handed_over_at=timezone.now() - timedelta(hours=1))
    window = made(when_stale=of_window)
    for to in ("awaiting_parts", "in_progress"):
        step(job, to)
    assert sender(hours=1).step() == 0
    sender(hours=5).step()
    assert [notice.state for notice in notices(held_by=window)] == [state]
    came = window_list.came_of(window)
    assert (came.sent, came.dropped) == ((0, 1) if state == NoticeState.DROPPED else (1, 0))


def test_what_overlapping_windows_hold_goes_out_when_the_last_is_over(desk: Desk) -> None:
    only_rule()
    made(hours=2)
    now = timezone.now()
    made(hours=6, channel="email")
    desk.job("new")
    tell()
    assert sender(hours=3).step() == 0
    assert sender(hours=7).step() == 1
    assert len(window_list.overlapping(wanted(now, 1))) == 2


def test_a_cancelled_window_holds_nothing(desk: Desk) -> None:
    only_rule()
    now = timezone.now()
    window = made(now + timedelta(hours=1))
    windows.cancel(window_id=window.pk, why="Put off", by=SILENCER, at=now)
    desk.job("new")
    tell()
    assert sender(hours=2).step() == 1


# --- How it is made, changed and ended -------------------------------------------------------------------------------


def test_only_who_may_silence_makes_changes_ends_or_cancels(desk: Desk) -> None:
    window, nobody = made(), only("notifications.view_maintenancewindow")
    at = timezone.now()
    deeds: list[Any] = [
        lambda: windows.make(wanted=wanted(), by=nobody, at=at),
        lambda: windows.change(window_id=window.pk, wanted=wanted(), why="x", version=1, by=nobody, at=at),
        lambda: windows.end(window_id=window.pk, why="x", by=nobody, at=at),
        lambda: windows.cancel(window_id=window.pk, why="x", by=nobody, at=at),
    ]
    for deed in deeds:
        with pytest.raises(Forbidden):
            deed()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"),
        ({"reason": ""}, "reason"),
        ({"ends_at": timedelta()}, "ends_at"),
        ({"ends_at": timedelta(days=15)}, "ends_at"),
        ({"starts_at": -timedelta(hours=1)}, "starts_at"),
        ({"channel": "pigeon"}, "channel"),
        ({"channel_is_down": True}, "channel"),
        ({"when_stale": "burn"}, "when_stale"),
        ({"region_id": "01a20565-8874-71e1-81be-2e7d280139ca"}, "region"),
    ],
)
def test_what_cannot_be_a_window_is_refused_at_its_field(wrong: dict[str, Any], field: str) -> None:
    at = timezone.now()
    given: dict[str, Any] = {
        name: at + value if isinstance(value, timedelta) else value for name, value in wrong.items()
    }
    with pytest.raises(Invalid) as refused:
        windows.make(wanted=wanted(at, **given), by=SILENCER, at=at)
    assert list(refused.value.extra["fields"]) == [field]
    assert not MaintenanceWindow.objects.exists()


def test_the_database_takes_no_window_without_an_end_in_sight() -> None:
    at = timezone.now()
    with pytest.raises(IntegrityError, match="window_not_too_long"), transaction.atomic():
        MaintenanceWindow.objects.create(name="x", reason="y", starts_at=at, ends_at=at + timedelta(days=15))


def test_ending_twice_ends_once(manager: User) -> None:
    at = timezone.now()
    window = made(at)
    by = Actor.user(manager)
    later = at + timedelta(hours=1)
    assert windows.end(window_id=window.pk, why="Done early", by=by, at=later) is True
    assert windows.end(window_id=window.pk, why="Once more", by=by, at=later) is False
    window.refresh_from_db()
    assert (window.ends_at, window.ended_by, window.version) == (later, f"user:{manager.pk}", 2)
    last, first = window_list.history_of(window)
    assert (last.history_user, last.history_change_reason) == (manager, "Done early")
    assert first.history_change_reason == "The server is changed"


def test_what_has_begun_is_ended_and_what_has_not_is_cancelled() -> None:
    at = timezone.now()
    holding, coming = made(at), made(at + timedelta(hours=1))
    later = at + timedelta(minutes=1)
    with pytest.raises(WindowHolds):
        windows.cancel(window_id=holding.pk, why="x", by=SILENCER, at=later)
    with pytest.raises(WindowOver):
        windows.end(window_id=coming.pk, why="x", by=SILENCER, at=later)
    assert windows.cancel(window_id=coming.pk, why="x", by=SILENCER, at=later) is True
    assert windows.cancel(window_id=coming.pk, why="x", by=SILENCER, at=later) is False
    with pytest.raises(NotFound):
        windows.end(window_id=new_key(), why="x", by=SILENCER, at=later)


def test_a_change_keeps_the_beginning_of_what_holds_and_sees_who_was_first() -> None:
    at = timezone.now()
    window = made(at)
    later = at + timedelta(hours=1)
    longer = wanted(later, 5)
    windows.change(window_id=window.pk, wanted=longer, why="It takes longer", version=1, by=SILENCER, at=later)
    window.refresh_from_db()
    assert (window.starts_at, window.ends_at, window.version) == (at, later + timedelta(hours=5), 2)
    with pytest.raises(VersionConflict):
        windows.change(window_id=window.pk, wanted=longer, why="x", version=1, by=SILENCER, at=later)
    with pytest.raises(WindowOver):
        windows.change(
            window_id=window.pk, wanted=longer, why="x", version=2, by=SILENCER, at=later + timedelta(days=1)
        )


def test_what_would_have_been_held_is_counted_by_the_hours_of_the_clock_over_a_change_of_the_clocks() -> None:
    """In Berlin the clocks went back on 25 October 2026: 9:00 was 7:00 UTC the week before, 8:00 UTC after it."""
    zone = ZoneInfo("Europe/Berlin")
    starts = datetime(2026, 10, 28, 9, tzinfo=zone)
    with timezone.override(zone):
        weeks = window_list.would_hold(wanted(starts.astimezone(UTC), 1), datetime(2026, 10, 27, 12, tzinfo=UTC))
    assert [str(week.day) for week in weeks] == ["2026-10-21", "2026-10-14", "2026-10-07", "2026-09-30"]


def test_what_went_out_in_the_same_hours_is_what_would_have_been_held(desk: Desk) -> None:
    only_rule()
    desk.job("new")
    tell()
    sender().step()
    now = timezone.now()
    Notice.objects.update(handed_over_at=now - timedelta(days=7) + timedelta(minutes=30))
    weeks = window_list.would_hold(wanted(now, 1), now)
    assert [week.notices for week in weeks] == [1, 0, 0, 0]
    assert [week.customers for week in weeks] == [1, 0, 0, 0]
    assert window_list.would_hold(wanted(now, 1, channel="sms"), now)[0].notices == 0


def test_a_night_in_which_the_clocks_change_is_in_the_calendar_once_a_day() -> None:
    zone = ZoneInfo("Europe/Berlin")
    at = datetime(2026, 10, 24, 12, tzinfo=UTC)
    window = windows.make(wanted=wanted(datetime(2026, 10, 24, 22, tzinfo=zone), 9), by=SILENCER, at=at)
    with timezone.override(zone):
        days = [one for week in window_list.month_of(at.date().replace(day=1)) for one in week if one.windows]
    assert [one.day.day for one in days] == [24, 25]
    window.refresh_from_db()
    assert window.ends_at - window.starts_at == timedelta(hours=10)  # an hour more than the clock on the wall says


# --- Races -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_window_waits_for_a_claim_that_runs_and_the_next_claim_sees_it(desk: Desk) -> None:
    only_rule()
    desk.job("new")
    tell()
    claims, decided = Event(), Event()

    def claiming() -> int:
        try:
            with transaction.atomic():
                found = sending.claim(channel="email", most=10, at=timezone.now() + timedelta(seconds=1))
                claims.set()
                assert not decided.wait(0.5)  # the window waits for this claim to end
            return len(found)
        finally:
            claims.set()
            connection.close()

    def silencing() -> None:
        try:
            assert claims.wait(10)
            made(channel="email")
            decided.set()
        finally:
            decided.set()
            connection.close()

    with ThreadPoolExecutor(2) as both:
        claimed = both.submit(claiming)
        silent = both.submit(silencing)
        assert claimed.result(30) == 1
        silent.result(30)
    desk.job("new")
    tell()
    ChannelSetting.objects.filter(pk="email").update(tokens=10)
    assert sending.claim(channel="email", most=10, at=timezone.now() + timedelta(seconds=1)) == []
    assert Notice.objects.filter(state=NoticeState.WAITING, held_by__isnull=False).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_end_it_at_once_one_does(db: None) -> None:
    window = made(channel="email")
    at = timezone.now() + timedelta(minutes=1)

    def ending(why: str) -> bool:
        try:
            return windows.end(window_id=window.pk, why=why, by=SILENCER, at=at)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as both:
        done = sorted(both.map(ending, ["first", "second"]))
    assert done == [False, True]
    assert MaintenanceWindow.history.count() == 2

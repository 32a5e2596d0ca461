"""Digests of stuck orders: what they find, when they come, that they come once, and who is told what."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications import stuck
from notifications.actions import digests, preferences
from notifications.actions.digests import Wanted
from notifications.actions.preferences import Wishes
from notifications.models import Address, ChannelSetting, DigestIssue, DigestSubscription, Notice, Recipient
from notifications.statuses import Channel, DigestOutcome
from notifications.stuck import Asked
from orders.actions import lines, service_orders
from orders.models import OrderEvent, PartsOrder, ServiceOrder
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, NotFound, Refused
from tests.notifications.post import Post
from tests.notifications.telling import sender
from tests.orders.desk import NOW, TOLD, Desk, told

pytestmark = pytest.mark.django_db

#: Monday 2026-03-09, a week after what the desk does; 09:00 UTC.
MONDAY = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _reached(db: None, dispatcher: User) -> None:
    User.objects.filter(pk=dispatcher.pk).update(email="dora@house.example", first_name="Dora", last_name="Disk")


def make(person: User, at: datetime = MONDAY, **fields: Any) -> DigestSubscription:
    """Make a digest at 10:00 UTC every day."""
    wanted = Wanted(**{"name": "Mine", "hour": 10, **fields})
    return digests.make(wanted=wanted, by=Actor.user(person), at=at)


def issues() -> list[tuple[date, str]]:
    return [(one.local_date, one.outcome) for one in DigestIssue.objects.order_by("local_date", "subscription")]


def fire(at: datetime) -> int:
    return digests.fire_due(at=at).told


def send(at: datetime, channel: str = Channel.EMAIL) -> list[Notice]:
    """Send what waits on a channel; return all notices, the oldest first."""
    sender(channel, at=at).step()
    return list(Notice.objects.order_by("id"))


# --- What is stuck ----------------------------------------------------------------------------------------------------


def asked(person: User, filters: str = "", days: int = 3) -> Asked:
    return Asked(filters, days, person)


def found(person: User, at: datetime, filters: str = "", days: int = 3) -> list[str]:
    return sorted(job.reference for job in stuck.jobs_of(asked(person, filters, days), at))


def test_an_order_is_stuck_after_more_than_three_days_in_one_status(desk: Desk, dispatcher: User):
    job = desk.job("in_progress", begins="new")
    since = ServiceOrder.objects.get(pk=job.pk).status_since
    assert found(dispatcher, since + timedelta(days=3)) == []
    assert found(dispatcher, since + timedelta(days=3, microseconds=1)) == [job.reference]
    assert found(dispatcher, since + timedelta(days=3, microseconds=1), days=4) == []


def test_time_in_a_status_is_the_ledgers_own_dwell(desk: Desk, dispatcher: User):
    walked = desk.job("new", begins="new")
    service_orders.fast_forward(service_order_id=walked.pk, to="with_manufacturer", **told(hours=30))
    put = desk.job("new", begins="new")
    service_orders.override(
        service_order_id=put.pk, to="ready_for_return", reason="It was done by phone", reference="T-1", **told(hours=50)
    )
    noted = desk.job("new", begins="new")
    service_orders.move(service_order_id=noted.pk, to="in_progress", note="Begun", **told(hours=10))
    for job, hours in ((walked, 30), (put, 50), (noted, 10)):
        row = ServiceOrder.objects.get(pk=job.pk)
        last = (
            OrderEvent.objects.filter(subject_id=job.pk, passed_through=False)
            .exclude(to_status="")
            .order_by("-version")
            .first()
        )
        assert last is not None
        assert row.status_since == last.occurred_at == NOW + timedelta(hours=hours)
    at = NOW + timedelta(days=3, hours=31)
    assert found(dispatcher, at) == sorted([walked.reference, noted.reference])


def test_closed_orders_and_those_of_training_are_not_stuck(desk: Desk, dispatcher: User):
    desk.job("in_progress", begins="new", is_test=True)
    done = desk.job("ready_for_return", begins="new")
    service_orders.move(service_order_id=done.pk, to="completed", **told(hours=1))
    assert found(dispatcher, NOW + timedelta(days=99)) == []


def test_filters_are_those_of_the_board(desk: Desk, dispatcher: User, technician: User):
    job, other = desk.job("in_progress", begins="new"), desk.job("new", begins="new")
    ServiceOrder.objects.filter(pk=job.pk).update(technician=technician)
    late = NOW + timedelta(days=9)
    assert found(dispatcher, late, f"technician={technician.pk}") == [job.reference]
    assert found(dispatcher, late, "technician=nobody") == [other.reference]
    assert found(dispatcher, late, "as=table&status=new") == [other.reference]
    assert found(dispatcher, late, f"region={desk.customer.region.code}") == sorted([job.reference, other.reference])
    assert found(dispatcher, late, "region=NOWHERE") == []
    assert found(dispatcher, late, "technician=what") == []


def test_who_is_not_of_the_house_finds_nothing(desk: Desk, partner: User):
    desk.job("in_progress", begins="new")
    assert found(partner, NOW + timedelta(days=9)) == []


# --- Parts orders without a job ---------------------------------------------------------------------------------------


def parts_found(person: User, at: datetime, filters: str = "", days: int = 3) -> list[str]:
    return sorted(order.reference for order in stuck.parts_orders_of(asked(person, filters, days), at))


def placed(desk: Desk, **facts: Any) -> PartsOrder:
    """Place an order at the counter; its part is reserved at once."""
    desk.put(1)
    return PartsOrder.objects.get(pk=desk.place(1, **facts).id)


def test_a_parts_order_without_a_job_is_stuck_after_more_than_three_days_in_one_status(desk: Desk, dispatcher: User):
    order = placed(desk)
    assert parts_found(dispatcher, NOW + timedelta(days=3)) == []
    assert parts_found(dispatcher, NOW + timedelta(days=3, microseconds=1)) == [order.reference]
    assert parts_found(dispatcher, NOW + timedelta(days=3, microseconds=1), days=4) == []


def test_a_step_of_its_lines_that_moves_it_on_ends_its_time_there(desk: Desk, dispatcher: User):
    order = placed(desk)
    lines.move(line_id=order.lines.get().pk, to="released", **told(hours=30))
    order.refresh_from_db()
    assert order.status_since == NOW + timedelta(hours=30)
    assert parts_found(dispatcher, NOW + timedelta(days=4)) == []


def test_parts_orders_of_a_job_of_training_and_closed_ones_are_not_told_of(desk: Desk, dispatcher: User):
    job = desk.job("in_progress", begins="new")
    placed(desk, service_order_id=job.pk)
    placed(desk, is_test=True)
    lines.cancel(line_id=placed(desk).lines.get().pk, reason="Not needed", **TOLD)
    assert parts_found(dispatcher, NOW + timedelta(days=99)) == []


@pytest.mark.parametrize(
    ("filters", "is_found"),
    [
        ("", True),
        ("technician=nobody", False),
        ("late=true", False),
        ("waits_for_parts=true", False),
        ("machine_down=true", True),
        ("region=NOWHERE", False),
        ("customer_named=nobody-at-all", False),
        ("search=P-0", True),
        ("search=nothing", False),
        ("status=new", False),
        ("parts_status=reserved", True),
        ("parts_status=back_ordered", False),
        ("status=new&parts_status=reserved", True),
        ("days_in_status=99", True),
    ],
)
def test_filters_narrow_parts_orders_as_far_as_they_speak_of_them(
    desk: Desk, dispatcher: User, filters: str, is_found: bool
):
    placed(desk, kind="emergency")
    assert bool(parts_found(dispatcher, NOW + timedelta(days=9), filters)) is is_found


@pytest.mark.parametrize(("about", "kinds"), [("", "SP"), ("about=jobs", "S"), ("about=parts_orders", "P")])
def test_a_digest_speaks_of_jobs_of_parts_orders_or_of_both(desk: Desk, dispatcher: User, about: str, kinds: str):
    job, order = desk.job("in_progress", begins="new"), placed(desk)
    at, key = NOW + timedelta(days=9), uuid4()
    wanted = {key: asked(dispatcher, about)}
    both = sorted([job, order], key=lambda one: (one.status_since, one.pk)) if kinds == "SP" else []
    assert stuck.counts(wanted, at) == {key: len(kinds)}
    assert [one.reference[0] for one in stuck.read(wanted, at)[key].orders] == (
        [one.reference[0] for one in both] or [*kinds]
    )
    assert len(stuck.page(wanted[key], at, None, 50)) == len(kinds)


def test_the_longest_of_both_come_first_and_page_by_page_none_is_missed(desk: Desk, dispatcher: User):
    jobs, orders = [desk.job("new", begins="new") for _ in range(4)], [placed(desk) for _ in range(4)]
    for number, (job, order) in enumerate(zip(jobs, orders, strict=True)):
        same = NOW - timedelta(hours=number // 2)
        ServiceOrder.objects.filter(pk=job.pk).update(status_since=same)
        PartsOrder.objects.filter(pk=order.pk).update(status_since=same)
    at, ask = NOW + timedelta(days=9), asked(dispatcher)
    every = stuck.page(ask, at, None, 50)
    assert len(every) == 8
    assert [stuck.place_of(one) for one in every] == sorted(stuck.place_of(one) for one in every)
    paged: list[Any] = []
    while more := stuck.page(ask, at, stuck.place_of(paged[-1]) if paged else None, 3):
        paged += more
    assert [one.pk for one in paged] == [one.pk for one in every]


def test_a_digest_names_a_parts_order_with_whose_it_is_and_who_acts(desk: Desk, dispatcher: User):
    order = placed(desk)
    make(dispatcher, channel="inbox", filters="about=parts_orders")
    assert fire(MONDAY + HOUR) == 1
    (notice,) = send(MONDAY + HOUR, Channel.INBOX)
    assert f"{order.reference}, {desk.customer.name}: Reserved for" in notice.text
    assert "Next: The warehouse" in notice.text
    assert f"/desk/parts-orders/{order.reference}/" in notice.text


# --- Coming -----------------------------------------------------------------------------------------------------------


def test_a_digest_comes_at_its_hour_and_says_what_is_stuck(desk: Desk, dispatcher: User, post: Post):
    job = desk.job("awaiting_parts", begins="new")
    one = make(dispatcher)
    assert one.next_at == MONDAY + HOUR
    assert fire(MONDAY + HOUR - timedelta(seconds=1)) == 0
    assert fire(MONDAY + HOUR) == 1
    (notice,) = send(MONDAY + HOUR)
    assert (notice.state, notice.thread_kind, notice.messages_count) == ("sent", "stuck", 0)
    assert notice.subject.endswith("1 order stands still")
    assert f"{job.reference}, {desk.customer.name}: Awaiting Parts for 7 days" in notice.text
    assert "Next: Parts managers" in notice.text
    assert f"/desk/orders/{job.reference}/" in notice.text
    assert f"/messages/digests/{one.pk}/orders/" in notice.text
    assert f"/messages/digests/{one.pk}/\n" in notice.text
    assert len(post.taken) == 1
    assert issues() == [(MONDAY.date(), "told")]


def test_a_day_is_told_once_however_often_the_clock_is_asked(desk: Desk, dispatcher: User):
    desk.job("awaiting_parts", begins="new")
    one = make(dispatcher)
    for minutes in range(4):
        fire(MONDAY + HOUR + timedelta(minutes=minutes))
        DigestSubscription.objects.filter(pk=one.pk).update(next_at=MONDAY + HOUR)  # as if nobody had moved it on
    assert Notice.objects.count() == 1
    assert issues() == [(MONDAY.date(), "told")]


def test_nothing_to_say_is_not_said_unless_asked_for(desk: Desk, dispatcher: User):
    make(dispatcher, name="Quiet")
    make(dispatcher, name="Each day", says_nothing=True)
    assert fire(MONDAY + HOUR) == 1
    (notice,) = send(MONDAY + HOUR)
    assert notice.subject.endswith("no order stands still")
    assert sorted(outcome for _day, outcome in issues()) == ["nothing", "told"]


def test_what_was_solved_before_it_went_out_is_not_said(desk: Desk, dispatcher: User):
    job = desk.job("in_progress", begins="new")
    make(dispatcher)
    assert fire(MONDAY + HOUR) == 1
    service_orders.move(service_order_id=job.pk, to="awaiting_parts", **told(hours=24 * 7 + 1))
    (notice,) = send(MONDAY + 2 * HOUR)
    assert (notice.state, notice.error) == ("dropped", "There is nothing to say.")


def test_hours_missed_in_an_outage_are_not_made_up_for(desk: Desk, dispatcher: User):
    desk.job("in_progress", begins="new")
    make(dispatcher)
    back = MONDAY + timedelta(days=4, hours=3)  # Friday, two hours after its hour; four more were missed
    assert fire(back) == 1
    assert issues() == [(date(2026, 3, 13), "told")]
    assert DigestSubscription.objects.get().next_at == MONDAY + timedelta(days=5, hours=1)


def test_after_half_a_day_the_latest_hour_is_of_no_use_either(desk: Desk, dispatcher: User):
    desk.job("in_progress", begins="new")
    make(dispatcher)
    assert fire(MONDAY + HOUR + timedelta(hours=12, seconds=1)) == 0
    assert issues() == [(MONDAY.date(), "missed")]
    assert fire(MONDAY + timedelta(days=1) + HOUR) == 1


def test_a_digest_that_waits_for_days_is_sent_once(desk: Desk, dispatcher: User):
    desk.job("in_progress", begins="new")
    make(dispatcher)
    for days in range(3):
        fire(MONDAY + HOUR + timedelta(days=days))
    (notice,) = send(MONDAY + timedelta(days=2, hours=2))
    assert notice.state in ("sent", "delivered")
    assert [outcome for _day, outcome in issues()] == ["told"] * 3
    assert set(DigestIssue.objects.values_list("notice", flat=True)) == {notice.pk}


def test_one_that_is_stopped_says_nothing_any_more(desk: Desk, dispatcher: User):
    desk.job("in_progress", begins="new")
    one = make(dispatcher)
    fire(MONDAY + HOUR)
    assert digests.switch(digest_id=one.pk, on=False, by=Actor.user(dispatcher), at=MONDAY + HOUR)
    assert not digests.switch(digest_id=one.pk, on=False, by=Actor.user(dispatcher), at=MONDAY + HOUR)
    (notice,) = send(MONDAY + 2 * HOUR)
    assert (notice.state, notice.error) == ("dropped", "Its reader stopped the digest.")
    assert fire(MONDAY + timedelta(days=3)) == 0
    assert digests.switch(digest_id=one.pk, on=True, by=Actor.user(dispatcher), at=MONDAY + timedelta(days=3))
    assert DigestSubscription.objects.get().next_at == MONDAY + timedelta(days=3) + HOUR


def test_a_change_of_hour_tells_no_day_twice(desk: Desk, dispatcher: User):
    desk.job("in_progress", begins="new")
    one = make(dispatcher)
    fire(MONDAY + HOUR)
    digests.change(
        digest_id=one.pk, wanted=Wanted("Mine", hour=15), by=Actor.user(dispatcher), at=MONDAY + timedelta(hours=2)
    )
    assert fire(MONDAY + timedelta(hours=10)) == 0
    assert DigestSubscription.objects.get().next_at == datetime(2026, 3, 10, 15, tzinfo=UTC)


def test_a_reader_who_moves_is_told_by_the_clocks_there(desk: Desk, dispatcher: User):
    desk.job("in_progress", begins="new")
    make(dispatcher)
    fire(MONDAY + HOUR)
    wishes = Wishes("", "America/New_York", None, None, None, 7, [], [])
    preferences.change(wishes=wishes, by=Actor.user(dispatcher), at=MONDAY + 2 * HOUR)
    assert DigestSubscription.objects.get().next_at == datetime(2026, 3, 10, 14, tzinfo=UTC)  # 10:00 EDT
    assert fire(datetime(2026, 3, 10, 13, 59, tzinfo=UTC)) == 0
    assert fire(datetime(2026, 3, 10, 14, tzinfo=UTC)) == 1


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), [1]), (date(2026, 10, 25), [0])])
def test_an_hour_that_clocks_leave_out_or_repeat_is_told_once(
    desk: Desk, dispatcher: User, day: date, hours: list[int]
):
    desk.job("in_progress", begins="new")
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - 2 * HOUR
    make(dispatcher, at=midnight, hour=2, time_zone="Europe/Berlin")
    minutes = [midnight + timedelta(minutes=15 * number) for number in range(24)]
    assert [at.hour for at in minutes if fire(at)] == hours
    assert issues() == [(day, "told")]


def test_muted_readers_and_those_who_lost_their_right_are_told_nothing(desk: Desk, dispatcher: User, manager: User):
    desk.job("in_progress", begins="new")
    make(dispatcher)
    make(manager)
    Recipient.objects.filter(user=dispatcher).update(muted_until=MONDAY + timedelta(days=1))
    manager.groups.clear()
    assert fire(MONDAY + HOUR) == 0
    assert sorted(outcome for _day, outcome in issues()) == ["forbidden", "muted"]


def test_who_loses_the_right_before_it_goes_out_reads_nothing(desk: Desk, dispatcher: User):
    desk.job("in_progress", begins="new")
    make(dispatcher)
    fire(MONDAY + HOUR)
    dispatcher.groups.clear()
    (notice,) = send(MONDAY + HOUR)
    assert (notice.state, notice.text) == ("dropped", "")


def test_only_the_regions_that_its_reader_works_for_are_told(desk: Desk, dispatcher: User):
    desk.job("in_progress", begins="new")
    make(dispatcher)
    Recipient.objects.filter(user=dispatcher).update(regions=["00000000-0000-7000-8000-000000000000"])
    assert fire(MONDAY + HOUR) == 0
    assert issues() == [(MONDAY.date(), "nothing")]


def test_without_an_address_it_is_read_in_the_house(desk: Desk, dispatcher: User):
    User.objects.filter(pk=dispatcher.pk).update(email="")
    desk.job("in_progress", begins="new")
    make(dispatcher)
    fire(MONDAY + HOUR)
    (notice,) = send(MONDAY + HOUR, Channel.INBOX)
    assert (notice.channel, notice.state) == ("inbox", "delivered")


def test_one_that_cannot_be_mailed_is_read_in_the_house(desk: Desk, dispatcher: User, post: Post):
    desk.job("in_progress", begins="new")
    make(dispatcher)
    fire(MONDAY + HOUR)
    Address.objects.filter(recipient__user=dispatcher).update(state="off", off_at=MONDAY, off_reason="bounced")
    send(MONDAY + HOUR)
    dead, instead = send(MONDAY + HOUR, Channel.INBOX)
    assert (dead.state, dead.fell_back) == ("dead", True)
    assert (instead.channel, instead.state) == ("inbox", "delivered")
    assert DigestIssue.objects.get().notice == instead


@pytest.mark.parametrize(
    ("language", "says"), [("de", "1 Auftrag steht still"), ("es", "1 pedido está parado"), ("", "1 order stands")]
)
def test_it_speaks_the_language_that_was_chosen(desk: Desk, dispatcher: User, language: str, says: str):
    desk.job("in_progress", begins="new")
    make(dispatcher, language=language)
    fire(MONDAY + HOUR)
    (notice,) = send(MONDAY + HOUR)
    assert says in notice.subject
    assert notice.language == (language or "en")


def test_more_than_fifty_orders_are_counted(desk: Desk, dispatcher: User):
    jobs = [desk.job("new", begins="new") for _ in range(53)]
    make(dispatcher)
    fire(MONDAY + HOUR)
    (notice,) = send(MONDAY + HOUR)
    assert notice.subject.endswith("53 orders stand still")
    assert "and 3 more" in notice.text
    assert sum(job.reference in notice.text for job in jobs) == 50
    assert DigestIssue.objects.get().found == 53


def test_statements_do_not_grow_with_the_number_of_digests_and_orders(desk: Desk, dispatcher: User, manager: User):
    def cost(at: datetime) -> list[int]:
        counted = []
        for deed in (lambda: fire(at), lambda: send(at, Channel.INBOX)):
            with CaptureQueriesContext(connection) as queries:
                deed()
            counted.append(len(queries))
        return counted

    ChannelSetting.objects.update(per_second=1000)
    desk.job("in_progress", begins="new")
    make(dispatcher, channel="inbox")
    make(manager, channel="inbox")
    few = cost(MONDAY + HOUR)
    for number in range(9):
        desk.job("in_progress", begins="new")
        make(dispatcher, name=f"No. {number}", channel="inbox")
    many = cost(MONDAY + timedelta(days=1) + HOUR)
    assert Notice.objects.count() == 13
    assert many == few


# --- Making them ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("days", 0),
        ("days", 366),
        ("hour", 24),
        ("weekdays", ()),
        ("weekdays", (8,)),
        ("time_zone", "Mars/Olympus"),
        ("language", "tlh"),
        ("channel", "sms"),
        ("filters", "x" * 601),
    ],
)
def test_what_cannot_be_is_refused_by_field(dispatcher: User, field: str, value: Any):
    with pytest.raises(Invalid) as refusal:
        make(dispatcher, **{field: value})
    assert list(refusal.value.extra["fields"]) == [field]
    assert not DigestSubscription.objects.exists()


def test_a_name_is_ones_own_once(dispatcher: User, manager: User):
    make(dispatcher)
    make(manager)
    with pytest.raises(Invalid):
        make(dispatcher)


def test_there_are_not_any_number_of_digests(dispatcher: User):
    for number in range(digests.MOST):
        make(dispatcher, name=f"No. {number}")
    with pytest.raises(Refused):
        make(dispatcher, name="One more")


def test_digests_are_for_who_may_and_ones_own_only(dispatcher: User, manager: User, technician: User):
    with pytest.raises(Forbidden):
        make(technician)
    with pytest.raises(Forbidden):
        digests.make(wanted=Wanted("Mine"), by=Actor.system("x"), at=MONDAY)
    one = make(dispatcher)
    for deed in (
        lambda by: digests.change(digest_id=one.pk, wanted=Wanted("Yours"), by=by, at=MONDAY),
        lambda by: digests.switch(digest_id=one.pk, on=False, by=by, at=MONDAY),
        lambda by: digests.delete(digest_id=one.pk, by=by),
    ):
        with pytest.raises(NotFound):
            deed(Actor.user(manager))
    assert DigestSubscription.objects.get().name == "Mine"


def test_a_deleted_digest_says_nothing_any_more(desk: Desk, dispatcher: User):
    desk.job("in_progress", begins="new")
    one = make(dispatcher)
    fire(MONDAY + HOUR)
    digests.delete(digest_id=one.pk, by=Actor.user(dispatcher))
    (notice,) = send(MONDAY + HOUR)
    assert notice.state == "dropped"


def test_every_outcome_is_known_to_the_database():
    assert set(DigestOutcome.values) == {"told", "nothing", "missed", "muted", "forbidden"}

"""The way of a notice out of the house: over a real mail server, merged, tried again, never twice, never lost."""

from __future__ import annotations

from datetime import time, timedelta
from email.message import EmailMessage

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from notifications.actions import sending
from notifications.models import Address, ChannelSetting, MaintenanceWindow, Message, Notice, Recipient
from notifications.sending import Sender
from notifications.statuses import Audience, Channel, NoticeState, OffReason, WhenStale
from notifications.transports import HandedOver
from notifications.transports.ways import Outgoing
from orders.actions import service_orders
from orders.models import Customer, ServiceOrder
from tests.notifications.post import Post
from tests.notifications.telling import notices, one_more_rule, only_rule, sender, tell
from tests.orders.desk import TOLD, Desk

pytestmark = pytest.mark.django_db


def step(job: ServiceOrder, to: str) -> None:
    service_orders.move(service_order_id=job.pk, to=to, **TOLD)
    tell()


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_a_notice_says_where_the_order_stands_when_it_goes_out(desk: Desk, post: Post):
    only_rule()
    job = desk.job("new")
    for to in ("in_progress", "awaiting_parts"):
        step(job, to)
    assert sender().step() == 1
    (mail,) = post.taken
    assert (mail["To"], mail["Subject"]) == ("ada@customer.example", f"{job.reference}: Waiting for parts")
    assert text_of(mail).count("Waiting for parts") == 2  # once above, once as the last thing that happened
    assert "Being worked on" not in text_of(mail)  # it no longer is
    (notice,) = notices()
    assert (notice.state, notice.attempts) == (NoticeState.SENT, 1)
    assert mail["Message-ID"] == f"<{notice.pk}@localhost>"
    assert sender().step() == 0


def test_a_notice_is_in_its_readers_language(desk: Desk, post: Post):
    Customer.objects.filter(pk=desk.customer.pk).update(language="de-AT")
    only_rule()
    desk.job("new")
    tell()
    sender().step()
    assert str(post.taken[0]["Subject"]).endswith(": Wartet auf einen Techniker")


def test_the_link_of_a_notice_opens_the_order_and_stays_the_same(desk: Desk, post: Post, client: object):
    only_rule()
    ChannelSetting.objects.filter(channel="email").update(gap_seconds=0)
    job = desk.job("new")
    tell()
    sender().step()
    step(job, "in_progress")
    sender().step()
    links = {line.split()[-1] for mail in post.taken for line in text_of(mail).splitlines() if "/track/" in line}
    assert len(post.taken) == 2
    assert len(links) == 1


def test_what_joins_while_it_is_being_sent_is_said_by_a_notice_of_its_own(desk: Desk):
    only_rule()
    job = desk.job("new")
    tell()
    joining = _Joining(job)
    first = Sender("email", joining)
    first.step()
    sent, follows = notices(thread_id=job.pk)
    assert (sent.state, follows.state) == (NoticeState.SENT, NoticeState.WAITING)
    assert [message.event.to_status for message in Message.objects.filter(notice=follows)] == ["in_progress"]


class _Joining:
    """A way out during which something else happens to the order."""

    is_local = False

    def __init__(self, job: ServiceOrder) -> None:
        self.job = job

    def send(self, outgoing: Outgoing) -> HandedOver:
        step(self.job, "in_progress")
        return HandedOver()

    def close(self) -> None:
        """Hold nothing."""


def test_two_notices_of_one_order_keep_their_distance_unless_urgent(desk: Desk, post: Post):
    only_rule()
    job = desk.job("new")
    tell()
    sender().step()
    step(job, "in_progress")
    assert sender().step() == 0
    assert sender(hours=0.1).step() == 1
    one_more_rule(importance=90, is_urgent=True)
    step(job, "awaiting_parts")
    assert sender(hours=0.1).step() == 1


def test_a_refusal_for_now_is_tried_again_later_each_time(desk: Desk, post: Post):
    only_rule()
    desk.job("new")
    tell()
    post.answers = ["451 Try later"] * 3
    pauses, at = [], timezone.now() + timedelta(seconds=1)
    for _ in range(3):
        assert sender(at=at).step() == 1
        (notice,) = notices()
        assert (notice.state, notice.error) == (NoticeState.WAITING, "451 Try later")
        pauses.append((notice.due_at - at).total_seconds())
        assert sender(at=notice.due_at - timedelta(seconds=1)).step() == 0
        at = notice.due_at
    assert sender(at=at).step() == 1
    assert [22 <= pauses[0] <= 38, 94 <= pauses[1] <= 146, 382 <= pauses[2] <= 578] == [True] * 3
    (notice,) = notices()
    assert notice.state == NoticeState.SENT
    assert [(one.number, one.succeeded) for one in notice.tries.all()] == [
        (1, False),
        (2, False),
        (3, False),
        (4, True),
    ]
    assert len(post.taken) == 1


def test_news_join_a_notice_that_is_being_tried_again_and_do_not_hurry_it(desk: Desk, post: Post):
    only_rule()
    job = desk.job("new")
    tell()
    post.answers = ["451 Try later"]
    sender().step()
    due_at = notices()[0].due_at
    step(job, "in_progress")
    (notice,) = notices()
    assert (notice.due_at, notice.messages_count) == (due_at, 2)
    sender(at=due_at).step()
    assert [mail["Subject"] for mail in post.taken] == [f"{job.reference}: Being worked on"]


def test_a_dead_mailbox_switches_its_address_off_and_falls_back(desk: Desk, post: Post):
    only_rule(fallbacks=["sms"])
    desk.job("new")
    tell()
    post.answers = ["550 No such user"]
    sender().step()
    dead, instead = notices(thread_kind="service_order")
    assert [one.channel for one in notices(thread_kind="address_off")] == ["sms"]  # its owner is told
    assert (dead.state, dead.fell_back, dead.error) == (NoticeState.DEAD, True, "550 No such user")
    assert (instead.channel, instead.state) == ("sms", NoticeState.WAITING)
    assert Address.objects.get(channel="email").off_reason == OffReason.BOUNCED
    assert Message.objects.filter(notice=instead).count() == Message.objects.filter(notice=dead).count() > 0


def test_what_fails_for_good_with_nothing_to_fall_back_on_stays_to_be_looked_at(desk: Desk, post: Post):
    only_rule()
    ChannelSetting.objects.filter(channel="email").update(most_attempts=2)
    desk.job("new")
    tell()
    post.answers = ["451 Try later"] * 2
    sender().step()
    sender(hours=1).step()
    (notice,) = notices()
    assert (notice.state, notice.fell_back, notice.attempts) == (NoticeState.DEAD, False, 2)


def test_a_reader_who_hears_it_by_sms_anyway_does_not_hear_it_twice(desk: Desk, post: Post):
    only_rule(fallbacks=["sms"], importance=10)
    one_more_rule(channel="sms")
    desk.job("new")
    tell()
    post.answers = ["550 No such user"]
    sender().step()
    assert {(notice.channel, notice.state) for notice in notices()} == {("email", "dead"), ("sms", "waiting")}
    per_event = Message.objects.filter(channel="sms").values_list("event_id", flat=True)
    assert len(per_event) == len(set(per_event))


def test_a_sender_that_was_killed_is_taken_up_under_the_same_number(desk: Desk, post: Post):
    only_rule()
    desk.job("new")
    tell()
    (claimed,) = sending.claim(channel="email", most=10, at=timezone.now() + timedelta(seconds=1))
    assert sender().step() == 0  # it may be on its way
    assert sender(hours=1).step() == 1
    assert [mail["Message-ID"] for mail in post.taken] == [f"<{claimed}@localhost>"]


def test_where_twice_is_worse_than_not_at_all_a_killed_sender_falls_back(desk: Desk, post: Post):
    only_rule(channel="sms", fallbacks=["email"])
    ChannelSetting.objects.filter(channel="sms").update(resend_in_doubt=False)
    desk.job("new")
    tell()
    sending.claim(channel="sms", most=10, at=timezone.now() + timedelta(seconds=1))
    assert sender("sms", hours=1).step() == 0
    assert sender(hours=1).step() == 1
    assert {(notice.channel, notice.state) for notice in notices()} == {("sms", "dead"), ("email", "sent")}


def test_an_outcome_that_comes_after_its_claim_lapsed_changes_nothing(desk: Desk, post: Post):
    only_rule()
    desk.job("new")
    tell()
    late = sender()
    claimed = sending.claim(channel="email", most=10, at=late.clock())
    before = Notice.objects.select_related("recipient__customer", "recipient__user").get(pk=claimed[0])
    sender(hours=1).step()
    late._send([before.pk], late.clock())
    assert [(one.number, one.succeeded) for one in notices()[0].tries.all()] == [(2, True)]


def test_a_maintenance_window_holds_what_it_names_and_lets_it_go_as_one(desk: Desk, post: Post):
    only_rule()
    job = desk.job("new")
    tell()
    now = timezone.now()
    window = MaintenanceWindow.objects.create(
        name="ERP upgrade", reason="Version 8", starts_at=now, ends_at=now + timedelta(hours=4), source="test"
    )
    for to in ("in_progress", "awaiting_parts", "with_manufacturer"):
        step(job, to)
    assert sender(hours=1).step() == 0
    assert sender(at=window.ends_at).step() == 1
    assert [mail["Subject"] for mail in post.taken] == [f"{job.reference}: At the manufacturer"]


@pytest.mark.parametrize("held", [{"source": "erp"}, {"channel": "sms"}], ids=["another system", "another channel"])
def test_a_maintenance_window_of_something_else_holds_nothing(desk: Desk, post: Post, held: dict[str, str]):
    only_rule()
    desk.job("new")
    tell()
    now = timezone.now()
    MaintenanceWindow.objects.create(name="x", reason="y", starts_at=now, ends_at=now + timedelta(hours=4), **held)
    assert sender(hours=1).step() == 1


def test_nobody_is_disturbed_in_their_quiet_hours_but_for_what_is_urgent(desk: Desk, post: Post):
    only_rule()
    job = desk.job("new")
    tell()
    Recipient.objects.update(quiet_from=time(20), quiet_until=time(7), time_zone="Europe/Berlin")
    at_night = (timezone.now() + timedelta(days=2)).replace(hour=23, minute=0, second=0, microsecond=0)
    assert sender(at=at_night).step() == 1
    assert post.taken == []
    (notice,) = notices()
    assert (notice.state, notice.attempts) == (NoticeState.WAITING, 0)
    assert 6 <= (notice.due_at - at_night).total_seconds() / 3600 <= 8
    one_more_rule(importance=90, is_urgent=True)
    step(job, "in_progress")
    assert sender(at=at_night).step() == 1
    assert len(post.taken) == 1


def test_news_that_undid_themselves_are_dropped_where_the_rule_says_so(desk: Desk, post: Post):
    only_rule(when_stale=WhenStale.DROP)
    job = desk.job("in_progress")
    tell()
    sender().step()
    step(job, "awaiting_parts")
    step(job, "in_progress")
    sender(hours=1).step()
    assert len(post.taken) == 1
    assert notices()[-1].state == NoticeState.DROPPED


def test_what_joins_while_old_news_are_dropped_is_told(desk: Desk, post: Post):
    only_rule(when_stale=WhenStale.DROP)
    job = desk.job("in_progress")
    tell()
    sender().step()
    step(job, "awaiting_parts")
    step(job, "in_progress")
    late = sender(hours=1)
    (claimed,) = sending.claim(channel="email", most=10, at=late.clock())
    notice = Notice.objects.get(pk=claimed)
    messages = list(Message.objects.filter(notice=notice))
    step(job, "awaiting_parts")
    sending.drop(notice=notice, messages=messages, why="old news", at=late.clock())
    assert [one.state for one in notices(thread_id=job.pk)] == ["sent", "dropped", "waiting"]
    sender(hours=2).step()
    assert [mail["Subject"] for mail in post.taken][-1] == f"{job.reference}: Waiting for parts"


def test_a_channel_sends_no_more_than_it_bears(desk: Desk, post: Post):
    only_rule()
    ChannelSetting.objects.filter(channel="email").update(per_second=2, per_day=3)
    for _ in range(6):
        desk.job("new")
    tell()
    at = timezone.now() + timedelta(seconds=1)
    counts = [sender(at=at + timedelta(seconds=second)).step() for second in range(4)]
    assert counts == [2, 1, 0, 0]
    assert sender(at=at + timedelta(days=1)).step() == 2


def test_a_channel_that_is_off_keeps_what_it_has(desk: Desk, post: Post):
    only_rule()
    ChannelSetting.objects.filter(channel="email").update(is_on=False)
    desk.job("new")
    tell()
    assert sender().step() == 0
    ChannelSetting.objects.filter(channel="email").update(is_on=True)
    assert sender().step() == 1


def test_nothing_leaves_the_house_by_default(desk: Desk):
    only_rule()
    desk.job("new")
    tell()
    sender().step()
    (notice,) = notices()
    assert notice.state == NoticeState.DELIVERED
    assert "Waiting for a technician" in notice.text


def test_a_note_for_staff_only_is_never_in_a_customers_notice(desk: Desk, dispatcher: User):
    only_rule(kinds=["note.added"])
    one_more_rule(kinds=["note.added"], audience=Audience.DISPATCHERS, channel=Channel.INBOX)
    job = desk.job("new")
    service_orders.add_note(service_order_id=job.pk, text="Customer is in arrears", **TOLD)
    tell()
    sender().step()
    sender("inbox").step()
    said = {notice.channel: notice.text for notice in notices()}
    assert "arrears" not in said["email"]
    assert "arrears" in said["inbox"]


@pytest.mark.parametrize("title", ["Leak\r\nBcc: all@example.org", "<b>Leak</b> & {{ order.reference }}"])
def test_what_people_typed_gets_into_neither_headers_nor_html(desk: Desk, post: Post, title: str):
    only_rule()
    job = desk.job("new")
    ServiceOrder.objects.filter(pk=job.pk).update(title=title)
    tell()
    sender().step()
    (mail,) = post.taken
    assert mail["Bcc"] is None
    html = mail.get_body(("html",))
    assert html is not None
    assert "<b>Leak" not in html.get_content()
    assert "{{" not in str(mail["Subject"])


def test_after_an_outage_each_reader_gets_one_notice_for_each_order(desk: Desk, post: Post, dispatcher: User):
    """Four hours without a mail server, 500 events on 40 orders: one message per order and channel, none missing."""
    only_rule()
    one_more_rule(kinds=["service_order.status_changed", "note.added"], audience=Audience.DISPATCHERS)
    jobs = [desk.job("new", begins="new") for _ in range(40)]
    ChannelSetting.objects.filter(channel="email").update(per_second=1000, most_attempts=100)
    post.answers = ["421 Closed"] * 100_000
    at = timezone.now()
    for number in range(500):
        job = jobs[number % 40]
        ServiceOrder.objects.get(pk=job.pk)
        if number % 80 < 40:
            to = "in_progress" if (number // 80) % 2 == 0 else "new"
            service_orders.move(service_order_id=job.pk, to=to, **TOLD)
        else:
            service_orders.add_note(service_order_id=job.pk, text=f"Note {number}", **TOLD)
        if number % 100 == 99:
            tell()
            sender(at=at + timedelta(hours=number / 125)).step()
    tell()
    post.answers = []
    after = at + timedelta(hours=9)
    while sender(at=after).step():
        after += timedelta(seconds=2)
    assert {notice.state for notice in notices()} == {NoticeState.SENT}
    per_reader = {(str(mail["To"]), str(mail["Subject"]).split(":")[0]) for mail in post.taken}
    assert len(post.taken) == len(per_reader) == 80
    now = {job.reference: ServiceOrder.objects.get(pk=job.pk).status for job in jobs}
    words = {"new": "Waiting for a technician", "in_progress": "Being worked on"}
    for mail in post.taken:
        reference, _, said = str(mail["Subject"]).partition(": ")
        if mail["To"] == "ada@customer.example":
            assert said == words[now[reference]]

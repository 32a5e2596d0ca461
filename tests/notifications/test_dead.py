"""What could not be told: listed by what its silence costs, seen to by people once, never said twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from notifications import readers
from notifications.actions import alerting, correcting, dead, dead_listing
from notifications.actions.dead import AlreadySettled, NoWay
from notifications.models import Address, Alert, ChannelSetting, DeadLetter, Message, Notice, Rule, Template
from notifications.statuses import Audience, Channel, DeadCause, DeadState, NoticeState, Trigger
from orders.actions import service_orders
from orders.models import Customer, Equipment, ServiceOrder
from parts.errors import Forbidden, Invalid, NotFound
from tests.notifications.post import Post
from tests.notifications.telling import notices, one_more_rule, only_rule, sender, tell
from tests.orders.desk import TOLD, Desk, only, statements

pytestmark = pytest.mark.django_db
MANY = only("notifications.replay_notice", "notifications.tell_deadletter", "orders.change_customer")
NOBODY_THERE, NOT_NOW = "550 5.1.1 No such user", "451 Later"


def step(job: ServiceOrder, to: str) -> None:
    service_orders.move(service_order_id=job.pk, to=to, **TOLD)
    tell()


def listed() -> list[DeadLetter]:
    dead_listing.collect(at=timezone.now())
    return list(DeadLetter.objects.filter(state=DeadState.OPEN).order_by("rank"))


def refused(post: Post, answer: str = "554 Not from you") -> None:
    """Let the mail server refuse whatever comes next, and list it."""
    post.answers = [answer] * 10
    while sender(hours=1).step():
        pass
    post.answers = []


def by(letter: DeadLetter, **more: Any) -> dict[str, Any]:
    return {"letter_id": letter.pk, "why": "He asked for it", "by": MANY, "at": timezone.now()} | more


@pytest.fixture
def letter(desk: Desk, post: Post) -> DeadLetter:
    only_rule()
    desk.job("new")
    tell()
    refused(post)
    (one,) = listed()
    return one


# --- What is listed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "cause"), [(NOBODY_THERE, DeadCause.REJECTED), ("554 Not from you", DeadCause.REFUSED)]
)
def test_a_letter_says_why_it_is_dead(desk: Desk, post: Post, answer: str, cause: DeadCause) -> None:
    only_rule()
    job = desk.job("new")
    tell()
    refused(post, answer)
    (letter,) = listed()
    assert (letter.cause, letter.reference, letter.news_count) == (cause, job.reference, 1)
    assert letter.error.startswith(answer[:3])


def test_a_provider_that_is_down_for_long_is_its_cause(desk: Desk, post: Post) -> None:
    only_rule()
    ChannelSetting.objects.filter(channel="email").update(most_attempts=1)
    desk.job("new")
    tell()
    refused(post, NOT_NOW)
    assert [one.cause for one in listed()] == [DeadCause.PROVIDER]


def test_who_has_no_address_at_all_is_listed_with_all_news_of_an_order_in_one(desk: Desk) -> None:
    Customer.objects.update(email="", phone="")
    only_rule()
    job = desk.job("new")
    tell()
    step(job, "in_progress")
    (letter,) = listed()
    assert (letter.cause, letter.news_count, letter.thread_id) == (DeadCause.NO_ADDRESS, 2, job.pk)
    step(job, "awaiting_parts")
    assert [one.news_count for one in listed()] == [3]


def test_what_went_by_another_channel_is_not_listed(desk: Desk, post: Post) -> None:
    only_rule(fallbacks=["sms"])
    desk.job("new")
    tell()
    refused(post, NOBODY_THERE)
    assert listed() == []
    assert [notice.channel for notice in notices(state=NoticeState.WAITING, thread_kind="service_order")] == ["sms"]


def test_listing_again_lists_nothing_again(letter: DeadLetter) -> None:
    assert dead_listing.collect(at=timezone.now()) == 0
    assert [one.pk for one in listed()] == [letter.pk]


def test_the_costliest_silence_comes_first(desk: Desk, post: Post) -> None:
    only_rule()
    machine = Equipment.objects.create(
        customer=desk.customer, model="Press", serial_number="1", downtime_cost_per_hour=900
    )
    cheap = Equipment.objects.create(customer=desk.customer, model="Press", serial_number="2")
    now = timezone.now()
    jobs = [
        desk.job("new", equipment_id=cheap.pk),
        desk.job("new", equipment_id=machine.pk),
        desk.job("new", equipment_id=cheap.pk),
        desk.job("new", equipment_id=cheap.pk, machine_down=True),
    ]
    ServiceOrder.objects.filter(pk=jobs[2].pk).update(response_due_at=now + timedelta(hours=2))
    tell()
    refused(post)
    assert [one.thread_id for one in listed()] == [jobs[3].pk, jobs[2].pk, jobs[1].pk, jobs[0].pk]
    ServiceOrder.objects.filter(pk=jobs[0].pk).update(machine_down=True, response_due_at=now)
    assert dead_listing.weigh() == 1
    assert dead_listing.weigh() == 0
    assert [one.thread_id for one in listed()][0] == jobs[0].pk


def test_a_better_tier_comes_before_a_nearer_deadline(letter: DeadLetter, desk: Desk, post: Post) -> None:
    Customer.objects.filter(pk=desk.customer.pk).update(tier="bronze")
    dead_listing.weigh()
    below = DeadLetter.objects.get().rank
    Customer.objects.filter(pk=desk.customer.pk).update(tier="platinum")
    dead_listing.weigh()
    assert DeadLetter.objects.get().rank < below


# --- Sent again ------------------------------------------------------------------------------------------------------


def test_sending_again_says_in_one_notice_where_the_order_stands_now(desk: Desk, post: Post) -> None:
    only_rule()
    ChannelSetting.objects.update(gap_seconds=0)
    job = desk.job("new")
    tell()
    refused(post)
    step(job, "in_progress")
    refused(post)
    (letter,) = listed()
    assert letter.news_count == 2
    service_orders.move(service_order_id=job.pk, to="awaiting_parts", **TOLD)
    done = dead.replay_one(**by(letter))
    assert (done.letters, done.notices) == (1, 1)
    tell()
    assert sender(hours=2).step() == 1
    (mail,) = post.taken
    assert mail["Subject"] == f"{job.reference}: Waiting for parts"
    letter.refresh_from_db()
    assert (letter.state, letter.settled_by, letter.why) == (DeadState.REPLAYED, "user:2", "He asked for it")
    assert letter.goes_as is not None
    assert letter.goes_as.state == NoticeState.SENT
    assert Notice.objects.filter(state=NoticeState.REPLAYED, messages_count=0).count() == 2
    assert listed() == []


def test_sending_again_twice_sends_once(letter: DeadLetter, post: Post) -> None:
    dead.replay_one(**by(letter))
    with pytest.raises(AlreadySettled, match="Sent again"):
        dead.replay_one(**by(letter))
    again = dead.replay(letters=[letter.pk], why="Once more", by=MANY, at=timezone.now())
    assert (again.letters, again.notices) == (0, 0)
    while sender(hours=2).step():
        pass
    assert len(post.taken) == 1


def test_what_dies_again_is_listed_again(letter: DeadLetter, post: Post) -> None:
    dead.replay_one(**by(letter))
    refused(post)
    (again,) = listed()
    assert again.pk != letter.pk
    assert again.since == letter.since


def test_what_is_sent_again_joins_the_notice_that_waits(letter: DeadLetter, desk: Desk, post: Post) -> None:
    job = ServiceOrder.objects.get(pk=letter.thread_id)
    step(job, "in_progress")
    dead.replay_one(**by(letter))
    (waiting,) = notices(state=NoticeState.WAITING)
    assert waiting.messages_count == 2
    sender(hours=2).step()
    assert len(post.taken) == 1


def test_who_has_no_address_is_not_sent_to_and_stays_listed(letter: DeadLetter) -> None:
    Address.objects.update(is_wanted=False)
    with pytest.raises(NoWay):
        dead.replay_one(**by(letter))
    done = dead.replay(letters=[letter.pk], why="Try", by=MANY, at=timezone.now())
    assert (done.letters, done.without_a_way) == (0, 1)
    assert len(listed()) == 1


def test_it_goes_by_the_next_channel_of_the_rule_where_the_first_has_no_address(desk: Desk) -> None:
    Customer.objects.update(email="", phone="")
    only_rule(fallbacks=["sms"])
    desk.job("new")
    tell()
    (letter,) = listed()
    Customer.objects.update(phone="+49 30 12345678")
    readers.bring_up_to_date(customers=[desk.customer.pk], users=[], at=timezone.now())
    dead.replay_one(**by(letter))
    assert [notice.channel for notice in notices(state=NoticeState.WAITING)] == ["sms"]
    assert Message.objects.get().channel == "sms"


def test_a_first_channel_that_works_again_takes_up_what_went_on_from_it(desk: Desk, post: Post) -> None:
    only_rule(fallbacks=["sms"])
    desk.job("new")
    tell()
    refused(post, "554 Not from you")
    Address.objects.filter(channel="sms").delete()
    sender("sms", hours=1).step()
    (letter,) = listed()
    assert (letter.channel, letter.cause) == ("sms", DeadCause.NO_ADDRESS)
    dead.replay_one(**by(letter))
    sender(hours=2).step()
    assert len(post.taken) == 1
    assert listed() == []


@pytest.mark.parametrize("why", ["", "   "])
def test_whoever_sends_again_says_why(letter: DeadLetter, why: str) -> None:
    with pytest.raises(Invalid):
        dead.replay_one(**by(letter, why=why))


def test_only_who_may_sends_again_discards_or_says_that_it_was_told(letter: DeadLetter) -> None:
    nobody = only("notifications.view_notice")
    for deed in (dead.replay_one, dead.discard):
        with pytest.raises(Forbidden):
            deed(**by(letter, by=nobody))
    with pytest.raises(Forbidden):
        dead.tell(**by(letter, by=nobody, whom="Ada", told_at=timezone.now()))
    with pytest.raises(Forbidden):
        correcting.correct(**by(letter, by=only("notifications.replay_notice"), value="ada@other.example"))
    assert len(listed()) == 1


# --- Told, discarded, corrected --------------------------------------------------------------------------------------


def test_who_was_told_by_telephone_is_on_record(letter: DeadLetter) -> None:
    at = timezone.now() + timedelta(minutes=10)
    told = dead.tell(**by(letter, whom=" Ada ", told_at=at - timedelta(minutes=5), why="", at=at))
    told.refresh_from_db()
    assert (told.state, told.told_whom, told.told_at) == (DeadState.TOLD, "Ada", at - timedelta(minutes=5))
    assert Notice.objects.get(dead_letter=letter).state == NoticeState.TOLD
    with pytest.raises(AlreadySettled):
        dead.replay_one(**by(letter))


@pytest.mark.parametrize("wrong", [{"whom": " "}, {"told_at": timedelta(hours=1)}, {"told_at": -timedelta(days=400)}])
def test_a_call_is_to_somebody_and_neither_to_come_nor_before_there_was_something_to_tell(
    letter: DeadLetter, wrong: dict[str, Any]
) -> None:
    at = timezone.now()
    asked: dict[str, Any] = {"whom": "Ada", "told_at": timedelta()} | wrong
    with pytest.raises(Invalid):
        dead.tell(**by(letter, whom=asked["whom"], told_at=at + asked["told_at"], at=at))
    assert len(listed()) == 1


def test_what_is_discarded_stays_so(letter: DeadLetter) -> None:
    dead.discard(**by(letter))
    assert Notice.objects.get(dead_letter=letter).state == NoticeState.DISCARDED
    assert listed() == []
    with pytest.raises(IntegrityError, match="settled_letter_stays"), transaction.atomic():
        DeadLetter.objects.update(why="Another reason")
    with (
        pytest.raises(IntegrityError, match="settled_letter_stays"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM notifications_deadletter")


def test_a_corrected_address_takes_all_that_its_reader_was_not_told(desk: Desk, post: Post) -> None:
    only_rule()
    for _ in range(2):
        desk.job("new")
    tell()
    refused(post, NOBODY_THERE)
    letters = listed()
    assert len(letters) == 2
    done = correcting.correct(**by(letters[0], value="ada@right.example"))
    assert done.letters == 2
    desk.customer.refresh_from_db()
    assert desk.customer.email == "ada@right.example"
    assert Customer.history.first().history_change_reason == "He asked for it"
    while sender(hours=2).step():
        pass
    assert {str(mail["To"]) for mail in post.taken} == {"ada@right.example"}
    assert listed() == []


def test_an_address_that_works_again_is_switched_on(desk: Desk, post: Post) -> None:
    only_rule()
    desk.job("new")
    tell()
    refused(post, NOBODY_THERE)
    (letter,) = listed()
    correcting.correct(**by(letter, value="ada@customer.example"))
    while sender(hours=2).step():
        pass
    assert [str(mail["To"]) for mail in post.taken] == ["ada@customer.example"]


def test_an_address_that_its_reader_gave_up_stays_off(desk: Desk, post: Post, letter: DeadLetter) -> None:
    Address.objects.filter(channel="email").update(state="off", off_at=timezone.now(), off_reason="complained")
    with pytest.raises(correcting.NotWanted):
        correcting.correct(**by(letter, value="ada@customer.example"))
    assert len(listed()) == 1


@pytest.mark.parametrize("value", ["", "nonsense", "a@b", "ada@x.example\r\nBcc: all@x.example"])
def test_what_is_no_address_is_refused(letter: DeadLetter, value: str) -> None:
    with pytest.raises(Invalid):
        correcting.correct(**by(letter, value=value))


def test_what_does_not_exist_is_not_found(letter: DeadLetter) -> None:
    with pytest.raises(NotFound):
        dead.discard(**by(letter, letter_id=letter.recipient_id))


# --- The alert -------------------------------------------------------------------------------------------------------


def alert_rule() -> Rule:
    return one_more_rule(
        kinds=[],
        trigger=Trigger.UNTOLD,
        threshold_hours=0,
        audience=Audience.DISPATCHERS,
        channel=Channel.INBOX,
        template=Template.objects.get(code="staff_alert"),
    )


@pytest.mark.parametrize("kind", ["job", "parts_order"])
def test_a_machine_that_is_down_and_nobody_told_raises_an_alert_until_somebody_was(
    desk: Desk, post: Post, dispatcher: Any, kind: str
) -> None:
    only_rule(kinds=["service_order.status_changed", "back_order.opened"])
    alert_rule()
    if kind == "job":
        desk.job("new", machine_down=True)
    else:
        desk.place(2, kind="emergency")
    desk.job("new")
    tell()
    refused(post)
    letters = listed()
    assert [letter.machine_down for letter in letters] == [True, False]
    at = timezone.now()
    assert alerting.sweep(at=at).raised == 1
    assert alerting.sweep(at=at).raised == 0
    alert = Alert.objects.get()
    assert (alert.thread_id, alert.trigger) == (letters[0].thread_id, Trigger.UNTOLD)
    assert Message.objects.filter(alert=alert, recipient__user=dispatcher).count() == 1
    dead.discard(**by(letters[0]))
    assert alerting.sweep(at=at).resolved == 1


def test_a_rule_that_alerts_of_it_is_shipped() -> None:
    rule = Rule.objects.get(code="untold-machine-down")
    assert rule.is_active
    assert (rule.trigger, rule.audience, rule.levels.count()) == (Trigger.UNTOLD, Audience.DISPATCHERS, 1)


def test_listing_takes_as_many_statements_for_twenty_as_for_two(desk: Desk, post: Post) -> None:
    only_rule()
    counted = []
    for many in (2, 20):
        for _ in range(many):
            desk.job("new")
        tell()
        ChannelSetting.objects.update(tokens=100, per_second=100)
        post.answers = ["554 No"] * many
        while sender(hours=many).step():
            pass
        with statements() as sent:
            dead_listing.collect(at=timezone.now())
        counted.append(len(sent))
        with statements() as sent:
            dead.replay(
                letters=[letter.pk for letter in DeadLetter.objects.filter(state="open")],
                why="All",
                by=MANY,
                at=timezone.now(),
            )
        counted.append(len(sent))
        post.answers = []
    assert counted[0] == counted[2]
    assert counted[1] == counted[3]

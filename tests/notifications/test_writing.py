"""Who is to hear of what: each once, by the rules that are on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from notifications.actions.writing import write_messages
from notifications.models import Address, Message, Notice, Recipient, Rule, Watch
from notifications.statuses import AddressState, Audience, Channel, OffReason, Timing, Unheard
from orders.actions import service_orders
from orders.models import Customer, OrderEvent, ServiceOrder
from tests.notifications.telling import notices, one_more_rule, only_rule, tell, told_of
from tests.orders.desk import TOLD, Desk, statements

pytestmark = pytest.mark.django_db


def test_a_step_of_a_job_is_told_to_its_customer(desk: Desk):
    rule = only_rule()
    job = desk.job("new")
    service_orders.move(service_order_id=job.pk, to="in_progress", **TOLD)
    tell()
    last = told_of(job)[-1]
    assert (last.rule, last.rule_revision, last.channel, last.unheard) == (rule, 1, "email", "")
    assert last.event.to_status == "in_progress"
    assert last.recipient.customer == desk.customer


def test_events_that_are_read_again_are_told_once(desk: Desk):
    only_rule()
    job = desk.job("new")
    tell()
    said = len(told_of(job))
    assert said
    events = list(OrderEvent.objects.filter(subject_id=job.pk))
    assert write_messages(events=events, at=timezone.now()) == 0
    assert len(told_of(job)) == said
    assert [notice.messages_count for notice in notices()] == [said]


def test_a_burst_of_changes_of_one_order_is_one_notice(desk: Desk):
    only_rule()
    job = desk.job("new")
    for to in ("in_progress", "awaiting_parts", "in_progress"):
        service_orders.move(service_order_id=job.pk, to=to, **TOLD)
        tell()
    (notice,) = notices(thread_id=job.pk)
    assert notice.messages_count == len(told_of(job)) >= 3


def test_what_an_order_only_passed_through_is_not_told(desk: Desk):
    only_rule()
    job = desk.job("new", begins="new")
    tell()
    before = len(told_of(job))
    service_orders.fast_forward(service_order_id=job.pk, to="ready_for_return", **TOLD)
    tell()
    assert [message.event.to_status for message in told_of(job)[before:]] == ["ready_for_return"]


def test_orders_for_training_are_told_to_nobody(desk: Desk):
    only_rule()
    job = desk.job("in_progress", is_test=True)
    tell()
    assert told_of(job) == []


def test_a_draft_is_not_told_to_its_customer_and_its_watchers_hear_of_it(desk: Desk, dispatcher: User):
    only_rule(kinds=["note.added"])
    one_more_rule(kinds=["note.added"], audience=Audience.WATCHERS, channel=Channel.INBOX)
    job = desk.job("draft")
    reader = Recipient.objects.create(user=dispatcher)
    Watch.objects.create(recipient=reader, service_order=job, created_at=timezone.now())
    service_orders.add_note(service_order_id=job.pk, text="A part is missing", public=True, **TOLD)
    tell()
    assert [(message.audience, message.channel) for message in told_of(job)] == [("watchers", "inbox")]


def test_a_customer_who_stopped_messages_hears_only_what_cannot_be_muted(desk: Desk):
    only_rule()
    one_more_rule(kinds=["service_order.rescheduled"], cannot_be_muted=True)
    job = desk.job("scheduled")
    tell()
    ServiceOrder.objects.filter(pk=job.pk).update(messages_stopped_at=timezone.now())
    before = Message.objects.count()
    service_orders.move(service_order_id=job.pk, to="new", **TOLD)
    tell()
    (silent,) = told_of(job)[before:]
    assert (silent.notice, silent.unheard) == (None, Unheard.STOPPED)


def test_who_muted_all_is_not_told_until_it_ends(desk: Desk):
    only_rule()
    job = desk.job("new")
    tell()
    reader = Recipient.objects.get(customer=desk.customer)
    Recipient.objects.filter(pk=reader.pk).update(muted_until=timezone.now() + timedelta(days=1))
    service_orders.move(service_order_id=job.pk, to="in_progress", **TOLD)
    tell()
    assert told_of(job)[-1].unheard == Unheard.MUTED
    Recipient.objects.filter(pk=reader.pk).update(muted_until=timezone.now() - timedelta(minutes=1))
    service_orders.move(service_order_id=job.pk, to="awaiting_parts", **TOLD)
    tell()
    assert told_of(job)[-1].unheard == ""


def test_without_an_address_it_goes_by_what_the_rule_falls_back_on(desk: Desk):
    Customer.objects.filter(pk=desk.customer.pk).update(email="")
    only_rule(fallbacks=["chat", "sms"])
    job = desk.job("new")
    tell()
    assert {message.channel for message in told_of(job)} == {"sms"}


def test_who_has_no_address_at_all_is_on_record_as_not_told(desk: Desk):
    Customer.objects.filter(pk=desk.customer.pk).update(email="", phone="030 12345")
    only_rule(fallbacks=["sms"])
    job = desk.job("new")
    tell()
    assert {(message.notice, message.unheard) for message in told_of(job)} == {(None, Unheard.NO_ADDRESS)}


def test_the_addresses_of_a_customer_follow_the_master_data(desk: Desk):
    only_rule()
    desk.job("new")
    tell()
    Customer.objects.filter(pk=desk.customer.pk).update(email="grace@customer.example")
    desk.job("new")
    tell()
    rows = Address.objects.filter(recipient__customer=desk.customer, channel="email").order_by("id")
    assert {(row.value, row.state, row.off_reason) for row in rows} == {
        ("ada@customer.example", AddressState.OFF, OffReason.REPLACED),
        ("grace@customer.example", AddressState.CONFIRMED, ""),
    }


def test_an_address_that_bounced_stays_off_whatever_the_master_data_says(desk: Desk):
    only_rule()
    desk.job("new")
    tell()
    Address.objects.filter(channel="email").update(
        state=AddressState.OFF, off_at=timezone.now(), off_reason=OffReason.BOUNCED
    )
    job = desk.job("new")
    tell()
    assert {message.unheard for message in told_of(job)} == {Unheard.NO_ADDRESS}
    assert Address.objects.filter(channel="email").count() == 1


def test_a_rule_speaks_only_of_what_came_after_it_was_switched_on(desk: Desk):
    rule = only_rule()
    Rule.objects.filter(pk=rule.pk).update(active_since=timezone.now() + timedelta(hours=1))
    desk.job("new")
    assert tell() == 0


def test_of_two_rules_for_one_reader_and_channel_the_more_important_one_chooses(desk: Desk):
    only_rule(importance=10)
    loud = one_more_rule(importance=90, is_urgent=True)
    job = desk.job("new")
    tell()
    assert {message.rule for message in told_of(job)} == {loud}
    assert notices()[0].is_urgent


def test_conditions_of_a_rule_are_kept_to(desk: Desk):
    only_rule(kinds=["back_order.opened"], criticalities=["A"])
    type(desk.part).objects.filter(pk=desk.part.pk).update(criticality="C")
    desk.place(3)
    assert tell() == 0
    type(desk.part).objects.filter(pk=desk.part.pk).update(criticality="A")
    desk.place(2)
    assert tell() == 1


def test_a_parts_order_for_a_job_is_told_on_the_jobs_thread(desk: Desk):
    only_rule(kinds=["back_order.opened"])
    job = desk.job("in_progress")
    desk.place(3, service_order_id=job.pk)
    tell()
    (notice,) = notices()
    assert (notice.thread_kind, notice.thread_id, notice.reference) == ("service_order", job.pk, job.reference)


def test_a_digest_gathers_the_news_of_all_orders_until_its_hour(desk: Desk):
    only_rule(timing=Timing.DIGEST)
    one, two = desk.job("new"), desk.job("new")
    tell()
    (notice,) = notices()
    assert notice.thread_id == Recipient.objects.get(customer=desk.customer).pk
    assert notice.messages_count == len(told_of(one)) + len(told_of(two))
    assert notice.due_at > timezone.now()
    assert notice.due_at.minute == 0


def test_a_reader_hears_only_of_their_regions(desk: Desk, dispatcher: User):
    only_rule(audience=Audience.DISPATCHERS, channel=Channel.INBOX)
    Recipient.objects.create(user=dispatcher, regions=[desk.warehouse.pk])  # of a region that is none of the order's
    job = desk.job("new")
    tell()
    assert told_of(job) == []


def test_the_statements_do_not_grow_with_the_events(desk: Desk):
    only_rule()
    one_more_rule(audience=Audience.TECHNICIAN, channel=Channel.INBOX)
    desk.job("in_progress")
    tell()
    counts = []
    for many in (2, 20):
        events = [event for _ in range(many) for event in _events(desk.job("in_progress"))]
        with statements() as sent:
            write_messages(events=events, at=timezone.now())
        counts.append(len(sent))
    assert counts[0] == counts[1] <= 9


def _events(job: ServiceOrder) -> list[OrderEvent]:
    return list(OrderEvent.objects.filter(subject_id=job.pk))


def test_a_failure_leaves_neither_messages_nor_notices(desk: Desk):
    only_rule()
    job = desk.job("new")
    events = _events(job)
    Rule.objects.filter(is_active=True).update(channel="inbox")  # which no customer has
    write_messages(events=events, at=timezone.now())
    assert Notice.objects.count() == 0
    assert {message.unheard for message in told_of(job)} == {Unheard.NO_ADDRESS}

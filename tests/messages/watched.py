"""What is to be watched about a job: an alert, and a message that nobody could be told."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from notifications.models import Alert, DeadLetter, MaintenanceWindow, Recipient, RootCause, Rule, WordProposal
from orders.models import OrderEvent, ServiceOrder


def an_alert(job: ServiceOrder) -> Alert:
    """Raise one about a job."""
    event = OrderEvent.objects.filter(subject_id=job.pk).earliest("version")
    about = {"subject_kind": "service_order", "subject_id": job.pk, "thread_id": job.pk, "region": job.region}
    rule = Rule.objects.get(code="sla-broken")
    at = {"due_at": timezone.now(), "raised_at": timezone.now(), "trigger": rule.trigger}
    return Alert.objects.create(
        rule=rule, event=event, reference=job.reference, thread_kind="service_order", **about, **at
    )


def a_dead_letter(job: ServiceOrder) -> DeadLetter:
    """List one that is to the main contact of a job's customer."""
    event = OrderEvent.objects.filter(subject_id=job.pk).earliest("version")
    contacts = Recipient.objects.filter(customer=job.customer, is_main=True)
    reader = contacts.first() or Recipient.objects.create(customer=job.customer, is_main=True, name="Ada")
    about = {"thread_kind": "service_order", "thread_id": job.pk, "reference": job.reference, "region": job.region}
    when = {"since": timezone.now(), "found_at": timezone.now(), "open_since": timezone.now()}
    return DeadLetter.objects.create(
        recipient=reader, channel="email", event=event, cause="no_address", news_count=1, rank="1", **about, **when
    )


def a_window() -> MaintenanceWindow:
    """Hold what comes from a system that sends nothing."""
    now = timezone.now()
    return MaintenanceWindow.objects.create(
        name="Upgrade", reason="Version 8", source="elsewhere", starts_at=now, ends_at=now + timedelta(hours=4)
    )


def a_proposal(job: ServiceOrder, person: User) -> WordProposal:
    """Say that the status of a job does not say what is happening."""
    return WordProposal.objects.create(
        form_key="one",
        subject="service_order",
        status="new",
        service_order=job,
        cause=RootCause.objects.all()[0],
        said="The customer waits for us to call.",
        language="en",
        proposed_by=person,
        proposed_at=timezone.now(),
    )

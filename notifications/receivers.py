"""What django-anymail says of its providers' calls: what became of a mail, and what somebody answered."""

from __future__ import annotations

import logging
from typing import Any

from anymail.signals import AnymailInboundEvent, AnymailTrackingEvent, EventType, RejectReason, inbound, tracking
from django.dispatch import receiver
from django.utils import timezone

from notifications.actions import receiving, reporting
from notifications.actions.reporting import Fate, Report
from notifications.statuses import Channel
from parts.errors import Refused

logger = logging.getLogger(__name__)

_FATES = {
    EventType.DELIVERED: Fate.DELIVERED,
    EventType.OPENED: Fate.OPENED,
    EventType.CLICKED: Fate.OPENED,
    EventType.COMPLAINED: Fate.COMPLAINED,
    EventType.UNSUBSCRIBED: Fate.UNSUBSCRIBED,
    EventType.BOUNCED: Fate.BOUNCED,
    EventType.REJECTED: Fate.FAILED,
    EventType.FAILED: Fate.FAILED,
}
#: Why a provider did not send it, or could not: what that says of the address. Anything else says nothing of it.
_REASONS = {
    RejectReason.INVALID: Fate.BOUNCED,
    RejectReason.BOUNCED: Fate.BOUNCED,
    RejectReason.TIMED_OUT: Fate.BOUNCED,
    RejectReason.SPAM: Fate.COMPLAINED,
    RejectReason.UNSUBSCRIBED: Fate.UNSUBSCRIBED,
    RejectReason.BLOCKED: Fate.FAILED,
    RejectReason.OTHER: Fate.FAILED,
}


def fate_of(event: AnymailTrackingEvent) -> Fate | None:
    """Return what an event says became of a mail; None for what is only on its way."""
    fate = _FATES.get(event.event_type)
    return _REASONS.get(event.reject_reason, fate) if fate in (Fate.BOUNCED, Fate.FAILED) else fate


@receiver(tracking, dispatch_uid="notifications.tracked")
def tracked(event: AnymailTrackingEvent, esp_name: str, **_facts: Any) -> None:
    """Take in what became of a mail."""
    fate = fate_of(event)
    if fate is None:
        return
    report = Report(
        fate=fate,
        provider_id=str(event.message_id or ""),
        channel=Channel.EMAIL.value,
        address=str(event.recipient or ""),
        happened_at=event.timestamp if event.timestamp and timezone.is_aware(event.timestamp) else None,
        why=str(event.mta_response or event.description or ""),
    )
    changed = reporting.take(report=report, at=timezone.now())
    logger.info("a mail was reported: %s", fate.value, extra={"provider": esp_name, "changed": changed})


@receiver(inbound, dispatch_uid="notifications.answered")
def answered(event: AnymailInboundEvent, esp_name: str, **_facts: Any) -> None:
    """Take in an answer. One that is refused is not to come again: a provider would try for days."""
    try:
        came = receiving.take(
            mail=event.message, delivered_to=event.message.envelope_recipient or "", at=timezone.now()
        )
    except Refused as refusal:
        logger.warning("a mail was refused: %s", refusal, extra={"provider": esp_name, "code": refusal.code})
    else:
        logger.info("mail received: %s", came.value, extra={"provider": esp_name, "came": came.value})

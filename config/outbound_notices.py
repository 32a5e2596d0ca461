"""Tells whoever answers for a subscriber that it was switched off because it fails; nothing leaves unless mail does."""

from __future__ import annotations

import logging
from datetime import datetime
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils.translation import gettext as _

from integrations.models import Subscriber
from integrations.statuses import OffBecause, SubscriberState
from notifications.links import site

logger = logging.getLogger(__name__)

_BY_ITSELF = (OffBecause.GONE, OffBecause.FAILING)
MOST_AT_ONCE = 100


def tell_switched_off(at: datetime) -> int:
    """Write to the contacts of subscribers that were switched off by themselves and were not told; return how many.

    Who is killed between the mail and the note of it writes once more. Where no mail leaves, it is only logged.
    """
    rows = Subscriber.objects.filter(state=SubscriberState.OFF, off_because__in=_BY_ITSELF, told_off_at=None)
    told = 0
    for row in rows.order_by("off_since", "pk")[:MOST_AT_ONCE]:
        facts = {"subscriber": row.code, "because": row.off_because, "error": row.failing_because}
        logger.error("a subscriber was switched off: %s", row.code, extra=facts)
        if settings.MESSAGES_LEAVE and row.contact and not _write(row):
            continue  # the mail server is away: the next run tries again
        Subscriber.objects.filter(pk=row.pk, state=SubscriberState.OFF).update(told_off_at=at)
        told += 1
    return told


def _write(row: Subscriber) -> bool:
    subject = _("%(house)s tells %(name)s nothing more") % {"house": settings.HOUSE_NAME, "name": row.name}
    text = _(
        "The webhook “%(name)s” (%(address)s) was switched off: %(why)s. The last answer was: %(error)s.\n\n"
        "What waits, waits on. Mend it, switch it on, then have told again what happened since:\n%(link)s"
    ) % {
        "name": row.name,
        "address": row.address,
        "why": row.get_off_because_display(),
        "error": row.failing_because or "–",
        "link": site(reverse("webhooks:one", args=[row.pk])),
    }
    try:
        EmailMessage(subject, text, settings.DEFAULT_FROM_EMAIL, [row.contact]).send()
    except (SMTPException, OSError) as error:
        logger.warning("the contact of a subscriber was not reached: %s", error, extra={"subscriber": row.code})
        return False
    return True

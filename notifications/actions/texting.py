"""What comes by SMS: STOP, START and HELP, as carriers ask every sender to honour them, and answers to notices.

STOP holds for the number, whoever's it is and whatever it is about: so carriers and providers understand it, and so the
law does where it is strictest (47 CFR 64.1200(a)(10) to (12): these words, honoured for all messages, confirmed once).
What has to be said all the same goes by another channel.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from notifications import links, replies
from notifications.actions import reporting
from notifications.actions.receiving import shortened
from notifications.actions.reporting import Fate, Report
from notifications.composing import language_of
from notifications.models import Address, Notice, ReceivedSms, StoppedNumber
from notifications.statuses import HANDED_OVER, AddressState, Channel, OffReason, SmsMeant
from orders.actions import tracking
from parts.errors import Invalid, Refused
from parts.sentences import sentence

logger = logging.getLogger(__name__)

SOURCE = "sms"
#: Words that stop and start, as providers know them, and those of our languages; each alone in its SMS.
_STOPS = replies.STOPS | {"cancel", "end", "quit", "optout", "opt out", "revoke", "parar"}
_STARTS = {"start", "unstop"}
#: They start again only where SMS were stopped: otherwise they answer something.
_YES = {"yes", "ja", "si", "sí"}
_HELPS = {"help", "info", "hilfe", "ayuda"}
#: An SMS answers the last one that its number got, for so long.
_ANSWERS_WITHIN = timedelta(days=30)
_LONGEST_ID = 64
_E164 = re.compile(r"^\+[1-9][0-9]{6,14}\Z")


@dataclass(frozen=True, slots=True)
class Sms:
    """An SMS to us. `is_answered`: the provider has answered it itself."""

    provider_id: str
    number: str
    text: str
    is_answered: bool = False


def take(*, sms: Sms, at: datetime) -> str:
    """Do what an SMS asks for, once; return what to answer, in its reader's language, or nothing.

    Nothing is answered that could set off an answering machine: what changes nothing, and what we do not understand.
    Raises Invalid for one of no number.
    """
    if not _E164.match(sms.number) or not 0 < len(sms.provider_id) <= _LONGEST_ID:
        said = sentence("This is no SMS of a number.")
        raise Invalid(said, {"number": [said]})
    with transaction.atomic():
        last = _last_notice(sms.number, at)
        meant = _meant(sms)
        _row, is_new = ReceivedSms.objects.get_or_create(
            provider_id=sms.provider_id, defaults={"number": sms.number, "meant": meant, "received_at": at}
        )
        if not is_new:
            return ""
        changed = _do(meant, sms.number, at)
    if meant == SmsMeant.ANSWER:
        _put_on_order(sms, last, at)
    with translation.override(language_of(last) if last else settings.LANGUAGE_CODE):
        return _answer(meant) if changed and not sms.is_answered else ""


def settle(*, report: Report, at: datetime) -> bool:
    """Take what became of an SMS; return whether it changed anything.

    A number that stopped SMS at the provider is stopped here, too: its news go another way, until it sends START.
    """
    with transaction.atomic():
        if report.fate != Fate.UNSUBSCRIBED:
            return reporting.take(report=report, at=at)
        stopped = bool(_E164.match(report.address)) and _do(SmsMeant.STOP, report.address, at)
        return reporting.take(report=replace(report, fate=Fate.FAILED), at=at) or stopped


def _meant(sms: Sms) -> SmsMeant:
    word = " ".join(sms.text.split()).strip(".!?\"'«»„“”").casefold()
    if word in _STOPS:
        return SmsMeant.STOP
    if word in _STARTS or (word in _YES and StoppedNumber.objects.filter(pk=sms.number).exists()):
        return SmsMeant.START
    return SmsMeant.HELP if word in _HELPS else SmsMeant.ANSWER


def _do(meant: SmsMeant, number: str, at: datetime) -> bool:
    """Stop a number or start it again; return whether there is something to answer."""
    if meant == SmsMeant.STOP:
        asked = Address.objects.filter(channel=Channel.SMS, value=number, state=AddressState.UNCONFIRMED)
        asked.update(state=AddressState.OFF, off_at=at, off_reason=OffReason.READER, confirmation_hash=None)
        return StoppedNumber.objects.get_or_create(number=number, defaults={"stopped_at": at})[1]
    if meant == SmsMeant.START:
        return bool(StoppedNumber.objects.filter(pk=number).delete()[0])
    return meant == SmsMeant.HELP


def _last_notice(number: str, at: datetime) -> Notice | None:
    """Return what a number got last, whoever's it is."""
    readers = Address.objects.filter(channel=Channel.SMS, value=number).values("recipient")
    theirs = Notice.objects.filter(
        recipient__in=readers,
        channel=Channel.SMS,
        address=number,
        state__in=HANDED_OVER,
        handed_over_at__gt=at - _ANSWERS_WITHIN,
    )
    return theirs.select_related("recipient__customer", "recipient__user").order_by("-id").first()


def _put_on_order(sms: Sms, last: Notice | None, at: datetime) -> None:
    """Put an answer on the order that its number last heard of, as the customer's message, where there is one."""
    link = links.link_of(last, at) if last else None
    try:
        if link is None:
            raise tracking.LinkEnded
        tracking.write_message(
            link_id=link.pk,
            text=shortened(sms.text.strip()),
            key=sms.provider_id,
            by=tracking.holder(link),
            source=SOURCE,
            at=at,
        )
    except Refused as refusal:
        logger.warning("an SMS was refused: %s", refusal, extra={"code": refusal.code})
        ReceivedSms.objects.filter(provider_id=sms.provider_id).update(meant=SmsMeant.NOTHING)


def _answer(meant: SmsMeant) -> str:
    house = settings.HOUSE_NAME
    if meant == SmsMeant.STOP:
        return _("%(house)s: You get no more SMS from us. Answer START to get them again.") % {"house": house}
    if meant == SmsMeant.START:
        return _("%(house)s: You get SMS again. STOP ends them, HELP helps.") % {"house": house}
    return _(
        "%(house)s tells you by SMS how your orders stand. STOP ends them, START brings them back. Ask us: %(contact)s"
    ) % {"house": house, "contact": settings.REPLY_ADDRESS or settings.DEFAULT_FROM_EMAIL}

"""Who was switched off because it fails is told once, by mail, where mail leaves the house."""

from __future__ import annotations

import pytest
from django.core import mail
from django.utils import timezone
from pytest_django.fixtures import Settings

from config.outbound_notices import tell_switched_off
from integrations.actions import subscribing
from integrations.models import Subscriber
from integrations.statuses import OffBecause
from tests.integrations.listening import OURSELVES, listen

pytestmark = pytest.mark.django_db


def _off(because: OffBecause, contact: str = "it@dealer.example") -> Subscriber:
    row = listen(contact=contact)
    subscribing.switch_off(subscriber=row.pk, by=OURSELVES, at=timezone.now(), because=because)
    return row


def test_the_contact_is_written_to_once(settings: Settings) -> None:
    settings.MESSAGES_LEAVE = True
    row = _off(OffBecause.FAILING)
    _off(OffBecause.GONE, contact="")
    assert tell_switched_off(timezone.now()) == 2
    [letter] = mail.outbox
    assert letter.to == ["it@dealer.example"]
    assert "Nothing but failure for five days" in letter.body
    assert f"/webhooks/{row.pk}/" in letter.body
    assert tell_switched_off(timezone.now()) == 0
    subscribing.switch_on(subscriber=row.pk, by=OURSELVES, at=timezone.now())
    subscribing.switch_off(subscriber=row.pk, by=OURSELVES, at=timezone.now(), because=OffBecause.FAILING)
    assert tell_switched_off(timezone.now()) == 1
    assert len(mail.outbox) == 2


def test_nothing_leaves_where_no_mail_does_and_nobody_is_told_of_what_they_did_themselves(settings: Settings) -> None:
    settings.MESSAGES_LEAVE = False
    _off(OffBecause.FAILING)
    _off(OffBecause.BY_HAND)
    assert tell_switched_off(timezone.now()) == 1
    assert mail.outbox == []

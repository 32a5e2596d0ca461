"""Requests for consent that nobody answered in time, or that their subject has overtaken."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import QuerySet
from pytest_django import Settings

from orders.actions import consents, overriding
from orders.models import OrderEvent, OrderLine, OverrideRequest
from orders.tasks import expire_override_requests
from parts.errors import AlreadyDecided
from tests.orders.desk import NOW, TOLD
from tests.orders.test_consents import by, dear, kinds, person, short_line, wish
from tests.racing import race

pytestmark = pytest.mark.django_db
LATER = NOW + consents.WAITS_FOR + timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _files(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def test_what_nobody_answered_in_time_lapses_and_may_be_asked_for_anew() -> None:
    dear()
    line, asks, other = short_line(), person("asks"), person("other")
    row = consents.ask(wish=wish(line), **by(asks))
    assert expire_override_requests(NOW + consents.WAITS_FOR) == 0
    assert expire_override_requests(LATER) == 1
    assert expire_override_requests(LATER) == 0
    found = OverrideRequest.objects.get(pk=row.pk)
    assert (found.status, found.decided_by_id, found.decided_at) == ("expired", None, LATER)
    event = OrderEvent.objects.filter(subject_id=line.pk).latest("version")
    assert (event.kind, event.actor) == ("line.override_expired", "system:consent")
    with pytest.raises(AlreadyDecided):
        consents.consent(request_id=row.pk, **by(other))
    assert OrderLine.objects.get(pk=line.pk).status == "back_ordered"
    assert consents.ask(wish=wish(line), **by(asks)).status == "waiting"


def test_what_has_moved_since_lapses_at_once() -> None:
    dear()
    line = short_line()
    consents.ask(wish=wish(line), **by(person("asks")))
    overriding.override(line_id=line.pk, to="cancelled", reason="x", reference="y", **TOLD)
    assert expire_override_requests(NOW) == 1
    assert OverrideRequest.objects.get().status == "expired"


def one_consents_while_it_lapses() -> tuple[Any, Any, OrderLine]:
    dear()
    line = short_line()
    row = consents.ask(wish=wish(line), **by(person("asks")))
    told = by(person("other"))
    done = race(lambda: consents.expire_requests(at=LATER), lambda: consents.consent(request_id=row.pk, **told))
    return *done, line


@pytest.mark.django_db(transaction=True)
def test_who_consents_while_it_lapses_is_told_that_it_is_too_late() -> None:
    lapsed, consented, line = one_consents_while_it_lapses()
    assert (lapsed.error, lapsed.result) == (None, 1)
    assert isinstance(consented.error, AlreadyDecided)
    assert OrderLine.objects.get(pk=line.pk).status == "back_ordered"


@pytest.mark.django_db(transaction=True)
def test_without_its_lock_a_lapsed_override_is_applied_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def unlocked() -> QuerySet[OverrideRequest]:
        return OverrideRequest.objects.all()

    monkeypatch.setattr(consents, "_locked_requests", unlocked)
    lapsed, consented, line = one_consents_while_it_lapses()
    assert (lapsed.error, consented.error) == (None, None)
    assert "line.override_expired" in kinds(line)
    assert OrderLine.objects.get(pk=line.pk).status == "shipped"

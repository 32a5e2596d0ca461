"""`manage.py load_demo`: pages show life, the people get in, and a second start changes nothing."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from oauth2_provider.models import Application
from pytest_django.fixtures import Settings

from backorders import ways as finding
from backorders.freed import freed_by
from backorders.models import BackOrder
from backorders.statuses import AGE_BUCKETS
from config import demo, roles
from config.demo import loading
from config.demo import ways as demo_ways
from config.integrity import check_all
from integrations.models import Discrepancy, InboundMessage
from integrations.statuses import CaseStatus, DiscrepancyKind
from notifications.models import MaintenanceWindow
from orders.actions import consents
from orders.models import (
    DiagnosticNote,
    LabourEntry,
    OrderEvent,
    OrderLine,
    OverrideRequest,
    PartsOrder,
    ReturnShipment,
    ServiceOrder,
)
from orders.statuses import LineStatus, ServiceOrderStatus
from parts.actions import changing
from parts.actors import Actor
from parts.models import Delivery, Part, PartChange
from reports.models import ReplayRun
from tests.factories.parts import PartFactory

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.once]


@pytest.fixture
def var(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A demo in a folder of its own, with fewer parts than people get to see."""
    settings.BACKLINE_DEMO = True
    settings.BACKLINE_VAR = tmp_path
    settings.MEDIA_ROOT = tmp_path / "media"
    monkeypatch.setattr(loading, "PARTS", 60)
    monkeypatch.setattr(loading, "MONTHS", 3)
    return tmp_path


def load() -> str:
    out = StringIO()
    call_command("load_demo", stdout=out)
    return out.getvalue()


@pytest.mark.usefixtures("var")
def test_the_demo_shows_every_status_every_age_and_what_goes_wrong() -> None:
    now = datetime.now(UTC)
    load()

    assert set(ServiceOrder.objects.values_list("status", flat=True)) == set(ServiceOrderStatus.values)
    assert set(OrderLine.objects.leaves().values_list("status", flat=True)) >= set(LineStatus.values) - {
        "open"  # a line is reserved or back-ordered in the instant in which it is placed
    }
    for name, _low, _high in AGE_BUCKETS:
        assert BackOrder.objects.aged(name, now).exists(), name
    assert BackOrder.objects.without_supply().exists()
    assert BackOrder.objects.waiting().filter(expected_on__isnull=False).exists()
    assert BackOrder.objects.promise_overdue(now.date()).exists()
    assert BackOrder.objects.filter(on_hold=True).exists()
    assert BackOrder.objects.filter(status="sourcing").exists()
    assert PartsOrder.objects.filter(on_hold=True).exists()
    assert set(OrderEvent.objects.overrides().values_list("subject_kind", flat=True)) == {"line", "service_order"}
    assert Delivery.objects.exists()
    for model in (DiagnosticNote, LabourEntry, ReturnShipment):
        assert model._default_manager.exists()
    assert ServiceOrder.objects.filter(technician__username="technician").exists()
    assert set(InboundMessage.objects.values_list("status", flat=True)) == {"accepted", "parked", "rejected"}
    assert MaintenanceWindow.objects.filter(starts_at__gt=now).exists()


@pytest.mark.usefixtures("var")
def test_the_demo_has_something_for_a_second_person_to_decide() -> None:
    load()
    [waits] = OverrideRequest.objects.filter(status="waiting")
    [refused] = OverrideRequest.objects.filter(status="refused")
    assert waits.evidence
    assert refused.decided_by is not None
    [change] = PartChange.objects.filter(status="waiting")
    assert change.changes
    assert change.entries
    deputy = User.objects.get(username="deputy")
    told: dict[str, Any] = {"by": Actor.user(deputy), "source": "test", "at": datetime.now(UTC)}
    consents.consent(request_id=waits.pk, **told)
    changing.approve(change_id=change.pk, **told)
    assert [verdict.law.name for verdict in check_all(5) if verdict.finding.total] == []


@pytest.mark.usefixtures("var")
def test_the_demos_cases_stand_differently_and_are_due_at_different_times() -> None:
    now = datetime.now(UTC)
    load()
    cases = list(Discrepancy.objects.all())
    assert {case.kind for case in cases} == set(DiscrepancyKind.values)
    assert {case.status for case in cases} == set(CaseStatus.values)
    still_open = [case for case in cases if case.status == CaseStatus.OPEN]
    assert len({case.due_at.replace(second=0, microsecond=0) for case in still_open}) == len(still_open)
    assert any(case.step > 1 for case in still_open)
    assert any(case.owner_id for case in still_open)
    assert any(now < case.due_at < now + timedelta(hours=3) for case in still_open)
    assert OrderEvent.objects.filter(kind="case.reopened").exists()


@pytest.mark.usefixtures("var")
def test_a_back_order_of_the_demo_has_every_way_out_and_a_delivery_was_waited_for() -> None:
    load()
    row = BackOrder.objects.waiting().get(part__number=demo_ways.SHORT)
    found = finding.ways(row.pk, datetime.now(UTC))
    assert found is not None
    kinds = [way.kind for way in found.ways]
    assert {finding.TAKE_NOW, finding.TRANSFER, finding.SUBSTITUTE, finding.PURCHASE} <= set(kinds)
    [brought] = [way for way in found.ways if way.kind == finding.TRANSFER]
    assert brought.gets == row.quantity
    sellers = {way.facts["supplier_id"] for way in found.ways if way.kind == finding.PURCHASE}
    assert len(sellers) == len(demo_ways.OFFERS)
    freed = freed_by(Delivery.objects.get(note_number=demo_ways.NOTE))
    assert freed.orders == 2
    assert freed.told
    assert all(gift.serials for line in freed.lines for gift in line.gifts)
    assert [(line.shelf, line.unfit) for line in freed.lines] == [(3, 1)]


@pytest.mark.usefixtures("var")
def test_the_demo_ends_now_and_keeps_every_law() -> None:
    load()
    now = datetime.now(UTC)
    newest = OrderEvent.objects.order_by("-occurred_at")[0].occurred_at
    assert now - timedelta(hours=1) < newest <= now
    assert [verdict.law.name for verdict in check_all(5) if verdict.finding.total] == []


@pytest.mark.usefixtures("var")
def test_each_of_the_people_gets_in_with_their_role_and_no_other() -> None:
    load()
    for person in demo.PEOPLE:
        user = User.objects.get(username=person.username)
        assert [group.name for group in user.groups.all()] == [person.role]
        assert user.is_staff == roles.role_named(person.role).is_staff
        assert not user.is_superuser
        assert Client().login(username=person.username, password=demo.PASSWORD)
    partner = User.objects.get(username="partner")
    assert 0 < PartsOrder.objects.visible_to(partner).count() < PartsOrder.objects.count()


def test_the_partners_client_has_a_secret_of_this_installation_that_only_its_owner_reads(var: Path) -> None:
    printed = load()
    file = var / "demo_client_secret"
    secret = file.read_text().strip()

    client = Application.objects.get()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (client.client_id, client.user.username) == ("demo-partner", "partner")
    assert check_password(secret, client.client_secret)
    assert client.client_id in printed
    assert secret in printed


@pytest.mark.usefixtures("var")
def test_a_second_start_adds_nothing_and_forgets_no_secret() -> None:
    first = load()
    counts = [model._default_manager.count() for model in (PartsOrder, ServiceOrder, OrderEvent, User, Part)]
    password = User.objects.get(username="manager").password

    second = load()

    assert counts == [model._default_manager.count() for model in (PartsOrder, ServiceOrder, OrderEvent, User, Part)]
    assert User.objects.get(username="manager").password == password
    assert first.splitlines()[-1] == second.splitlines()[-1]


@pytest.mark.usefixtures("var")
def test_a_demo_that_was_broken_off_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the power failed")

    with monkeypatch.context() as broken:
        broken.setattr("config.demo.queue.make_exceptions", fail)
        with pytest.raises(RuntimeError):
            load()
    assert not User.objects.filter(username="manager").exists()
    lived = ReplayRun.objects.get().lived_until

    load()
    assert ReplayRun.objects.get().lived_until == lived
    assert ServiceOrder.objects.filter(status="draft").count() == 1


@pytest.mark.usefixtures("var")
def test_the_demo_does_not_mix_with_what_is_there() -> None:
    PartFactory()
    with pytest.raises(CommandError, match="database of its own"):
        load()
    assert not User.objects.exists()


def test_without_the_setting_nobody_is_let_in(settings: Settings) -> None:
    settings.BACKLINE_DEMO = False
    with pytest.raises(CommandError, match="BACKLINE_DEMO"):
        load()
    assert not User.objects.exists()

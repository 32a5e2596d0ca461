"""`manage.py load_demo`: pages show life, the people get in, and a second start changes nothing."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from oauth2_provider.models import Application
from pytest_django.fixtures import Settings

from backorders.models import BackOrder
from backorders.statuses import AGE_BUCKETS
from config import demo, roles
from config.demo import loading
from config.integrity import check_all
from orders.models import (
    DiagnosticNote,
    LabourEntry,
    OrderEvent,
    OrderLine,
    PartsOrder,
    ReturnShipment,
    ServiceOrder,
)
from orders.statuses import LineStatus, ServiceOrderStatus
from parts.models import Delivery, Part
from reports.models import ReplayRun
from tests.factories.parts import PartFactory

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


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

"""Overrides with evidence, and those that another person has to consent to."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from PIL import Image
from pytest_django import Settings

from backorders.models import BackOrder
from config import roles
from config.integrity import check_all
from orders import chains
from orders.actions import consents, overriding, service_orders
from orders.actions.consents import Evidence, Wish
from orders.errors import ConsentNeeded, ReasonRequired
from orders.files import FileRefused
from orders.models import ConsentRule, OrderEvent, OrderLine, OverrideRequest, ServiceOrder
from orders.verifying import Verification
from parts.actors import Actor
from parts.errors import AlreadyDecided, AnotherPersonNeeded, Forbidden, Invalid, Refused, VersionConflict
from parts.models import Part
from tests.orders.desk import NOW, TOLD, Desk
from tests.racing import race

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _files(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def person(name: str, role: roles.Role = roles.MANAGER) -> User:
    user = User.objects.create_user(name)
    roles.give_role(user, role)
    return user


@pytest.fixture
def asks(db: None) -> User:
    return person("asks")


@pytest.fixture
def other(db: None) -> User:
    return person("other")


def by(user: User) -> dict[str, Any]:
    return TOLD | {"by": Actor.user(User.objects.get(pk=user.pk))}


def dear(over: int = 100, **facts: Any) -> ConsentRule:
    return ConsentRule.objects.create(name="Dear parts", value_over=Decimal(over), **facts)


def short_line(cost: int = 1000) -> OrderLine:
    desk = Desk()
    Part.objects.filter(pk=desk.part.pk).update(unit_cost=cost)
    desk.place(3)
    return OrderLine.objects.get(part=desk.part, status="back_ordered", is_split=False)


def wish(line: OrderLine, **facts: Any) -> Wish:
    what: dict[str, Any] = {"about": "line", "subject_id": line.pk, "to": "shipped", "reason": "Taken along"}
    what |= {"reference": "C-1", **facts}
    return Wish(**what)


def kinds(line: OrderLine) -> list[str]:
    return list(OrderEvent.objects.filter(subject_id=line.pk).order_by("version").values_list("kind", flat=True))


def picture() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(target, "PNG")
    return target.getvalue()


def test_without_a_rule_an_override_is_applied_at_once_and_keeps_its_evidence(asks: User) -> None:
    line = short_line()
    row = consents.ask(wish=wish(line, reference="", evidence=Evidence("note.png", picture())), **by(asks))
    reference = f"file {row.evidence_sha256[:12]}"  # no name of anybody's gets into the ledger by a file's
    assert (row.status, row.rule, row.reference, row.decided_by_id) == ("applied", "", reference, None)
    with row.evidence.open() as file:
        assert file.read()
    assert row.evidence_type == "image/png"
    event = OrderEvent.objects.get(pk=row.asked_event)
    assert event.is_override
    assert event.data["evidence"] == row.evidence_sha256
    assert OrderLine.objects.get(pk=line.pk).status == "shipped"


def test_a_rule_lets_it_wait_and_nothing_changes_before_another_person_consents(asks: User, other: User) -> None:
    dear()
    line = short_line()
    with pytest.raises(ConsentNeeded, match="Dear parts"):
        overriding.override(line_id=line.pk, to="shipped", reason="x", reference="y", **by(asks))
    row = consents.ask(wish=wish(line), **by(asks))
    assert (row.status, row.rule) == ("waiting", "Dear parts")
    assert OrderLine.objects.get(pk=line.pk).status == "back_ordered"
    assert kinds(line)[-1] == "line.override_asked"

    with pytest.raises(AnotherPersonNeeded):
        consents.consent(request_id=row.pk, **by(asks))
    consents.consent(request_id=row.pk, **by(other))

    assert OrderLine.objects.get(pk=line.pk).status == "shipped"
    assert BackOrder.objects.get().status == "fulfilled"
    event = OrderEvent.objects.filter(subject_id=line.pk, is_override=True).get()
    assert (event.actor, event.data["consented_by"]) == (f"user:{asks.pk}", f"user:{other.pk}")
    assert event.text.text == "Taken along"
    with pytest.raises(AlreadyDecided):
        consents.consent(request_id=row.pk, **by(other))
    assert [verdict.law.name for verdict in check_all(5) if verdict.finding.total] == []


def test_a_refusal_needs_a_reason_and_leaves_everything_as_it_was(asks: User, other: User) -> None:
    dear()
    line = short_line()
    row = consents.ask(wish=wish(line), **by(asks))
    with pytest.raises(ReasonRequired):
        consents.refuse(request_id=row.pk, reason=" ", **by(other))
    with pytest.raises(AnotherPersonNeeded):
        consents.refuse(request_id=row.pk, reason="No", **by(asks))
    consents.refuse(request_id=row.pk, reason="No receipt", **by(other))
    assert kinds(line)[-1] == "line.override_refused"
    assert OrderLine.objects.get(pk=line.pk).status == "back_ordered"
    assert consents.ask(wish=wish(line), **by(asks)).status == "waiting"  # it may be asked for again


def test_only_who_asked_takes_it_back_and_only_one_waits_at_a_time(asks: User, other: User) -> None:
    dear()
    line = short_line()
    row = consents.ask(wish=wish(line), **by(asks))
    with pytest.raises(Refused, match="waits for consent already"):
        consents.ask(wish=wish(line), **by(other))
    with pytest.raises(Forbidden):
        consents.withdraw(request_id=row.pk, **by(other))
    consents.withdraw(request_id=row.pk, **by(asks))
    assert OverrideRequest.objects.get().status == "withdrawn"
    with pytest.raises(AlreadyDecided):
        consents.consent(request_id=row.pk, **by(other))


def test_consent_to_what_has_moved_since_is_refused(asks: User, other: User) -> None:
    dear()
    line = short_line()
    row = consents.ask(wish=wish(line), **by(asks))
    overriding.override(line_id=line.pk, to="cancelled", reason="x", reference="y", **TOLD)
    with pytest.raises(VersionConflict, match="has moved"):
        consents.consent(request_id=row.pk, **by(other))
    assert OverrideRequest.objects.get().status == "waiting"


def test_who_asked_and_may_not_override_any_more_gets_no_consent(asks: User, other: User) -> None:
    dear()
    line = short_line()
    row = consents.ask(wish=wish(line), **by(asks))
    roles.give_role(asks, roles.AUDITOR)
    with pytest.raises(Forbidden):
        consents.consent(request_id=row.pk, **by(other))
    assert OrderLine.objects.get(pk=line.pk).status == "back_ordered"


@pytest.mark.parametrize(
    ("facts", "cost", "waits"),
    [
        ({"over": 2999}, 1000, True),
        ({"over": 3000}, 1000, False),
        ({"over": 1, "to_status": "delivered"}, 1000, False),
        ({"over": 1, "criticality": "A"}, 1000, False),
        ({"over": 1, "is_active": False}, 1000, False),
    ],
)
def test_a_rule_fits_by_value_status_criticality_and_while_it_is_active(
    asks: User, facts: dict[str, Any], cost: int, waits: bool
) -> None:
    dear(**facts)
    line = short_line(cost)
    assert (consents.ask(wish=wish(line), **by(asks)).status == "waiting") is waits


def test_a_job_waits_for_consent_as_well(asks: User, other: User) -> None:
    ConsentRule.objects.create(name="Reopening", subject="service_order", to_status="in_progress")
    job: ServiceOrder = Desk().job("completed")
    with pytest.raises(ConsentNeeded):
        service_orders.override(service_order_id=job.pk, to="in_progress", reason="x", reference="y", **by(asks))
    row = consents.ask(wish=Wish("service_order", job.pk, "in_progress", "It leaks again", "C-2"), **by(asks))
    consents.consent(request_id=row.pk, **by(other))
    assert ServiceOrder.objects.get(pk=job.pk).status == "in_progress"


def test_what_was_shipped_outside_the_system_has_left_when_it_left(asks: User) -> None:
    line = short_line()
    then = NOW - timedelta(days=2)
    row = consents.ask(wish=wish(line, happened_at=then), **by(asks))
    assert OrderEvent.objects.get(pk=row.asked_event).occurred_at == then
    assert OrderLine.objects.get(pk=line.pk).status_since == then


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        ({"reason": ""}, ReasonRequired),
        ({"reference": " "}, ReasonRequired),
        ({"to": "lost"}, Invalid),
        ({"happened_at": NOW + timedelta(hours=2)}, Invalid),
        ({"to": "cancelled", "happened_at": NOW}, Invalid),
        ({"happened_at": NOW - timedelta(days=8)}, Invalid),
        ({"happened_at": datetime(1990, 1, 2, tzinfo=UTC)}, Invalid),
        ({"evidence": Evidence("page.html", b"<html><script>1</script></html>")}, FileRefused),
        ({"evidence": Evidence("empty.pdf", b"")}, FileRefused),
    ],
)
def test_what_cannot_be_asked_for_is_refused_and_nothing_is_kept(
    asks: User, facts: dict[str, Any], refusal: type[Refused], tmp_path: Path
) -> None:
    line = short_line()
    with pytest.raises(refusal):
        consents.ask(wish=wish(line, **facts), **by(asks))
    assert not OverrideRequest.objects.exists()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_file_of_an_override_that_fails_is_not_kept(asks: User, tmp_path: Path) -> None:
    line = short_line()
    with pytest.raises(Refused):
        consents.ask(wish=wish(line, to="reserved", evidence=Evidence("n.txt", b"Seen")), **by(asks))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_database_itself_refuses_the_same_person(asks: User) -> None:
    dear()
    row = consents.ask(wish=wish(short_line()), **by(asks))
    with pytest.raises(IntegrityError, match="decided_by_another"), transaction.atomic():
        OverrideRequest.objects.filter(pk=row.pk).update(status="applied", decided_by=asks, decided_at=NOW)
    with pytest.raises(IntegrityError, match="consented_where_needed"), transaction.atomic():
        OverrideRequest.objects.filter(pk=row.pk).update(status="applied", decided_at=NOW)


# --- Races -----------------------------------------------------------------------------------------------------------

Deciding = Callable[[], object]


def two_decide() -> tuple[Any, Any, OrderLine]:
    asks, one, two = person("a"), person("b"), person("c")
    dear()
    line = short_line()
    row = consents.ask(wish=wish(line), **by(asks))
    first, second = by(one), by(two)
    done = race(
        lambda: consents.refuse(request_id=row.pk, reason="No receipt", **first),
        lambda: consents.consent(request_id=row.pk, **second),
    )
    return *done, line


@pytest.mark.django_db(transaction=True)
def test_of_two_who_decide_at_once_the_second_is_told_what_was_decided() -> None:
    refused, consented, line = two_decide()
    assert refused.error is None
    assert isinstance(consented.error, AlreadyDecided)
    assert OrderLine.objects.get(pk=line.pk).status == "back_ordered"


@pytest.mark.django_db(transaction=True)
def test_without_its_lock_a_refused_override_is_applied_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def unlocked() -> QuerySet[OverrideRequest]:
        return OverrideRequest.objects.all()

    monkeypatch.setattr(consents, "_locked_requests", unlocked)
    refused, consented, line = two_decide()
    assert (refused.error, consented.error) == (None, None)
    assert "line.override_refused" in kinds(line)
    assert OrderLine.objects.get(pk=line.pk).status == "shipped"


@pytest.mark.django_db(transaction=True)
def test_two_who_ask_at_once_leave_one_request() -> None:
    one, two = person("a"), person("b")
    dear()
    line = short_line()
    first, second = by(one), by(two)
    asked, again = race(lambda: consents.ask(wish=wish(line), **first), lambda: consents.ask(wish=wish(line), **second))
    assert asked.error is None
    assert isinstance(again.error, Refused)
    assert OverrideRequest.objects.count() == 1
    with chains.one_snapshot():
        assert list(Verification().findings()) == []

"""Discrepancy cases: who opens them, who settles them, and who is asked when nobody does."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from config import roles
from config.desk.orders_timeline import one_by_one
from integrations.actions import cases, reporting
from integrations.actions.cases import Contradiction
from integrations.actions.counting import count_van
from integrations.models import CountTolerance, Discrepancy, EscalationStep
from orders import chains
from orders.actions import overriding
from orders.actions.reporting import Report
from orders.admin.timeline import timeline
from orders.errors import NothingToDo, ReasonRequired
from orders.models import OrderEvent, OrderLine
from orders.verifying import Verification
from parts.actions import stock
from parts.actions.stock import Found
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, NotFound, Refused, VersionConflict
from parts.models import Part, StockCountLine, StockLevel
from tests.admin.desk import deed, desk_of, page, text
from tests.admin.world import World
from tests.factories.parts import PartFactory, WarehouseFactory
from tests.orders.desk import NOBODY, NOW, TOLD, Desk, statements, told
from tests.racing import race

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _steps(db: None) -> None:
    """A test that really commits is cleaned up after, with the steps and tolerances that a house begins with."""
    for position, (role, hours) in enumerate((("Parts manager", 24), ("Administrator", 48)), start=1):
        EscalationStep.objects.get_or_create(
            kind="count_level", position=position, defaults={"role": role, "hours": hours}
        )
    for criticality, share in (("A", 0), ("B", 5), ("C", 10)):
        CountTolerance.objects.get_or_create(criticality=criticality, defaults={"share": share, "value": 250})


def level() -> StockLevel:
    desk = Desk()
    desk.put(5)
    return StockLevel.objects.get(part=desk.part)


def opened(of: StockLevel | None = None, **facts: Any) -> Discrepancy:
    what = Contradiction("count_level", "5 in the books", "4 found", {"level_id": (of or level()).pk})
    return cases.open_case(what=what, note="Shelf 3", **TOLD | facts)


def worker(name: str = "worker") -> User:
    person = User.objects.create_user(name)
    roles.give_role(person, roles.MANAGER)
    return person


def kinds(case: Discrepancy) -> list[str]:
    return list(OrderEvent.objects.filter(subject_id=case.pk).order_by("version").values_list("kind", flat=True))


def test_a_case_has_a_number_a_role_and_a_time_and_lives_in_the_ledger() -> None:
    case, person = opened(), worker()
    assert case.reference.startswith("DC-")
    assert (case.role, case.due_at) == ("Parts manager", NOW + timedelta(hours=24))
    cases.assign(case_id=case.pk, owner_id=person.pk, **TOLD)
    cases.add_note(case_id=case.pk, text="Looked on the shelf below", **TOLD)
    cases.resolve(case_id=case.pk, resolution="goods", text="It lay below", **TOLD)
    cases.reopen(case_id=case.pk, reason="It is gone again", **told(hours=1))
    row = Discrepancy.objects.get()
    assert (row.status, row.resolution, row.step, row.due_at) == ("open", "", 1, NOW + timedelta(hours=25))
    assert kinds(case) == ["case.opened", "case.assigned", "note.added", "case.resolved", "case.reopened"]


@pytest.mark.django_db(transaction=True)
def test_the_ledger_with_cases_in_it_still_verifies() -> None:
    case = opened()
    cases.resolve(case_id=case.pk, resolution="books", text="Counted again", **TOLD)
    with chains.one_snapshot():
        assert list(Verification().findings()) == []


@pytest.mark.parametrize(
    ("do", "refusal"),
    [
        (lambda case: cases.resolve(case_id=case.pk, resolution="books", text=" ", **TOLD), ReasonRequired),
        (lambda case: cases.resolve(case_id=case.pk, resolution="who knows", text="x", **TOLD), Invalid),
        (lambda case: cases.assign(case_id=case.pk, owner_id=0, expected_version=9, **TOLD), VersionConflict),
        (lambda case: cases.reopen(case_id=case.pk, reason="x", **TOLD), Refused),
        (lambda case: cases.add_note(case_id=case.pk, text="", **TOLD), Invalid),
        (lambda case: cases.add_note(case_id=case.pk, text="x", **TOLD | {"by": NOBODY}), Forbidden),
        (lambda case: cases.assign(case_id=case.pk, owner_id=0, **TOLD), Invalid),
        (lambda case: cases.assign(case_id=case.pk, owner_id=None, **TOLD), NothingToDo),
        (lambda case: cases.assign(case_id=case.level_id, owner_id=None, **TOLD), NotFound),
        (lambda case: opened(case.level, by=NOBODY), Forbidden),
    ],
)
def test_what_is_not_possible_is_refused_and_nothing_changes(
    do: Callable[[Discrepancy], object], refusal: type[Refused]
) -> None:
    case = opened()
    with pytest.raises(refusal):
        do(case)
    assert kinds(case) == ["case.opened"]
    assert Discrepancy.objects.get().version == 1


def test_the_database_refuses_a_case_closed_without_its_event_and_one_taken_away() -> None:
    case = opened()
    with pytest.raises(IntegrityError, match="status_without_event"), transaction.atomic():
        Discrepancy.objects.filter(pk=case.pk).update(status="resolved", resolution="books", resolved_at=NOW)
    with pytest.raises(IntegrityError, match="append_only"), transaction.atomic():
        Discrepancy.objects.all().delete()


# --- Escalation ------------------------------------------------------------------------------------------------------


def test_an_overdue_case_goes_to_the_next_role_once_and_stays_with_the_last() -> None:
    case = opened()
    assert cases.escalate_overdue(at=NOW + timedelta(hours=23)) == 0
    late = NOW + timedelta(hours=25)
    assert cases.escalate_overdue(at=late) == 1
    assert cases.escalate_overdue(at=late) == 0
    row = Discrepancy.objects.get()
    assert (row.step, row.role, row.due_at) == (2, "Administrator", late + timedelta(hours=48))
    assert cases.escalate_overdue(at=NOW + timedelta(days=30)) == 0
    assert kinds(case) == ["case.opened", "case.escalated"]


def test_a_resolved_case_is_not_escalated() -> None:
    case = opened()
    cases.resolve(case_id=case.pk, resolution="nothing", text="Counted twice", **TOLD)
    assert cases.escalate_overdue(at=NOW + timedelta(days=30)) == 0


def two_runs(case: Discrepancy) -> tuple[Any, Any]:
    late = NOW + timedelta(hours=25)
    return race(lambda: cases._escalate(case.pk, late), lambda: cases._escalate(case.pk, late))


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_escalate_once() -> None:
    case = opened()
    first, second = two_runs(case)
    assert (first.result, second.result) == (True, False)
    assert kinds(case) == ["case.opened", "case.escalated"]


@pytest.mark.django_db(transaction=True)
def test_without_its_lock_the_second_run_breaks_the_chain_and_is_refused_by_the_database(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unlocked() -> QuerySet[Discrepancy]:
        return Discrepancy.objects.all()

    monkeypatch.setattr(cases, "_locked_cases", unlocked)
    first, second = two_runs(opened())
    assert first.error is None
    assert isinstance(second.error, IntegrityError)


# --- Opened by the system --------------------------------------------------------------------------------------------


def test_a_van_count_opens_a_case_for_each_difference_and_for_nothing_else() -> None:
    person = User.objects.create_user("tech")
    roles.give_role(person, roles.TECHNICIAN)
    van = WarehouseFactory.create(kind="van", technician=person)
    right, wrong = PartFactory.create(), PartFactory.create()
    for part in (right, wrong):
        stock.correct_stock(part_id=part.pk, warehouse_id=van.pk, on_hand_change=Decimal(2), reason="opening", **TOLD)
    by = Actor.user(User.objects.get(pk=person.pk))
    count_van(
        warehouse_id=van.pk,
        found=[Found(right.pk, Decimal(2)), Found(wrong.pk, Decimal(1))],
        **TOLD | {"by": by},
    )
    case = Discrepancy.objects.get()
    assert (case.kind, case.expected, case.found) == ("count_level", "2 in the books", "1 counted")
    with override("de"):
        assert (case.expected_said, case.found_said) == ("2 im Buchbestand", "1 gezählt")
    assert case.count_line == StockCountLine.objects.get(level__part=wrong)
    assert OrderEvent.objects.get(subject_id=case.pk).actor == f"user:{person.pk}"
    assert cases.open_for_counts(at=timezone.now()) == 0  # the correction it made is no second case


def test_the_timeline_of_a_case_says_in_the_readers_language_what_a_rule_said() -> None:
    job = Desk().job("completed")
    reporting.report_many(
        reports=[Report("service_order", job.pk, "cancelled", NOW, "M-1", "Customer called")], **told(hours=2)
    )
    case = Discrepancy.objects.get()
    event = OrderEvent.objects.get(subject_id=case.pk)
    assert (event.data["expected"], event.data["found"]) == ("completed", "cancelled, reported by test")
    for language, expected, found in (
        ("en", "expected: completed", "found: cancelled, reported by test"),
        ("de", "erwartet: Abgeschlossen", "gefunden: Storniert, gemeldet von test"),
        ("es", "previsto: Completado", "encontrado: Cancelado, notificado por test"),
    ):
        with override(language):
            for shown in (timeline([case.pk])[0].details, one_by_one([event])[0].details):
                assert expected in shown, (language, shown)
                assert found in shown, (language, shown)


def test_the_timeline_of_a_case_shows_what_a_person_wrote_as_they_wrote_it() -> None:
    at = level()
    what = Contradiction("count_level", "4", "Verbogen {so}", {"level_id": at.pk})
    with override("de"):
        case = cases.open_case(what=what, note="", **TOLD)
        assert "Verbogen {so}" in timeline([case.pk])[0].details
    assert "sentences" not in OrderEvent.objects.get(subject_id=case.pk).data


@pytest.mark.parametrize(("criticality", "counted", "is_case"), [("C", 95, False), ("C", 80, True), ("A", 99, True)])
def test_a_count_of_a_warehouse_opens_a_case_beyond_the_tolerance_of_its_part(
    criticality: str, counted: int, is_case: bool
) -> None:
    desk = Desk()
    Part.objects.filter(pk=desk.part.pk).update(criticality=criticality, unit_cost=1)
    desk.put(100)
    at = StockLevel.objects.get(part=desk.part)
    stock.correct_stock(
        part_id=at.part_id, warehouse_id=at.warehouse_id, on_hand_change=Decimal(counted - 100), reason="count", **TOLD
    )
    assert cases.open_for_counts(at=timezone.now()) == int(is_case)
    assert cases.open_for_counts(at=timezone.now()) == 0
    assert [(case.expected, case.found) for case in Discrepancy.objects.all()] == (
        [("100 in the books", f"{counted} counted")] if is_case else []
    )


def test_a_message_that_contradicts_what_is_final_opens_one_case_however_often_it_comes() -> None:
    desk = Desk()
    job = desk.job("completed")
    report = Report("service_order", job.pk, "cancelled", NOW, "M-1", "Customer called")
    for _ in range(2):
        result = reporting.report_many(reports=[report], **told(hours=2))[0]
        assert (result.outcome, result.status) == ("refused", "completed")
    case = Discrepancy.objects.get()
    assert (case.kind, case.service_order_id, case.expected) == ("message_status", job.pk, "completed")
    assert case.found == "cancelled, reported by test"
    with override("de"):
        assert (case.expected_said, case.found_said) == ("Abgeschlossen", "Storniert, gemeldet von test")


def test_a_contradiction_is_one_case_under_however_many_names_it_is_sent() -> None:
    job = Desk().job("completed")

    def contradict(first: int, count: int) -> int:
        said = [Report("service_order", job.pk, "cancelled", NOW, f"M-{first + n}", "x") for n in range(count)]
        with statements() as sent:
            reporting.report_many(reports=said, **told(hours=2))
        return len(sent)

    contradict(0, 50)
    contradict(50, 1)
    case = Discrepancy.objects.get()
    assert (case.status, kinds(case)) == ("open", ["case.opened"])


def test_many_contradictions_take_as_many_statements_as_few() -> None:
    def contradict(count: int) -> int:
        jobs = [Desk().job("completed") for _ in range(count)]
        with statements() as sent:
            said = [Report("service_order", job.pk, "cancelled", NOW, f"M-{job.pk}", "x") for job in jobs]
            reporting.report_many(reports=said, **told(hours=2))
        return len(sent)

    few, many = contradict(2), contradict(12)
    assert few == many
    references = list(Discrepancy.objects.values_list("reference", flat=True))
    assert len(set(references)) == len(references) == 14
    assert all(kinds(case) == ["case.opened"] for case in Discrepancy.objects.all())


def test_a_count_of_many_parts_takes_as_many_statements_as_one_of_few() -> None:
    def counted(number: int) -> int:
        person = User.objects.create_user(f"tech{number}")
        roles.give_role(person, roles.TECHNICIAN)
        van = WarehouseFactory.create(kind="van", technician=person)
        parts = [PartFactory.create() for _ in range(number)]
        for part in parts:
            here: dict[str, Any] = {"part_id": part.pk, "warehouse_id": van.pk}
            stock.correct_stock(**here, on_hand_change=Decimal(2), reason="opening", **TOLD)
        by = {"by": Actor.user(User.objects.get(pk=person.pk))}
        with statements() as sent:
            count_van(warehouse_id=van.pk, found=[Found(part.pk, Decimal(1)) for part in parts], **TOLD | by)
        return len(sent)

    few, many = counted(2), counted(12)
    assert few == many
    assert Discrepancy.objects.count() == 14


def both_contradict(job: Any) -> tuple[Any, Any]:
    def contradict(name: str) -> Callable[[], object]:
        said = [Report("service_order", job.pk, "cancelled", NOW, name, "x")]
        return lambda: reporting.report_many(reports=said, **told(hours=2))

    return race(contradict("M-1"), contradict("M-2"))


@pytest.mark.django_db(transaction=True)
def test_two_that_send_the_same_contradiction_at_once_open_one_case() -> None:
    first, second = both_contradict(Desk().job("completed"))
    assert (first.error, second.error) == (None, None)
    assert Discrepancy.objects.count() == 1


def test_a_count_is_looked_at_however_long_no_worker_ran() -> None:
    cases.open_for_counts(at=timezone.now())
    at = level()
    stock.correct_stock(
        part_id=at.part_id, warehouse_id=at.warehouse_id, on_hand_change=Decimal(-3), reason="count", **TOLD
    )
    assert cases.open_for_counts(at=timezone.now() + timedelta(days=30)) == 1
    assert cases.open_for_counts(at=timezone.now() + timedelta(days=60)) == 0


def test_a_message_that_is_refused_for_another_reason_opens_none() -> None:
    desk = Desk()
    desk.put(1)
    desk.place(1)
    line = OrderLine.objects.get(is_split=False)
    reporting.report_many(reports=[Report("line", line.pk, "packed", NOW), Report("line", line.pk, "x", NOW)], **TOLD)
    overriding.override(line_id=line.pk, to="cancelled", reason="x", reference="y", **TOLD)
    reporting.report_many(reports=[Report("line", line.pk, "cancelled", NOW)], **TOLD)
    assert not Discrepancy.objects.exists()


# --- In the back office ----------------------------------------------------------------------------------------------


def test_a_case_is_opened_from_the_page_of_a_level_taken_and_resolved(world: World, manager: User) -> None:
    at = StockLevel.objects.get(part=world.part_in_stock())
    client = desk_of(manager)
    asked = {"kind": "count_level", "expected": "10", "found": "9", "note": "Counted twice"}
    answer = client.post(deed(at, "open-case"), asked)
    case = Discrepancy.objects.get()
    assert answer.headers["Location"] == page(case)
    assert case.reference in text(client.get(page(at)))
    client.post(deed(case, "take"))
    assert Discrepancy.objects.get().owner == manager
    refused = client.post(deed(case, "resolve"), {"resolution": "books", "text": ""})
    assert refused.status_code == 400
    client.post(deed(case, "resolve"), {"resolution": "books", "text": "Corrected"})
    shown = text(client.get(page(case)))
    assert "Our books were wrong" in shown
    assert "Corrected" in shown


def test_a_case_is_not_taken_from_somebody_by_a_page_that_still_shows_it_as_free() -> None:
    case, anna, bert = opened(), worker("anna"), worker("bert")
    desk_of(anna).post(deed(case, "take"))
    answer = desk_of(bert).post(deed(case, "take"), follow=True)
    assert "anna has" in text(answer)
    assert Discrepancy.objects.get().owner == anna
    cases.assign(case_id=case.pk, owner_id=bert.pk, **TOLD)  # who means to give it to another one still can
    assert Discrepancy.objects.get().owner == bert


def both_take(case: Discrepancy) -> tuple[Any, Any]:
    def take(person: User) -> Callable[[], object]:
        return lambda: cases.assign(case_id=case.pk, owner_id=person.pk, only_free=True, **TOLD)

    return race(take(worker("anna")), take(worker("bert")))


@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_a_case_at_once_one_has_it_and_the_other_is_told() -> None:
    first, second = both_take(opened())
    assert first.error is None
    assert isinstance(second.error, Refused)
    assert Discrepancy.objects.get().owner == User.objects.get(username="anna")


@pytest.mark.django_db(transaction=True)
def test_without_its_lock_the_second_takes_what_the_first_one_has_and_only_the_database_refuses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cases, "_locked_cases", Discrepancy.objects.all)
    first, second = both_take(opened())
    assert first.error is None
    assert isinstance(second.error, IntegrityError)


@pytest.mark.parametrize("how", ["above all", "personally"])
def test_who_may_work_on_cases_without_a_role_can_take_one(above_all: User, how: str) -> None:
    person = above_all
    if how == "personally":
        person = User.objects.create_user("own", is_staff=True)
        rights = ("work_discrepancy", "view_discrepancy")
        person.user_permissions.set(Permission.objects.filter(codename__in=rights))
    case = opened()
    desk_of(person).post(deed(case, "take"))
    assert Discrepancy.objects.get().owner == person


def test_the_list_shows_mine_and_what_is_overdue(world: World, manager: User) -> None:
    at = StockLevel.objects.get(part=world.part_in_stock())
    mine, other = opened(at), opened(at, at=timezone.now())
    cases.assign(case_id=mine.pk, owner_id=manager.pk, **TOLD)
    client: Client = desk_of(manager)
    address = reverse("admin:integrations_discrepancy_changelist")
    for query, shown, hidden in (
        ("whose=mine", mine, other),
        ("overdue=yes", mine, other),
        ("whose=nobody", other, mine),
    ):
        found = text(client.get(f"{address}?{query}"))
        assert shown.reference in found, query
        assert hidden.reference not in found, query


# --- As people read it -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "zone", "shown"),
    [("en", "America/New_York", "3 Mar 2026, 07:00"), ("de", "Europe/Berlin", "03.03.2026 13:00")],
)
def test_when_a_case_is_due_is_read_in_ones_own_zone_and_language(
    manager: User, language: str, zone: str, shown: str
) -> None:
    row = opened()
    Discrepancy.objects.filter(pk=row.pk).update(due_at=datetime(2026, 3, 3, 12, 0, tzinfo=UTC))
    client = desk_of(manager)
    client.cookies["timezone"] = zone
    client.cookies["django_language"] = language
    for address in (reverse("admin:integrations_discrepancy_changelist"), page(row)):
        answer = text(client.get(address))
        assert shown in answer
        assert not re.search(r">[^<]*2026-03-03", answer)


def test_both_views_stand_side_by_side_with_what_stands_there_now(manager: User) -> None:
    row = opened()
    shown = text(desk_of(manager).get(page(row)))
    assert "The books say" in shown
    assert "The count says" in shown
    assert row.expected in shown
    assert row.found in shown
    assert "Now: 5 on hand, 0 reserved" in shown
    assert "Reported by a person" in shown

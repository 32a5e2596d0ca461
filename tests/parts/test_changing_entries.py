"""Numbers and relations of controlled parts: asked for by one, approved by another. And control itself."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.urls import reverse

from parts.actions import changing
from parts.actions.changing import approve, keep_entry, refuse, request_change
from parts.actions.imports import KINDS as IMPORTS
from parts.changes import controlled_since
from parts.entries import Entry, kind_of, texts_of
from parts.errors import AnotherPersonNeeded, Forbidden, Invalid, Refused, VersionConflict
from parts.models import Part, PartChange, PartNumber, PartRelation
from tests.admin.desk import deed, desk_of, page, said, text
from tests.factories.parts import PartFactory
from tests.parts.test_changing import by, controlled, person, sent
from tests.racing import race

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(db: None) -> User:
    return person("other")


def number_of(part: Part, system: str = "ERP", number: str = "4711") -> PartNumber:
    return PartNumber.objects.create(part=part, system=system, number=number)


def relation_of(part: Part, to: Part, **facts: Any) -> PartRelation:
    return PartRelation.objects.create(kind="substitutes", part=part, other=to, **facts)


def changed(row: PartNumber | PartRelation, **texts: str) -> Entry:
    return Entry(kind_of(row), row.pk, texts_of(row), texts_of(row) | texts)


def new_number(part: Part, number: str = "4712") -> Entry:
    return Entry("number", uuid.uuid4(), None, {"part": str(part.pk), "system": "ERP", "number": number})


def removed(row: PartNumber | PartRelation) -> Entry:
    return Entry(kind_of(row), row.pk, texts_of(row), None)


def keep(entry: Entry, user: User, reason: str = "ECN 12") -> PartChange | None:
    return keep_entry(entry=entry, reason=reason, **by(user))


def numbers(part: Part) -> set[str]:
    return set(part.numbers.values_list("number", flat=True))


# --- What is asked for -----------------------------------------------------------------------------------------------


def test_what_belongs_to_no_controlled_part_is_kept_at_once(manager: User) -> None:
    part = PartFactory.create()
    assert keep(new_number(part), manager, "") is None
    row = part.numbers.get()
    assert keep(changed(row, number="4713"), manager, "") is None
    assert numbers(part) == {"4713"}
    assert keep(removed(part.numbers.get()), manager, "") is None
    assert numbers(part) == set()
    assert not PartChange.objects.exists()


def test_a_number_is_added_changed_and_removed_only_when_another_person_approves(manager: User, other: User) -> None:
    part = controlled()
    for make, then in (
        (lambda: new_number(part), {"4712"}),
        (lambda: changed(part.numbers.get(), number="4713"), {"4713"}),
        (lambda: removed(part.numbers.get()), set()),
    ):
        before = numbers(part)
        row = keep(make(), manager)
        assert row is not None
        assert numbers(part) == before
        with pytest.raises(AnotherPersonNeeded):
            approve(change_id=row.pk, **by(manager))
        approve(change_id=row.pk, **by(other))
        assert numbers(part) == then


@pytest.mark.parametrize("is_other", [False, True])
def test_a_relation_of_which_either_end_is_controlled_waits(manager: User, other: User, is_other: bool) -> None:
    held, free = controlled(), PartFactory.create()
    part, to = (free, held) if is_other else (held, free)
    texts = texts_of(PartRelation(kind="supersedes", part=part, other=to))
    row = keep(Entry("relation", uuid.uuid4(), None, texts), manager)
    assert row is not None
    assert row.part == held
    assert not PartRelation.objects.exists()
    approve(change_id=row.pk, **by(other))
    relation = PartRelation.objects.get()
    assert (relation.part, relation.other, relation.kind) == (part, to, "supersedes")
    newest = relation.history.latest()
    assert (newest.history_user, newest.history_change_reason) == (other, "ECN 12")


def test_a_relation_that_leaves_a_controlled_part_waits_as_well(manager: User) -> None:
    held, free, third = controlled(), PartFactory.create(), PartFactory.create()
    relation = relation_of(held, free)
    row = keep(changed(relation, part=str(third.pk)), manager)
    assert row is not None
    assert row.part == held
    assert PartRelation.objects.get().part == held


def test_a_refused_one_leaves_everything_as_it_is(manager: User, other: User) -> None:
    part = controlled()
    row = keep(new_number(part), manager)
    assert row is not None
    refuse(change_id=row.pk, reason="Not this year", **by(other))
    assert numbers(part) == set()


def test_fields_and_numbers_are_one_change_and_applied_together_or_not_at_all(manager: User, other: User) -> None:
    part = controlled()
    row = request_change(
        part_id=part.pk, wanted={"description": "Valve II"}, entries=[new_number(part)], reason="ECN", **by(manager)
    )
    number_of(PartFactory.create(), number="4712")  # taken meanwhile
    with pytest.raises(Refused):
        approve(change_id=row.pk, **by(other))
    assert Part.objects.get(pk=part.pk).description == "Brake valve"
    PartNumber.objects.all().delete()
    approve(change_id=row.pk, **by(other))
    assert (Part.objects.get(pk=part.pk).description, numbers(part)) == ("Valve II", {"4712"})


def test_what_has_changed_or_gone_since_is_not_overwritten(manager: User, other: User) -> None:
    part = controlled()
    number = number_of(part)
    row = keep(changed(number, number="4713"), manager)
    assert row is not None
    PartNumber.objects.update(number="4799")
    with pytest.raises(VersionConflict):
        approve(change_id=row.pk, **by(other))
    PartNumber.objects.all().delete()
    with pytest.raises(VersionConflict, match="removed since"):
        approve(change_id=row.pk, **by(other))
    assert PartChange.objects.get().status == "waiting"


@pytest.mark.parametrize(
    "texts", [{"system": ""}, {"number": ""}, {"part": "nonsense"}, {"part": str(uuid.uuid4())}, {"number": "x" * 81}]
)
def test_what_cannot_be_is_refused_when_it_is_asked_for(manager: User, texts: dict[str, str]) -> None:
    part = controlled()
    with pytest.raises(Invalid):
        request_change(part_id=part.pk, entries=[changed(number_of(part), **texts)], reason="ECN", **by(manager))
    assert not PartChange.objects.exists()


def test_nothing_and_only_one_at_a_time(manager: User, other: User) -> None:
    part = controlled()
    number = number_of(part)
    with pytest.raises(Refused, match="Nothing of"):
        keep(changed(number), manager)
    with pytest.raises(Invalid):
        keep(removed(number), manager, reason=" ")
    keep(removed(number), manager)
    with pytest.raises(Refused, match="waits for approval already"):
        keep(new_number(part), other)


def test_who_may_not_edit_them_cannot_ask_either(manager: User, dispatcher: User) -> None:
    part = controlled()
    for entry in (new_number(part), removed(number_of(part))):
        with pytest.raises(Forbidden):
            keep(entry, dispatcher)
    assert not PartChange.objects.exists()


def test_the_database_refuses_a_change_of_nothing(manager: User) -> None:
    row = keep(new_number(controlled()), manager)
    assert row is not None
    with pytest.raises(IntegrityError, match="changes_something"), transaction.atomic():
        PartChange.objects.update(entries=[])


def test_no_import_writes_numbers_or_relations() -> None:
    """An import has no such columns: there is no way round the approval by a file."""
    columns = {column.name for kind in IMPORTS.values() for column in kind.columns}
    assert not columns & {"system", "numbers", "other", "supersedes", "substitutes", "quantity_factor"}


# --- Control itself --------------------------------------------------------------------------------------------------


def test_only_who_may_approve_asks_to_take_control_off_and_another_approves_it(manager: User, other: User) -> None:
    part = controlled()
    person = by(manager)["by"]
    assert person.permissions is not None
    weak = replace(person, permissions=person.permissions - {"parts.approve_partchange"})
    with pytest.raises(Forbidden):
        request_change(part_id=part.pk, wanted={"is_controlled": "False"}, reason="x", **by(manager) | {"by": weak})
    row = request_change(part_id=part.pk, wanted={"is_controlled": "False"}, reason="Replaced", **by(manager))
    assert Part.objects.get(pk=part.pk).is_controlled
    approve(change_id=row.pk, **by(other))
    assert not Part.objects.get(pk=part.pk).is_controlled


def test_the_page_says_who_put_a_part_under_control_and_when(manager: User, other: User) -> None:
    part = PartFactory.create()
    part.refresh_from_db()
    client = desk_of(manager)
    client.post(page(part), sent(part, change_reason="Brakes"))
    found = controlled_since(Part.objects.get(pk=part.pk))
    assert found is not None
    assert found.why == "Brakes"
    assert "Controlled by" in text(client.get(page(part)))
    assert "Brakes" in text(client.get(page(part)))
    row = request_change(part_id=part.pk, wanted={"description": "x"}, reason="later", **by(manager))
    approve(change_id=row.pk, **by(other))
    again = controlled_since(Part.objects.get(pk=part.pk))
    assert again == found


# --- Two at once -----------------------------------------------------------------------------------------------------


def one_controls_while_another_adds_a_number() -> tuple[Any, Any, Part]:
    part = PartFactory.create()
    told = by(person("a"))

    def control() -> None:
        changing.lock_parts([part.pk])
        Part.objects.filter(pk=part.pk).update(is_controlled=True)

    done = race(control, lambda: keep_entry(entry=new_number(part), reason="ECN", **told))
    return *done, part


@pytest.mark.django_db(transaction=True)
def test_a_number_added_while_its_part_is_put_under_control_waits() -> None:
    first, second, part = one_controls_while_another_adds_a_number()
    assert (first.error, second.error) == (None, None)
    assert numbers(part) == set()
    assert PartChange.objects.get().status == "waiting"


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_it_is_added_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def unlocked() -> QuerySet[Part]:
        return Part.objects.all()

    monkeypatch.setattr(changing, "_locked_parts", unlocked)
    _first, second, part = one_controls_while_another_adds_a_number()
    assert second.error is None
    assert numbers(part) == {"4712"}
    assert Part.objects.get(pk=part.pk).is_controlled


def two_approve() -> tuple[Any, Any, Part]:
    asks, one, two = person("a"), person("b"), person("c")
    part = controlled()
    row = keep(new_number(part), asks)
    assert row is not None
    first, second = by(one), by(two)
    done = race(lambda: approve(change_id=row.pk, **first), lambda: approve(change_id=row.pk, **second))
    return *done, part


@pytest.mark.django_db(transaction=True)
def test_of_two_who_approve_at_once_the_second_is_told() -> None:
    first, second, part = two_approve()
    assert first.error is None
    assert isinstance(second.error, Refused)
    assert numbers(part) == {"4712"}


# --- In the back office ----------------------------------------------------------------------------------------------


def with_numbers(part: Part, *rows: dict[str, str], **changed: str) -> dict[str, str]:
    known = sum("id" in row for row in rows)
    facts = sent(part, **changed) | {"numbers-TOTAL_FORMS": str(len(rows)), "numbers-INITIAL_FORMS": str(known)}
    for place, row in enumerate(rows):
        facts |= {f"numbers-{place}-{name}": value for name, value in {"part": str(part.pk), **row}.items()}
    return facts


def test_a_number_typed_on_a_controlled_parts_page_waits_and_both_are_shown(manager: User, other: User) -> None:
    part = controlled()
    part.refresh_from_db()
    client = desk_of(manager)
    row = {"system": "ERP", "number": "4712"}
    assert "say why" in text(client.post(page(part), with_numbers(part, row)))
    answer = client.post(page(part), with_numbers(part, row, unit_cost="130.00", change_reason="Price list"))
    assert "waits for the approval" in said(answer)
    assert "changed successfully" not in said(answer)
    change = PartChange.objects.get()
    assert (numbers(part), list(change.changes)) == (set(), ["unit_cost"])
    shown = text(desk_of(other).get(page(change)))
    assert "ERP 4712" in shown
    assert "130.00" in shown
    assert "numbers in other systems" in text(client.get(reverse("admin:parts_partchange_changelist")))
    desk_of(other).post(deed(change, "approve"))
    assert numbers(part) == {"4712"}


def test_a_number_ticked_away_on_a_controlled_parts_page_waits(manager: User) -> None:
    part = controlled()
    part.refresh_from_db()
    number = number_of(part)
    row = {"id": str(number.pk), "system": "ERP", "number": "4711", "DELETE": "on"}
    desk_of(manager).post(page(part), with_numbers(part, row, change_reason="Retired"))
    assert numbers(part) == {"4711"}
    assert PartChange.objects.get().entries[0]["after"] is None


def test_numbers_of_other_parts_are_saved_on_the_page_as_ever(manager: User) -> None:
    part = PartFactory.create()
    part.refresh_from_db()
    facts = with_numbers(part, {"system": "ERP", "number": "4712"})
    facts.pop("is_controlled")
    desk_of(manager).post(page(part), facts)
    assert numbers(part) == {"4712"}


def relation_sent(part: Part, other: Part, **changed: str) -> dict[str, str]:
    facts = {"kind": "substitutes", "part": str(part.pk), "other": str(other.pk), "quantity_factor": "1"}
    return facts | {"equipment_models": "[]", "effective_from": "", "effective_until": ""} | changed


def test_a_relation_of_a_controlled_part_is_added_changed_and_removed_by_asking(manager: User, other: User) -> None:
    held, free = controlled(), PartFactory.create()
    client, second = desk_of(manager), desk_of(other)
    add = reverse("admin:parts_partrelation_add")
    assert "say why" in text(client.post(add, relation_sent(held, free)))
    answer = client.post(add, relation_sent(held, free, change_reason="ECN 3"))
    assert "waits for the approval" in said(answer)
    assert "added successfully" not in said(answer)
    assert not PartRelation.objects.exists()
    shown = text(second.get(page(PartChange.objects.get())))
    assert f"{held.number} Can stand in for {free.number}" in shown
    second.post(deed(PartChange.objects.get(), "approve"))
    relation = PartRelation.objects.get()

    client.post(page(relation), relation_sent(held, free, quantity_factor="2", change_reason="ECN 4"))
    relation.refresh_from_db()
    assert relation.quantity_factor == 1
    second.post(deed(PartChange.objects.get(status="waiting"), "approve"))
    relation.refresh_from_db()
    assert relation.quantity_factor == 2

    assert client.post(f"{page(relation)[:-7]}delete/", {"post": "yes"}).status_code == 403
    client.post(deed(relation, "remove"), {"reason": "ECN 5"})
    assert PartRelation.objects.exists()
    second.post(deed(PartChange.objects.get(status="waiting"), "approve"))
    assert not PartRelation.objects.exists()


def test_a_relation_of_free_parts_is_added_changed_and_deleted_at_once(manager: User) -> None:
    one, two = PartFactory.create(), PartFactory.create()
    client = desk_of(manager)
    client.post(reverse("admin:parts_partrelation_add"), relation_sent(one, two))
    relation = PartRelation.objects.get()
    client.post(page(relation), relation_sent(one, two, quantity_factor="2", change_reason="Measured"))
    relation.refresh_from_db()
    assert relation.quantity_factor == 2
    newest = relation.history.latest()
    assert (newest.history_user, newest.history_change_reason) == (manager, "Measured")
    client.post(f"{page(relation)[:-7]}delete/", {"post": "yes"})
    assert not PartRelation.objects.exists()


def test_a_free_part_is_not_deleted_with_what_it_is_to_a_controlled_one(manager: User) -> None:
    held, free = controlled(), PartFactory.create()
    relation_of(free, held)
    desk_of(manager).post(f"{page(free)[:-7]}delete/", {"post": "yes"})
    assert PartRelation.objects.exists()
    assert Part.objects.filter(pk=free.pk).exists()


def test_a_button_pressed_twice_asks_once(manager: User) -> None:
    part = controlled()
    number = number_of(part)
    client = desk_of(manager)
    client.post(deed(number, "remove"), {"reason": "Retired"})
    again = client.post(deed(number, "remove"), {"reason": "Retired"})
    assert "waits for approval already" in text(again)
    assert PartChange.objects.count() == 1


def test_who_only_reads_is_not_offered_it(dispatcher: User) -> None:
    number = number_of(controlled())
    client = desk_of(dispatcher)
    assert client.post(deed(number, "remove"), {"reason": "x"}).status_code == 403
    assert not PartChange.objects.exists()


def test_what_is_no_longer_offered_is_not_done_from_a_page_that_is_still_open(manager: User) -> None:
    part = controlled()
    number = number_of(part)
    client = desk_of(manager)
    assert deed(number, "remove") in text(client.get(page(number)))
    Part.objects.filter(pk=part.pk).update(is_controlled=False)
    refused = client.post(deed(number, "remove"), {"reason": "Retired in spring"})
    assert refused.status_code == 409
    assert "this can no longer be done to it" in text(refused)
    assert "Retired in spring" in text(refused)
    assert PartNumber.objects.filter(pk=number.pk).exists()

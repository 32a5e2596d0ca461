"""Controlled parts: asked for by one, approved by another; by hand and by import. And what replaces what, drawn."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from config import roles
from parts.actions import changing
from parts.actions.changing import approve, refuse, request_change, withdraw
from parts.actions.imports import apply_import, plan_import
from parts.actors import Actor
from parts.errors import AlreadyDecided, AnotherPersonNeeded, Forbidden, Invalid, Refused, VersionConflict
from parts.models import Part, PartChange, PartRelation, UnitOfMeasure
from parts.relations import drawing_of
from tests.admin.desk import deed, desk_of, page, said, text
from tests.factories.parts import PartFactory
from tests.racing import race

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _files_of_its_own(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def person(name: str) -> User:
    user = User.objects.create_user(name)
    roles.give_role(user, roles.MANAGER)
    return user


@pytest.fixture
def other(db: None) -> User:
    return person("other")


def by(user: User) -> dict[str, Any]:
    return {"by": Actor.user(User.objects.get(pk=user.pk)), "source": "test", "at": AT}


def controlled() -> Part:
    part: Part = PartFactory.create(is_controlled=True, description="Brake valve", unit_cost=100, criticality="A")
    return part


def asked(part: Part, user: User, **wanted: str) -> PartChange:
    return request_change(
        part_id=part.pk, wanted=wanted or {"description": "Brake valve II"}, reason="ECN 12", **by(user)
    )


def test_a_change_is_asked_for_approved_by_another_person_and_stands_in_the_history(manager: User, other: User) -> None:
    part = controlled()
    row = asked(part, manager, description="Brake valve II", unit_cost="120")
    assert row.changes == {"description": ["Brake valve", "Brake valve II"], "unit_cost": ["100.00", "120.00"]}
    assert Part.objects.get(pk=part.pk).description == "Brake valve"
    with pytest.raises(AnotherPersonNeeded):
        approve(change_id=row.pk, **by(manager))
    approve(change_id=row.pk, **by(other))
    assert (Part.objects.get(pk=part.pk).description, Part.objects.get(pk=part.pk).unit_cost) == ("Brake valve II", 120)
    newest = part.history.latest()
    assert (newest.history_user, newest.history_change_reason) == (other, "ECN 12")
    with pytest.raises(AlreadyDecided):
        approve(change_id=row.pk, **by(other))


def test_a_refused_change_leaves_the_part_as_it_is(manager: User, other: User) -> None:
    part = controlled()
    row = asked(part, manager)
    with pytest.raises(Invalid):
        refuse(change_id=row.pk, reason=" ", **by(other))
    refuse(change_id=row.pk, reason="Not this year", **by(other))
    assert Part.objects.get(pk=part.pk).description == "Brake valve"
    assert PartChange.objects.get().refusal == "Not this year"


def test_only_one_change_of_a_part_waits_and_only_who_asked_takes_it_back(manager: User, other: User) -> None:
    part = controlled()
    row = asked(part, manager)
    with pytest.raises(Refused, match="waits for approval already"):
        asked(part, other, unit_cost="1")
    with pytest.raises(Forbidden):
        withdraw(change_id=row.pk, **by(other))
    withdraw(change_id=row.pk, **by(manager))
    assert asked(part, other, unit_cost="1").status == "waiting"


def test_a_part_that_has_changed_since_is_not_overwritten(manager: User, other: User) -> None:
    part = controlled()
    row = asked(part, manager)
    Part.objects.filter(pk=part.pk).update(description="Brake valve, blue")
    with pytest.raises(VersionConflict, match="description"):
        approve(change_id=row.pk, **by(other))
    assert Part.objects.get(pk=part.pk).description == "Brake valve, blue"


@pytest.mark.parametrize(
    ("wanted", "refusal"),
    [
        ({"unit_cost": "cheap"}, Invalid),
        ({"unit_cost": "-1"}, Invalid),
        ({"criticality": "Z"}, Invalid),
        ({"secret": "x"}, Invalid),
        ({"unit": "MTR"}, Invalid),
        ({"description": "Brake valve"}, Refused),
        ({"unit_cost": "100"}, Refused),
    ],
)
def test_what_cannot_be_is_refused_when_it_is_asked_for(
    manager: User, wanted: dict[str, str], refusal: type[Refused]
) -> None:
    with pytest.raises(refusal):
        asked(controlled(), manager, **wanted)
    assert not PartChange.objects.exists()


def test_the_unit_that_quantities_are_counted_in_stays_whoever_approves(manager: User, other: User) -> None:
    part = controlled()
    UnitOfMeasure.objects.get_or_create(code="MTR", defaults={"name": "Metre", "decimals": 3})
    row = asked(part, manager)
    PartChange.objects.filter(pk=row.pk).update(changes={"unit": [part.unit_id, "MTR"]})  # as it was let be asked for
    with pytest.raises(Invalid, match="unit cannot be so") as refused:
        approve(change_id=row.pk, **by(other))
    assert "quantities are counted in it" in refused.value.extra["fields"]["unit"][0]
    assert Part.objects.get(pk=part.pk).unit_id == part.unit_id


def test_the_page_of_a_part_shows_its_unit_and_does_not_take_another(manager: User) -> None:
    part = PartFactory.create(unit_cost=100)
    UnitOfMeasure.objects.get_or_create(code="MTR", defaults={"name": "Metre", "decimals": 3})
    client = desk_of(manager)
    assert "unit" not in client.get(page(part)).context["adminform"].form.fields
    answers = sent(part, unit="MTR", unit_cost="130.00")
    client.post(page(part), {name: value for name, value in answers.items() if name != "is_controlled"})
    kept = Part.objects.get(pk=part.pk)
    assert (kept.unit_id, kept.unit_cost) == (part.unit_id, 130)


def test_an_import_asks_for_what_changes_and_not_for_a_cost_in_other_digits(manager: User) -> None:
    part = controlled()
    file = io.BytesIO(f"part_number,description,unit_cost\n{part.number},Valve,100\n".encode())
    plan = plan_import(kind="catalogue", file=file, name="f.csv", by=by(manager)["by"])
    apply_import(plan=plan, **by(manager))
    assert PartChange.objects.get().changes == {"description": ["Brake valve", "Valve"]}


def test_the_database_itself_refuses_the_same_person(manager: User) -> None:
    row = asked(controlled(), manager)
    with pytest.raises(IntegrityError, match="decided_by_another"), transaction.atomic():
        PartChange.objects.filter(pk=row.pk).update(status="applied", decided_by=manager, decided_at=AT)


def two_decide() -> tuple[Any, Any, Part]:
    asks, one, two = person("a"), person("b"), person("c")
    part = controlled()
    row = asked(part, asks)
    first, second = by(one), by(two)
    done = race(lambda: refuse(change_id=row.pk, reason="No", **first), lambda: approve(change_id=row.pk, **second))
    return *done, part


@pytest.mark.django_db(transaction=True)
def test_of_two_who_decide_at_once_the_second_is_told() -> None:
    refused, approved, part = two_decide()
    assert refused.error is None
    assert isinstance(approved.error, AlreadyDecided)
    assert Part.objects.get(pk=part.pk).description == "Brake valve"


@pytest.mark.django_db(transaction=True)
def test_without_its_lock_a_refused_change_is_applied_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def unlocked() -> QuerySet[PartChange]:
        return PartChange.objects.all()

    monkeypatch.setattr(changing, "_locked_changes", unlocked)
    refused, approved, part = two_decide()
    assert (refused.error, approved.error) == (None, None)
    assert Part.objects.get(pk=part.pk).description == "Brake valve II"


# --- Import ----------------------------------------------------------------------------------------------------------


def test_an_import_asks_for_what_it_would_change_of_controlled_parts(manager: User, other: User) -> None:
    held, free = controlled(), PartFactory.create(description="Hose")
    content = f"part_number,description\n{held.number},Valve\n{free.number},Long hose\n"
    plan = plan_import(kind="catalogue", file=io.BytesIO(content.encode()), name="f.csv", by=by(manager)["by"])
    assert [change.needs_approval for change in plan.difference.changed] == [True, False]
    result = apply_import(plan=plan, **by(manager))
    assert (result.changed, result.asked_for) == (1, 1)
    assert Part.objects.get(pk=held.pk).description == "Brake valve"
    row = PartChange.objects.get()
    assert row.changes == {"description": ["Brake valve", "Valve"]}
    again = plan_import(kind="catalogue", file=io.BytesIO(content.encode()), name="f.csv", by=by(manager)["by"])
    assert "waits already" in str(again.difference.errors[0])
    approve(change_id=row.pk, **by(other))
    assert Part.objects.get(pk=held.pk).description == "Valve"


# --- In the back office ----------------------------------------------------------------------------------------------


def sent(part: Part, **changed: str) -> dict[str, str]:
    facts = {
        "number": part.number,
        "description": part.description,
        "category": str(part.category_id or ""),
        "criticality": part.criticality,
        "ved_class": part.ved_class,
        "unit": str(part.unit_id),
        "unit_cost": str(part.unit_cost),
        "core_charge": str(part.core_charge),
        "is_active": "on",
        "is_controlled": "on",
        "numbers-TOTAL_FORMS": "0",
        "numbers-INITIAL_FORMS": "0",
    }
    return facts | changed


def test_saving_a_controlled_part_asks_for_the_change_and_another_manager_approves_it(
    manager: User, other: User
) -> None:
    part = controlled()
    part.refresh_from_db()
    client = desk_of(manager)
    assert "say why" in text(client.post(page(part), sent(part, unit_cost="130.00")))
    answer = client.post(page(part), sent(part, unit_cost="130.00", change_reason="Price list"))
    assert "waits for the approval" in said(answer)
    assert "changed successfully" not in said(answer)
    assert Part.objects.get(pk=part.pk).unit_cost == 100
    row = PartChange.objects.get()
    assert "130.00" in text(client.get(page(row)))
    assert "Another person" in said(client.post(deed(row, "approve")))
    desk_of(other).post(deed(row, "approve"))
    assert Part.objects.get(pk=part.pk).unit_cost == 130


def test_a_part_that_is_not_controlled_is_saved_at_once(manager: User) -> None:
    part = PartFactory.create(unit_cost=100)
    part.refresh_from_db()
    rest = {name: value for name, value in sent(part, unit_cost="130.00").items() if name != "is_controlled"}
    desk_of(manager).post(page(part), rest)
    assert Part.objects.get(pk=part.pk).unit_cost == 130
    assert not PartChange.objects.exists()


def test_the_import_shows_what_needs_approval_before_anything_is_done(manager: User) -> None:
    part = controlled()
    content = f"part_number,description\n{part.number},Valve\n".encode()
    shown = desk_of(manager).post(deed(Part, "import"), {"file": SimpleUploadedFile("parts.csv", content)})
    assert "Needs approval" in text(shown)
    answer = desk_of(manager).post(deed(Part, "import"), {"ticket": shown.context["ticket"]})
    assert "1 changes of controlled parts wait" in said(answer)


# --- What replaces what ----------------------------------------------------------------------------------------------


def test_a_chain_is_drawn_from_the_old_to_the_new_with_every_relation_in_the_table(manager: User) -> None:
    old, middle, new, stand_in = (PartFactory.create() for _ in range(4))
    PartRelation.objects.create(kind="supersedes", part=middle, other=old)
    PartRelation.objects.create(kind="supersedes", part=new, other=middle)
    PartRelation.objects.create(kind="substitutes", part=stand_in, other=middle, both_ways=True)
    drawing = drawing_of(middle)
    assert drawing is not None
    places = {node.part.pk: node.x for node in drawing.nodes}
    assert places[old.pk] < places[middle.pk] < places[new.pk] == places[stand_in.pk]
    assert [node.is_self for node in drawing.nodes].count(True) == 1
    shown = text(desk_of(manager).get(page(middle)))
    assert shown.count('class="desk-edge') == 3
    for part in (old, new, stand_in):
        assert f">{part.number}</a>" in shown


def test_a_circle_of_substitutes_ends_and_a_large_family_is_cut(manager: User) -> None:
    ring = [PartFactory.create() for _ in range(3)]
    for place, part in enumerate(ring):
        PartRelation.objects.create(kind="substitutes", part=part, other=ring[place - 1])
    drawing = drawing_of(ring[0])
    assert drawing is not None
    assert len(drawing.nodes) == 3
    for _ in range(45):
        PartRelation.objects.create(kind="substitutes", part=PartFactory.create(), other=ring[0])
    cut = drawing_of(ring[0])
    assert cut is not None
    assert cut.cut
    assert len(cut.nodes) <= 40
    assert drawing_of(PartFactory.create()) is None

"""Every change of who may do what is on record, whatever made it, and the page tells who could do what at a moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from config import roles
from parts.actors import Actor
from reports.actions.access import changing_rights
from reports.audit.rights import changes, standing
from reports.models import AccessChange
from tests.orders.desk import statements

OVERRIDE = "orders.override_orderline"


def recorded(**facts: Any) -> list[tuple[bool, str, str]]:
    """Return what was recorded of somebody: given or taken, by whom, through what."""
    rows = AccessChange.objects.filter(**facts).order_by("id")
    return list(rows.values_list("is_given", "actor", "source"))


def could(right: str, person: User, *, at: Any = None) -> list[str]:
    found = standing(at or timezone.now() + timedelta(seconds=1)).people.get(person.pk)
    return found.through(right) if found else []


# --- Nothing escapes -------------------------------------------------------------------------------------------------


def test_a_role_that_an_administrator_gives_in_the_back_office_is_recorded_as_theirs(
    client: Client, administrator: User, dispatcher: User
) -> None:
    client.force_login(administrator)
    auditor = Group.objects.get(name="Auditor")
    body = {"username": "dispatcher", "is_staff": "on", "is_active": "on", "groups": [auditor.pk]}
    answer = client.post(f"/admin/auth/user/{dispatcher.pk}/change/", body)
    assert answer.status_code == 302
    who = f"user:{administrator.pk}"
    assert recorded(what="role", person_id=dispatcher.pk, role="Auditor") == [(True, who, "admin")]
    assert recorded(what="role", person_id=dispatcher.pk, role="Dispatcher")[-1] == (False, who, "admin")


def test_a_change_behind_the_codes_back_is_recorded_as_the_databases(manager: User) -> None:
    auditor = Group.objects.get(name="Auditor")
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO auth_user_groups (user_id, group_id) VALUES (%s, %s)", [manager.pk, auditor.pk])
        cursor.execute("UPDATE auth_user SET is_superuser = true WHERE id = %s", [manager.pk])
        cursor.execute("DELETE FROM auth_user_groups WHERE user_id = %s AND group_id = %s", [manager.pk, auditor.pk])
    found = recorded(what="role", person_id=manager.pk, role="Auditor")
    assert [given for given, _actor, _source in found] == [True, False]
    assert {actor.partition(":")[0] for _given, actor, _source in found} == {"database"}
    assert recorded(what="account", person_id=manager.pk, permission="is_superuser")[0][0] is True


def test_bulk_writes_rights_of_ones_own_and_a_closed_account_are_recorded(manager: User, nobody: User) -> None:
    right = Permission.objects.get(codename="override_orderline")
    User.user_permissions.through.objects.bulk_create(
        [User.user_permissions.through(user_id=nobody.pk, permission_id=right.pk)]
    )
    assert could(OVERRIDE, nobody) == [""]
    User.objects.filter(pk=nobody.pk).update(is_active=False)
    assert could(OVERRIDE, nobody) == []
    assert could(OVERRIDE, manager) == ["Parts manager"]


def test_what_the_table_of_roles_changes_after_a_migration_is_recorded_and_a_repeat_is_not(db: None) -> None:
    group = Group.objects.get(name="Auditor")
    group.permissions.remove(Permission.objects.get(codename="view_part"))
    roles.write_groups()
    theirs = {"what": "role_right", "role_id": group.pk, "permission": "parts.view_part"}
    assert [given for given, _actor, _source in recorded(**theirs)][-2:] == [False, True]
    assert recorded(**theirs)[-1] == (True, "system:roles", "migrate")
    count = AccessChange.objects.count()
    roles.write_groups()
    assert AccessChange.objects.count() == count


def test_a_renamed_role_and_a_renamed_right_are_followed(manager: User) -> None:
    Group.objects.filter(name="Parts manager").update(name="Head of parts")
    assert could(OVERRIDE, manager) == ["Head of parts"]
    Permission.objects.filter(codename="override_orderline").update(codename="go_round")
    assert could(OVERRIDE, manager) == []
    assert could("orders.go_round", manager) == ["Head of parts"]


def test_somebody_who_is_deleted_could_do_nothing_afterwards_and_all_before(manager: User) -> None:
    before = timezone.now()
    key = manager.pk
    manager.delete()
    assert could(OVERRIDE, User(pk=key)) == []
    assert could(OVERRIDE, User(pk=key), at=before) == ["Parts manager"]


def test_what_follows_in_the_same_transaction_is_not_recorded_under_that_name(manager: User, nobody: User) -> None:
    group = Group.objects.get(name="Auditor")
    with changing_rights(by=Actor.user(manager), source="test"):
        nobody.groups.add(group)
    nobody.groups.remove(group)
    found = recorded(what="role", person_id=nobody.pk)
    assert found[0] == (True, f"user:{manager.pk}", "test")
    assert found[1][1].startswith("database:")


@pytest.mark.parametrize(
    "statement",
    ["UPDATE reports_accesschange SET actor = 'user:1'", "DELETE FROM reports_accesschange"],
)
def test_the_record_is_only_ever_added_to(manager: User, statement: str) -> None:
    with pytest.raises(DatabaseError, match="append_only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


# --- The page --------------------------------------------------------------------------------------------------------


@pytest.fixture
def reading(client: Client, auditor: User) -> Client:
    client.force_login(auditor)
    return client


def test_the_page_tells_who_could_do_what_then_and_now(reading: Client, manager: User, technician: User) -> None:
    before = timezone.now()
    roles.give_role(technician, roles.MANAGER)
    address = f"/audit/rights/?right={OVERRIDE}"
    assert {person.name for person in reading.get(address).context["people"]} == {"Manager", "Technician"}
    then = before.strftime("%Y-%m-%dT%H:%M:%S.%f")
    assert {person.name for person in reading.get(f"{address}&at={then}").context["people"]} == {"Manager"}
    page = reading.get("/audit/rights/?person=technician").content.decode()
    assert "Role: Parts manager" in page
    long_ago = reading.get("/audit/rights/?at=2001-01-01T00:00:00").content.decode()
    assert "Nothing is known of that time" in long_ago
    assert "Nobody is called so" in reading.get("/audit/rights/?person=zebedee").content.decode()
    assert reading.get("/audit/rights/?at=soon&right=nonsense&before=x").status_code == 200


def test_changes_come_page_by_page_without_gap_or_repetition(manager: User, nobody: User) -> None:
    group = Group.objects.get(name="Auditor")
    for _ in range(3):
        with changing_rights(by=Actor.user(manager), source="test"):
            nobody.groups.add(group)
            nobody.is_staff = not nobody.is_staff
            nobody.save()
        nobody.groups.clear()
    found, before = [], None
    while True:
        page, before = changes(at=timezone.now() + timedelta(seconds=1), person_id=nobody.pk, before=before, size=2)
        found += [change.id for change in page]
        if before is None:
            break
    assert found == sorted(set(found), reverse=True)
    assert len(found) >= 5


def test_ten_people_more_cost_no_statement_more(reading: Client) -> None:
    def cost() -> int:
        reading.get("/audit/rights/")
        with statements() as sent:
            assert reading.get("/audit/rights/").status_code == 200
        return len(sent)

    few = cost()
    for number in range(10):
        roles.give_role(User.objects.create_user(f"person-{number}"), roles.DISPATCHER)
    assert cost() == few


def test_rights_are_for_auditors_to_read(
    client: Client, technician: User, dispatcher: User, manager: User, auditor: User
) -> None:
    for person, status in ((technician, 403), (dispatcher, 403), (manager, 403), (auditor, 200)):
        client.force_login(person)
        assert client.get("/audit/rights/").status_code == status
    assert client.post("/audit/rights/").status_code == 405

"""Roles are a table: what stands in it stands in the groups, and nothing else does."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils.translation import override

from config import roles
from parts.labels import role_word


def _rights(name: str) -> set[str]:
    found = Permission.objects.filter(group__name=name).values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in found}


@pytest.mark.django_db
@pytest.mark.parametrize("role", roles.ROLES, ids=lambda role: role.name)
def test_each_group_has_exactly_the_rights_of_the_table(role: roles.Role) -> None:
    assert _rights(role.name) == roles.expanded(role.permissions, roles.declared_permissions())


@pytest.mark.django_db
def test_writing_the_groups_again_takes_away_what_was_added_and_gives_back_what_was_taken() -> None:
    group = Group.objects.get(name="Auditor")
    before = _rights("Auditor")
    group.permissions.remove(Permission.objects.get(codename="view_part"))
    group.permissions.add(Permission.objects.get(codename="change_part"))
    roles.write_groups()
    assert _rights("Auditor") == before


@pytest.mark.django_db
def test_writing_the_groups_twice_costs_no_write(django_assert_max_num_queries) -> None:
    roles.write_groups()
    with django_assert_max_num_queries(4):
        roles.write_groups()


def test_a_permission_that_no_model_declares_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"parts\.fly"):
        roles.expanded(("parts.fly",), roles.declared_permissions())


def test_a_pattern_for_an_app_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"part\.view_"):
        roles.expanded(("part.view_*",), roles.declared_permissions())


def test_the_auditor_only_reads() -> None:
    rights = roles.expanded(roles.AUDITOR.permissions, roles.declared_permissions())
    assert {name.split(".")[1].split("_")[0] for name in rights} == {"view", "export"}


def test_overriding_is_for_the_parts_manager_and_machines_with_that_scope_only() -> None:
    declared = roles.declared_permissions()
    may = {
        role.name
        for role in roles.ROLES
        if any("override" in name and ".view_" not in name for name in roles.expanded(role.permissions, declared))
    }
    assert may == {"Parts manager"}
    assert [scope for scope, names in roles.SCOPES.items() if any("override" in n for n in names)] == [
        "orders:override"
    ]


def test_every_custom_permission_is_in_somebodys_hands() -> None:
    declared = roles.declared_permissions()
    default = ("add_", "change_", "delete_", "view_")
    ours = {
        name
        for name in declared
        if name.split(".")[0] in ("parts", "orders", "backorders") and not name.split(".")[1].startswith(default)
    }
    held = set().union(*(roles.expanded(role.permissions, declared) for role in roles.ROLES))
    assert ours - held == set()


@pytest.mark.django_db
def test_a_role_decides_who_enters_the_back_office(partner: User, manager: User, nobody: User) -> None:
    assert [person.is_staff for person in (partner, manager, nobody)] == [False, True, False]


def test_every_role_is_called_in_the_readers_language() -> None:
    assert set(roles.LABELS) == {role.name for role in roles.ROLES}
    assert [role_word(role.name) for role in roles.ROLES] == [role.name for role in roles.ROLES]
    assert (role_word(""), role_word("Night shift")) == ("", "Night shift")
    with override("de"):
        assert role_word("Parts manager") == "Teileleiter"
        assert not [role.name for role in roles.ROLES if role_word(role.name) != str(roles.LABELS[role.name])]


@pytest.mark.django_db
def test_pages_call_a_role_as_their_reader_does(manager: User, client: Client) -> None:
    client.force_login(manager)
    client.cookies["django_language"] = "de"
    page = client.get("/").content.decode()
    assert "Teileleiter" in page
    assert "Parts manager" not in page


@pytest.mark.django_db
def test_the_back_office_calls_roles_and_schedules_as_their_reader_does(
    administrator: User, manager: User, client: Client
) -> None:
    client.force_login(administrator)
    client.cookies["django_language"] = "de"
    for page, said in [
        ("/admin/auth/user/", ["Administrator", "Teileleiter"]),
        (f"/admin/auth/user/{manager.pk}/change/", ["Disponent", "Techniker"]),
        ("/admin/auth/group/", ["Prüfer"]),
        (f"/admin/auth/group/{Group.objects.get(name='Auditor').pk}/change/", ["Prüfer"]),
        ("/admin/django_q/schedule/", ["das Journal verankern", "geplante Aufgaben"]),
    ]:
        shown = client.get(page).content.decode()
        assert all(word in shown for word in said), (page, said)

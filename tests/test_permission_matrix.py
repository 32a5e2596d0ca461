"""Every route, asked by everybody: the answers stand in permission_matrix.txt, and a new route needs a line there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.template.backends.django import Template

from config.roles import SCOPES
from tests.admin.world import World
from tests.permission_matrix import CALLERS, SCOPE_TABLE, Ask, Cast, as_line, questions, read_table

#: Every door is asked; which PostgreSQL stands behind it makes no difference.
pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def _files_of_its_own(settings: LazySettings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture(autouse=True)
def _pages_are_not_put_into_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may see a page is decided before its template: that is most of the time, and other tests render each page."""
    monkeypatch.setattr(Template, "render", lambda *_page, **_asked: "")


@pytest.fixture
def cast(
    nobody: User,
    partner: User,
    technician: User,
    dispatcher: User,
    manager: User,
    auditor: User,
    administrator: User,
) -> Cast:
    """Everybody, signed in, in a world with something of everything."""
    people = [nobody, partner, technician, dispatcher, manager, auditor, administrator]
    return Cast(World(), {person.username: person for person in people})


@pytest.mark.django_db
def test_every_route_has_its_line(request: pytest.FixtureRequest) -> None:
    table, asked = read_table(), questions()
    missing = [ask for ask in asked if ask not in table]
    superfluous = [str(ask) for ask in table if ask not in set(asked)]
    if missing:
        cast: Cast = request.getfixturevalue("cast")
        answers = [as_line(ask, {caller: cast.answer(ask, caller) for caller in CALLERS}) for ask in missing]
        pytest.fail(
            "Routes without a line in tests/permission_matrix.txt. This is how they answer; if that is right, add:\n"
            + "\n".join(answers),
            pytrace=False,
        )
    assert superfluous == []


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.django_db
@pytest.mark.parametrize("caller", CALLERS)
def test_every_route_answers_everybody_as_the_table_says(caller: str, cast: Cast) -> None:
    table = read_table()
    wrong = [
        f"{ask}: {answer}, not {table[ask][caller]}"
        for ask in questions()
        if ask in table and (answer := cast.answer(ask, caller)) != table[ask][caller]
    ]
    assert wrong == []


@pytest.mark.django_db
def test_a_machine_reaches_what_its_scope_says(above_all: User) -> None:
    cast, scopes = Cast(World(), {"everything": above_all}), tuple(SCOPES)
    table = read_table(SCOPE_TABLE, scopes)
    asked = [ask for ask in questions() if ask.route.startswith("api:") and ask.whose != "foreign"]
    answers = {ask: {scope: cast.answer(ask, scope) for scope in scopes} for ask in asked}
    wrong = [as_line(ask, found) for ask, found in answers.items() if table.get(ask) != found]
    assert not wrong, "This is how they answer; if that is right, change tests/scope_matrix.txt:\n" + "\n".join(wrong)
    assert set(table) == set(asked)


def _rows(kept: Callable[[Ask], bool]) -> dict[Ask, dict[str, str]]:
    return {ask: answers for ask, answers in read_table().items() if kept(ask)}


def test_nobody_outside_the_house_gets_into_the_back_office() -> None:
    inside = _rows(lambda ask: ask.route.startswith("admin:") and ask.route not in ("admin:login", "admin:logout"))
    found = {answers[caller] for answers in inside.values() for caller in ("anonymous", "nobody", "partner")}
    assert found == {"login"}


def test_a_partner_gets_nothing_of_others() -> None:
    foreign = _rows(lambda ask: ask.whose == "foreign" and ask.route.startswith("api:"))
    assert foreign
    assert {answers["partner"] for answers in foreign.values()} <= {"hidden", "no", "invalid"}


def test_the_auditor_writes_nothing() -> None:
    own_account = ("login", "logout", "oauth-", "admin:login", "admin:logout", "admin:password_change")
    own_exports = ("audit:new-export", "audit:stop-export")  # what they take away is on record; nothing else changes
    # That they have seen what they themselves were told, and where and how they are told; a token is nobody's.
    own_messages = ("messages:read-all", "messages:preferences", "messages:name-address", "messages:confirm")
    own = (*own_account, *own_exports, *own_messages, "messages:clear", "messages:allow")
    writing = _rows(lambda ask: ask.method == "POST" and not ask.route.startswith(own))
    assert {ask: answers["auditor"] for ask, answers in writing.items() if answers["auditor"] == "yes"} == {}


def test_a_stranger_who_is_signed_in_gets_as_far_as_the_start_page() -> None:
    opened = {ask.route for ask, answers in read_table().items() if answers["nobody"] == "yes"}
    public = {"home", "livez", "readyz", "login", "logout", "admin:login", "admin:logout", "api:schema", "api:docs"}
    public |= {
        "set_language",
        "tracking:page",
        "tracking:one_click",
        "tracking:told",
        "messages:allow",
        "messages:confirm",
        "messages:clear",
    }  # whoever has the link has the page
    public |= {"phone:manifest", "phone:worker", "phone:offline", "phone:token"}  # they hold nothing of anybody else
    public |= {"api:event-schema"}  # the form of what is told is nobody's secret
    assert opened <= public | {"oauth-token", "oauth-revoke-token"}

"""Who calls: tokens, what is remembered of them and for how long, sessions, rates."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application
from rest_framework.exceptions import AuthenticationFailed

from config.api.authentication import KnownTokens, known_tokens
from config.buckets import Buckets
from config.roles import SCOPES
from tests.api.test_problems import assert_problem
from tests.api.world import EVERY_SCOPE, Caller, World, token_for

pytestmark = pytest.mark.django_db


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


# --- Getting a token -------------------------------------------------------------------------------------------------


def _application(user: User) -> tuple[Application, str]:
    application = Application(
        name="erp",
        user=user,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
        client_secret="a secret of some length",
    )
    application.save()
    pair = f"{application.client_id}:a secret of some length"
    return application, "Basic " + base64.b64encode(pair.encode()).decode()


def test_a_client_gets_a_token_for_its_credentials_and_uses_it(world: World, manager: User, client: Client) -> None:
    _, credentials = _application(manager)
    answer = client.post(
        "/oauth/token/",
        {"grant_type": "client_credentials", "scope": "orders:read orders:write"},
        headers={"Authorization": credentials},
    )
    assert answer.status_code == 200, answer.content
    token = answer.json()["access_token"]
    assert Caller(token).get("parts-orders/").status_code == 200
    assert Caller(token).get("stock-movements/").status_code == 403
    assert token not in AccessToken.objects.get().token  # what is stored is of no use to a thief


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"grant_type": "client_credentials", "scope": "world:domination"}, 400),
        ({"grant_type": "password", "username": "manager", "password": "x"}, 400),
        ({}, 400),
    ],
)
def test_no_token_for_a_scope_or_a_grant_that_there_is_not(
    manager: User, client: Client, data: dict[str, str], status: int
) -> None:
    _, credentials = _application(manager)
    answer = client.post("/oauth/token/", data, headers={"Authorization": credentials})
    assert answer.status_code == status
    assert not AccessToken.objects.exists()


def test_a_client_that_asks_for_no_scope_may_do_nothing(world: World, manager: User, client: Client) -> None:
    _, credentials = _application(manager)
    answer = client.post("/oauth/token/", {"grant_type": "client_credentials"}, headers={"Authorization": credentials})
    assert Caller(answer.json()["access_token"]).get("parts/").status_code == 403


# --- Being known by a token ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["Bearer", "Bearer  ", "Basic abc", "Bearer a b", "Bearer \x00", "Bearer unknown"])
def test_credentials_that_are_none_are_refused(header: str) -> None:
    caller = Caller()
    caller.headers = {"Authorization": header}
    assert_problem(caller.get("parts/"), 401, "authentication_failed")


def test_an_expired_token_is_refused_at_once_even_where_it_is_known(world: World, manager: User) -> None:
    token = token_for(manager, lives=timedelta(seconds=10))
    now = timezone.now()
    tokens = KnownTokens(30)
    assert tokens.look_up(token, now)[0] == manager
    with pytest.raises(AuthenticationFailed):
        tokens.look_up(token, now + timedelta(seconds=11))


def test_a_client_without_an_active_account_is_refused(world: World, manager: User) -> None:
    assert_problem(Caller(token_for(None)).get("parts/"), 401, "authentication_failed")
    token = token_for(manager)
    User.objects.update(is_active=False)
    assert_problem(Caller(token).get("parts/"), 401, "authentication_failed")


def test_a_known_token_costs_no_query_and_a_revoked_one_is_noticed_within_the_bound(manager: User) -> None:
    clock = Clock()
    tokens = KnownTokens(30, clock=clock)
    token, now = token_for(manager), timezone.now()
    tokens.look_up(token, now)
    AccessToken.objects.all().delete()
    clock.now += 29.9
    with CaptureQueriesContext(connection) as statements:
        tokens.look_up(token, now)
    assert len(statements) == 0
    clock.now += 0.2
    with pytest.raises(AuthenticationFailed):
        tokens.look_up(token, now)


def test_a_right_that_was_taken_away_is_gone_within_the_bound(manager: User) -> None:
    clock = Clock()
    tokens = KnownTokens(30, clock=clock)
    token, now = token_for(manager), timezone.now()
    assert tokens.look_up(token, now)[1].actor.may("orders.place_partsorder")
    manager.groups.clear()
    assert tokens.look_up(token, now)[1].actor.may("orders.place_partsorder")
    clock.now += 30
    assert not tokens.look_up(token, now)[1].actor.may("orders.place_partsorder")


def test_only_so_many_tokens_are_remembered(manager: User) -> None:
    tokens, now = KnownTokens(30, most=2), timezone.now()
    first, second, third = (token_for(manager) for _ in range(3))
    for token in (first, second, first, third):
        tokens.look_up(token, now)
    with CaptureQueriesContext(connection) as statements:
        tokens.look_up(first, now)
    assert len(statements) == 0
    with CaptureQueriesContext(connection) as statements:
        tokens.look_up(second, now)
    assert len(statements) > 0


def test_a_token_has_those_rights_of_its_account_that_its_scopes_name(manager: User, partner: User) -> None:
    now = timezone.now()
    for account in (manager, partner):
        for scope, rights in SCOPES.items():
            _, grant = known_tokens.look_up(token_for(account, [scope]), now)
            assert set(grant.actor.permissions or ()) == account.get_all_permissions() & set(rights)
    _, everything = known_tokens.look_up(token_for(partner, EVERY_SCOPE), now)
    assert "orders.override_orderline" not in (everything.actor.permissions or ())


def test_what_a_client_does_is_written_down_as_its_own(world: World, manager: User) -> None:
    token = token_for(manager)
    line = world.placed()
    Caller(token).post(f"parts-orders/{line.id}/hold/", {"reason": "Credit"})
    event = Caller(token).get(f"parts-orders/{line.id}/timeline/").json()["results"][-1]
    application = Application.objects.get()
    assert (event["actor"], event["source"]) == (f"client:{application.pk}", f"api:{application.pk}")


# --- Sessions --------------------------------------------------------------------------------------------------------


def test_a_person_in_their_session_needs_the_csrf_token_to_write(world: World, dispatcher: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(dispatcher)
    order = world.placed()
    caller = Caller(client=client)
    assert caller.get("parts-orders/").status_code == 200
    assert_problem(caller.post(f"parts-orders/{order.id}/hold/", {"reason": "Credit"}), 403, "forbidden")
    client.cookies["csrftoken"] = "a" * 32
    allowed = caller.post(f"parts-orders/{order.id}/hold/", {"reason": "Credit"}, X_CSRFToken="a" * 32)
    assert allowed.status_code == 200


def test_the_description_and_its_page_are_served_from_here_alone(client: Client) -> None:
    assert client.get("/api/v1/schema/").status_code == 200
    page = client.get("/api/v1/docs/")
    assert page.status_code == 200
    assert b"https://" not in page.content


# --- Rates -----------------------------------------------------------------------------------------------------------


def test_who_calls_too_often_is_told_when_to_come_back_and_others_are_not_held_up(
    world: World, manager: User, settings: Any
) -> None:
    settings.API_READS_PER_MINUTE = 12  # two at once, then one every five seconds
    busy, other = Caller(token_for(manager)), Caller(token_for(manager))
    assert [busy.get("parts/").status_code for _ in range(3)] == [200, 200, 429]
    answer = busy.get("parts/")
    assert_problem(answer, 429, "throttled")
    assert 1 <= int(answer["Retry-After"]) <= 5
    assert other.get("parts/").status_code == 200
    assert busy.post("service-orders/", {}).status_code == 400  # writing has a rate of its own


def test_a_bucket_fills_up_again_as_time_passes_and_never_beyond_its_size() -> None:
    clock = Clock()
    buckets = Buckets(clock=clock)
    assert [buckets.take("a", 60) == 0 for _ in range(11)] == [True] * 10 + [False]
    assert buckets.take("a", 60) == pytest.approx(1.0)
    clock.now += 1
    assert [buckets.take("a", 60) == 0 for _ in range(2)] == [True, False]
    clock.now += 3600
    assert [buckets.take("a", 60) == 0 for _ in range(11)] == [True] * 10 + [False]


def test_only_so_many_buckets_are_kept() -> None:
    buckets = Buckets(most=2, clock=Clock())
    for name in "abc":
        buckets.take(name, 6)
    assert buckets.take("a", 6) == 0  # forgotten, that is: full
    assert buckets.take("c", 6) > 0


def test_being_recognised_and_held_to_a_rate_costs_no_statement(world: World, erp: Caller) -> None:
    erp.get("parts/")
    with CaptureQueriesContext(connection) as statements:
        assert erp.get("availability/", {"part": "X"}).status_code == 200
    assert len(statements) == 1

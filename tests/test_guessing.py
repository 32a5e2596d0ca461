"""Wrong passwords, secrets and tokens: slowed down, told so, and telling nothing of what there is."""

from __future__ import annotations

import base64
import logging
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from oauth2_provider.models import AccessToken, Application

from config import guessing
from config.api.authentication import known_tokens
from config.api.tokens import credentials_of
from tests.api.test_problems import assert_problem
from tests.api.world import Caller, token_for
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

PAGES = ["/accounts/login/"]
MACHINES = ["/oauth/token/", "/oauth/revoke-token/"]
SECRET = "a secret of some length, drawn by nobody"


@pytest.fixture(autouse=True)
def _no_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a test takes, no bucket fills up meanwhile."""
    monkeypatch.setattr(guessing.wrong_tries, "clock", lambda: 1000.0)


@pytest.fixture
def erp(manager: User) -> Application:
    """A client that may have tokens."""
    application: Application = Application.objects.create(
        client_id="erp",
        client_secret=SECRET,
        user=manager,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
    )
    return application


def _basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


def _sign_in(path: str, name: str, password: str, address: str = "192.0.2.1") -> Any:
    return Client(REMOTE_ADDR=address).post(path, {"username": name, "password": password})


def _ask(path: str, name: str, secret: str, address: str = "192.0.2.1", **more: str) -> Any:
    data = {"grant_type": "client_credentials", "scope": "orders:read", "token": "x", **more}
    return Client(REMOTE_ADDR=address).post(path, data, headers=_basic(name, secret))


# --- Pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_after_some_wrong_passwords_not_even_the_right_one_is_looked_at(path: str, manager: User) -> None:
    wrong = [_sign_in(path, "manager", "wrong").status_code for _ in range(guessing.OF_BOTH[1] + 1)]
    assert wrong == [200] * guessing.OF_BOTH[1] + [429]
    held = _sign_in(path, "Manager", PASSWORD)
    assert held.status_code == 429
    assert 1 <= int(held["Retry-After"]) <= 30
    assert b"Try again in" in held.content
    other = _sign_in(path, "manager", PASSWORD, address="192.0.2.2")
    assert other.status_code == 302  # from where they sit, the person themselves gets in


@pytest.mark.parametrize("path", PAGES)
def test_who_tries_many_names_from_one_address_is_slowed_as_well(path: str, manager: User) -> None:
    statuses = [_sign_in(path, f"name-{number}", "wrong").status_code for number in range(guessing.OF_ADDRESS[1] + 1)]
    assert statuses == [200] * guessing.OF_ADDRESS[1] + [429]
    assert _sign_in(path, "manager", PASSWORD).status_code == 429


def test_one_name_is_not_tried_from_many_addresses_without_end(manager: User) -> None:
    for number in range(guessing.OF_NAME[1]):
        guessing.note_wrong_try(_request(f"198.51.{number // 250}.{number % 250}"), "manager")
    assert _sign_in(PAGES[0], "manager", PASSWORD).status_code == 429
    assert _sign_in(PAGES[0], "nobody", "wrong").status_code == 200


def _request(address: str) -> Any:
    return RequestFactory(REMOTE_ADDR=address).get("/")


def test_right_passwords_are_not_counted(manager: User) -> None:
    answers = {_sign_in(PAGES[0], "manager", PASSWORD).status_code for _ in range(guessing.OF_BOTH[1] + 3)}
    assert answers == {302}


def test_the_tries_of_a_network_of_version_six_count_together(manager: User) -> None:
    for number in range(guessing.OF_BOTH[1]):
        _sign_in(PAGES[0], "manager", "wrong", address=f"2001:db8::{number:x}")
    assert _sign_in(PAGES[0], "manager", PASSWORD, address="2001:db8::ffff").status_code == 429
    assert _sign_in(PAGES[0], "manager", PASSWORD, address="2001:db8:1::1").status_code == 302


def test_behind_a_proxy_it_is_the_client_that_is_slowed_and_what_it_claims_counts_for_nothing(
    manager: User, settings: Any
) -> None:
    def sign_in(client: str, claims: str, password: str) -> int:
        browser = Client(REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": f"{claims}, {client}"})
        return browser.post(PAGES[0], {"username": "manager", "password": password}).status_code

    settings.BEHIND_PROXY = True
    for number in range(guessing.OF_BOTH[1]):
        sign_in("192.0.2.7", f"203.0.113.{number}", "wrong")
    assert sign_in("192.0.2.7", "203.0.113.99", PASSWORD) == 429
    assert sign_in("192.0.2.8", "192.0.2.7", PASSWORD) == 302


def test_wrong_tries_are_in_the_log_without_what_was_typed(manager: User, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "backline.guessing"):
        for _ in range(guessing.OF_BOTH[1] + 1):
            _sign_in(PAGES[0], "manager", "hunter2")
    records = [record for record in caplog.records if record.name == "backline.guessing"]
    assert [record.message for record in records[:-1]] == ["a wrong try"] * guessing.OF_BOTH[1]
    record = records[-1]
    assert (record.message, record.__dict__["door"]) == ("tries are held up", "login")
    assert record.__dict__["address"] == "192.0.2.1"
    assert not any("hunter2" in str(record.__dict__) for record in caplog.records)


# --- Machines --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", MACHINES)
def test_after_some_wrong_secrets_not_even_the_right_one_is_looked_at(path: str, erp: Application) -> None:
    wrong = [_ask(path, "erp", "wrong").status_code for _ in range(guessing.OF_BOTH[1] + 1)]
    assert wrong == [401] * guessing.OF_BOTH[1] + [429]
    held = _ask(path, "erp", SECRET)
    assert (held.status_code, held.json()["error"]) == (429, "slow_down")
    assert int(held["Retry-After"]) >= 1
    assert _ask(path, "erp", SECRET, address="192.0.2.2").status_code == 200


class _Counting(hashers.MD5PasswordHasher):
    """Counts how often a secret is hashed, which is what takes the time."""

    algorithm = "counting"
    hashed = 0

    def encode(self, password: str, salt: str) -> str:
        type(self).hashed += 1
        return super().encode(password, salt)


@pytest.mark.parametrize("path", MACHINES)
@pytest.mark.parametrize("in_body", [False, True])
def test_a_refusal_takes_as_long_and_says_the_same_whether_or_not_there_is_such_a_client(
    path: str, in_body: bool, manager: User, settings: Any
) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}._Counting"]
    Application.objects.create(
        client_id="erp",
        client_secret=SECRET,
        user=manager,
        client_type="confidential",
        authorization_grant_type="client-credentials",
    )
    found = []
    for name in ("erp", "nobody"):
        _Counting.hashed = 0
        answer = _ask(path, name, "wrong", **({"client_id": name} if in_body else {}))
        told = {name: value for name, value in answer.headers.items() if name != "X-Request-ID"}
        found.append((answer.status_code, answer.content, told, _Counting.hashed))
    assert found[0] == found[1]
    assert found[0][0] == 401
    assert found[0][3] > 0


def test_the_client_of_a_closed_account_gets_no_token(erp: Application, manager: User) -> None:
    User.objects.update(is_active=False)
    assert _ask(MACHINES[0], "erp", SECRET).status_code == 401
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize(
    "grant",
    ["password", "refresh_token", "authorization_code", "urn:ietf:params:oauth:grant-type:device_code", "", "\0"],
)
def test_a_token_is_given_for_credentials_alone(erp: Application, grant: str) -> None:
    answer = _ask(MACHINES[0], "erp", SECRET, grant_type=grant, device_code="x", code="x", refresh_token="x")
    assert answer.status_code == 400
    assert not AccessToken.objects.exists()


def test_credentials_may_be_sent_in_either_way_but_not_in_both(erp: Application, rf: Any) -> None:
    ask = {"grant_type": "client_credentials", "scope": "orders:read"}
    body = {"client_id": "erp", "client_secret": SECRET}
    client = Client()
    assert client.post(MACHINES[0], ask | body).status_code == 200
    assert client.post(MACHINES[0], ask | {"client_id": "erp"}, headers=_basic("erp", SECRET)).status_code == 200
    assert client.post(MACHINES[0], ask | body, headers=_basic("erp", SECRET)).status_code == 401
    assert client.post(MACHINES[0], ask | {"client_id": "x"}, headers=_basic("erp", SECRET)).status_code == 401
    assert client.post(MACHINES[0], ask | {"client_id": "erp"}).status_code == 401
    for header in ("Basic", "Basic !", "Basic " + base64.b64encode(b"erp").decode(), "Basic /w==", "Bearer x"):
        assert credentials_of(rf.post("/", body, headers={"Authorization": header})) is None


# --- What no text has ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("client_id", "a\0"),
        ("client_secret", "\0"),
        ("scope", "\0"),
        ("grant_type", "\0"),
        ("token", "\0"),
        ("\0", "x"),
    ],
)
@pytest.mark.parametrize("path", [*PAGES, *MACHINES])
def test_a_nul_in_a_form_is_refused(erp: Application, path: str, field: str, value: str) -> None:
    data = {"grant_type": "client_credentials", "client_id": "erp", "client_secret": SECRET, "token": "x"}
    client = Client(raise_request_exception=True)
    assert client.post(path, {**data, field: value}).status_code == 400


def test_a_nul_in_a_header_is_a_wrong_secret(erp: Application) -> None:
    assert _ask(MACHINES[0], "erp\0", SECRET).status_code == 401
    assert _ask(MACHINES[1], "erp", "\0").status_code == 401


@pytest.mark.parametrize(
    "address",
    ["/admin/orders/serviceorder/?status__exact=%00", "/admin/parts/part/?q=a%00", "/?x=%00", "/admin/%00/"],
)
def test_a_nul_in_an_address_is_refused(client: Client, above_all: User, address: str) -> None:
    client.force_login(above_all)
    assert client.get(address).status_code == 400


# --- Tokens ----------------------------------------------------------------------------------------------------------


def test_who_sends_many_tokens_that_are_none_has_no_more_looked_up_and_who_is_known_is_not_held_up(
    manager: User,
) -> None:
    known_tokens.forget_all()
    good = Caller(token_for(manager))
    assert good.get("parts/").status_code == 200
    fresh = Caller(token_for(manager))
    for number in range(guessing.OF_TOKENS[1]):
        assert Caller(f"guess-{number}").get("parts/").status_code == 401
    with CaptureQueriesContext(connection) as statements:
        problem = assert_problem(Caller("guess").get("parts/"), 429, "throttled")
    assert problem["retry_after"] >= 1
    assert len(statements) == 0
    assert good.get("parts/").status_code == 200
    assert fresh.get("parts/").status_code == 429  # it would have to be looked up
    fresh.client.defaults["REMOTE_ADDR"] = "192.0.2.9"
    assert fresh.get("parts/").status_code == 200


@pytest.mark.parametrize("language", ["de", "es", "en"])
def test_what_a_token_is_refused_for_is_said_in_the_characters_that_the_standard_allows(
    erp: Application, language: str
) -> None:
    ours = {"grant_type": "client_credentials"}
    refused = [(ours | {"scope": "orders:everything"}, SECRET), ({"grant_type": "x"}, SECRET)]
    answers = [
        Client().post("/oauth/token/", data, headers=_basic("erp", secret) | {"Accept-Language": language})
        for data, secret in refused + [(ours, "wrong")] * 7
    ]
    assert {answer.json()["error"] for answer in answers} >= {"invalid_scope", "unsupported_grant_type", "slow_down"}
    said = [answer.json()["error_description"] for answer in answers if "error_description" in answer.json()]
    assert said
    allowed = {*range(0x20, 0x22), *range(0x23, 0x5C), *range(0x5D, 0x7F)}  # RFC 6749, section 5.2
    assert [text for text in said if not set(map(ord, text)) <= allowed] == []

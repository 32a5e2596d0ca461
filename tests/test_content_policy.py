"""What pages may load and run, and that nobody on the way keeps an answer."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client


def _policy(answer_policy: str) -> dict[str, list[str]]:
    parts = [part.split() for part in answer_policy.split(";")]
    return {name: sources for name, *sources in parts}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", ["/", "/accounts/login/", "/desk/", "/t/", "/track/nobody/", "/styleguide/", "/nowhere/", "/livez"]
)
def test_our_pages_run_nothing_that_stands_in_them_or_comes_from_elsewhere(address: str, above_all: User) -> None:
    browser = Client()
    browser.force_login(above_all)
    policy = _policy(browser.get(address).headers["Content-Security-Policy"])
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == policy["style-src"] == ["'self'"]
    assert {source for sources in policy.values() for source in sources} == {"'self'", "'none'"}


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/admin/", "/admin/orders/partsorder/", "/admin/nowhere/", "/admin/login/"])
def test_the_back_office_runs_no_script_that_stands_in_its_pages(address: str, above_all: User) -> None:
    browser = Client()
    browser.force_login(above_all)
    policy = _policy(browser.get(address).headers["Content-Security-Policy"])
    assert "'unsafe-inline'" not in policy["script-src"] + policy["style-src"] + policy["default-src"]
    assert policy["object-src"] == [] if "object-src" in policy else policy["default-src"] == ["'none'"]
    assert not [source for sources in policy.values() for source in sources if "http" in source or "*" in source]


@pytest.mark.django_db
def test_answers_for_machines_are_no_pages(client: Client) -> None:
    for address in ("/api/v1/orders/", "/api/v1/schema/", "/oauth/token/"):
        policy = _policy(client.get(address).headers["Content-Security-Policy"])
        assert {source for sources in policy.values() for source in sources} == {"'none'"}


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/", "/api/v1/parts-orders/", "/desk/", "/admin/", "/nowhere/"])
def test_nobody_keeps_an_answer(address: str, above_all: User) -> None:
    browser = Client()
    browser.force_login(above_all)
    kept = browser.get(address).headers["Cache-Control"]
    assert "no-store" in kept
    assert "private" in kept


def test_a_wrong_host_leaves_no_traceback_in_the_log(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    assert client.get("/livez", headers={"Host": "elsewhere.example"}).status_code == 400
    assert [record for record in caplog.records if record.exc_info] == []


@pytest.mark.django_db
def test_what_is_refused_is_told_once_and_without_its_address(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    client.get("/nowhere/with-a-word-of-somebodys/")
    assert not [record for record in caplog.records if "somebodys" in record.getMessage()]

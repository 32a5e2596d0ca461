"""The token of a link is in its address and nowhere else: not in logs, not in errors, not with anybody else."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest
from django.test import Client

from config.logs import configuration, without_secrets
from config.tracking.privacy import HEADERS
from tests.tracking.world import Tracked

SECRET = "s3cr3t-T0ken_that-nobody-may-read"


@pytest.mark.django_db
@pytest.mark.parametrize("rest", ["", "message/", "nothing-here/", "?language=de", "?done=message"])
def test_everything_under_a_link_is_kept_to_whoever_asked(tracked: Tracked, rest: str) -> None:
    for token in (tracked.issued.token, SECRET):
        answer = tracked.browser.get(f"/track/{token}/{rest}")
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert "http" not in answer.headers["Content-Security-Policy"]


@pytest.mark.django_db
def test_other_pages_keep_their_own_headers(client: Client) -> None:
    assert client.get("/accounts/login/").headers["Referrer-Policy"] == "same-origin"


@pytest.mark.django_db
def test_the_cookies_of_a_link_go_nowhere_else_and_hold_no_token(tracked: Tracked) -> None:
    answer = tracked.browser.get(tracked.address, {"language": "de"}, secure=True)
    assert set(answer.cookies) == {"visit", "link_language"}
    for cookie in answer.cookies.values():
        assert (cookie["path"], cookie["samesite"]) == ("/track/", "Lax")
        assert cookie["secure"]
        assert cookie["httponly"]
        assert tracked.issued.token not in cookie.value


class Lines:
    """What the configured log writes."""

    def __init__(self, as_json: bool) -> None:
        self.stream = io.StringIO()
        settings = configuration(as_json=as_json, level="DEBUG")
        settings["handlers"]["stderr"]["stream"] = self.stream
        configurator = logging.config.DictConfigurator(settings)  # type: ignore[attr-defined]
        for name in ("filters", "formatters"):
            for key, value in settings[name].items():
                made = getattr(configurator, f"configure_{name[:-1]}")(value)
                settings[name][key] = made
        self.handler: logging.Handler = configurator.configure_handler(settings["handlers"]["stderr"])

    def written(self) -> str:
        """Return all lines so far."""
        return self.stream.getvalue()


@pytest.fixture(params=[True, False], ids=["json", "people"])
def lines(request: pytest.FixtureRequest) -> Any:
    """Write to a log of the kind, too."""
    log, root = Lines(request.param), logging.getLogger()
    root.addHandler(log.handler)
    django = logging.getLogger("django")
    django.addHandler(log.handler)
    yield log
    root.removeHandler(log.handler)
    django.removeHandler(log.handler)


@pytest.mark.django_db
def test_no_log_line_holds_a_token_whatever_goes_wrong(
    tracked: Tracked, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tracked.issued.token
    browser = Client(raise_request_exception=False)

    def fails(*_args: Any, **_named: Any) -> Any:
        raise RuntimeError(f"cannot show /track/{token}/")

    browser.get(tracked.address)
    browser.get(f"/track/{SECRET}/")
    browser.get(f"/track/{SECRET}/nothing/here/")
    browser.put(tracked.address)
    browser.get(tracked.address, headers={"Host": "evil.example"})
    monkeypatch.setattr("orders.tracking.shown", fails)
    answer = browser.get(tracked.address)
    assert answer.status_code == 500
    assert token not in answer.content.decode()
    written = lines.written()
    assert "Traceback" in written
    assert "cannot show" in written
    assert "/track/***" in written
    assert token not in written
    assert SECRET not in written


def test_gunicorns_and_the_development_servers_lines_are_masked(lines: Lines) -> None:
    for name in ("gunicorn.access", "django.server", "gunicorn.error"):
        logging.getLogger(name).warning('"GET /track/%s/ HTTP/1.1" 200 - "https://x/track/%s/message/"', SECRET, SECRET)
    logging.getLogger("anything").warning(
        "left over", extra={"path": f"/track/{SECRET}/", "next": f"%2Ftrack%2F{SECRET}"}
    )
    assert SECRET not in lines.written()
    assert configuration(as_json=True, level="INFO")["loggers"]["gunicorn.access"]["handlers"] == []


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ("GET /track/abc/ HTTP/1.1", "GET /track/***/ HTTP/1.1"),
        ("/track/%41bc", "/track/***"),
        ("next=%2Ftrack%2Fabc%2Fmessage%2F", "next=%2Ftrack%2F***%2Fmessage%2F"),
        (json.dumps({"path": "/track/abc?language=de"}), '{"path": "/track/***?language=de"}'),
        ("/TRACK/abc", "/TRACK/***"),
        ("the track/abc of nothing", "the track/abc of nothing"),
    ],
)
def test_a_secret_is_masked_wherever_a_line_ends_it(line: str, masked: str) -> None:
    assert without_secrets(line) == masked

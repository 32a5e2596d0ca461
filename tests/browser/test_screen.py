"""The screens that tests look at see what a person sees: errors, what is off the edge, what bars people, no network."""

from __future__ import annotations

import pytest
from playwright.sync_api import Error

from tests.browser.conftest import ScreenOf, without_chromium
from tests.browser.screen import PHONE, Known

PHONE_PAGE = "<meta name=viewport content='width=device-width, initial-scale=1'>"


def test_a_script_that_fails_and_a_file_that_is_missing_are_complaints(screen_of: ScreenOf) -> None:
    screen = screen_of()
    screen.go("/accounts/login/")
    assert screen.complaints == []
    screen.page.evaluate("() => { setTimeout(() => missing(), 0); }")
    screen.page.evaluate("() => { const image = new Image(); image.src = '/static/missing.png'; }")
    screen.page.wait_for_load_state("networkidle")
    script, image = sorted(screen.complaints, reverse=True)
    assert "missing is not defined" in script
    assert "404" in image
    screen.complaints.clear()


def test_what_the_content_policy_stops_is_a_complaint(screen_of: ScreenOf) -> None:
    screen = screen_of()
    screen.go("/accounts/login/")
    screen.page.set_content("<script>document.title = 'run'</script><p>stays a text</p>")
    assert screen.page.title() == ""
    [stopped] = screen.complaints
    assert "Content Security Policy" in stopped
    screen.complaints.clear()


def test_a_page_that_is_refused_is_no_complaint(screen_of: ScreenOf) -> None:
    screen = screen_of()
    refused = "<link rel='icon' href='data:,'><h1>Say why</h1>"
    screen.page.route("**/refused/", lambda route: route.fulfill(status=400, content_type="text/html", body=refused))
    screen.go("/refused/")
    assert screen.page.get_by_role("heading").inner_text() == "Say why"
    assert screen.complaints == []


def test_what_is_wider_than_a_phone_is_seen(screen_of: ScreenOf) -> None:
    screen = screen_of(size=PHONE)
    screen.page.set_content(PHONE_PAGE + "<div style='overflow: auto'><p style='width: 500px'>scrolls</p></div>")
    assert screen.sideways() == []
    screen.page.set_content(PHONE_PAGE + "<p style='width: 500px'>too wide</p>")
    assert "too wide" in screen.sideways()[0]


def test_what_bars_people_is_seen_unless_it_is_known(screen_of: ScreenOf) -> None:
    screen = screen_of()
    screen.page.set_content("<html lang=en><title>t</title><main><input class=theirs><p>said</p></main></html>")
    [barrier] = screen.barriers()
    assert barrier.startswith("label:")
    assert screen.barriers([Known("label", ".theirs", "")]) == []
    assert screen.barriers([Known("label", ".ours", "")]) == [barrier]


@pytest.mark.parametrize(("scheme", "ground"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(0, 0, 0)")])
def test_a_screen_has_the_scheme_that_was_asked_for(screen_of: ScreenOf, scheme: str, ground: str) -> None:
    screen = screen_of(scheme=scheme)
    screen.page.set_content(
        "<style>body { background: white } @media (prefers-color-scheme: dark) { body { background: black } }</style>"
    )
    assert screen.page.evaluate("getComputedStyle(document.body).backgroundColor") == ground


def test_without_a_network_nothing_is_reached_and_with_it_all_is_again(screen_of: ScreenOf) -> None:
    screen = screen_of()
    screen.go("/accounts/login/")
    with screen.offline(), pytest.raises(Error, match="ERR_INTERNET_DISCONNECTED"):
        screen.go("/accounts/login/")
    screen.go("/accounts/login/")
    assert screen.page.title() == "Sign in · Backline"
    screen.complaints.clear()


def test_without_a_browser_tests_are_skipped_but_never_where_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="There is no Chromium"):
        without_chromium()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="There is no Chromium"):
        without_chromium()

"""Bad input at every door: a clear error in one shape, and nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from psycopg import errors as postgres

from config.api.problems import TITLES, flattened, problem_of
from config.api.urls import router
from orders.models import OrderEvent
from parts.errors import Refused
from tests.api.world import Caller, World, token_for

MEMBERS = {"type", "title", "status", "detail", "instance", "code"}
KEY = "0199a1c0-0000-7000-8000-000000000001"


def _routes() -> list[tuple[str, str]]:
    """Every method and path of the API, from the router itself."""
    found = set()
    for prefix, viewset, basename in router.registry:
        for route in router.get_routes(viewset):
            mapping = router.get_method_map(viewset, route.mapping)
            detail = "{lookup}" in route.url
            path = route.url.replace("^{prefix}", prefix).replace("{trailing_slash}$", "/").replace("{lookup}", KEY)
            found |= {(method.upper(), path) for method in mapping}
            assert basename
            assert detail or "{" not in path
    return sorted(found)


ROUTES = _routes()
WRITES = [path for method, path in ROUTES if method == "POST"]


def assert_problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    """Hold an answer to RFC 9457 and to its code."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert set(problem) >= MEMBERS
    assert (problem["status"], problem["code"], problem["type"]) == (status, code, f"urn:backline:problem:{code}")
    assert problem["instance"] == answer["X-Request-ID"]
    return problem


def test_there_are_as_many_routes_as_we_think() -> None:
    assert len(ROUTES) == 55


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_nobody_enters_without_credentials(method: str, path: str) -> None:
    answer = Caller().raw(method, path, b"{}")
    assert_problem(answer, 401, "not_authenticated")
    assert answer["WWW-Authenticate"] == 'Bearer realm="Backline"'


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_whoever_belongs_to_nobody_gets_nowhere(nobody: User, method: str, path: str) -> None:
    caller = Caller(token_for(nobody))
    answer = caller.raw(method, path, b"{}", Idempotency_Key="k")
    assert answer.status_code in (400, 403, 404), answer.content
    assert "results" not in answer.json()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "language", "title", "detail"),
    [
        ({}, "en", "It has changed since you read it", "{job} has changed since you read it."),
        (
            {"Accept_Language": "de-CH, en;q=0.5"},
            "de",
            "Es hat sich geändert, seit Sie es gelesen haben",
            "{job} hat sich geändert, seit Sie es gelesen haben.",
        ),
        ({"Accept_Language": "es"}, "es", "Ha cambiado desde que lo leyó", "{job} ha cambiado desde que lo leyó."),
        ({"Accept_Language": "tlh"}, "en", "It has changed since you read it", "{job} has changed since you read it."),
        ({"Accept_Language": ";;,%"}, "en", "It has changed since you read it", "{job} has changed since you read it."),
    ],
)
def test_a_problem_is_told_in_the_language_that_is_asked_for(
    world: World, erp: Caller, asked: dict[str, str], language: str, title: str, detail: str
) -> None:
    job = world.job()
    answer = erp.post(f"service-orders/{job.pk}/move/", {"to": "scheduled"}, If_Match='"99"', **asked)
    problem = assert_problem(answer, 412, "version_conflict")
    assert (problem["title"], problem["detail"]) == (title, detail.format(job=job.reference))
    assert answer["Content-Language"] == language
    assert "Accept-Language" in answer["Vary"]


@pytest.mark.django_db
def test_the_messages_of_fields_are_told_in_the_language_that_is_asked_for(world: World, erp: Caller) -> None:
    answer = erp.get("lines/", {"page_size": "many"}, Accept_Language="de")
    problem = assert_problem(answer, 400, "invalid")
    assert problem["fields"] == {"page_size": ["Muss eine ganze Zahl von 1 bis 200 sein."]}
    unknown = assert_problem(erp.get("lines/", {"stauts": "open"}, Accept_Language="de"), 400, "invalid")
    assert unknown["fields"]["stauts"][0].startswith("Diesen Parameter gibt es nicht. Es gibt: ")


@pytest.mark.django_db
def test_a_kept_refusal_keeps_its_language(world: World, erp: Caller) -> None:
    path, body = f"service-orders/{world.job().pk}/move/", {"to": "completed"}
    first = erp.post(path, body, key="k", Accept_Language="de")
    again = erp.post(path, body, key="k", Accept_Language="en")
    assert "endgültig" in first.json()["detail"] or "möglich" in first.json()["detail"]
    assert (again.content, again["Content-Language"], again["Idempotent-Replayed"]) == (first.content, "de", "true")


def test_every_refusal_has_a_title_of_its_own() -> None:
    def kinds(kind: type[Refused]) -> Iterator[type[Refused]]:
        yield kind
        for inner in kind.__subclasses__():
            yield from kinds(inner)

    shown = {kind.code for kind in kinds(Refused) if not kind.__module__.startswith(("tests.", "reports.replay"))}
    assert not shown - TITLES.keys(), "name these in config.api.problems.TITLES"


BODIES = {
    "no JSON": b"{",
    "two values": b"{} {}",
    "invalid UTF-8": b'{"to": "\xff"}',
    "UTF-16": '{"to": "x"}'.encode("utf-16"),
    "NaN": b'{"quantity": NaN}',
    "a number beyond all bounds": b'{"quantity": 1e999}',
    "a lone surrogate": b'{"note": "\\ud800"}',
    "nested without end": b"[" * 100_000,
}


@pytest.mark.django_db
@pytest.mark.parametrize("path", [path for path in WRITES if not path.endswith(("claim/", "let-go/"))])
def test_a_body_that_cannot_be_read_is_refused_at_every_door(world: World, erp: Caller, path: str) -> None:
    before = OrderEvent.objects.count()
    for name, body in BODIES.items():
        answer = erp.raw("POST", path, body, Idempotency_Key=name.replace(" ", "-"))
        assert_problem(answer, 400, "malformed")
    assert OrderEvent.objects.count() == before


@pytest.mark.django_db
@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize(
    "document",
    [
        [],
        "text",
        12,
        None,
        True,
        {"lines": [None], "updates": [None], "reason": "\x00", "to": "\x00", "text": "\x00", "quantity": 10**40},
        {"lines": {}, "reason": {}, "to": [], "text": 1e300, "quantity": "Infinity", "promised_on": "0000-00-00"},
        {"to": "new" * 1000, "reason": "x" * 10_000, "text": "x" * 100_000, "promised_on": 1, "quantity": True},
    ],
    ids=["list", "text", "number", "null", "true", "nul bytes", "wrong kinds", "too long"],
)
def test_nonsense_is_refused_at_every_door(world: World, erp: Caller, path: str, document: object) -> None:
    before = OrderEvent.objects.count()
    answer = erp.raw("POST", path, json.dumps(document).encode(), Idempotency_Key="k")
    if answer.status_code == 200:  # the one call that answers for each item
        assert [result["outcome"] for result in answer.json()["results"]] == ["refused"]
    else:
        assert 400 <= answer.status_code < 500
        assert set(answer.json()) >= MEMBERS
    assert OrderEvent.objects.count() == before


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if route[0] == "GET"])
def test_parameters_without_sense_do_no_harm(world: World, erp: Caller, method: str, path: str) -> None:
    for query in (
        "%00",
        "cursor=%00",
        "page_size=%FF",
        "status=%00&kind=%00",
        "part=%F0%9F%92%A9",
        "customer=1' OR 1=1",
    ):
        answer = erp.client.get(f"/api/v1/{path}?{query}", headers=erp.headers)
        assert answer.status_code in (200, 400, 404), query


@pytest.mark.django_db
def test_another_media_type_is_refused(world: World, erp: Caller) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        answer = erp.raw(
            "POST", "service-orders/", b"a=b", content_type=content_type, Idempotency_Key="k" + content_type[:4]
        )
        assert_problem(answer, 415, "unsupported_media_type")


@pytest.mark.django_db
def test_a_method_that_an_address_does_not_know_is_refused_with_those_it_knows(world: World, erp: Caller) -> None:
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        answer = erp.raw(method, "parts/", b"{}")
        assert_problem(answer, 405, "method_not_allowed")
        assert "GET" in answer["Allow"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["", "nothing/", "parts", "parts/1/", f"parts/{KEY}", f"parts/{KEY}/stock/", "%00/"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_address_says_so_in_the_same_words(erp: Caller, method: str, path: str) -> None:
    assert_problem(erp.raw(method, path, b"{}"), 404, "not_found")


@pytest.mark.django_db
def test_a_body_beyond_the_limit_is_refused(world: World, erp: Caller, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    for key in ({"Idempotency_Key": "k"}, {}):
        answer = erp.raw("POST", "service-orders/", b'{"title": "' + b"x" * 2000 + b'"}', **key)
        assert_problem(answer, 413, "too_large")


@pytest.mark.django_db
def test_whatever_the_caller_accepts_the_answer_is_json(world: World, erp: Caller) -> None:
    for accept in ("text/html", "application/xml", "*/*", "nonsense", "application/problem+json"):
        assert erp.get("parts/", Accept=accept)["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("error", "cause", "status", "code"),
    [
        (OperationalError(), postgres.LockNotAvailable(), 503, "busy"),
        (OperationalError(), postgres.DeadlockDetected(), 503, "busy"),
        (OperationalError(), postgres.SerializationFailure(), 503, "busy"),
        (OperationalError(), postgres.QueryCanceled(), 503, "busy"),
        (OperationalError(), postgres.AdminShutdown(), 503, "unavailable"),
        (InterfaceError(), None, 503, "unavailable"),
        (DataError(), postgres.NumericValueOutOfRange(), 400, "invalid"),
        (IntegrityError(), postgres.ForeignKeyViolation(), 409, "conflict"),
    ],
)
def test_what_the_database_says_is_told_in_words(
    error: Exception, cause: Exception | None, status: int, code: str
) -> None:
    error.__cause__ = cause
    problem = problem_of(error)
    assert problem is not None
    assert (problem.status, problem.code) == (status, code)
    assert ("Retry-After" in problem.headers) == (status == 503)


def test_a_mistake_of_ours_is_no_problem_of_theirs() -> None:
    assert problem_of(ZeroDivisionError()) is None


def test_nested_errors_become_paths() -> None:
    detail = {
        "lines": [{}, {"quantity": ["Too much."], "non_field_errors": ["Odd."]}],
        "note": ["Long."],
        "non_field_errors": ["No."],
    }
    assert dict(flattened(detail)) == {
        "lines.1.quantity": ["Too much."],
        "lines.1": ["Odd."],
        "note": ["Long."],
        "": ["No."],
    }

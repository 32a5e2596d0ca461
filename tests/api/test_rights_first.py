"""Who has no right to something learns nothing by asking for it: no status, no version, no answer of somebody else."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application, set_token_value
from rest_framework.response import Response

from config.api.authentication import known_tokens
from config.api.router import Router
from config.api.urls import router
from config.roles import SCOPES
from integrations.actions import publishing
from orders.models import OrderLine, PartsOrder
from parts.doors import Door
from tests.api.test_problems import assert_problem
from tests.api.world import Caller, World, token_for
from tests.integrations.listening import OURSELVES, listen

pytestmark = pytest.mark.django_db

WRONG_VERSION = {"If_Match": '"999"'}


@pytest.fixture
def reader(manager: User) -> Caller:
    """A machine of the house that may only read, and that nobody has to be kept secret from."""
    return Caller(token_for(manager, ["stock:read"]))


def _calls(world: World) -> dict[str, tuple[str, str, dict[str, str]]]:
    """Return every writing call: its address with a place for the key, a key that there is, and its headers."""
    order, job = world.placed(quantity=200), world.job()
    leaf = OrderLine.objects.get(order=order.id, is_split=False, status="back_ordered")
    listener = listen()
    told = publishing.send_test(subscriber=listener.pk, by=OURSELVES, at=timezone.now())
    keys = {
        "service-orders": job.pk,
        "parts-orders": order.id,
        "lines": leaf.pk,
        "back-orders": leaf.back_order.pk,
        "subscribers": listener.pk,
        "outbound-deliveries": told.pk,
    }
    calls: dict[str, tuple[str, str, dict[str, str]]] = {}
    registered: list[tuple[str, Any, str]] = router.registry
    for prefix, door, _ in registered:
        if "create" in door.writes:
            calls[f"{prefix} create"] = (f"{prefix}/", "", {})
        for action in door.get_extra_actions():
            for name in set(action.mapping.values()) & set(door.writes):
                headers = WRONG_VERSION if name in door.versioned else {}
                calls[f"{prefix} {name}"] = (f"{prefix}/{{key}}/{action.url_path}/", str(keys[prefix]), headers)
    return calls


def test_a_call_without_the_right_is_refused_before_it_is_looked_at(world: World, reader: Caller) -> None:
    calls = _calls(world)
    assert len(calls) > 20
    for name, (address, there_is, headers) in calls.items():
        answers = []
        for key in (there_is, uuid.uuid4()):
            answer = reader.post(address.format(key=key), {"nonsense": True}, **headers)
            assert_problem(answer, 403, "forbidden")
            answers.append({**answer.json(), "instance": ""})
        assert answers[0] == answers[1], name  # of what there is, and of what there is not


def test_a_call_without_the_right_costs_no_statement(world: World, reader: Caller) -> None:
    calls = _calls(world)
    reader.get("parts/")
    with CaptureQueriesContext(connection) as statements:
        for address, key, headers in calls.values():
            reader.post(address.format(key=key), {}, **headers)
    assert len(statements) == 0


def test_a_report_without_the_right_to_its_kind_tells_no_status(world: World, manager: User) -> None:
    """Who may move lines and no jobs reports lines, and reads nothing of jobs."""
    line, job = world.placed().lines[0], world.job()
    token = token_for(manager, ["status:write"])
    known_tokens.forget_all()
    manager.groups.clear()
    manager.user_permissions.set(Permission.objects.filter(codename__in=["view_orderline", "move_orderline"]))
    now = {"occurred_at": timezone.now().isoformat()}
    updates = [
        {"subject": "service_order", "id": str(job.pk), "status": "completed", **now},
        {"subject": "service_order", "id": str(uuid.uuid4()), "status": "completed", **now},
        {"subject": "line", "id": str(line.id), "status": "released", **now},
    ]
    answer = Caller(token).post("status-updates/", {"updates": updates})
    assert answer.status_code == 200
    real, made_up, moved = answer.json()["results"]
    assert real == made_up
    assert (real["status"], real["version"], real["reference"]) == ("", 0, "")
    assert real["refusal"]["code"] == "forbidden"
    assert moved["outcome"] == "moved"


def _client_of(token: str) -> Application:
    checksum = hashlib.sha256(token.encode()).hexdigest()
    application: Application = AccessToken.objects.get(token_checksum=checksum).application
    return application


def _another_token(client: Application, scopes: Iterable[str]) -> str:
    token, raw = AccessToken(application=client, expires=timezone.now() + timedelta(hours=1)), uuid.uuid4().hex
    token.scope = " ".join(scopes)
    set_token_value(token, raw)
    token.save()
    return raw


def test_a_kept_answer_is_for_who_may_do_it(world: World, manager: User) -> None:
    token = token_for(manager)
    client = _client_of(token)
    assert Caller(token).post("parts-orders/", body := world.order(), key="1").status_code == 201
    narrower = _another_token(client, ["stock:read"])
    assert_problem(Caller(narrower).post("parts-orders/", body, key="1"), 403, "forbidden")
    wide = _another_token(client, SCOPES)
    assert Caller(wide).post("parts-orders/", body, key="1")["Idempotent-Replayed"] == "true"


def test_a_kept_answer_is_for_the_account_that_it_was_given_to(world: World, manager: User, dispatcher: User) -> None:
    token = token_for(manager)
    client = _client_of(token)
    assert Caller(token).post("parts-orders/", body := world.order(), key="1").status_code == 201
    client.user = dispatcher
    client.save()
    other = _another_token(client, SCOPES)
    assert_problem(Caller(other).post("parts-orders/", body, key="1"), 422, "idempotency_key_reused")
    assert PartsOrder.objects.count() == 1


def test_a_resource_that_does_not_say_who_may_change_it_is_not_served() -> None:
    class Open(Door):
        def create(self, request: Any) -> Response:
            return Response()

    with pytest.raises(ImproperlyConfigured, match="create"):
        Router().register("open", Open)

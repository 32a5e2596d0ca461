"""What is misspelt, said twice or said two ways is refused by name: nobody could know what was meant."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from config.api import filtering
from config.api.urls import router
from orders.models import OrderLine, PartsOrder, ServiceOrder
from parts.doors import PAGE
from tests.api.test_problems import assert_problem
from tests.api.world import Caller, World, token_for

pytestmark = pytest.mark.django_db

#: Each resource, by its prefix.
DOORS: dict[str, Any] = {prefix: door for prefix, door, _ in router.registry}

# --- Parameters ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", [prefix for prefix, door in DOORS.items() if hasattr(door, "list")])
def test_a_list_refuses_a_parameter_that_it_does_not_know(erp: Caller, prefix: str) -> None:
    for name in ("custmer", "limit", "ordering", "format", "expand", "region[]", "Status"):
        problem = assert_problem(erp.get(f"{prefix}/", {name: "x"}), 400, "invalid")
        assert "no such parameter" in problem["fields"][name][0]


def test_the_refusal_says_which_parameters_there_are(erp: Caller) -> None:
    problem = assert_problem(erp.get("parts-orders/", {"custmer": "x"}), 400, "invalid")
    assert " customer," in problem["fields"]["custmer"][0]
    assert " page_size," in problem["fields"]["custmer"][0]


def test_every_filter_and_the_page_are_still_known(world: World, erp: Caller) -> None:
    for prefix, door in DOORS.items():
        for name in getattr(getattr(door, "filterset_class", None), "base_filters", {}):
            answer = erp.get(f"{prefix}/", {name: ""})
            assert b"no such parameter" not in answer.content, (prefix, name)
    assert erp.get("parts/", {"page_size": "1"}).status_code == 200
    assert filtering._OF_THE_PAGE == PAGE


def test_reading_one_and_writing_take_no_parameters(world: World, erp: Caller) -> None:
    order, job = world.placed(), world.job()
    for path in (f"parts-orders/{order.id}/", f"service-orders/{job.pk}/", f"lines/{order.lines[0].id}/"):
        assert_problem(erp.get(path, {"expand": "lines"}), 400, "invalid")
        assert_problem(erp.get(path, {"page_size": "5"}), 400, "invalid")
    assert_problem(erp.post("parts-orders/?dry_run=true", world.order()), 400, "invalid")
    assert_problem(erp.post(f"lines/{order.lines[0].id}/move/?force=1", {"to": "released"}), 400, "invalid")
    assert PartsOrder.objects.count() == 1
    assert erp.get(f"service-orders/{job.pk}/timeline/", {"page_size": "5"}).status_code == 200
    assert_problem(erp.get(f"service-orders/{job.pk}/timeline/", {"kind": "x"}), 400, "invalid")


def test_a_parameter_is_given_once_unless_it_takes_several_values(world: World, erp: Caller) -> None:
    problem = assert_problem(erp.get("parts/?search=a&search=b"), 400, "invalid")
    assert problem["fields"] == {"search": ["Given more than once."]}
    assert erp.get("service-orders/?status=new&status=draft").status_code == 200
    assert erp.get(f"availability/?part={world.parts[0].number}&part={world.parts[1].number}").status_code == 200


# --- Members ---------------------------------------------------------------------------------------------------------


def test_a_member_that_is_misspelt_is_refused_at_any_depth(world: World, erp: Caller) -> None:
    body = world.order(complete_delivery=True, is_tset=True)
    body["lines"][1]["quantitty"] = "2"
    problem = assert_problem(erp.post("parts-orders/", body), 400, "invalid")
    assert set(problem["fields"]) == {"complete_delivery", "is_tset", "lines.1.quantitty"}
    assert not PartsOrder.objects.exists()


def test_every_writing_call_refuses_a_member_that_it_does_not_know(world: World, erp: Caller, technician: User) -> None:
    order, job = world.placed(), world.job()
    keys = {"parts-orders": order.id, "service-orders": job.pk, "lines": order.lines[0].id}
    calls = []
    for prefix, door in DOORS.items():
        if "create" in door.writes and prefix != "status-updates":
            calls.append(f"{prefix}/")
        if prefix in keys:
            written = [action for action in door.get_extra_actions() if set(action.mapping.values()) & set(door.writes)]
            calls += [f"{prefix}/{keys[prefix]}/{action.url_path}/" for action in written]
    assert len(calls) > 15
    claiming = Caller(token_for(technician))
    for path in calls:
        answer = (claiming if "/claim/" in path else erp).post(path, {"nonsense": 1})
        if "/claim/" in path and answer.status_code == 403:
            continue  # no scope has the right to it
        assert "nonsense" in assert_problem(answer, 400, "invalid")["fields"], path
    assert ServiceOrder.objects.get().version == 1


def test_a_report_with_a_member_that_is_not_known_is_refused_and_hinders_no_other(world: World, erp: Caller) -> None:
    line = world.placed().lines[0].id
    report = {"subject": "line", "id": str(line), "status": "released", "occurred_at": timezone.now().isoformat()}
    answer = erp.post("status-updates/", {"updates": [report | {"ocurred_at": "x"}, report]})
    refused, moved = answer.json()["results"]
    assert (refused["outcome"], list(refused["refusal"]["extra"]["fields"])) == ("refused", ["ocurred_at"])
    assert moved["outcome"] == "moved"
    problem = assert_problem(erp.post("status-updates/", {"updates": [report], "update": []}), 400, "invalid")
    assert list(problem["fields"]) == ["update"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"to": "released", "to": "cancelled"}',
        b'{"to": "released", "note": "a", "note": "b"}',
        b'{"\\u0074o": "released", "to": "cancelled"}',
        b'{"to" : "released", "to"\n:"released"}',
        b'{"to": "released", "note": {"a": 1, "a": 2}}',
    ],
)
def test_a_member_that_comes_twice_is_refused(world: World, erp: Caller, body: bytes) -> None:
    line = world.placed().lines[0].id
    problem = assert_problem(erp.raw("POST", f"lines/{line}/move/", body), 400, "malformed")
    assert "twice" in problem["detail"]
    assert OrderLine.objects.get(pk=line).status == "reserved"


@pytest.mark.parametrize("note", ['"to": "released", "to":', '\\" : \\', '{"a":1,"a":2}', 'x\\\\":', "\u0000\u0001:"])
def test_a_text_that_looks_like_members_is_a_text(world: World, erp: Caller, note: str) -> None:
    line = world.placed().lines[0].id
    answer = erp.post(f"lines/{line}/move/", {"to": "released", "note": note.replace("\u0000", "")})
    assert answer.status_code == 200, answer.content


def test_a_large_object_with_a_member_twice_is_refused_without_much_ado(erp: Caller) -> None:
    members = ", ".join(f'"m{number}": 1' for number in range(100_000))
    began = time.monotonic()
    answer = erp.raw("POST", "service-orders/", f'{{{members}, "m7": 2}}'.encode())
    assert "m7" in assert_problem(answer, 400, "malformed")["detail"]
    assert time.monotonic() - began < 5
    deep = b'{"a": ' * 1000 + b'{"b": 1, "b": 2}' + b"}" * 1000
    assert_problem(erp.raw("POST", "service-orders/", deep), 400, "malformed")


def test_a_part_and_a_number_that_is_not_its_own_contradict_each_other(world: World, erp: Caller) -> None:
    one, other = world.parts[0], world.parts[1]
    line = {"part": str(one.pk), "quantity": "1"}
    both = world.order(lines=[line | {"part_number": other.number}])
    problem = assert_problem(erp.post("parts-orders/", both), 400, "invalid")
    assert list(problem["fields"]) == ["lines.0.part_number"]
    assert not PartsOrder.objects.exists()
    assert erp.post("parts-orders/", world.order(lines=[line | {"part_number": one.number}])).status_code == 201


# --- Numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("quantity", ["1_000", "1 000", "1,5", "١", "½", "0x10", "+-1", "1e1000", "", " 1", "∞", True])
def test_a_quantity_is_written_in_plain_digits(world: World, erp: Caller, quantity: Any) -> None:
    body = world.order(lines=[{"part": str(world.parts[0].pk), "quantity": quantity}])
    problem = assert_problem(erp.post("parts-orders/", body), 400, "invalid")
    assert list(problem["fields"]) == ["lines.0.quantity"]


@pytest.mark.parametrize("quantity", ["1", "+1", "1.000", "1.", "1e0", "10E-1", 1, 1.0])
def test_a_number_in_any_plain_way_is_that_number(world: World, erp: Caller, quantity: Any) -> None:
    body = world.order(lines=[{"part": str(world.parts[0].pk), "quantity": quantity}])
    answer = erp.raw("POST", "parts-orders/", json.dumps(body).encode(), Idempotency_Key="1")
    assert answer.json()["lines"][0]["quantity"] == "1.000"

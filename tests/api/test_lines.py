"""Order lines through the API: one step, shipped, cancelled, promised, brought back, overridden."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pytest

from orders.models import OrderLine, Shipment
from tests.api.world import Caller, World

pytestmark = pytest.mark.django_db

VERBS: dict[str, dict[str, object]] = {
    "move": {"to": "released"},
    "let-go": {},
    "ship": {"walk": True},
    "cancel": {"reason": "Not needed"},
    "promise": {"promised_on": "2100-01-01"},
    "return": {"quantity": "1"},
    "override": {"to": "delivered", "reason": "Seen on site", "reference": "T-1"},
}


def _status(line_id: uuid.UUID) -> str:
    return str(OrderLine.objects.values_list("status", flat=True).get(pk=line_id))


def test_a_line_takes_one_step_and_the_answer_names_its_version(world: World, erp: Caller) -> None:
    line = world.placed().lines[0]
    answer = erp.post(f"lines/{line.id}/move/", {"to": "released"})
    assert answer.status_code == 200
    assert answer.json() == {"id": str(line.id), "reference": line.reference, "status": "released", "version": 2}
    assert answer["ETag"] == '"2"'


def test_a_jump_is_refused_with_the_present_status_and_the_allowed_ones(world: World, erp: Caller) -> None:
    line = world.placed().lines[0]
    answer = erp.post(f"lines/{line.id}/move/", {"to": "shipped"})
    assert answer.status_code == 409
    assert answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["code"], problem["current"], problem["requested"]) == ("transition_refused", "reserved", "shipped")
    assert {"released", "cancelled"} <= set(problem["allowed"])
    assert _status(line.id) == "reserved"


def test_a_part_of_a_line_ships_and_the_rest_stays(world: World, erp: Caller) -> None:
    line = world.placed(quantity=5).lines[0]
    answer = erp.post(f"lines/{line.id}/ship/", {"quantity": "2", "walk": True, "carrier": "Fast"})
    assert (answer.status_code, len(answer.json()["shipments"])) == (200, 1)
    read = erp.get(f"lines/{line.id}/").json()
    assert sorted((child["status"], child["quantity"]) for child in read["children"]) == [
        ("reserved", "3.000"),
        ("shipped", "2.000"),
    ]
    assert Decimal(read["progress"]) == Decimal("0.4")


def test_more_than_there_is_does_not_ship(world: World, erp: Caller) -> None:
    line = world.placed(quantity=5).lines[0]
    answer = erp.post(f"lines/{line.id}/ship/", {"quantity": "6", "walk": True})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["lines.0.quantity"])
    assert not Shipment.objects.exists()


def test_a_part_of_a_line_is_cancelled(world: World, erp: Caller) -> None:
    line = world.placed(quantity=5).lines[0]
    assert erp.post(f"lines/{line.id}/cancel/", {"reason": "Fewer", "quantity": "2"}).status_code == 200
    children = erp.get(f"lines/{line.id}/").json()["children"]
    assert sorted((child["status"], child["quantity"]) for child in children) == [
        ("cancelled", "2.000"),
        ("reserved", "3.000"),
    ]


def test_the_first_promise_needs_no_reason_and_the_next_one_does(world: World, erp: Caller) -> None:
    line = world.placed().lines[0].id
    first, later = str(world.day(3)), str(world.day(5))
    assert erp.post(f"lines/{line}/promise/", {"promised_on": first}).status_code == 200
    silent = erp.post(f"lines/{line}/promise/", {"promised_on": later})
    assert (silent.status_code, silent.json()["code"]) == (400, "reason_required")
    assert erp.post(f"lines/{line}/promise/", {"promised_on": later, "reason": "Strike"}).status_code == 200
    read = erp.get(f"lines/{line}/").json()
    assert (read["first_promised_on"], read["promised_on"]) == (first, later)


def test_a_line_that_was_taken_back_says_so_and_is_let_go_once(world: World, erp: Caller, dealer: Caller) -> None:
    line = world.placed().lines[0].id
    for status in ("released", "reserved"):
        erp.post(f"lines/{line}/move/", {"to": status})
    assert erp.get(f"lines/{line}/").json()["kept_back"] is True
    assert (dealer.post(f"lines/{line}/let-go/").status_code, _status(line)) == (403, "reserved")
    answer = erp.post(f"lines/{line}/let-go/")
    assert (answer.status_code, answer.json()["version"]) == (200, 4)
    assert erp.get(f"lines/{line}/").json()["kept_back"] is False
    again = erp.post(f"lines/{line}/let-go/")
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_do")


def test_what_came_back_is_booked(world: World, erp: Caller) -> None:
    line = world.placed(quantity=3).lines[0].id
    assert erp.post(f"lines/{line}/ship/", {"walk": True}).status_code == 200
    answer = erp.post(f"lines/{line}/return/", {"quantity": "1", "unfit": "1", "note": "Broken box"})
    assert (answer.status_code, answer.json()["status"]) == (200, "returned")
    too_much = erp.post(f"lines/{line}/return/", {"quantity": "9"})
    assert too_much.status_code in (400, 409)


def test_an_override_needs_a_reason_and_a_reference_and_stays_marked(world: World, erp: Caller) -> None:
    placed = world.placed()
    line = placed.lines[0].id
    refused = erp.post(f"lines/{line}/override/", {"to": "delivered", "reason": "", "reference": ""})
    assert (refused.status_code, set(refused.json()["fields"])) == (400, {"reason", "reference"})
    assert erp.post(f"lines/{line}/override/", VERBS["override"]).json()["status"] == "delivered"
    events = erp.get(f"parts-orders/{placed.id}/timeline/").json()["results"]
    assert [event["kind"] for event in events if event["is_override"]] == ["line.status_overridden"]


@pytest.mark.parametrize("verb", VERBS)
def test_a_line_of_somebody_else_is_not_there(world: World, trusted: Caller, verb: str) -> None:
    line = world.placed(world.theirs).lines[0].id
    assert trusted.post(f"lines/{line}/{verb}/", VERBS[verb]).status_code == 404
    assert trusted.get(f"lines/{line}/").status_code == 404
    assert _status(line) == "reserved"


@pytest.mark.parametrize("verb", ["move", "ship", "promise", "return", "override"])
def test_a_partner_has_no_hand_in_their_own_lines_but_to_cancel_them(world: World, dealer: Caller, verb: str) -> None:
    line = world.placed().lines[0].id
    answer = dealer.post(f"lines/{line}/{verb}/", VERBS[verb])
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert _status(line) == "reserved"


def test_a_partner_cancels_their_own_line(world: World, dealer: Caller) -> None:
    line = world.placed().lines[0].id
    assert dealer.post(f"lines/{line}/cancel/", VERBS["cancel"]).json()["status"] == "cancelled"


@pytest.mark.parametrize("verb", [verb for verb, body in VERBS.items() if body])
def test_a_line_that_does_not_exist_is_not_found_and_a_body_that_is_none_is_refused(
    world: World, erp: Caller, verb: str
) -> None:
    assert erp.post(f"lines/{uuid.uuid4()}/{verb}/", VERBS[verb]).status_code == 404
    line = world.placed().lines[0].id
    bodies: list[Any] = [[], "move", 7, None, {"to": {}, "promised_on": [], "quantity": {}, "reason": []}]
    for body in bodies:
        answer = erp.post(f"lines/{line}/{verb}/", body)
        if verb == "ship" and body is None:
            continue  # nothing is said, so all of it ships: refused by its status
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid"), body
    assert _status(line) == "reserved"


def test_lines_are_found_by_what_they_are(world: World, erp: Caller) -> None:
    placed = world.placed(quantity=1)
    line = placed.lines[0]
    for query, count in [
        ({"order": placed.id}, 1),
        ({"reference": line.reference}, 1),
        ({"status": "reserved"}, 1),
        ({"status": "open"}, 0),
        ({"part": line.part_id}, 1),
        ({"part_number": line.part_number}, 1),
        ({"warehouse": world.near.pk}, 1),
        ({"warehouse": world.far.pk}, 0),
        ({"customer": world.theirs.pk}, 0),
        ({"customer_code": "OURS"}, 1),
        ({"region": "EU-C"}, 1),
        ({"is_split": "true"}, 0),
        ({"requested_from": "2100-01-01"}, 0),
        ({"requested_until": "2100-01-01"}, 1),
        ({"promised_before": "2100-01-01"}, 0),
    ]:
        assert len(erp.get("lines/", query).json()["results"]) == count, query

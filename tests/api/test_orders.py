"""Parts orders through the API: placed, read, held, cancelled, shipped."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User

from orders.models import OrderLine, PartsOrder
from parts.models import Warehouse
from tests.api.world import Caller, World, token_for

pytestmark = pytest.mark.django_db


def test_an_order_says_in_the_same_answer_what_is_reserved_and_what_is_back_ordered_until_when(
    world: World, erp: Caller
) -> None:
    answer = erp.post("parts-orders/", world.order())
    assert answer.status_code == 201
    placed = answer.json()
    assert answer["Location"] == f"/api/v1/parts-orders/{placed['id']}/"
    assert answer["ETag"] == f'"{placed["version"]}"'
    assert [line["status"] for line in placed["lines"]] == ["reserved"] * 4 + ["back_ordered"]
    held, missing = placed["lines"][4]["children"]
    assert (held["status"], held["quantity"], held["back_order"]) == ("reserved", "2.000", None)
    assert (missing["status"], missing["quantity"]) == ("back_ordered", "3.000")
    assert missing["back_order"]["reference"].startswith("B")
    assert missing["back_order"]["expected_on"] is None


def test_the_answer_to_an_order_names_the_day_on_which_what_is_missing_is_expected(world: World, erp: Caller) -> None:
    day = world.day(20)
    world.bought(10, expected_on=day)
    placed = erp.post("parts-orders/", world.order()).json()
    assert placed["lines"][4]["children"][1]["back_order"]["expected_on"] == str(day)


def test_an_order_is_read_with_its_lines_and_their_children(world: World, erp: Caller) -> None:
    placed = erp.post("parts-orders/", world.order()).json()
    read = erp.get(f"parts-orders/{placed['id']}/")
    assert read.status_code == 200
    order = read.json()
    assert (order["reference"], order["customer"]) == (placed["reference"], str(world.ours.pk))
    assert [line["part_number"] for line in order["lines"]] == [part.number for part in world.parts]
    assert [len(line["children"]) for line in order["lines"]] == [0, 0, 0, 0, 2]


def test_an_order_whose_part_does_not_exist_names_the_line_and_places_nothing(world: World, erp: Caller) -> None:
    body = world.order(lines=[{"part_number": "NOTHING", "quantity": "1"}, *world.wanted()])
    answer = erp.post("parts-orders/", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert list(answer.json()["fields"]) == ["lines.0.part"]
    assert not PartsOrder.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "gift"}, "kind"),
        ({"customer": "me"}, "customer"),
        ({"customer": str(uuid.uuid4())}, "customer"),
        ({"customer": None}, "customer"),
        ({"requested_on": "soon"}, "requested_on"),
        ({"lines": []}, "lines"),
        ({"lines": [{"part_number": "X", "quantity": "much"}]}, "lines.0.quantity"),
        ({"lines": [{"part_number": "X", "quantity": "-1"}]}, "lines.0.quantity"),
        ({"lines": [{"part_number": "X", "quantity": 1e30}]}, "lines.0.quantity"),
        ({"lines": [{"part_number": "X", "quantity": "NaN"}]}, "lines.0.quantity"),
        ({"lines": [{"part_number": "X\x00", "quantity": "1"}]}, "lines.0.part_number"),
        ({"lines": [{"quantity": "1"}]}, "lines.0.part"),
        ({"lines": "all"}, "lines"),
        ({"note": "x" * 2001}, "note"),
        ({"external_reference": "\x00"}, "external_reference"),
    ],
)
def test_what_is_wrong_with_an_order_is_said_by_field_and_nothing_is_placed(
    world: World, erp: Caller, change: dict[str, Any], field: str
) -> None:
    answer = erp.post("parts-orders/", world.order(**change))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert field in answer.json()["fields"]
    assert not PartsOrder.objects.exists()


def test_a_partner_places_for_their_own_customer_and_reads_it(world: World, dealer: Caller) -> None:
    placed = dealer.post("parts-orders/", world.order())
    assert placed.status_code == 201
    assert dealer.get(f"parts-orders/{placed.json()['id']}/").status_code == 200


def test_a_partner_does_not_learn_whether_another_customer_exists(world: World, dealer: Caller) -> None:
    foreign = dealer.post("parts-orders/", world.order(world.theirs))
    unknown = dealer.post("parts-orders/", world.order(customer=str(uuid.uuid4())))
    assert foreign.status_code == unknown.status_code == 400
    assert foreign.json()["fields"] == unknown.json()["fields"] == {"customer": ["There is no such customer."]}
    assert not PartsOrder.objects.exists()


def test_a_partner_does_not_order_for_somebody_elses_job(world: World, dealer: Caller) -> None:
    job = world.job(world.theirs)
    answer = dealer.post("parts-orders/", world.order(service_order=str(job.pk)))
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["service_order"])
    alone = dealer.post("parts-orders/", world.order(customer=None, service_order=str(job.pk)))
    assert alone.status_code == 400
    assert not PartsOrder.objects.exists()


def test_a_partner_does_not_fill_our_warehouses(world: World, dealer: Caller) -> None:
    body = world.order(kind="transfer", customer=None, destination=str(Warehouse.objects.all()[0].pk))
    assert dealer.post("parts-orders/", body).status_code == 403


def test_orders_of_other_customers_are_not_there_for_a_partner(world: World, trusted: Caller) -> None:
    mine, foreign = world.placed(), world.placed(world.theirs)
    assert [row["id"] for row in trusted.get("parts-orders/").json()["results"]] == [str(mine.id)]
    for path in ("", "timeline/"):
        assert trusted.get(f"parts-orders/{foreign.id}/{path}").status_code == 404
    reason, lines = {"reason": "mine"}, {"lines": [{"line": str(foreign.lines[0].id)}]}
    bodies: dict[str, Any] = {"cancel": reason, "hold": reason, "let-go": None, "ship": lines}
    for verb, body in bodies.items():
        assert trusted.post(f"parts-orders/{foreign.id}/{verb}/", body).status_code == 404
    assert PartsOrder.objects.get(pk=foreign.id).status == "reserved"


def test_an_order_is_cancelled_with_a_reason_and_its_stock_is_free(world: World, erp: Caller) -> None:
    order = world.placed(quantity=100)
    refused = erp.post(f"parts-orders/{order.id}/cancel/", {"reason": " "})
    assert (refused.status_code, refused.json()["code"]) == (400, "reason_required")
    answer = erp.post(f"parts-orders/{order.id}/cancel/", {"reason": "Machine was sold"})
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert world.placed(quantity=100).status == "reserved"
    again = erp.post(f"parts-orders/{order.id}/cancel/", {"reason": "Machine was sold"})
    assert (again.status_code, again.json()["code"]) == (409, "transition_refused")


def test_a_held_order_does_not_ship_until_it_is_let_go(world: World, erp: Caller) -> None:
    order = world.placed()
    body = {"lines": [{"line": str(order.lines[0].id)}], "walk": True}
    assert erp.post(f"parts-orders/{order.id}/hold/", {"reason": "Credit"}).status_code == 200
    assert erp.post(f"parts-orders/{order.id}/ship/", body).status_code == 409
    assert erp.get(f"parts-orders/{order.id}/").json()["hold_reason"] == "Credit"
    assert erp.post(f"parts-orders/{order.id}/let-go/").status_code == 200
    assert erp.get(f"parts-orders/{order.id}/").json()["hold_reason"] == ""
    shipped = erp.post(f"parts-orders/{order.id}/ship/", body | {"carrier": "Fast", "tracking_number": "1Z"})
    assert shipped.status_code == 200
    [shipment] = shipped.json()["shipments"]
    assert (shipment["carrier"], shipment["warehouse"]) == ("Fast", str(world.near.pk))
    assert OrderLine.objects.get(pk=order.lines[0].id).status == "shipped"


def test_a_line_of_another_order_does_not_ship_with_this_one(world: World, erp: Caller) -> None:
    order, other = world.placed(), world.placed()
    answer = erp.post(f"parts-orders/{order.id}/ship/", {"lines": [{"line": str(other.lines[0].id)}], "walk": True})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_the_timeline_of_an_order_tells_of_its_lines_and_back_orders(world: World, erp: Caller) -> None:
    placed = erp.post("parts-orders/", world.order(note="Gate 4")).json()
    events = erp.get(f"parts-orders/{placed['id']}/timeline/").json()["results"]
    kinds = {event["kind"] for event in events}
    assert {"parts_order.placed", "line.placed", "line.split_off", "back_order.opened"} <= kinds
    assert [event["note"] for event in events if event["kind"] == "parts_order.placed"] == ["Gate 4"]
    assert all(event["actor"].startswith("client:") for event in events)


def test_a_partner_reads_public_events_only_and_not_who_did_what(world: World, dealer: Caller, erp: Caller) -> None:
    order = world.placed()
    line = order.lines[0].id
    assert erp.post(f"lines/{line}/move/", {"to": "released", "note": "Ours alone"}).status_code == 200
    assert erp.post(f"lines/{line}/promise/", {"promised_on": str(world.day(3))}).status_code == 200
    events = dealer.get(f"parts-orders/{order.id}/timeline/").json()["results"]
    assert [(event["kind"], event["actor"], event["data"]) for event in events] == [("line.promise_changed", None, {})]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status": "reserved"}, "mine"),
        ({"status": "back_ordered"}, ""),
        ({"status": ["back_ordered", "reserved"]}, "mine"),
        ({"kind": "service"}, "mine"),
        ({"kind": "transfer"}, ""),
        ({"customer_code": "OURS"}, "mine"),
        ({"customer_code": "THEIRS"}, ""),
        ({"region": "EU-C"}, "mine"),
        ({"region": "ELSEWHERE"}, ""),
        ({"reference": "P-0"}, ""),
        ({"external_reference": "X"}, ""),
        ({"on_hold": "false"}, "mine"),
        ({"on_hold": "true"}, ""),
        ({"is_test": "true"}, ""),
        ({"created_after": "2020-01-01T00:00:00Z"}, "mine"),
        ({"created_before": "2020-01-01T00:00:00Z"}, ""),
    ],
)
def test_orders_are_found_by_what_they_are(world: World, erp: Caller, query: dict[str, object], found: str) -> None:
    order = world.placed()
    rows = erp.get("parts-orders/", query).json()["results"]
    assert [row["id"] for row in rows] == ([str(order.id)] if found else [])


def test_orders_are_found_by_part_warehouse_customer_and_job(world: World, erp: Caller) -> None:
    job = world.job()
    erp.post("parts-orders/", world.order(lines=world.wanted(1, part=0), service_order=str(job.pk)))
    first, second = world.parts[0].pk, world.parts[1].pk
    for query, count in [
        ({"part": first}, 1),
        ({"part": second}, 0),
        ({"warehouse": world.near.pk}, 1),
        ({"warehouse": world.far.pk}, 0),
        ({"customer": world.ours.pk}, 1),
        ({"customer": world.theirs.pk}, 0),
        ({"service_order": job.pk}, 1),
        ({"service_order": uuid.uuid4()}, 0),
    ]:
        assert len(erp.get("parts-orders/", query).json()["results"]) == count, query


@pytest.mark.parametrize(
    "query", [{"status": "lost"}, {"customer": "me"}, {"created_after": "soon"}, {"reference": "\x00"}]
)
def test_a_filter_that_means_nothing_is_refused_by_name(world: World, erp: Caller, query: dict[str, str]) -> None:
    answer = erp.get("parts-orders/", query)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, list(query))


def test_a_client_without_the_scope_places_nothing(world: World, manager: User) -> None:
    reader = Caller(token_for(manager, ["orders:read"]))
    answer = reader.post("parts-orders/", world.order())
    assert (answer.status_code, answer.json()["permission"]) == (403, "orders.place_partsorder")
    assert not PartsOrder.objects.exists()

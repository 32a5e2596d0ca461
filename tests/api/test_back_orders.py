"""The queue and availability through the API."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from backorders.models import BackOrder
from parts.models import Warehouse
from tests.api.world import Caller, World

pytestmark = pytest.mark.django_db


def _short(world: World, quantity: int = 5, **more: Any) -> BackOrder:
    placed = world.placed(quantity=quantity, part=4, **more)
    return BackOrder.objects.get(line__order_id=placed.id)


def test_the_queue_is_listed_by_rank(world: World, erp: Caller) -> None:
    low, high = _short(world, customer=world.theirs), _short(world)  # gold goes before silver
    rows = erp.get("back-orders/").json()["results"]
    assert [row["id"] for row in rows] == [str(high.pk), str(low.pk)]
    assert float(rows[0]["rank"]) > float(rows[1]["rank"])


def test_the_queue_can_be_walked_in_both_directions_across_equal_ranks(world: World, erp: Caller) -> None:
    for _ in range(5):
        _short(world)
    BackOrder.objects.update(rank=7)
    whole = [row["id"] for row in erp.get("back-orders/").json()["results"]]
    walked, page = [], erp.get("back-orders/", {"page_size": 2}).json()
    while True:
        walked += [row["id"] for row in page["results"]]
        if page["next"] is None:
            break
        page = erp.client.get(page["next"], headers=erp.headers).json()
    assert walked == whole
    back = erp.client.get(page["previous"], headers=erp.headers).json()
    assert [row["id"] for row in back["results"]] == whole[2:4]


def test_closed_back_orders_are_listed_where_they_are_asked_for(world: World, erp: Caller) -> None:
    entry = _short(world)
    world.put(world.parts[4], 100)
    assert erp.get("back-orders/").json()["results"] == []
    assert [row["id"] for row in erp.get("back-orders/", {"status": "allocated"}).json()["results"]] == [str(entry.pk)]


def test_a_back_order_explains_itself(world: World, erp: Caller) -> None:
    first, second = _short(world), _short(world)
    told = erp.get(f"back-orders/{second.pk}/explain/").json()
    assert (told["place"], told["missing"]) == (2, "5.000")
    assert [ahead["id"] for ahead in told["ahead"]] == [str(first.pk)]
    assert sum(float(value) for value in told["rank_terms"].values()) == pytest.approx(float(told["rank"]))
    assert told["summary"]


def test_a_partner_is_told_their_place_and_not_who_stands_before_them(
    world: World, erp: Caller, dealer: Caller
) -> None:
    _short(world, customer=world.theirs)
    mine = _short(world)
    world.bought(50)
    told = dealer.get(f"back-orders/{mine.pk}/explain/").json()
    assert (told["place"], told["ahead"]) == (1, [])
    assert {supply["purchase_order"] for supply in told["supply"]} == {""}
    assert {supply["purchase_order"] for supply in erp.get(f"back-orders/{mine.pk}/explain/").json()["supply"]} != {""}


def test_a_date_is_promised_for_the_line_that_waits(world: World, erp: Caller) -> None:
    entry = _short(world)
    day = str(world.day(9))
    assert erp.post(f"back-orders/{entry.pk}/promise/", {"promised_on": day}).json()["id"] == str(entry.line_id)
    read = erp.get(f"back-orders/{entry.pk}/").json()
    assert (read["first_promised_on"], read["promised_on"]) == (day, day)


def test_supply_is_noted_by_hand_and_what_follows_from_stock_is_not(world: World, erp: Caller) -> None:
    entry = _short(world)
    assert erp.post(f"back-orders/{entry.pk}/move/", {"to": "sourcing"}).json()["status"] == "sourcing"
    refused = erp.post(f"back-orders/{entry.pk}/move/", {"to": "allocated"})
    assert (refused.status_code, refused.json()["allowed"]) == (409, ["open", "supply_confirmed"])


def test_back_orders_of_other_customers_are_not_there(world: World, trusted: Caller) -> None:
    foreign = _short(world, customer=world.theirs)
    assert trusted.get("back-orders/").json()["results"] == []
    assert trusted.get(f"back-orders/{foreign.pk}/").status_code == 404
    assert trusted.get(f"back-orders/{foreign.pk}/explain/").status_code == 404
    assert trusted.post(f"back-orders/{foreign.pk}/move/", {"to": "sourcing"}).status_code == 404
    promise = {"promised_on": str(world.day(9))}
    assert trusted.post(f"back-orders/{foreign.pk}/promise/", promise).status_code == 404


def test_a_partner_notes_no_supply_and_promises_nothing(world: World, dealer: Caller) -> None:
    promise = {"promised_on": str(world.day(9))}
    mine = _short(world)
    assert dealer.post(f"back-orders/{mine.pk}/move/", {"to": "sourcing"}).status_code == 403
    assert dealer.post(f"back-orders/{mine.pk}/promise/", promise).status_code == 403


def test_back_orders_are_found_by_what_they_are(world: World, erp: Caller) -> None:
    entry = _short(world)
    for query, count in [
        ({"reference": entry.reference}, 1),
        ({"part": entry.part_id}, 1),
        ({"part_number": world.parts[4].number}, 1),
        ({"part_number": "X"}, 0),
        ({"customer": world.ours.pk}, 1),
        ({"customer": world.theirs.pk}, 0),
        ({"customer_code": "OURS"}, 1),
        ({"region": "EU-C"}, 1),
        ({"order": uuid.uuid4()}, 0),
        ({"age": "0-3"}, 1),
        ({"age": ">30"}, 0),
        ({"opened_after": "2100-01-01T00:00:00Z"}, 0),
        ({"opened_before": "2100-01-01T00:00:00Z"}, 1),
        ({"expected_before": "2100-01-01"}, 0),
        ({"without_supply": "true"}, 1),
        ({"promise_overdue": "true"}, 0),
        ({"on_hold": "false"}, 1),
        ({"status": "open"}, 1),
        ({"status": "fulfilled"}, 0),
    ]:
        assert len(erp.get("back-orders/", query).json()["results"]) == count, query
    assert erp.get("back-orders/", {"age": "old"}).status_code == 400


def test_availability_counts_what_is_there_and_what_nobody_waits_for(world: World, erp: Caller) -> None:
    part = world.parts[4]
    _short(world, quantity=6)  # takes both that are there, four more are missing
    world.bought(10, expected_on=world.day(14))
    [told] = erp.get("availability/", {"part": part.number}).json()["results"]
    assert (told["part"], told["on_hand"], told["reserved"]) == (str(part.pk), "2.000", "2.000")
    assert (told["available"], told["promisable"]) == ("0.000", "0.000")
    assert [place["code"] for place in told["warehouses"]] == ["FAR"]
    assert told["expected"] == [{"expected_on": str(world.day(14)), "quantity": "6.000"}]


def test_availability_names_no_day_that_has_passed_and_nothing_that_serves_no_orders(world: World, erp: Caller) -> None:
    part = world.parts[4]
    world.bought(10, expected_on=world.day(-3))
    [told] = erp.get("availability/", {"part": part.number}).json()["results"]
    assert told["expected"] == [{"expected_on": None, "quantity": "10.000"}]
    Warehouse.objects.filter(pk=world.near.pk).update(allocatable=False)
    [told] = erp.get("availability/", {"part": part.number}).json()["results"]
    assert told["expected"] == []


def test_availability_answers_for_many_parts_at_once_and_leaves_out_unknown_ones(world: World, erp: Caller) -> None:
    wanted = [str(world.parts[0].pk), world.parts[1].number, "NOTHING", str(uuid.uuid4())]
    told = erp.get("availability/", {"part": wanted}).json()["results"]
    assert [row["number"] for row in told] == sorted([world.parts[0].number, world.parts[1].number])


@pytest.mark.parametrize("query", [{}, {"part": ["x"] * 101}, {"part": "\x00"}, {"part": "x" * 61}])
def test_availability_of_nothing_or_of_too_much_is_refused(world: World, erp: Caller, query: dict[str, object]) -> None:
    answer = erp.get("availability/", query)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["part"])


def test_stock_is_not_for_partners(world: World, dealer: Caller) -> None:
    for path in ("availability/?part=x", "stock-movements/", "purchase-orders/", "deliveries/"):
        assert dealer.get(path).status_code == 403, path
    assert dealer.get("parts/").status_code == 200

"""ETags: nobody writes over what they have not read, and nobody is sent what they have."""

from __future__ import annotations

import re

import pytest

from backorders.models import BackOrder
from orders.models import OrderLine, ServiceOrder
from tests.api.world import Caller, World

pytestmark = pytest.mark.django_db


def test_a_move_with_the_etag_as_it_was_read_is_carried_out_and_a_second_one_is_not(world: World, erp: Caller) -> None:
    job = world.job()
    tag = erp.get(f"service-orders/{job.pk}/")["ETag"]
    assert re.fullmatch(r'"1-[0-9a-f]{16}"', tag)
    moved = erp.post(f"service-orders/{job.pk}/move/", {"to": "in_progress"}, If_Match=tag)
    assert (moved.status_code, moved["ETag"]) == (200, '"2"')
    late = erp.post(f"service-orders/{job.pk}/move/", {"to": "new"}, If_Match=tag)
    assert (late.status_code, late.json()["code"]) == (412, "version_conflict")
    assert (late.json()["version"], late.json()["status"]) == (2, 412)
    assert late.json()["current"] == "in_progress"
    assert erp.post(f"service-orders/{job.pk}/move/", {"to": "new"}, If_Match=moved["ETag"]).status_code == 200


def test_every_versioned_call_looks_at_the_version(world: World, erp: Caller) -> None:
    job, order = world.job(), world.placed()
    line = order.lines[0].id
    world.placed(quantity=5, part=4)
    entry = BackOrder.objects.get()
    override = {"reason": "Seen", "reference": "T-1"}
    for path, body in [
        (f"service-orders/{job.pk}/move/", {"to": "in_progress"}),
        (f"service-orders/{job.pk}/fast-forward/", {"to": "completed"}),
        (f"service-orders/{job.pk}/override/", {"to": "completed", **override}),
        (f"service-orders/{job.pk}/assign/", {"technician": None}),
        (f"lines/{line}/move/", {"to": "released"}),
        (f"lines/{line}/let-go/", {}),
        (f"lines/{line}/cancel/", {"reason": "No"}),
        (f"lines/{line}/promise/", {"promised_on": str(world.day(3))}),
        (f"lines/{line}/override/", {"to": "delivered", **override}),
        (f"parts-orders/{order.id}/cancel/", {"reason": "No"}),
        (f"back-orders/{entry.pk}/move/", {"to": "sourcing"}),
    ]:
        answer = erp.post(path, body, If_Match='"99"')
        assert (answer.status_code, answer.json()["code"]) == (412, "version_conflict"), path
        assert answer.json()["version"] >= 1, path
    assert ServiceOrder.objects.get(pk=job.pk).version == 1
    assert OrderLine.objects.get(pk=line).version == 1


@pytest.mark.parametrize("tag", ["1", 'W/"1"', '"one"', '"1", "2"', '"-1"', '"99999999999"', '""', "é"])
def test_an_if_match_that_is_no_etag_of_ours_is_refused(world: World, erp: Caller, tag: str) -> None:
    job = world.job()
    answer = erp.post(f"service-orders/{job.pk}/move/", {"to": "in_progress"}, If_Match=tag)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["If-Match"])
    assert ServiceOrder.objects.get(pk=job.pk).version == 1


def test_any_version_will_do_where_the_caller_says_so(world: World, erp: Caller) -> None:
    job = world.job()
    assert erp.post(f"service-orders/{job.pk}/move/", {"to": "in_progress"}, If_Match="*").status_code == 200


def test_an_if_match_that_nobody_would_look_at_is_refused(world: World, erp: Caller) -> None:
    order = world.placed()
    answer = erp.post(f"parts-orders/{order.id}/hold/", {"reason": "Credit"}, If_Match='"1"')
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["If-Match"])


@pytest.mark.parametrize("kind", ["service-orders", "parts-orders", "lines", "back-orders", "parts"])
def test_whoever_has_exactly_this_is_not_sent_it_again(world: World, erp: Caller, kind: str) -> None:
    world.job()
    world.placed(quantity=5, part=4)
    key = erp.get(f"{kind}/").json()["results"][0]["id"]
    tag = erp.get(f"{kind}/{key}/")["ETag"]
    for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = erp.get(f"{kind}/{key}/", If_None_Match=given)
        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", tag)
    assert erp.get(f"{kind}/{key}/", If_None_Match='"other"').status_code == 200


def test_what_changes_without_an_event_makes_a_new_etag_all_the_same(world: World, erp: Caller) -> None:
    job = world.job()
    tag = erp.get(f"service-orders/{job.pk}/")["ETag"]
    ServiceOrder.objects.filter(pk=job.pk).update(title="Corrected in the back office")
    answer = erp.get(f"service-orders/{job.pk}/", If_None_Match=tag)
    assert (answer.status_code, answer.json()["version"]) == (200, 1)
    assert erp.post(f"service-orders/{job.pk}/move/", {"to": "in_progress"}, If_Match=tag).status_code == 200


def test_a_new_expected_date_of_a_back_order_makes_a_new_etag_of_its_order(world: World, erp: Caller) -> None:
    order = world.placed(quantity=5, part=4)
    tag = erp.get(f"parts-orders/{order.id}/")["ETag"]
    world.bought(10, expected_on=world.day(14))
    assert erp.get(f"parts-orders/{order.id}/", If_None_Match=tag).status_code == 200

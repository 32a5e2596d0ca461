"""Filters of lists by a part, a warehouse, a customer: a key by script, or a number, code or name written out."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from parts.models import StockLevel
from tests.admin.desk import desk_of, text
from tests.admin.world import World
from tests.factories.parts import WarehouseFactory

pytestmark = pytest.mark.django_db

LEVELS = "/admin/parts/stocklevel/"
BY_PART = "part__id__exact"


def test_a_list_is_filtered_by_what_is_written_out_and_says_it_again(world: World, manager: User) -> None:
    part, other = world.part_in_stock(), world.part_in_stock()
    client = desk_of(manager)
    answer = client.get(f"{LEVELS}?{urlencode([(BY_PART, ''), (BY_PART, part.number.lower())])}")
    assert [level.part for level in answer.context["cl"].result_list] == [part]
    assert f'name="{BY_PART}" value="{part.number}"' in text(answer)
    assert f'value="{part.pk}" selected' in text(answer)
    answer = client.get(f"{LEVELS}?{urlencode([(BY_PART, part.pk), (BY_PART, other.number)])}")
    assert [level.part for level in answer.context["cl"].result_list] == [other]


def test_an_emptied_field_takes_the_filter_away(world: World, manager: User) -> None:
    part = world.part_in_stock()
    world.part_in_stock()
    answer = desk_of(manager).get(f"{LEVELS}?{urlencode([(BY_PART, part.pk), (BY_PART, '')])}")
    assert len(answer.context["cl"].result_list) == StockLevel.objects.count() == 2


def test_what_is_called_by_nothing_or_by_two_leaves_nothing_and_is_told_at_its_field(
    world: World, manager: User
) -> None:
    world.part_in_stock()
    for _ in range(2):
        WarehouseFactory.create(name="Depot")
    asked = [(BY_PART, "no-such<b>"), ("warehouse__id__exact", "depot")]
    answer = desk_of(manager).get(f"{LEVELS}?{urlencode(asked)}")
    assert answer.status_code == 200
    assert not answer.context["cl"].result_list
    assert "Nothing is called “no-such&lt;b&gt;”." in text(answer)
    assert "More than one is called “depot”." in text(answer)
    assert f'name="{BY_PART}" value="no-such&lt;b&gt;"' in text(answer)


def test_what_is_written_out_goes_along_when_the_list_is_sorted_or_searched(world: World, manager: User) -> None:
    part = world.part_in_stock()
    world.part_in_stock()
    client = desk_of(manager)
    changelist = client.get(f"{LEVELS}?{urlencode([(BY_PART, ''), (BY_PART, part.number)])}").context["cl"]
    answer = client.get(f"{LEVELS}{changelist.get_query_string({'o': '1'})}")
    assert [level.part for level in answer.context["cl"].result_list] == [part]


def test_a_filter_by_a_supplier_reaches_through_the_order(world: World, manager: User) -> None:
    order = world.bought(world.part_in_stock())
    world.bought(world.part_in_stock())
    asked = {"purchase_order__supplier__id__exact": order.supplier.code}
    answer = desk_of(manager).get(f"/admin/parts/purchaseorderline/?{urlencode(asked)}")
    assert [line.purchase_order for line in answer.context["cl"].result_list] == [order]


def test_a_written_filter_costs_one_query_more_than_a_chosen_one(world: World, manager: User) -> None:
    part = world.part_in_stock()
    client = desk_of(manager)
    client.get(LEVELS)
    costs = []
    for asked in (part.pk, part.number):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(f"{LEVELS}?{urlencode({BY_PART: asked})}")
        costs.append(len(queries))
    assert costs[1] <= costs[0] + 1

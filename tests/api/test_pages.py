"""Lists: pages that fit together whatever comes in between, and cost that does not grow with their length."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import OrderLine, PartsOrder
from parts.models import PartNumber
from tests.api.world import Caller, World, token_for

pytestmark = pytest.mark.django_db


def _walk(erp: Caller, page: dict[str, Any], way: str = "next") -> list[list[str]]:
    pages = [[row["id"] for row in page["results"]]]
    while page[way]:
        page = erp.client.get(page[way], headers=erp.headers).json()
        pages.append([row["id"] for row in page["results"]])
        assert len(pages) < 50
    return pages


def test_pages_fit_together_and_lead_back(world: World, erp: Caller) -> None:
    ids = [str(world.placed().id) for _ in range(7)]
    first = erp.get("parts-orders/", {"page_size": 3}).json()
    assert first["previous"] is None
    pages = _walk(erp, first)
    assert [len(page) for page in pages] == [3, 3, 1]
    assert sum(pages, []) == ids[::-1]
    second = erp.client.get(first["next"], headers=erp.headers).json()
    last = erp.client.get(second["next"], headers=erp.headers).json()
    assert [sorted(page) for page in _walk(erp, last, "previous")[::-1]] == [sorted(page) for page in pages]


def test_rows_that_come_in_between_shift_nothing(world: World, erp: Caller) -> None:
    ids = [str(world.placed().id) for _ in range(4)]
    page = erp.get("parts-orders/", {"page_size": 2}).json()
    newer = [str(world.placed().id) for _ in range(3)]
    assert sum(_walk(erp, page), []) == ids[::-1]
    second = erp.client.get(page["next"], headers=erp.headers).json()
    back = erp.client.get(second["previous"], headers=erp.headers).json()
    assert [row["id"] for row in back["results"]] == ids[:1:-1]
    assert back["previous"] is not None  # the newer ones
    assert [row["id"] for row in erp.client.get(back["previous"], headers=erp.headers).json()["results"]] == newer[
        1::-1
    ]


def test_a_filter_stays_with_its_pages(world: World, erp: Caller) -> None:
    for _ in range(3):
        world.placed()
        world.placed(world.theirs)
    page = erp.get("parts-orders/", {"page_size": 2, "customer_code": "OURS"}).json()
    assert sum(len(ids) for ids in _walk(erp, page)) == 3


def _cursor(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


@pytest.mark.parametrize(
    "query",
    [
        {"page_size": 0},
        {"page_size": 201},
        {"page_size": "all"},
        {"page_size": "٣"},
        {"page_size": "9" * 5000},
        {"cursor": ""},
        {"cursor": "!"},
        {"cursor": "é"},
        {"cursor": _cursor()},
        {"cursor": _cursor(0)},
        {"cursor": _cursor(0, "x")},
        {"cursor": _cursor(2, "0199a1c0-0000-7000-8000-000000000001")},
        {"cursor": _cursor(0, "0199a1c0-0000-7000-8000-000000000001", "2")},
        {"cursor": _cursor({}, 1)},
        {"cursor": "W" * 5000},
    ],
)
@pytest.mark.parametrize("kind", ["parts-orders", "back-orders"])
def test_a_page_that_is_none_is_refused(world: World, erp: Caller, kind: str, query: dict[str, object]) -> None:
    if kind == "back-orders" and query.get("cursor") == _cursor(0, "0199a1c0-0000-7000-8000-000000000001", "2"):
        query = {"cursor": _cursor(0, "NaN", "0199a1c0-0000-7000-8000-000000000001")}
    answer = erp.get(f"{kind}/", query)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, list(query))


def _jobs(world: World) -> None:
    world.job()


def _orders(world: World) -> None:
    world.placed(quantity=1)


def _short(world: World) -> None:
    world.placed(quantity=5, part=4)


def _numbers(world: World) -> None:
    PartNumber.objects.create(part=world.parts[0], system="WMS", number=str(PartNumber.objects.count()))


def _bought(world: World) -> None:
    world.bought()


LISTS: list[tuple[str, Callable[[World], None], int]] = [
    ("service-orders/", _jobs, 1),
    ("parts-orders/", _orders, 1),
    ("parts-orders/", _short, 1),
    ("lines/", _short, 1),
    ("back-orders/", _short, 1),
    ("parts/", _numbers, 2),
    ("stock-movements/", _orders, 1),
    ("purchase-orders/", _bought, 3),
    ("deliveries/", _bought, 1),
]


@pytest.mark.parametrize(("path", "make", "most"), LISTS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_list_costs_the_same_with_2_rows_and_with_20(
    world: World, erp: Caller, path: str, make: Callable[[World], None], most: int
) -> None:
    counts = []
    for size in (2, 18):
        for _ in range(size):
            make(world)
        erp.get(path)  # the token is known from here on
        with CaptureQueriesContext(connection) as statements:
            assert erp.get(path).status_code == 200
        counts.append(len(statements))
    assert counts == [most, most]


def test_a_timeline_costs_the_same_however_long_it_is(world: World, erp: Caller) -> None:
    job = world.job()
    counts = []
    for size in (2, 18):
        for _ in range(size):
            erp.post(f"service-orders/{job.pk}/notes/", {"text": "Again"})
        with CaptureQueriesContext(connection) as statements:
            assert erp.get(f"service-orders/{job.pk}/timeline/").status_code == 200
        counts.append(len(statements))
    assert counts == [1, 1]


@pytest.mark.django_db(transaction=True)
def test_the_hot_calls_keep_their_budget(manager: Any) -> None:
    """Counted with BEGIN and COMMIT: an order of 5 lines, one of them short, 10 at most; a move 7 at most."""
    world = World()
    erp = Caller(token_for(manager))
    job = world.job()
    erp.get("parts/")  # the token is known from here on
    with CaptureQueriesContext(connection) as placing:
        assert erp.post("parts-orders/", world.order()).status_code == 201
    with CaptureQueriesContext(connection) as moving:
        assert erp.post(f"service-orders/{job.pk}/move/", {"to": "in_progress"}).status_code == 200
    line = OrderLine.objects.filter(order=PartsOrder.objects.get(), is_split=False, status="reserved").first()
    assert line is not None
    with CaptureQueriesContext(connection) as moving_line:
        assert erp.post(f"lines/{line.pk}/move/", {"to": "released"}).status_code == 200
    assert len(placing) <= 10, [query["sql"][:80] for query in placing]
    assert len(moving) <= 7, [query["sql"][:80] for query in moving]
    assert len(moving_line) <= 7, [query["sql"][:80] for query in moving_line]

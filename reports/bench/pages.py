"""How long the pages take that people live in: each asked again and again by a person of its role, as a whole."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.db import connection
from django.http import HttpResponseBase
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backorders.models import AllocationPolicy, BackOrder
from reports.bench.house import House

#: What a page may take at the median, in seconds; and one that works out all queues anew under other weights.
MOST, MOST_OF_ALL_QUEUES = 0.2, 1.0

DISPATCHER, MANAGER, TECHNICIAN, AUDITOR = "Dispatcher", "Parts manager", "Technician", "Auditor"


@dataclass(frozen=True, slots=True)
class Page:
    """A page: what it is called, who opens it (empty: somebody without an account), and where it is.

    `sent` is what a form on it sends, `typed` whether it is asked for while somebody types. `anew` tells that what
    the page keeps for a while is forgotten before each request. `most` is what it may take, in seconds.
    """

    name: str
    role: str
    address: str
    sent: dict[str, str] = field(default_factory=dict)
    typed: bool = False
    anew: bool = False
    most: float = MOST


@dataclass(frozen=True, slots=True)
class Took:
    """The median of a page's requests in seconds, the slowest of them, and how many statements one of them sends."""

    median: float
    slowest: float
    statements: int


def _with(name: str, *args: object, **query: object) -> str:
    address = reverse(name, args=args)
    return f"{address}?{urlencode(query)}" if query else address


def pages(house: House) -> Iterator[Page]:
    """Return all pages, by who opens them."""
    yield from _board(house)
    yield from _search(house)
    yield from _orders(house)
    yield from _placing(house)
    yield from _office(house)
    yield from _elsewhere(house)


def _board(house: House) -> Iterator[Page]:
    region = house.customer.region_id
    word = house.customer.name.split()[0]
    boards: dict[str, dict[str, Any]] = {
        "board": {},
        "board, late in a region": {"late": "on", "region": region},
        "board, a customer, waits for parts": {"customer_named": word, "waits_for_parts": "on"},
        "board, a text": {"search": "leaks"},
        "board as a table": {"as": "table"},
        "board as a table, nobody's": {"as": "table", "technician": "nobody"},
    }
    for name, query in boards.items():
        yield Page(name, DISPATCHER, _with("desk:board", **query))


def _search(house: House) -> Iterator[Page]:
    texts = {
        "reference": (house.job.reference, house.job.reference[:7]),
        "part number": (house.part.number, house.part.number[:5]),
        "customer": (house.customer.name, house.customer.name[:4]),
        "serial number": (house.machine.serial_number, house.machine.serial_number[:7]),
    }
    for name, (whole, begun) in texts.items():
        yield Page(f"search, {name}, as typed", DISPATCHER, _with("desk:search", q=begun), typed=True)
        yield Page(f"search, {name}, the list", DISPATCHER, _with("desk:search", q=whole, list=1))
    yield Page("search, a common word", DISPATCHER, _with("desk:search", q="pump"))
    yield Page("When? of a customer", DISPATCHER, _with("desk:when", customer=house.customer.code))
    yield Page("When? of a part", DISPATCHER, _with("desk:when", part=house.part.number))
    yield Page("When? of a job", DISPATCHER, _with("desk:when", order=house.job.reference))


def _orders(house: House) -> Iterator[Page]:
    yield Page("service order", DISPATCHER, _with("desk:service-order", house.job.reference))
    yield Page("service order, 500 events", DISPATCHER, _with("desk:service-order", house.long_job.reference))
    yield Page("parts order", DISPATCHER, _with("desk:parts-order", house.order.reference))
    yield Page("parts order, 200 lines", DISPATCHER, _with("desk:parts-order", house.long_order.reference))


def _placing(house: House) -> Iterator[Page]:
    yield Page("place an order, empty", DISPATCHER, _with("desk:place"))
    lines = {
        name: value
        for number, part in enumerate(house.parts)
        for name, value in ((f"part-{number}", part.number), (f"quantity-{number}", "3"))
    }
    head = {
        "do": "preview",
        "key": "01900000-0000-7000-8000-000000000000",
        "kind": "service",
        "requested_on": (timezone.localdate() + timedelta(days=3)).isoformat(),
        "whom": house.customer.code,
    }
    name = f"place an order, preview of {len(house.parts)} lines"
    yield Page(name, DISPATCHER, _with("desk:place"), sent=head | lines)


def _office(house: House) -> Iterator[Page]:
    yield Page("back-order desk, counted anew", MANAGER, _with("office_desk"), anew=True)
    for name in ("promise", "no-supply", "critical", "nearest", "held", "all"):
        yield Page(f"back-order desk, {name}", MANAGER, _with("office_desk", list=name))
    queue = "admin:backorders_backorder_changelist"
    for name, query in {
        "": {},
        ", waiting 8-14 days": {"age": "8-14"},
        ", without supply": {"view": "no-supply"},
        ", overdue": {"view": "overdue"},
        ", a reference": {"q": house.line.reference.replace("P-", "B-")},
        ", a customer": {"q": house.customer.code},
    }.items():
        yield Page(f"back orders{name}", MANAGER, _with(queue, **query))
    first = BackOrder.objects.get(line=house.line).pk
    yield Page("back order, and why", MANAGER, _with("admin:backorders_backorder_change", first))
    yield Page("back order, ways out", MANAGER, _with("admin:backorders_backorder_ways", first))
    yield Page("back order, what a pin does", MANAGER, _with("admin:backorders_backorder_pin", first))
    for title, model, text in (
        ("service orders", "orders_serviceorder", house.job.reference),
        ("service orders of a customer", "orders_serviceorder", house.customer.name),
        ("parts orders", "orders_partsorder", house.order.reference),
        ("parts orders of a customer", "orders_partsorder", house.customer.code),
        ("order lines", "orders_orderline", house.line.reference),
        ("parts", "parts_part", house.part.number),
        ("stock levels", "parts_stocklevel", house.part.number),
        ("deliveries", "parts_delivery", "DN-1"),
    ):
        if " of " not in title:
            yield Page(f"list of {title}", MANAGER, _with(f"admin:{model}_changelist"))
        yield Page(f"list of {title}, a search", MANAGER, _with(f"admin:{model}_changelist", q=text))
    yield Page("delivery, what goes where", MANAGER, _with("admin:parts_delivery_change", house.delivery_id))
    yield from _weights()


def _weights() -> Iterator[Page]:
    """Preview other weights, by which nearly all places change."""
    policy = AllocationPolicy.objects.get(pk="default")
    for name, change in (("of a tier", {"platinum": "75"}), ("of ageing", {"ageing_per_day": "0"})):
        kept = {field.name: str(getattr(policy, field.name)) for field in policy._meta.fields}
        address = _with("admin:backorders_allocationpolicy_weights", policy.pk)
        name = f"what-if, the weight {name}"
        yield Page(name, MANAGER, address, sent=kept | change, most=MOST_OF_ALL_QUEUES)


def _elsewhere(house: House) -> Iterator[Page]:
    yield Page("phone, the day", TECHNICIAN, _with("phone:day"))
    yield Page("phone, a job", TECHNICIAN, _with("phone:job", house.job.pk))
    yield Page("a customer's link", "", _with("tracking:page", house.token))
    person = house.people[TECHNICIAN].username
    for name, query in {
        "an order": {"order": house.order.reference},
        "a person": {"person": person},
        "a time": {"since": (timezone.localdate() - timedelta(days=30)).isoformat() + "T00:00:00"},
    }.items():
        yield Page(f"history, {name}", AUDITOR, _with("audit:history", **query))
    yield Page("figures, 90 days", MANAGER, _with("figures:figures", period=90))
    yield Page("figures, a year by region", MANAGER, _with("figures:figures", period=365, by="region"))


def measure(house: House, page: Page, times: int) -> Took:
    """Ask for a page, twice to warm up and then so many times. Raises RuntimeError where it is not shown."""
    client = Client(headers={"host": "localhost"})
    if page.role:
        client.force_login(house.people[page.role])
    ask = _asking(client, page)
    ask()
    with CaptureQueriesContext(connection) as seen:
        ask()
        statements = len(seen)  # the next request forgets them
    took = []
    for _turn in range(times):
        if page.anew:
            cache.clear()
        start = time.perf_counter()
        ask()
        took.append(time.perf_counter() - start)
    return Took(statistics.median(took), max(took), statements)


def _asking(client: Client, page: Page) -> Callable[[], HttpResponseBase]:
    headers: dict[str, Any] = {"hx-request": "true", "hx-target": "search-results"} if page.typed else {}

    def ask() -> HttpResponseBase:
        if page.sent:
            answer = client.post(page.address, page.sent, headers=headers)
        else:
            answer = client.get(page.address, headers=headers)
        if answer.status_code != 200:
            raise RuntimeError(f"{page.name}: {page.address} is answered {answer.status_code}, this measures nothing.")
        return answer

    return ask

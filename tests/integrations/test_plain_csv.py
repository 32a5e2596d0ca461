"""Plain CSV is read by the field map that its interface declares: the map is data, with a version, and checked."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError

from integrations.facts import (
    Code,
    Dated,
    Shipped,
    StatusReached,
    StockConfirmed,
    StockState,
    Subject,
    SupplyDated,
    Unreadable,
)
from integrations.formats import Speech, plain_csv
from integrations.models import Interface
from orders.models import OrderLine
from tests.api.world import World
from tests.integrations.sending import connect, send

FORM = plain_csv.FORM
SHIPPED: dict[str, Any] = {
    "version": "2026-11",
    "fact": "shipped",
    "delimiter": ";",
    "columns": {"line": "Order line", "quantity": "Qty", "occurred_at": "Left at", "serials": "Serials"},
    "fixed": {"carrier": "DHL"},
}


def _read(body: str, fields: dict[str, Any]) -> list[Any]:
    speech = Speech("wms", "", ZoneInfo("Europe/Berlin"), fields)
    return [fact for piece in FORM.split(body.encode()) for fact in FORM.read(piece.body, speech).facts]


def _map(fact: str, **columns: str) -> dict[str, Any]:
    return {"version": "1", "fact": fact, "columns": columns}


def test_each_row_is_a_message_that_says_what_its_columns_say() -> None:
    body = (
        "\ufeffOrder line;Qty;Left at;Serials;Whatever\r\n"
        'P-000017/2;4;2026-11-22T08:58:00;S-1 S-2;"a ""quoted"";\r\ntext"\r\n\r\n'
        "P-000017/3;;2026-11-22T08:59:00+01:00;;x\n"
    )
    first, second = _read(body, SHIPPED)
    assert isinstance(first, Shipped)
    assert (first.carrier, first.occurred_at) == ("DHL", datetime(2026, 11, 22, 7, 58, tzinfo=UTC))
    [item] = first.items
    assert (item.line, item.quantity) == (Subject("line", "reference", "P-000017/2"), Decimal(4))
    assert item.serials == ("S-1", "S-2")
    assert second.items[0].quantity is None


def test_statuses_codes_dates_and_stock_are_told_by_other_maps() -> None:
    at = "2026-11-22T08:58:00Z"
    fields = _map("status", subject="a", occurred_at="b", code="c") | {"fixed": {"subject_by": "delivery_item"}}
    [status] = _read(f"a,b,c\n80001/10,{at},GI\n", fields)
    assert isinstance(status, StatusReached)
    assert (status.subject, status.codes) == (Subject("line", "delivery_item", "80001/10"), (Code("wms", "", "GI"),))
    columns = {"line": "po", "occurred_at": "at", "expected_on": "day", "quantity": "n", "answer": "say"}
    [dated] = _read(f"po,at,day,n,say\nPUR-000012/3,{at},2026-12-01,6,changed\n", _map("supply_dated", **columns))
    assert isinstance(dated, SupplyDated)
    assert (dated.schedule, dated.answer) == ((Dated(date(2026, 12, 1), Decimal(6)),), "changed")
    columns = {name: name for name in ("warehouse", "part", "quantity", "from_state", "to_state", "occurred_at")}
    [stock] = _read(f"{','.join(columns)}\nNORTH,4711,3,outside,unfit,{at}\n", _map("stock_confirmed", **columns))
    assert isinstance(stock, StockConfirmed)
    assert (stock.warehouse.value, stock.to_state, stock.quantity) == ("NORTH", StockState.UNFIT, Decimal(3))


@pytest.mark.parametrize(
    ("row", "where"),
    [
        ("P-1/1;x;2026-11-22T08:58:00;;", "Qty"),
        ("P-1/1;1_0;2026-11-22T08:58:00;;", "Qty"),
        ("P-1/1;1;soon;;", "Left at"),
        (";1;2026-11-22T08:58:00;;", "Order line"),
        ("P-1/1;1", ""),
    ],
)
def test_a_row_that_cannot_be_read_says_where(row: str, where: str) -> None:
    with pytest.raises(Unreadable) as refused:
        _read(f"Order line;Qty;Left at;Serials;Whatever\n{row}\n", SHIPPED)
    assert refused.value.extra["where"] == where


def test_a_file_without_a_column_of_the_map_is_refused_row_by_row() -> None:
    with pytest.raises(Unreadable) as refused:
        _read("Line;Qty;Left at;Serials\nP-1/1;1;2026-11-22T08:58:00;\n", SHIPPED)
    assert refused.value.extra["where"] == "Order line"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"fact": "shipped", "columns": SHIPPED["columns"]},
        {**SHIPPED, "fact": "told"},
        {**SHIPPED, "delimiter": "x"},
        {**SHIPPED, "more": 1},
        {**SHIPPED, "columns": {"line": "a"}},
        {**SHIPPED, "columns": {**SHIPPED["columns"], "colour": "b"}},
        {**SHIPPED, "columns": [1]},
    ],
)
def test_a_map_by_which_no_row_can_be_read_is_refused_where_it_is_declared(fields: dict[str, Any]) -> None:
    assert plain_csv.faults_of(fields)
    with pytest.raises(ValidationError):
        Interface(format="plain-csv", fields=fields).clean()
    with pytest.raises(Unreadable):
        _read("Order line;Qty;Left at;Serials\nP-1/1;1;2026-11-22T08:58:00;\n", fields)


def test_a_good_map_may_be_declared() -> None:
    Interface(format="plain-csv", fields=SHIPPED).clean()


@pytest.mark.django_db
def test_a_file_ships_its_lines_and_a_bad_row_hinders_no_other() -> None:
    system = connect("depot", form="plain-csv")
    Interface.objects.filter(system=system).update(fields=SHIPPED)
    placed = World().placed(quantity=5)
    line = OrderLine.objects.select_related("order").get(pk=placed.lines[0].id)
    rows = [f"{line.order.reference}/1;2;{placed_at};" for placed_at in (line.created_at.isoformat(), "soon")]
    good, bad = send("\n".join(["Order line;Qty;Left at;Serials", *rows]).encode(), system="depot")
    assert (good.status, bad.status, bad.cause) == ("accepted", "rejected", "unreadable")
    assert sorted(OrderLine.objects.filter(parent=line).values_list("status", "quantity")) == [
        ("reserved", 3),
        ("shipped", 2),
    ]

"""SAP delivery IDocs, as XML and as a flat file, say the same; what cannot be understood is refused, never guessed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from integrations.facts import (
    NumberGiven,
    Reading,
    Shipped,
    ShippedItem,
    StatusReached,
    StockConfirmed,
    Subject,
    SupplyShipped,
    Unreadable,
)
from integrations.formats import FORMS, Form, Speech, sap_idoc_flat, sap_idoc_xml
from tests.integrations.idocs import Seg, as_flat, as_xml, control, item, left, ours, seg

XML, FLAT = sap_idoc_xml.FORM, sap_idoc_flat.FORM
Way = tuple[Form, Callable[..., bytes]]
both = pytest.mark.parametrize("way", [(XML, as_xml), (FLAT, as_flat)], ids=["xml", "flat"])


def _read(way: Way, *idoc: Seg) -> Reading:
    form, write = way
    [piece] = form.split(write(idoc))
    return form.read(piece.body, Speech(zone=ZoneInfo("Europe/Berlin")))


def _refused(way: Way, *idoc: Seg) -> str:
    with pytest.raises(Unreadable) as refused:
        _read(way, *idoc)
    return str(refused.value.extra["where"])


@both
def test_a_goods_issue_says_what_left_when_and_with_whom(way: Way) -> None:
    reading = _read(way, control(), left(item("000010", "4.000"), item("000020", "2")))
    assert reading.sent_at == datetime(2026, 11, 22, 13, 30, tzinfo=UTC)
    [shipped] = reading.facts
    assert shipped == Shipped(
        items=(
            ShippedItem(Subject("line", "delivery_item", "80001234/10"), Decimal(4)),
            ShippedItem(Subject("line", "delivery_item", "80001234/20"), Decimal(2)),
        ),
        occurred_at=datetime(2026, 11, 22, 7, 58, tzinfo=UTC),
        shipment_number="80001234",
        carrier="DHL Freight",
        tracking_number="JD014",
    )


@both
def test_our_reference_names_the_line_and_the_deliverys_number_is_learnt(way: Way) -> None:
    number, shipped = _read(way, control(), left(item("000010", "4", ours("P-000017", "000002")))).facts
    line = Subject("line", "reference", "P-000017/2")
    assert isinstance(number, NumberGiven)
    assert isinstance(shipped, Shipped)
    assert (number.subject, number.kind, number.number) == (line, "delivery_item", "80001234/10")
    assert [each.line for each in shipped.items] == [line]


@both
def test_what_an_order_of_somebody_else_is_called_is_no_reference_of_ours(way: Way) -> None:
    [shipped] = _read(way, control(), left(item("000010", "4", ours("4500017", "000002")))).facts
    assert isinstance(shipped, Shipped)
    assert shipped.items[0].line == Subject("line", "delivery_item", "80001234/10")


@both
def test_batches_are_added_up_to_the_item_they_were_split_off(way: Way) -> None:
    [shipped] = _read(
        way,
        control(),
        left(
            item("000010", "0"),
            item("900001", "3", seg("E1EDL11", SERNR="S-1"), HIPOS="000010", HIEVW="1", CHARG="B1"),
            item("900002", "1.5", HIPOS="000010", CHARG="B2"),
            item("000020", "7"),
        ),
    ).facts
    assert isinstance(shipped, Shipped)
    assert [(each.line.value, each.quantity, each.batches, each.serials) for each in shipped.items] == [
        ("80001234/10", Decimal("4.5"), ("B1", "B2"), ("S-1",)),
        ("80001234/20", Decimal(7), (), ()),
    ]


@both
def test_an_item_that_repeats_the_sum_of_its_batches_is_not_counted_twice(way: Way) -> None:
    [shipped] = _read(way, control(), left(item("10", "4"), item("900001", "4", HIPOS="10"))).facts
    assert isinstance(shipped, Shipped)
    assert [each.quantity for each in shipped.items] == [Decimal(4)]
    assert _refused(way, control(), left(item("10", "5"), item("900001", "4", HIPOS="10"))) == "E1EDL24 10"


@both
def test_a_batch_of_which_nothing_says_whose_it_is_is_refused(way: Way) -> None:
    assert _refused(way, control(), left(item("10", "0"), item("900001", "4"))) == "E1EDL24 900001"


def test_a_batch_belongs_to_the_one_item_of_the_same_order_item() -> None:
    same = {"VGBEL": "0010001035", "VGPOS": "000010"}
    [shipped] = _read((XML, as_xml), control(), left(item("10", "0", **same), item("900001", "4", **same))).facts
    assert isinstance(shipped, Shipped)
    assert shipped.items[0].line.value == "80001234/10"


@both
def test_an_item_that_was_taken_off_or_of_which_nothing_left_is_no_shipment(way: Way) -> None:
    gone = item("20", "2", seg("E1EDL19", QUALF="DEL"))
    [shipped] = _read(way, control(), left(item("10", "1"), gone, item("30", "0"))).facts
    assert isinstance(shipped, Shipped)
    assert len(shipped.items) == 1
    assert _refused(way, control(), left(gone)) == "E1EDL24.LFIMG"


@both
def test_picking_without_goods_issue_moves_the_lines_to_picking(way: Way) -> None:
    first, second = _read(way, control(), left(item("10", "1"), item("20", "1"), step="PIC")).facts
    assert isinstance(first, StatusReached)
    assert isinstance(second, StatusReached)
    assert (first.subject.value, first.status, second.subject.value) == ("80001234/10", "picking", "80001234/20")


@both
def test_the_base_quantity_counts_where_both_are_said(way: Way) -> None:
    [shipped] = _read(way, control(), left(item("10", "2", LGMNG="20.000", VRKME="KAR", MEINS="ST"))).facts
    assert isinstance(shipped, Shipped)
    assert shipped.items[0].quantity == Decimal(20)


@both
def test_an_order_for_shipping_teaches_its_numbers(way: Way) -> None:
    [number] = _read(way, control(kind="SHPORD"), left(item("10", "4", ours("P-000017", "2")))).facts
    assert isinstance(number, NumberGiven)
    assert number.number == "80001234/10"


@both
def test_a_suppliers_advice_says_what_comes_for_which_purchase_order_and_when(way: Way) -> None:
    advised = left(item("10", "4", ours("PUR-000012", "000003")), LIFEX="LS-77")
    with_day = Seg(
        advised.name,
        advised.fields,
        (*advised.below[:3], seg("E1EDT13", QUALF="007", NTANF="20261201"), *advised.below[3:]),
    )
    [fact] = _read(way, control(kind="DESADV"), with_day).facts
    assert isinstance(fact, SupplyShipped)
    assert (fact.shipment_number, fact.arrives_on, fact.items[0].quantity) == ("LS-77", date(2026, 12, 1), Decimal(4))
    assert fact.items[0].line == Subject("purchase_order_line", "reference", "PUR-000012/3")


@both
def test_the_receipt_of_a_delivery_goes_to_its_plant_and_its_order(way: Way) -> None:
    there = item("10", "4", ours("PUR-000012", "3"), WERKS="1000", LGORT="0001")
    [fact] = _read(way, control(kind="WHSCON"), left(there)).facts
    assert isinstance(fact, StockConfirmed)
    assert (fact.warehouse.value, fact.part.value, fact.document) == ("1000/0001", "4711", "80001234/10")
    assert fact.purchase_order_line == Subject("purchase_order_line", "reference", "PUR-000012/3")


@both
def test_each_idoc_of_a_file_is_a_message_of_its_own_with_its_own_bytes(way: Way) -> None:
    form, write = way
    idocs = [(control(f"000000000000000{n}"), left(item("10", str(n)), delivery=f"008000000{n}")) for n in (1, 2, 3)]
    body = write(*idocs)
    pieces = form.split(body)
    assert [piece.key for piece in pieces] == ["0000000000000001", "0000000000000002", "0000000000000003"]
    rest = body
    for piece in pieces:
        before, found, rest = rest.partition(piece.body)
        assert found
        assert before.strip() in (b"", b'<?xml version="1.0" encoding="UTF-8"?>\n<DELVRY03>')
    assert rest.strip() in (b"", b"</DELVRY03>")
    numbers = [form.read(piece.body, Speech()).facts[-1] for piece in pieces]
    assert [fact.shipment_number for fact in numbers if isinstance(fact, Shipped)] == [
        "80000001",
        "80000002",
        "80000003",
    ]


@both
def test_an_idoc_without_a_number_has_no_key_of_its_own(way: Way) -> None:
    form, write = way
    assert [piece.key for piece in form.split(write((control(), left(item("10", "1")))))] == [""]


@both
@pytest.mark.parametrize(
    ("idoc", "where"),
    [
        ((control(TEST="X"), left(item("10", "1"))), "EDI_DC40.TEST"),
        ((control(kind="ORDERS"), left(item("10", "1"))), "EDI_DC40.MESTYP"),
        ((control(),), "E1EDL20"),
        ((control(), left(item("10", "viel"))), "E1EDL24 10"),
        ((control(), left(item("10", "-1"))), "E1EDL24 10"),
        ((control(), left(item("", "1"))), "E1EDL24.POSNR"),
        ((control(), left(item("10", "1"), item("10", "2"))), "E1EDL24 10"),
        ((control(), left(item("10", "1"), delivery="")), "E1EDL20.VBELN"),
        ((control(CREDAT="20261399"), left(item("10", "1"))), "EDI_DC40.CREDAT"),
        ((control(kind="DESADV"), left(item("10", "1"))), "E1EDL41.BSTNR"),
        ((control(kind="WHSCON"), left(item("10", "1"))), "E1EDL24.WERKS"),
        ((control(), seg("E1EDL20", seg("E1EDL18", QUALF="DEL"), item("10", "1"), VBELN="1")), "E1EDL18.QUALF"),
        ((control(), seg("E1EDL20", seg("E1EDL18", QUALF="GWT"), item("10", "1"), VBELN="1")), "E1EDL18.QUALF"),
    ],
)
def test_what_is_refused_says_where(way: Way, idoc: tuple[Seg, ...], where: str) -> None:
    assert _refused(way, *idoc) == where


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "iso-8859-1", "utf-16", "windows-1252"])
def test_xml_is_read_in_the_encoding_it_names(encoding: str) -> None:
    idoc = (control(), left(item("10", "1"), BOLNR="Müller-7"))
    named = encoding.removesuffix("-sig")
    body = as_xml(idoc).decode().replace("UTF-8", named).encode(encoding)
    [piece] = XML.split(body)
    assert piece.body == body
    [shipped] = XML.read(piece.body, Speech()).facts
    assert isinstance(shipped, Shipped)
    assert shipped.tracking_number == "Müller-7"


def test_a_flat_file_of_a_system_without_unicode_keeps_each_field_at_its_place() -> None:
    idoc = (control(), left(item("10", "1"), BOLNR="Müller-7"))
    [shipped] = FLAT.read(as_flat(idoc).decode().encode("latin-1"), Speech()).facts
    assert isinstance(shipped, Shipped)
    assert shipped.tracking_number == "Müller-7"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nothing",
        b"<DELVRY03></DELVRY03>",
        b"<DELVRY03><IDOC/><OTHER/></DELVRY03>",
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><DELVRY03><IDOC>&a;</IDOC></DELVRY03>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><DELVRY03><IDOC/></DELVRY03>',
        b'<?xml version="1.0" encoding="utf-7"?><DELVRY03><IDOC/></DELVRY03>',
        b"<a>" * 200 + b"</a>" * 200,
    ],
)
def test_xml_that_is_none_of_ours_or_dangerous_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        XML.split(body)


def test_each_form_knows_its_versions() -> None:
    assert FORMS["sap-idoc-xml"].versions == FORMS["sap-idoc-flat"].versions
    assert FORMS["sap-idoc-xml"].versions[-1] == "DELVRY07"

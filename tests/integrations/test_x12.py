"""X12 855, 856 and 870 are read by a declared field map; an envelope that does not add up is refused whole."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from integrations.facts import (
    Code,
    Dated,
    Reading,
    Shipped,
    ShippedItem,
    StatusReached,
    Subject,
    SupplyDated,
    SupplyShipped,
    Unreadable,
)
from integrations.formats import FORMS, Speech
from tests.integrations.edi import x12

SUPPLIER, WAREHOUSE = FORMS["x12-supplier"], FORMS["x12-warehouse"]

#: After ACK*IC***079*19990712**VN*… of http://teamadr.com (855-0010.htm), and ACK*IQ*450*EA*067*20260715 as others do.
ANSWER = [
    "ST*855*0001",
    "BAK*00*AC*PUR-000012*20261120*****20261122",
    "N1*SU*Acme Components*92*SUP-100",
    "PO1*1*500*EA*12.00**BP*MOTOR-100",
    "ACK*IA*300*EA*067*20261201",
    "ACK*IB*200*EA*067*20261215",
    "PO1*2*200*EA*8.50**BP*SENSOR-22",
    "ACK*DR***079*20261210",
    "PO1*3*1*EA",
    "ACK*IR",
    "PO1*4*7*EA",
    "CTT*4",
]
#: The shape of https://docs.rs/crate/edi/latest/source/examples/sample_edi.txt (shipment, order, items), here packed.
NOTICE = [
    "ST*856*0008",
    "BSN*00*829716*20261120*142428*0001",
    "HL*1**S",
    "TD1*PCS*2****A3*60.310*LB",
    "TD5**2*FDEG**FEDEX GROUND",
    "REF*BM*999999-001",
    "REF*CN*5787970539",
    "DTM*011*20261120*1500",
    "DTM*017*20261124",
    "N1*SH*1 EDI SOURCE",
    "HL*2*1*O",
    "PRF*P-000017***20261105",
    "HL*3*2*P",
    "MAN*GM*00100123450000000018",
    "HL*4*3*I",
    "LIN*1*VP*87787D*UP*999999310145",
    "SN1**24*EA",
    "REF*LT*LOT-7",
    "PID*F****BLUE WIDGET",
    "HL*5*2*P",
    "MAN*GM*00100123450000000025",
    "HL*6*5*I",
    "LIN*1*VP*87787D",
    "SN1**6*EA",
    "REF*SE*S-0001",
    "HL*7*5*I",
    "LIN*2*VP*99887D",
    "SN1**2*EA",
    "HL*8*5*I",
    "LIN*3*VP*11111",
    "SN1**0*EA",
    "CTT*8*32",
]
#: The shape that badx12-like libraries test with (BSR, HL, PRF, PO1, ISR, QTY), our numbers.
REPORT = [
    "ST*870*0001",
    "BSR*3*PA*STATUS 9*20261123",
    "HL*1**O",
    "PRF*P-000017",
    "PO1*1*100*EA*5.00**VP*ITEM001",
    "ISR*SH*20261122",
    "PO1*2*100*EA*5.00**VP*ITEM002",
    "ISR*SH*20261122",
    "QTY*39*40*EA",
    "ISR*BO*20261122",
    "QTY*39*60*EA",
    "HL*2*1*I",
    "PO1*3*5*EA",
    "ISR*EX*20261130",
    "CTT*1",
]


def _read(form: Any, *sets: list[str], **more: Any) -> Reading:
    [piece] = form.split(x12(*sets, **more))
    reading: Reading = form.read(piece.body, Speech())
    return reading


def _line(reference: str, kind: str = "line") -> Subject:
    return Subject(kind, "reference", reference)


def test_an_acknowledgment_answers_on_each_line_of_our_purchase_order() -> None:
    reading = _read(SUPPLIER, ANSWER)
    answered_at = datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC)

    def code(name: str, code_list: str = "x12-668") -> Code:
        return Code(code_list, "004010", name)

    split, dated, rejected, silent = reading.facts
    assert split == SupplyDated(
        _line("PUR-000012/1", "purchase_order_line"),
        answered_at,
        (Dated(date(2026, 12, 1), Decimal(300)), Dated(date(2026, 12, 15), Decimal(200))),
        codes=(code("IA"), code("IB")),
    )
    assert isinstance(dated, SupplyDated)
    assert (dated.schedule, dated.codes) == ((), (code("DR"),)), "079 is the day on which it leaves there"
    assert isinstance(rejected, SupplyDated)
    assert rejected.codes == (code("IR"),)
    assert isinstance(silent, SupplyDated)
    assert silent.codes == (code("AC", "x12-587"),)


def test_a_ship_notice_of_a_warehouse_lets_lines_leave_added_up_over_packages() -> None:
    [fact] = _read(WAREHOUSE, NOTICE).facts
    assert fact == Shipped(
        (
            ShippedItem(_line("P-000017/1"), Decimal(30), ("S-0001",), ("LOT-7",)),
            ShippedItem(_line("P-000017/2"), Decimal(2)),
        ),
        datetime(2026, 11, 20, 15, 0, tzinfo=UTC),
        "829716",
        "FEDEX GROUND",
        "5787970539",
    )


def test_a_ship_notice_of_a_supplier_says_what_is_on_its_way_and_when_it_arrives() -> None:
    [fact] = _read(SUPPLIER, NOTICE).facts
    assert isinstance(fact, SupplyShipped)
    assert [item.line.kind for item in fact.items] == ["purchase_order_line"] * 2
    assert fact.arrives_on == date(2026, 11, 24)
    assert fact.packages == ("00100123450000000018", "00100123450000000025")


def test_a_status_of_a_part_of_a_line_is_of_a_list_that_only_tells() -> None:
    facts = _read(WAREHOUSE, REPORT).facts
    said = [
        (fact.subject.value, fact.codes[0].code_list, fact.codes[0].code)
        for fact in facts
        if isinstance(fact, StatusReached)
    ]
    assert said == [
        ("P-000017/1", "x12-368", "SH"),
        ("P-000017/2", "x12-368-part", "SH"),
        ("P-000017/2", "x12-368-part", "BO"),
        ("P-000017/3", "x12-368", "EX"),
    ]


def test_a_status_dated_by_its_day_comes_after_what_was_told_of_that_days_earlier_hours() -> None:
    report = ["ST*870*0001", "BSR*3*PA*S*20261123", "HL*1**O", "PRF*P-000017", "PO1*1*1*EA", "ISR*SH*20261123"]
    [fact] = _read(WAREHOUSE, report).facts
    assert isinstance(fact, StatusReached)
    assert fact.occurred_at == datetime(2026, 11, 23, 9, 15, tzinfo=UTC)


def test_a_report_of_a_supplier_dates_lines_of_our_purchase_order() -> None:
    *_others, told, dated = _read(SUPPLIER, REPORT).facts
    line = _line("P-000017/3", "purchase_order_line")
    sent_at = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
    code = Code("x12-368-supply", "004010", "EX")
    assert told == SupplyDated(line, sent_at, codes=(code,), note="EX 20261130")
    assert dated == SupplyDated(line, sent_at, (Dated(date(2026, 11, 30)),), answer="changed")


def test_each_set_is_a_message_of_its_own_known_by_sender_and_control_numbers() -> None:
    other = ["ST*856*0009", *NOTICE[1:]]
    pieces = WAREHOUSE.split(x12(NOTICE, other) + b"\r\n" + x12(REPORT, control="000000102"))
    assert [piece.key for piece in pieces] == [
        "ZZ/ACMESUPPLIER:000000101:17:0008",
        "ZZ/ACMESUPPLIER:000000101:17:0009",
        "ZZ/ACMESUPPLIER:000000102:17:0001",
    ]
    assert [len(WAREHOUSE.read(piece.body, Speech()).facts) for piece in pieces] == [1, 1, 4]


def test_what_came_alone_is_kept_byte_for_byte() -> None:
    body = x12(NOTICE)
    assert WAREHOUSE.split(body)[0].body == body.rstrip()


@pytest.mark.parametrize("marks", [b"|^\n", b"\x1d\x1f\x1c", b"+:'"])
def test_separators_are_those_of_the_isa(marks: bytes) -> None:
    element, component, terminator = (bytes([one]) for one in marks)
    body = x12(NOTICE).replace(b"~\n", b"~").replace(b"*", element).replace(b">", component).replace(b"~", terminator)
    [piece] = WAREHOUSE.split(body)
    assert piece.key == "ZZ/ACMESUPPLIER:000000101:17:0008"
    assert WAREHOUSE.read(piece.body, Speech()) == _read(WAREHOUSE, NOTICE)


def _without(body: bytes, start: bytes) -> bytes:
    return b"~\n".join(one for one in body.split(b"~\n") if not one.startswith(start))


BODY = x12(NOTICE)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \n",
        b"ISA",
        BODY[:105],
        BODY[: len(BODY) // 2],
        BODY[3:],
        b"hello" + BODY,
        BODY + b"hello",
        b"\xef\xbb\xbf" + BODY,
        _without(BODY, b"GE*"),
        _without(BODY, b"SE*"),
        _without(BODY, b"GS*"),
        _without(BODY, b"IEA*"),
        BODY.replace(b"IEA*1*", b"IEA*2*"),
        BODY.replace(b"IEA*1*000000101", b"IEA*1*000000102"),
        BODY.replace(b"GE*1*17", b"GE*2*17"),
        BODY.replace(b"GE*1*17", b"GE*1*18"),
        BODY.replace(b"GE*1*17", "GE*¹*17".encode()),
        BODY.replace(b"ZZ*ACMESUPPLIER  ", b"ZZ*ACMESUPPLIER"),
        BODY.replace(b"*P*>~", b"*P**~"),
    ],
)
def test_an_envelope_that_does_not_add_up_is_refused_whole(body: bytes) -> None:
    with pytest.raises(Unreadable):
        WAREHOUSE.split(body)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"SE*33*", b"SE*34*"),
        (b"SE*33*0008", b"SE*33*0009"),
        (b"ST*856*", b"ST*997*"),
        (b"*0*P*>", b"*0*T*>"),
        (b"BSN*00*", b"BSN*01*"),
        (b"BSN*00*", b"XSN*00*"),
        (b"HL*4*3*I", b"HL*4*9*I"),
        (b"HL*4*3*I", b"HL*2*1*I"),
        (b"SN1**24*EA", b"SN1**24*CA"),
        (b"SN1**24*EA", b"SN1**1,5*EA"),
        (b"SN1**24*EA", b"SN1**-4*EA"),
        (b"SN1**24*EA", b"SN9**24*EA"),
        (b"PRF*P-000017", b"PRX*P-000017"),
        (b"LIN*2*VP", b"LIN**VP"),
        (b"LIN*2*VP", b"LIN*0*VP"),
        (b"DTM*011*20261120", b"DTM*011*20261320"),
        (b"DTM*017*20261124", b"DTM*017*00010101"),
        (b"*20261123*0915*17", b"*20261123*2715*17"),
    ],
)
def test_a_set_that_is_not_as_the_map_says_is_refused_and_says_where(old: bytes, new: bytes) -> None:
    assert old in BODY
    [piece] = WAREHOUSE.split(BODY.replace(old, new))
    with pytest.raises(Unreadable) as refusal:
        WAREHOUSE.read(piece.body, Speech())
    assert refusal.value.extra["where"]


@pytest.mark.parametrize(
    "report",
    [
        [*REPORT[:4], "ISR*SH*20261122"],
        [*REPORT[:4], "PO1*1*1*EA"],
        [*REPORT[:3]],
        [*REPORT[:5], *["ISR*SH*20261122"] * 105],
    ],
    ids=["of the whole order", "without a status", "without lines", "with too many statuses"],
)
def test_a_report_that_says_nothing_of_a_line_is_refused(report: list[str]) -> None:
    with pytest.raises(Unreadable):
        _read(WAREHOUSE, report)


def test_an_acknowledgment_without_lines_is_refused_and_not_taken_for_nothing() -> None:
    with pytest.raises(Unreadable):
        _read(SUPPLIER, [*ANSWER[:2], "CTT*0"])


def test_what_partly_has_a_day_is_a_note_for_a_schedule_would_say_that_the_rest_does_not_come() -> None:
    [fact] = _read(SUPPLIER, [*ANSWER[:4], "ACK*IQ*300*EA", "ACK*IB*200*EA*067*20261215"]).facts
    assert isinstance(fact, SupplyDated)
    assert (fact.schedule, fact.note) == ((), "300: ?; 200: 2026-12-15")


def test_control_characters_in_texts_do_not_reach_the_database() -> None:
    notice = [one.replace("FEDEX GROUND", "FEDEX\x00GROUND\x07") for one in NOTICE]
    [fact] = _read(WAREHOUSE, notice).facts
    assert isinstance(fact, Shipped)
    assert fact.carrier == "FEDEX GROUND"

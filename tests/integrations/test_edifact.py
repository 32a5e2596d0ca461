"""EDIFACT ORDRSP, DESADV and OSTRPT are read by a declared field map; what does not add up is refused."""

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
from tests.integrations.edi import edifact

SUPPLIER, WAREHOUSE = FORMS["edifact-supplier"], FORMS["edifact-warehouse"]

ANSWER = [
    "UNH+MEZW881+ORDRSP:D:96A:UN",
    "BGM+231+AB-77123+30",
    "DTM+137:20261122:102",
    "RFF+ON:PUR-000012",
    "NAD+SU+4012345000009::9",
    "LIN+1+6+4251628174130:EN",
    "QTY+21:500",
    "QTY+113:300",
    "DTM+67:20261201:102",
    "QTY+83:200:PCE",
    "DTM+67:202612150800:203",
    "LIN+2+5+4251628174131:EN",
    "LIN+3+7",
    "RFF+LI:9",
    "LIN+4",
    "UNS+S",
    "CNT+2:4",
]
#: The shape of a despatch advice in Evergreen (BGM+351, DTM+11, DTM+132, GIN+BJ, LIN, QTY+12, RFF+ON), in two packs.
ADVICE = [
    "UNH+193+DESADV:D:96A:UN",
    "BGM+351+MOM9681366+9",
    "DTM+137:20261121:102",
    "DTM+11:202611210730:203",
    "DTM+132:20261124:102",
    "RFF+CN:2036362399",
    "TDT+20++30++DHL:::DHL Freight GmbH?+Co",
    "NAD+SU+7654321::9",
    "CPS+1",
    "PAC+1+5",
    "GIN+BJ+00016921002621109648",
    "LIN+1++9780307887436:EN",
    "QTY+12:3",
    "GIN+BN+S-1+S-2+S-3",
    "RFF+ON:P-000017:2",
    "CPS+2+1",
    "GIN+BJ+00016921002621109655",
    "LIN+2++9780307887436:EN",
    "QTY+12:4,000:PCE",
    "GIN+BX+LOT?'7",
    "RFF+ON:P-000017:2",
    "LIN+3++9780307887437:EN",
    "QTY+12:1",
    "RFF+ON:P-000018",
    "RFF+LI:1",
    "CNT+2:3",
]
#: The shape of a report of a mail-order house (DOC, LIN, RFF+ON, STS+1+56, DTM+334, QTY+46), in D.01B as there.
REPORT = [
    "UNH+145+OSTRPT:D:01B:UN:EAN008",
    "BGM+348+145+9",
    "DTM+137:20261122:102",
    "NAD+SU+70001::92",
    "DOC+227+P-000017",
    "DTM+137:20261101:102",
    "LIN+1++4251628174130:SRV",
    "PIA+1+29013960:IN",
    "RFF+ABO:1",
    "STS+1+56",
    "DTM+334:20261122:102",
    "QTY+46:1:PCE",
    "LIN+2++4251628174131:SRV",
    "QTY+21:5",
    "STS+1+2",
    "QTY+12:3",
]


def _read(form: Any, *messages: list[str], **more: Any) -> Reading:
    [piece] = form.split(edifact(*messages, **more))
    reading: Reading = form.read(piece.body, Speech())
    return reading


def _line(reference: str, kind: str = "line") -> Subject:
    return Subject(kind, "reference", reference)


def test_an_order_response_answers_on_each_line_of_our_purchase_order() -> None:
    split, accepted, refused, silent = _read(SUPPLIER, ANSWER).facts
    assert split == SupplyDated(
        _line("PUR-000012/1", "purchase_order_line"),
        datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC),
        (Dated(date(2026, 12, 1), Decimal(300)), Dated(date(2026, 12, 15), Decimal(200))),
        codes=(Code("edifact-1229", "D96A", "6"),),
    )
    answers = [(one.line.value, one.codes[0]) for one in (accepted, refused, silent) if isinstance(one, SupplyDated)]
    assert answers == [
        ("PUR-000012/2", Code("edifact-1229", "D96A", "5")),
        ("PUR-000012/9", Code("edifact-1229", "D96A", "7")),
        ("PUR-000012/4", Code("edifact-1225", "D96A", "30")),
    ]


def test_a_despatch_advice_of_a_warehouse_lets_lines_leave_added_up_over_packages() -> None:
    [fact] = _read(WAREHOUSE, ADVICE).facts
    assert fact == Shipped(
        (
            ShippedItem(_line("P-000017/2"), Decimal(7), ("S-1", "S-2", "S-3"), ("LOT'7",)),
            ShippedItem(_line("P-000018/1"), Decimal(1)),
        ),
        datetime(2026, 11, 21, 7, 30, tzinfo=UTC),
        "MOM9681366",
        "DHL Freight GmbH+Co",
        "2036362399",
    )


def test_a_despatch_advice_of_a_supplier_says_what_is_on_its_way_and_when_it_arrives() -> None:
    [fact] = _read(SUPPLIER, ADVICE).facts
    assert isinstance(fact, SupplyShipped)
    assert (fact.arrives_on, len(fact.packages)) == (date(2026, 11, 24), 2)
    assert {item.line.kind for item in fact.items} == {"purchase_order_line"}


def test_a_status_report_names_the_list_of_its_directory_and_what_is_said_of_a_part() -> None:
    facts = _read(WAREHOUSE, REPORT).facts
    said = [(one.subject.value, one.codes[0]) for one in facts if isinstance(one, StatusReached)]
    assert said == [
        ("P-000017/1", Code("edifact-4405", "D01B", "56")),
        ("P-000017/2", Code("edifact-4405-part", "D01B", "2")),
    ]
    older = ["UNH+145+OSTRPT:D:96A:UN", *REPORT[1:9], "STS+1+27:8:91", "STS+1+27"]
    codes = [one.codes[0].code_list for one in _read(WAREHOUSE, older).facts if isinstance(one, StatusReached)]
    assert codes == ["edifact-sts-91-part", "edifact-9011-part"]


def test_a_status_report_of_a_supplier_dates_lines_of_our_purchase_order() -> None:
    report = [*REPORT[:11], "DTM+67:20261205:102"]
    told, dated = _read(SUPPLIER, report).facts
    assert isinstance(told, SupplyDated)
    assert (told.schedule, told.codes) == ((), (Code("edifact-4405", "D01B", "56"),))
    assert isinstance(dated, SupplyDated)
    assert (dated.line.kind, dated.schedule) == ("purchase_order_line", (Dated(date(2026, 12, 5)),))


def test_each_message_is_known_by_sender_and_references_groups_or_not() -> None:
    other = ["UNH+194+DESADV:D:96A:UN", *ADVICE[1:]]
    body = edifact(ADVICE, other) + b"\n" + edifact(ADVICE, reference="ICR0043", una="")
    pieces = WAREHOUSE.split(body)
    assert [piece.key for piece in pieces] == [
        "14/4012345000009:ICR0042:193",
        "14/4012345000009:ICR0042:194",
        "14/4012345000009:ICR0043:193",
    ]
    assert len({WAREHOUSE.read(piece.body, Speech()).facts for piece in pieces}) == 1
    grouped = edifact(ADVICE).replace(b"UNH+193", b"UNG+DESADV+A+B+261123:0915+94+UN+D:96A'UNH+193")
    grouped = grouped.replace(b"UNZ+1", b"UNE+1+94'UNZ+1")
    [piece] = WAREHOUSE.split(grouped)
    assert WAREHOUSE.read(piece.body, Speech()).facts == WAREHOUSE.read(pieces[0].body, Speech()).facts


@pytest.mark.parametrize(
    ("syntax", "encoding", "carrier"),
    [
        ("UNOC:3", "iso8859-1", "Müller"),
        ("UNOE:3", "iso8859-5", "Почта"),
        ("UNOF:3", "iso8859-7", "Ταχυδρομείο"),
        ("UNOY:4", "utf-8", "Müller 邮政"),
    ],
)
def test_character_sets_are_those_of_the_unb(syntax: str, encoding: str, carrier: str) -> None:
    advice = [one.replace("DHL Freight GmbH?+Co", "CARRIER") for one in ADVICE]
    body = edifact(advice, syntax=syntax).replace(b"CARRIER", carrier.encode(encoding))
    [piece] = WAREHOUSE.split(body)
    [fact] = WAREHOUSE.read(piece.body, Speech()).facts
    assert isinstance(fact, Shipped)
    assert fact.carrier == carrier


def test_separators_are_those_of_the_una() -> None:
    body = edifact(ADVICE, una="").replace(b"?'", b"?|").replace(b"?+", b"?#")
    for old, new in ((b"'", b"\x1c"), (b"+", b"\x1d"), (b":", b"\x1f"), (b"?|", b"!'"), (b"?#", b"!+")):
        body = body.replace(old, new)
    [piece] = WAREHOUSE.split(b"UNA\x1f\x1d.! \x1c" + body)
    [fact] = WAREHOUSE.read(piece.body, Speech()).facts
    assert fact == _read(WAREHOUSE, ADVICE).facts[0]


BODY = edifact(ADVICE)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"UNA",
        b"UNA:+.? '",
        b"UNA:+.? 'UNB",
        BODY[: len(BODY) // 2],
        BODY[9:].replace(b"UNB", b"UNX", 1),
        b"lorem ipsum " + BODY,
        BODY + b"lorem ipsum",
        BODY.replace(b"UNA:+.? '", b"UNA:::? '"),
        BODY.replace(b"UNOC", b"UNOX"),
        BODY.replace(b"UNZ+1+", b"UNZ+2+"),
        BODY.replace(b"UNZ+1+ICR0042", b"UNZ+1+ICR0043"),
        BODY.replace(b"UNT+27", b"UNX+27"),
        BODY.replace(b"UNH+193", b"UNX+193"),
        BODY.replace(b"BGM+351", b"bgm+351"),
        BODY.replace(b"CNT+2", b"UNB+2"),
    ],
)
def test_an_envelope_that_does_not_add_up_is_refused_whole(body: bytes) -> None:
    with pytest.raises(Unreadable):
        WAREHOUSE.split(body)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"UNT+27+193", b"UNT+26+193"),
        (b"UNT+27+193", b"UNT+27+194"),
        (b"DESADV:D", b"INVOIC:D"),
        (b"+ICR0042'\nUNH", b"+ICR0042++++++1'\nUNH"),
        (b"BGM+351+MOM9681366+9", b"BGM+351+MOM9681366+1"),
        (b"DTM+11:202611210730:203", b"DTM+11:202611210730:718"),
        (b"DTM+11:202611210730:203", b"DTM+11:202611219930:203"),
        (b"RFF+ON:P-000018", b"RFF+XX:P-000018"),
        (b"RFF+LI:1", b"RFF+XX:1"),
        (b"QTY+12:1'", b"QTY+21:1'"),
        (b"QTY+12:1'", b"QTY+12:1:KGM'"),
        (b"GIN+BN+S-1", b"GIN+BN+S-1:S-9"),
        (b"UNOC", b"UNOY"),
    ],
)
def test_a_message_that_is_not_as_the_map_says_is_refused_and_says_where(old: bytes, new: bytes) -> None:
    assert old in BODY
    [piece] = WAREHOUSE.split(BODY.replace(old, new).replace(b"DHL:", "Müller:".encode("latin-1")))
    with pytest.raises(Unreadable) as refusal:
        WAREHOUSE.read(piece.body, Speech())
    assert refusal.value.extra["where"]

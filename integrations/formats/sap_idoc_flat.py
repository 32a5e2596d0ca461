"""Delivery IDocs of SAP as a flat file: one record a line, each field at its place, any number of IDocs.

A data record is SEGNAM (30), MANDT (3), DOCNUM (16), SEGNUM (6), PSGNUM (6), HLEVEL (2) and then its fields. Segments
have their names of the file here (`E2EDL20002`: the type E1EDL20 in its version). What follows an item belongs to it.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from integrations.facts import LONGEST_KEY, Piece, Reading, Unreadable
from integrations.formats import sap_delivery
from integrations.formats.form import Form, Speech
from integrations.formats.sap_delivery import Delivery, Idoc, Item, Segment
from integrations.formats.xml_tree import MOST_BYTES
from parts.sentences import sentence

MOST_RECORDS = 500_000
_CONTROL = "EDI_DC40"
_DATA_FROM = 63
#: Segments of SAP, of its customers, and of name spaces.
_SEGMENT = re.compile(r"(E[12]|[YZ]|/)[A-Z0-9_/]{1,28}")
_LINE_END = re.compile(r"\r\n|\n|\r")

#: Where the fields of the control record stand: from, to (not with it).
CONTROL = {
    "MANDT": (10, 13),
    "DOCNUM": (13, 29),
    "TEST": (38, 39),
    "IDOCTYP": (39, 69),
    "MESTYP": (99, 129),
    "CREDAT": (378, 386),
    "CRETIM": (386, 392),
}
#: Where the fields that are read stand in the data of each segment, by its type.
LAYOUT: dict[str, dict[str, tuple[int, int]]] = {
    "E1EDL20": {"VBELN": (0, 10), "BOLNR": (149, 184), "LIFEX": (218, 253)},
    "E1EDL18": {"QUALF": (0, 3)},
    "E1ADRM1": {"PARTNER_Q": (0, 3), "PARTNER_ID": (4, 21), "NAME1": (55, 95)},
    "E1EDT13": {
        "QUALF": (0, 3),
        "NTANF": (27, 35),
        "NTANZ": (35, 41),
        "ISDD": (61, 69),
        "ISDZ": (69, 75),
        "IEDD": (75, 83),
        "IEDZ": (83, 89),
    },
    "E1EDL24": {
        "POSNR": (0, 6),
        "MATNR": (6, 24),
        "WERKS": (136, 140),
        "LGORT": (140, 144),
        "CHARG": (144, 154),
        "LFIMG": (176, 191),
        "LGMNG": (194, 209),
        "HIPOS": (273, 279),
        "HIEVW": (279, 280),
    },
    "E1EDL19": {"QUALF": (0, 3)},
    "E1EDL11": {"SERNR": (18, 36)},
    "E1EDL41": {"QUALI": (0, 3), "BSTNR": (3, 38), "POSEX": (62, 68)},
}


def split(body: bytes) -> list[Piece]:
    """Cut a file before each control record; each IDoc is exactly its own bytes."""
    if len(body) > MOST_BYTES:
        raise Unreadable(sentence("At most {most} bytes.", most=MOST_BYTES))
    starts = list(_starts(body))
    if not starts or body[: starts[0]].removeprefix(BOM_UTF8).strip():
        raise Unreadable(sentence("It does not begin with a control record."), "1")
    ends = [*starts[1:], len(body)]
    return [Piece(_key(body[start:end]), body[start:end]) for start, end in zip(starts, ends, strict=True)]


def read(body: bytes, speech: Speech) -> Reading:
    """Read one IDoc."""
    lines = [line for line in _LINE_END.split(_text(body)) if line.strip()]
    if not lines or not lines[0].startswith(_CONTROL):
        raise Unreadable(sentence("It does not begin with a control record."), "1")
    idoc = Idoc(_fields(lines[0], CONTROL, 0))
    for number, line in enumerate(lines[1:], start=2):
        _add(idoc, line, number)
    return sap_delivery.read(idoc, speech)


def _starts(body: bytes) -> Iterator[int]:
    """Give the places at which a line begins with a control record."""
    name = _CONTROL.encode()
    place = body.find(name)
    while place >= 0:
        if place == 0 or body[place - 1] in b"\r\n" or (place == len(BOM_UTF8) and body.startswith(BOM_UTF8)):
            yield place
        place = body.find(name, place + len(name))


def _key(piece: bytes) -> str:
    line = piece.split(b"\n", 1)[0].decode("latin-1")
    key = sap_delivery.key_of(_fields(line, CONTROL, 0))
    return key if len(key) <= LONGEST_KEY else ""


def _add(idoc: Idoc, line: str, number: int) -> None:
    """Put a record where it belongs. Segments that nothing is read from are passed by; what is none is refused."""
    name = line[:30].strip()
    if number > MOST_RECORDS:
        raise Unreadable(sentence("At most {most} records.", most=MOST_RECORDS), str(number))
    if name.startswith(_CONTROL):
        raise Unreadable(sentence("There are several IDocs in it."), str(number))
    if not _SEGMENT.fullmatch(name):
        raise Unreadable(sentence("This is no record of an IDoc."), str(number))
    kind = f"E1{name[2:7]}" if name.startswith("E2") else name
    layout = LAYOUT.get(kind)
    if layout is None:
        return
    fields = _fields(line, layout, _DATA_FROM)
    if kind == "E1EDL20":
        idoc.deliveries.append(Delivery(fields))
        return
    if not idoc.deliveries:
        raise Unreadable(sentence("A record stands before the delivery that it belongs to."), str(number))
    delivery = idoc.deliveries[-1]
    if kind == "E1EDL24":
        delivery.items.append(Item(fields))
    else:
        (delivery.items[-1] if delivery.items else delivery).below.append((kind, fields))


def _fields(line: str, layout: dict[str, tuple[int, int]], start: int) -> Segment:
    return {name: line[start + first : start + end].strip() for name, (first, end) in layout.items()}


def _text(body: bytes) -> str:
    """Return the text of a file. What is no UTF-8 is ISO 8859-1, as systems without Unicode write it: each character is
    one byte there, so that every field keeps its place. Raises Unreadable for what is no text."""
    if b"\x00" in body:
        raise Unreadable(sentence("This is no text."))
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("latin-1")


FORM = Form(
    code="sap-idoc-flat",
    name=_("SAP delivery IDoc as a flat file"),
    versions=sap_delivery.VERSIONS,
    content_types=("text/plain",),
    split=split,
    read=read,
)

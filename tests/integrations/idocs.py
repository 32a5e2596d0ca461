"""Delivery IDocs in the shapes in which systems write them, made for tests; nothing of them is anybody's data."""

from __future__ import annotations

from dataclasses import dataclass

from integrations.formats.sap_idoc_flat import CONTROL, LAYOUT


@dataclass(frozen=True)
class Seg:
    """A segment, its fields and the segments below it, to be written in either way."""

    name: str
    fields: dict[str, str]
    below: tuple[Seg, ...] = ()


def seg(name: str, *below: Seg, **fields: str) -> Seg:
    return Seg(name, fields, below)


def control(number: str = "", kind: str = "SHPCON", **more: str) -> Seg:
    """A control record; many systems of warehouses write no document number."""
    fields = {"IDOCTYP": "DELVRY03", "MESTYP": kind, "CREDAT": "20261122", "CRETIM": "143000", **more}
    return Seg("EDI_DC40", {"DOCNUM": number, **fields} if number else fields)


def item(number: str, quantity: str, *below: Seg, **more: str) -> Seg:
    return Seg("E1EDL24", {"POSNR": number, "MATNR": "000000000000004711", "LFIMG": quantity, **more}, below)


def ours(order: str, position: str) -> Seg:
    """The reference to our order that an item carries."""
    return seg("E1EDL41", QUALI="001", BSTNR=order, POSEX=position)


def left(*items: Seg, delivery: str = "0080001234", step: str = "PGI", **fields: str) -> Seg:
    """A delivery of which something is confirmed, on 22 November at 8:58 by the sender's clock."""
    when = {"PGI": "006", "PIC": "010"}[step]
    return seg(
        "E1EDL20",
        seg("E1EDL18", QUALF=step),
        seg("E1ADRM1", PARTNER_Q="SP", PARTNER_ID="0000017000", NAME1="DHL Freight"),
        seg("E1EDT13", QUALF=when, ISDD="20261122", ISDZ="085800"),
        *items,
        VBELN=delivery,
        **{"BOLNR": "JD014", **fields},
    )


def as_xml(*idocs: tuple[Seg, ...], root: str = "DELVRY03") -> bytes:
    inner = "".join(f'<IDOC BEGIN="1">{"".join(_xml(one) for one in idoc)}</IDOC>\n' for idoc in idocs)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>{inner}</{root}>'.encode()


def as_flat(*idocs: tuple[Seg, ...]) -> bytes:
    return "".join(line + "\n" for idoc in idocs for one in idoc for line in _lines(one)).encode()


def _xml(one: Seg) -> str:
    fields = "".join(f"<{name}>{text}</{name}>" for name, text in one.fields.items())
    return f'<{one.name} SEGMENT="1">{fields}{"".join(_xml(below) for below in one.below)}</{one.name}>'


def _lines(one: Seg) -> list[str]:
    if one.name == "EDI_DC40":
        line = [*"EDI_DC40".ljust(524)]
        _put(line, CONTROL, one.fields, 0)
    else:
        line = [*f"E2{one.name[2:]}001".ljust(30), *" " * 1033]
        _put(line, LAYOUT.get(one.name, {}), one.fields, 63)
    return ["".join(line).rstrip(), *(text for below in one.below for text in _lines(below))]


def _put(line: list[str], layout: dict[str, tuple[int, int]], fields: dict[str, str], start: int) -> None:
    for name, text in fields.items():
        if name in layout:
            first, end = layout[name]
            line[start + first : start + end] = text.ljust(end - first)[: end - first]

"""Delivery IDocs of SAP as XML: one file, any number of IDocs.

<DELVRY07><IDOC BEGIN="1"><EDI_DC40 SEGMENT="1"><DOCNUM>0000000000123456</DOCNUM><MESTYP>SHPCON</MESTYP>…</EDI_DC40>
  <E1EDL20 SEGMENT="1"><VBELN>0080001234</VBELN>…<E1EDL24 SEGMENT="1"><POSNR>000010</POSNR>…</E1EDL24></E1EDL20>
</IDOC></DELVRY07>
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from integrations.facts import LONGEST_KEY, Piece, Reading, Unreadable
from integrations.formats import sap_delivery
from integrations.formats.form import Form, Speech
from integrations.formats.sap_delivery import Delivery, Idoc, Item, Segment
from integrations.formats.xml_tree import Element, as_utf8, parse
from parts.sentences import sentence


def split(body: bytes) -> list[Piece]:
    """Cut a file into its IDocs: one is the file as it came, several are exactly the bytes of each (in UTF-8)."""
    text = as_utf8(body)
    idocs = _idocs(parse(text))
    if len(idocs) == 1:
        return [Piece(_key(idocs[0]), body)]
    return [Piece(_key(idoc), text[idoc.start : idoc.end]) for idoc in idocs]


def read(body: bytes, speech: Speech) -> Reading:
    """Read one IDoc."""
    idocs = _idocs(parse(as_utf8(body)))
    if len(idocs) != 1:
        raise Unreadable(sentence("There are several IDocs in it."), "IDOC")
    return sap_delivery.read(_idoc(idocs[0]), speech)


def _idocs(root: Element) -> list[Element]:
    """Return the IDocs of a file, and refuse what is none: nothing is left out unseen."""
    if root.name == "IDOC":
        return [root]
    for child in root.children:
        if child.name != "IDOC":
            raise Unreadable(sentence("Unknown: {names}.", names=[child.name[:80]]), child.name[:80])
    if not root.children or root.text.strip():
        raise Unreadable(sentence("There is no IDoc in it."), root.name[:80])
    return root.children


def _key(idoc: Element) -> str:
    control = idoc.first("EDI_DC40")
    key = sap_delivery.key_of(_fields(control)) if control else ""
    return key if len(key) <= LONGEST_KEY else ""


def _idoc(element: Element) -> Idoc:
    control = element.first("EDI_DC40")
    if control is None:
        raise Unreadable(sentence("It has no control record."), "EDI_DC40")
    return Idoc(_fields(control), [_delivery(header) for header in element.all("E1EDL20")])


def _delivery(header: Element) -> Delivery:
    items = [Item(_fields(item), _below(item)) for item in header.all("E1EDL24")]
    return Delivery(_fields(header), _below(header), items)


def _below(element: Element) -> list[tuple[str, Segment]]:
    return [(child.name, _fields(child)) for child in element.children if child.children]


def _fields(element: Element) -> Segment:
    """Return the fields of a segment; of one that stands there twice, the first."""
    return {child.name: child.text.strip() for child in reversed(element.children) if not child.children}


FORM = Form(
    code="sap-idoc-xml",
    name=_("SAP delivery IDoc as XML"),
    versions=sap_delivery.VERSIONS,
    content_types=("application/xml", "text/xml"),
    split=split,
    read=read,
)

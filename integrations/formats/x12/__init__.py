"""ANSI X12: 855, 856 and 870, from suppliers about our purchase orders and from warehouses about our orders.

Which element becomes what is declared in `fields.FIELDS`. Nothing is answered: who wants a 997 gets none.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from integrations.formats.edi.letters import LetterReader, reader_of
from integrations.formats.form import Form
from integrations.formats.x12 import answers, reports, shipments
from integrations.formats.x12.envelope import opened, split
from integrations.formats.x12.fields import VERSION

_FROM_SUPPLIERS: dict[str, LetterReader] = {
    "855": answers.read,
    "856": shipments.read_from_supplier,
    "870": reports.read_from_supplier,
}
_FROM_WAREHOUSES: dict[str, LetterReader] = {
    "856": shipments.read_from_warehouse,
    "870": reports.read_from_warehouse,
}

CONTENT_TYPES = ("application/edi-x12", "text/plain", "application/octet-stream")
FROM_SUPPLIERS = Form(
    code="x12-supplier",
    name=_("ANSI X12 855, 856, 870 of a supplier"),
    versions=(VERSION,),
    content_types=CONTENT_TYPES,
    split=split,
    read=reader_of(opened, _FROM_SUPPLIERS, 1),
)
FROM_WAREHOUSES = Form(
    code="x12-warehouse",
    name=_("ANSI X12 856, 870 of a warehouse"),
    versions=(VERSION,),
    content_types=CONTENT_TYPES,
    split=split,
    read=reader_of(opened, _FROM_WAREHOUSES, 1),
)

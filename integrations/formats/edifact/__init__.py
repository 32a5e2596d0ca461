"""UN/EDIFACT: ORDRSP, DESADV and OSTRPT, from suppliers about our purchase orders and from warehouses about our orders.

Which element becomes what is declared in `fields.FIELDS`. Nothing is answered: who wants a CONTRL gets none.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from integrations.formats.edi.letters import LetterReader, reader_of
from integrations.formats.edifact import answers, despatches, reports
from integrations.formats.edifact.envelope import opened, split
from integrations.formats.edifact.fields import VERSION
from integrations.formats.form import Form

_FROM_SUPPLIERS: dict[str, LetterReader] = {
    "ORDRSP": answers.read,
    "DESADV": despatches.read_from_supplier,
    "OSTRPT": reports.read_from_supplier,
}
_FROM_WAREHOUSES: dict[str, LetterReader] = {
    "DESADV": despatches.read_from_warehouse,
    "OSTRPT": reports.read_from_warehouse,
}

CONTENT_TYPES = ("application/edifact", "text/plain", "application/octet-stream")
FROM_SUPPLIERS = Form(
    code="edifact-supplier",
    name=_("EDIFACT ORDRSP, DESADV, OSTRPT of a supplier"),
    versions=(VERSION,),
    content_types=CONTENT_TYPES,
    split=split,
    read=reader_of(opened, _FROM_SUPPLIERS, 2),
)
FROM_WAREHOUSES = Form(
    code="edifact-warehouse",
    name=_("EDIFACT DESADV, OSTRPT of a warehouse"),
    versions=(VERSION,),
    content_types=CONTENT_TYPES,
    split=split,
    read=reader_of(opened, _FROM_WAREHOUSES, 2),
)

"""ANSI X12: 855, 856 and 870, from suppliers about our purchase orders and from warehouses about our orders.

Which element becomes what is declared in `fields.FIELDS`. Nothing is answered: who wants a 997 gets none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from django.utils.translation import gettext_lazy as _

from integrations.facts import Fact, Reading, Unreadable
from integrations.formats.form import Form, Speech
from integrations.formats.x12 import answers, reports, shipments
from integrations.formats.x12.envelope import Letter, opened, split
from integrations.formats.x12.fields import VERSION
from parts.sentences import sentence

Reader = Callable[[Letter, Speech], Sequence[Fact]]

_FROM_SUPPLIERS: dict[str, Reader] = {
    "855": answers.read,
    "856": shipments.read_from_supplier,
    "870": reports.read_from_supplier,
}
_FROM_WAREHOUSES: dict[str, Reader] = {
    "856": shipments.read_from_warehouse,
    "870": reports.read_from_warehouse,
}


def _reader(kinds: Mapping[str, Reader]) -> Callable[[bytes, Speech], Reading]:
    def read(body: bytes, speech: Speech) -> Reading:
        facts: list[Fact] = []
        letters = opened(body, speech.zone)
        for letter in letters:
            if letter.kind not in kinds:
                wanted = sentence("A {kind} is not read here, only {allowed}.", kind=letter.kind, allowed=list(kinds))
                raise Unreadable(wanted, letter.segments[0].where(1))
            facts += kinds[letter.kind](letter, speech)
        return Reading(tuple(facts), letters[0].sent_at)

    return read


CONTENT_TYPES = ("application/edi-x12", "text/plain", "application/octet-stream")
FROM_SUPPLIERS = Form(
    code="x12-supplier",
    name=_("ANSI X12 855, 856, 870 of a supplier"),
    versions=(VERSION,),
    content_types=CONTENT_TYPES,
    split=split,
    read=_reader(_FROM_SUPPLIERS),
)
FROM_WAREHOUSES = Form(
    code="x12-warehouse",
    name=_("ANSI X12 856, 870 of a warehouse"),
    versions=(VERSION,),
    content_types=CONTENT_TYPES,
    split=split,
    read=_reader(_FROM_WAREHOUSES),
)

"""UN/EDIFACT: ORDRSP, DESADV and OSTRPT, from suppliers about our purchase orders and from warehouses about our orders.

Which element becomes what is declared in `fields.FIELDS`. Nothing is answered: who wants a CONTRL gets none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from django.utils.translation import gettext_lazy as _

from integrations.facts import Fact, Reading, Unreadable
from integrations.formats.edifact import answers, despatches, reports
from integrations.formats.edifact.envelope import Letter, opened, split
from integrations.formats.edifact.fields import VERSION
from integrations.formats.form import Form, Speech
from parts.sentences import sentence

Reader = Callable[[Letter, Speech], Sequence[Fact]]

_FROM_SUPPLIERS: dict[str, Reader] = {
    "ORDRSP": answers.read,
    "DESADV": despatches.read_from_supplier,
    "OSTRPT": reports.read_from_supplier,
}
_FROM_WAREHOUSES: dict[str, Reader] = {
    "DESADV": despatches.read_from_warehouse,
    "OSTRPT": reports.read_from_warehouse,
}


def _reader(kinds: Mapping[str, Reader]) -> Callable[[bytes, Speech], Reading]:
    def read(body: bytes, speech: Speech) -> Reading:
        facts: list[Fact] = []
        letters = opened(body, speech.zone)
        for letter in letters:
            if letter.kind not in kinds:
                wanted = sentence("A {kind} is not read here, only {allowed}.", kind=letter.kind, allowed=list(kinds))
                raise Unreadable(wanted, letter.segments[0].where(2))
            facts += kinds[letter.kind](letter, speech)
        return Reading(tuple(facts), letters[0].sent_at)

    return read


CONTENT_TYPES = ("application/edifact", "text/plain", "application/octet-stream")
FROM_SUPPLIERS = Form(
    code="edifact-supplier",
    name=_("EDIFACT ORDRSP, DESADV, OSTRPT of a supplier"),
    versions=(VERSION,),
    content_types=CONTENT_TYPES,
    split=split,
    read=_reader(_FROM_SUPPLIERS),
)
FROM_WAREHOUSES = Form(
    code="edifact-warehouse",
    name=_("EDIFACT DESADV, OSTRPT of a warehouse"),
    versions=(VERSION,),
    content_types=CONTENT_TYPES,
    split=split,
    read=_reader(_FROM_WAREHOUSES),
)

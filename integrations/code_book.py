"""What the codes of others mean on a day: looked up for a whole batch at once, decided in plain Python."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q

from integrations.facts import Code
from integrations.models import StatusCode
from integrations.statuses import Certainty, CodeSubject, Effect, SupplyAnswer
from parts.errors import Refused
from parts.sentences import Says, sentence

#: One part of a line comes as it was ordered and another one later: that contradicts nothing, the line comes otherwise.
_ACCEPTED_IN_PARTS = {
    (CodeSubject.PURCHASE_ORDER_LINE.value, answer.value) for answer in (SupplyAnswer.ACCEPTED, SupplyAnswer.CHANGED)
}


class CodeWaits(Refused):
    """A code that nobody has decided on yet: its message is parked. `waits_for` is what the decision answers."""

    def __init__(self, detail: Says, code: Code, **extra: Any) -> None:
        self.waits_for = code.key
        super().__init__(detail, code_list=code.code_list, release=code.release, read=code.code, **extra)


class CodeUnknown(CodeWaits):
    """The list has no such code; `suggested` is what it means in other releases or at other times."""

    code = "code_unknown"

    def __init__(self, code: Code, suggested: str = "") -> None:
        super().__init__(
            sentence("Nobody has said what {code} of {list} means.", code=code.code, list=code.code_list),
            code,
            **({"suggested": suggested} if suggested else {}),
        )


class CodeToCheck(CodeWaits):
    """The list has it, but nobody has confirmed what it means."""

    code = "code_to_check"

    def __init__(self, code: Code, suggested: str) -> None:
        super().__init__(
            sentence("What {code} of {list} means is still to be checked.", code=code.code, list=code.code_list),
            code,
            suggested=suggested,
        )


class CodesConflict(CodeWaits):
    """Several codes of one fact mean different statuses."""

    code = "codes_conflict"

    def __init__(self, code: Code, codes: dict[str, str]) -> None:
        super().__init__(
            sentence("The codes of this fact contradict each other, among them {code}.", code=code.code),
            code,
            codes=codes,
        )


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the codes of a fact mean together: a status of ours, or nothing that moves anything."""

    subject: str
    status: str
    effect: str


class CodeBook:
    """The rows that a batch needs. One query, whatever its size."""

    def __init__(self, system_id: UUID, codes: Collection[Code]) -> None:
        self._rows: dict[tuple[str, str], list[StatusCode]] = {}
        if not codes:
            return
        rows = StatusCode.objects.filter(
            Q(system=system_id) | Q(system__isnull=True),
            code_list__in={code.code_list for code in codes},
            code__in={code.code for code in codes},
        )
        for row in rows:
            self._rows.setdefault((row.code_list, row.code), []).append(row)

    def meaning(self, codes: Sequence[Code], on: date) -> Meaning:
        """Return what codes mean together on a day. Raises CodeUnknown, CodeToCheck, CodesConflict."""
        found = [(code, self._row(code, on)) for code in codes]
        moving = [(code, row) for code, row in found if row.effect != Effect.INFORMATION]
        meant = {(row.subject, row.status) for _code, row in moving}
        if meant == _ACCEPTED_IN_PARTS:
            return Meaning(CodeSubject.PURCHASE_ORDER_LINE.value, SupplyAnswer.CHANGED.value, Effect.STATUS.value)
        if len(meant) > 1:
            raise CodesConflict(
                moving[-1][0], codes={f"{code.code_list} {code.code}": row.status for code, row in moving}
            )
        row = (moving or found)[0][1]
        return Meaning(row.subject, row.status, row.effect)

    def _row(self, code: Code, on: date) -> StatusCode:
        rows = self._rows.get((code.code_list, code.code), ())
        row = chosen(rows, code.release, on)
        if row is None:
            raise CodeUnknown(code, _agreed(rows))
        if not row.is_certain:
            raise CodeToCheck(code, row.status)
        return row


def chosen(rows: Iterable[StatusCode], release: str, on: date) -> StatusCode | None:
    """Return the row that holds on a day: a system's own before the list's, what a person decided before what was
    shipped, the release's before that of every release, the newest first."""
    valid = [
        row
        for row in rows
        if row.release in ("", release)
        and row.effective_from <= on
        and (row.effective_until is None or on < row.effective_until)
    ]
    return max(valid, key=_standing, default=None)


def _standing(row: StatusCode) -> tuple[bool, bool, bool, date]:
    """Return how high a row stands among those that hold on a day."""
    return row.system_id is not None, row.certainty == Certainty.DECIDED, row.release != "", row.effective_from


def _agreed(rows: Iterable[StatusCode]) -> str:
    """Return the status that all rows agree on, which hold elsewhere or at other times; nothing where they do not."""
    meant = {row.status for row in rows}
    return meant.pop() if len(meant) == 1 else ""

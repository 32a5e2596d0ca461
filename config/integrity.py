"""All laws of all floors, and what a check of them finds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backorders import integrity as backorders_integrity
from integrations import case_laws
from integrations.outbound import laws as outbound_laws
from notifications import integrity as notifications_integrity
from orders import consent_laws
from orders import integrity as orders_integrity
from parts import change_laws
from parts import integrity as parts_integrity
from parts.sql.law import Finding, Law
from reports.figures import laws as figures_laws

LAWS: list[Law] = [
    *parts_integrity.LAWS,
    *change_laws.LAWS,
    *orders_integrity.LAWS,
    *consent_laws.LAWS,
    *backorders_integrity.LAWS,
    *case_laws.LAWS,
    *outbound_laws.LAWS,
    *notifications_integrity.LAWS,
    *figures_laws.LAWS,
]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A law, and what was found of it."""

    law: Law
    finding: Finding


def check_all(limit: int | None) -> Iterator[Verdict]:
    """Check law after law, each in one statement and so as of one moment; name at most `limit` rows of each."""
    for law in LAWS:
        yield Verdict(law, law.check(limit))

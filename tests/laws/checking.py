"""All laws of all floors at once, and every chain of the ledger verified by the verifier that knows no Django."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.db import connection

from backorders.integrity import LAWS as LAWS_OF_THE_QUEUE
from integrations.case_laws import LAWS as LAWS_OF_CASES
from integrations.outbound.laws import LAWS as LAWS_OF_TELLING
from notifications.integrity import LAWS as LAWS_OF_MESSAGES
from orders.consent_laws import LAWS as LAWS_OF_CONSENTS
from orders.integrity import LAWS as LAWS_OF_ORDERS
from orders.verifier import FIELDS, digest_of
from parts.change_laws import LAWS as LAWS_OF_CHANGES
from parts.integrity import LAWS as LAWS_OF_STOCK
from parts.sql import Law

#: What people decide on with a second person, or settle.
LAWS_OF_DECISIONS: tuple[Law, ...] = (*LAWS_OF_CHANGES, *LAWS_OF_CONSENTS, *LAWS_OF_CASES)
ALL_LAWS: tuple[Law, ...] = (
    *LAWS_OF_STOCK,
    *LAWS_OF_ORDERS,
    *LAWS_OF_THE_QUEUE,
    *LAWS_OF_DECISIONS,
    *LAWS_OF_MESSAGES,
    *LAWS_OF_TELLING,
)

#: The ledger as text, as an export writes it.
_EXPORT = """
SELECT
    id::text, subject_kind, subject_id::text, reference, version::text, kind, from_status, to_status,
    to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    (extract(epoch FROM dwell) * 1000000)::bigint::text, actor, source, message_id, encode(note_commitment, 'hex'),
    visibility, override_reference, is_override::text, passed_through::text, data::text,
    previous_hash, hash
FROM orders_orderevent AS event
ORDER BY event.subject_id, event.version
"""


def ledger() -> list[tuple[Any, ...]]:
    """Return every event as an export has it: the text of each of the verifier's fields, then both hashes."""
    with connection.cursor() as cursor:
        cursor.execute(_EXPORT)
        return cursor.fetchall()


def broken_chains() -> list[str]:
    """Return what is wrong with the chains of the ledger, empty where each event follows from the one before."""
    faults: list[str] = []
    for subject_id, events in groupby(ledger(), key=lambda row: row[2]):
        before = b""
        for number, row in enumerate(events, start=1):
            event = dict(zip(FIELDS, row, strict=False))
            name = f"{event['reference']} v{event['version']} ({subject_id})"
            if event["version"] != str(number):
                faults.append(f"{name} is number {number} of its subject")
            if bytes(row[-2]) != before:
                faults.append(f"{name} does not follow the event before it")
            before = bytes(row[-1])
            if digest_of(event, bytes(row[-2])) != before:
                faults.append(f"{name} has another hash than its content")
    return faults


def broken_laws(laws: tuple[Law, ...] = ALL_LAWS) -> dict[str, Any]:
    """Return the laws that rows of the database break, with the first of those rows."""
    return {law.name: found.breaches for law in laws if (found := law.check(limit=5)).total}


def broken() -> dict[str, Any]:
    """Return everything that is wrong anywhere; empty where all is well."""
    found = broken_laws()
    chains = broken_chains()
    return found | ({"chains": chains} if chains else {})

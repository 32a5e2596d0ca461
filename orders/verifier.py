#!/usr/bin/env python3
"""Prove offline that an exported ledger was not altered. Needs only Python's standard library.

    python3 verifier.py EXPORT.jsonl [--anchors ANCHORS.jsonl] [--heads HEADS.jsonl]

Each line of the export is one event as JSON. An event's hash is SHA-256 over the previous event's hash (32 bytes; none
for the first event of a subject) followed by the event's fields in the order of FIELDS, each as a netstring
(https://cr.yp.to/proto/netstrings.txt: `<length in bytes>:<UTF-8 text>,`) and a missing value as `-,`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

#: The fields a hash covers, in this order. Values are text: times as `2026-01-31T09:30:00.000000Z`, durations in whole
#: microseconds, truth as `true` and `false`, data as the JSON text the database holds.
FIELDS = (
    "id",
    "subject_kind",
    "subject_id",
    "reference",
    "version",
    "kind",
    "from_status",
    "to_status",
    "occurred_at",
    "recorded_at",
    "dwell",
    "actor",
    "source",
    "message_id",
    "note_commitment",
    "visibility",
    "override_reference",
    "is_override",
    "passed_through",
    "data",
)


def digest(previous: bytes, values: Iterable[str | None]) -> bytes:
    """Return the hash of an event: `previous` is the hash before it, `values` are the texts of FIELDS in order."""
    encoded = [
        "-," if value is None else f"{len(value) if value.isascii() else len(value.encode())}:{value},"
        for value in values
    ]
    return hashlib.sha256(previous + "".join(encoded).encode()).digest()


def digest_of(event: Mapping[str, str | None], previous: bytes) -> bytes:
    """Return the hash that an exported event must have."""
    return digest(previous, [event[name] for name in FIELDS])

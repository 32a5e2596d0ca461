"""How a fact becomes a row of the ledger: one event per change, chained through the subject's own locked row.

An action opens a `Ledger` with its `Cause`, lets each subject record what happened to it, and hands
`ledger.parameters()` to the statement that also writes the subjects. Nothing here touches the database.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from orders.verifier import digest
from parts.actors import Actor
from parts.documents import as_text

_MICROSECOND = timedelta(microseconds=1)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)

#: What the events of one action mostly have in common; none of it is ever missing.
_SHARED = (
    "subject_kind",
    "kind",
    "from_status",
    "to_status",
    "occurred_at",
    "recorded_at",
    "actor",
    "source",
    "message_id",
    "visibility",
    "override_reference",
    "is_override",
    "passed_through",
    "data",
)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why an action runs: who, through which system, and when it happened by the source's clock."""

    by: Actor
    source: str
    at: datetime
    message_id: str = ""

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("Cause.at must carry a time zone.")

    def for_others(self) -> Cause:
        """Return the cause of what follows for subjects that the message does not speak of."""
        return replace(self, message_id="")


@lru_cache(maxsize=1024)  # the events of one action share their times
def text_of_time(moment: datetime) -> str:
    """Return a time as the ledger hashes it: UTC, microseconds, `Z`."""
    # Not strftime: that writes a year before 1000 with fewer than four digits on some systems.
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def text_of_data(data: Mapping[str, Any]) -> str:
    """Return JSON text as PostgreSQL's jsonb prints it: keys by length, then bytes. Values: text, int, bool, None.

    Nested lists and objects are allowed; floats are refused (ValueError), quantities are passed as text.
    """
    return _ENCODER.encode(_sorted(data))


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        return {key: _sorted(value[key]) for key in keys}
    if isinstance(value, list | tuple):
        return [_sorted(item) for item in value]
    if isinstance(value, float):
        raise ValueError("A float has no one text; pass quantities as text.")
    return value


def new_event_id(now_ms: int, version: int) -> UUID:
    """Return a UUIDv7 whose 12-bit counter (RFC 9562, section 6.2, method 1) is the low bits of the subject's version.

    So the events of one subject sort by key as they were written, also within a millisecond.
    """
    random = secrets.randbits(62)
    return UUID(int=(now_ms & 0xFFFFFFFFFFFF) << 80 | 0x7 << 76 | (version & 0xFFF) << 64 | 0b10 << 62 | random)


class Subject:
    """What a chained row must carry while an action works on it."""

    __slots__ = ("_key_text", "chain_hash", "id", "reference", "status", "status_since", "version")
    kind = ""

    id: UUID
    reference: str
    version: int
    chain_hash: bytes
    status: str
    status_since: datetime
    _key_text: str

    @property
    def key_text(self) -> str:
        """The key as text, written out once however often it is asked for."""
        try:
            return self._key_text
        except AttributeError:
            self._key_text = str(self.id)
            return self._key_text


@dataclass(slots=True)
class Ledger:
    """The events of one action, in the order they happened."""

    cause: Cause
    recorded_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    events: list[dict[str, Any]] = field(default_factory=list)
    texts: list[dict[str, str]] = field(default_factory=list)
    _now_ms: int = field(default_factory=lambda: time.time_ns() // 1_000_000)

    def record(
        self,
        subject: Subject,
        kind: str,
        *,
        to: str | None = None,
        data: Mapping[str, Any] | None = None,
        note: str = "",
        public: bool = False,
        passed_through: bool = False,
        override_reference: str = "",
        is_override: bool = False,
        at: datetime | None = None,
        message_id: str | None = None,
        counts_time: bool = True,
    ) -> dict[str, Any]:
        """Append one event to the subject's chain and move its version, hash and (with `to`) status on.

        `at` and `message_id` default to the cause's. `counts_time=False` marks an event that does not end the time in
        the present status (a note, a late report). Returns the row as it will be inserted.
        """
        occurred_at = at or self.cause.at
        from_status = subject.status if to is not None else ""
        dwell: int | None = None
        if to is not None and counts_time:
            if subject.version and not passed_through:
                dwell = max((occurred_at - subject.status_since) // _MICROSECOND, 0)
            if not passed_through:
                subject.status_since = occurred_at
            subject.status = to
        subject.version += 1
        event_id = new_event_id(self._now_ms, subject.version)
        commitment = self._commit(event_id, note) if note else None
        row = {
            "id": str(event_id),
            "subject_kind": subject.kind,
            "subject_id": subject.key_text,
            "reference": subject.reference,
            "version": str(subject.version),
            "kind": kind,
            "from_status": from_status if subject.version > 1 else "",
            "to_status": to or "",
            "occurred_at": text_of_time(occurred_at),
            "recorded_at": text_of_time(self.recorded_at),
            "dwell": None if dwell is None else str(dwell),
            "actor": self.cause.by.reference,
            "source": self.cause.source,
            "message_id": self.cause.message_id if message_id is None else message_id,
            "note_commitment": commitment,
            "visibility": "public" if public else "internal",
            "override_reference": override_reference,
            "is_override": "true" if is_override else "false",
            "passed_through": "true" if passed_through else "false",
            "data": text_of_data(data) if data else "{}",
        }
        previous = subject.chain_hash
        subject.chain_hash = digest(previous, row.values())
        row["previous_hash"] = previous.hex()
        row["hash"] = subject.chain_hash.hex()
        self.events.append(row)
        return row

    def _commit(self, event_id: UUID, note: str) -> str:
        salt = secrets.token_bytes(16)
        self.texts.append({"event_id": str(event_id), "salt": salt.hex(), "text": note})
        return hashlib.sha256(salt + note.encode()).hexdigest()

    def parameters(self) -> dict[str, str]:
        """Return the parameters of sql.APPEND_EVENTS: what the events share is passed once, in `shared`."""
        shared = {name: self.events[0][name] for name in _SHARED} if self.events else {}
        of = shared.get
        rows = [
            {name: value for name, value in event.items() if value is not None and of(name) != value}
            for event in self.events
        ]
        return {"events": as_text(rows), "shared": as_text(shared), "texts": as_text(self.texts)}

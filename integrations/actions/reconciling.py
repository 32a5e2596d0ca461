"""Align what we took in with the log of the other system: compare, repair by rule or by a person.

The log is a file in the form of the interface: all messages that it sent in a period. A message is the same by its key;
one without a key of its own, or under another one, by what it says: where the ledger has each of its statuses, of the
same subject and moment, from the same system, it was told. Repairing is taking in (or working on again) what was
missed: a message has its effect once and finds its place by its own time, so the end is that of an undisturbed day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import BinaryIO
from uuid import UUID

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from integrations.actions import settling
from integrations.actions.taking_in import MOST_AT_ONCE, take_pieces
from integrations.code_book import CodeBook, CodeWaits
from integrations.effects.task import message_id
from integrations.facts import Piece, Reading, StatusReached, Subject, Unreadable
from integrations.models import InboundMessage, Interface, Reconciliation, ReconciliationItem
from integrations.senders import Sender, sender_of
from integrations.statuses import Effect, ItemKind, ItemStatus, MessageStatus, ReconciliationStatus, Way
from integrations.subjects import look_up
from orders.models import OrderEvent
from orders.rules import check_texts
from parts.actors import Actor
from parts.errors import Invalid, NotFound, Refused
from parts.keys import new_key
from parts.sentences import Figure, kept, sentence

FOLDER = "logs"
MOST_MESSAGES = 100_000
MOST_BYTES = 64 * 1024 * 1024
LONGEST_PERIOD = timedelta(days=31)
#: A message of the period may have come so much later.
_LATE = timedelta(days=7)
CLAIM_LASTS = timedelta(minutes=5)
MOST_ATTEMPTS = 5
LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Repaired:
    """What came of a repair: how many messages were accepted, and how many were not (their pages say why)."""

    accepted: int = 0
    others: int = 0

    def __add__(self, other: Repaired) -> Repaired:
        return Repaired(self.accepted + other.accepted, self.others + other.others)


def ask(
    *,
    interface: Interface,
    file: BinaryIO,
    name: str,
    begins: datetime,
    ends: datetime,
    by: Actor,
    at: datetime,
    repairs_at_once: bool = False,
) -> Reconciliation:
    """Keep a log to be compared. Raises Forbidden (`integrations.reconcile`), Invalid for a period that is none."""
    by.require("integrations.reconcile")
    check_texts(name=(name, 200))
    if begins >= ends or ends - begins > LONGEST_PERIOD:
        says = sentence("It begins before it ends, and lasts {days} days at most.", days=LONGEST_PERIOD.days)
        raise Invalid(says, {"ends": [says]})
    stored = default_storage.save(f"{FOLDER}/{new_key().hex}", File(file))
    return Reconciliation.objects.create(
        interface=interface,
        begins=begins,
        ends=ends,
        file=stored,
        file_name=name,
        repairs_at_once=repairs_at_once,
        asked_by=by.reference,
        asked_at=at,
    )


def compare_next() -> Reconciliation | None:
    """Compare the log that waits longest, if there is one; return its reconciliation. Never in a transaction."""
    row = _claim(timezone.now())
    if row is None:
        return None
    try:
        if row.attempts > MOST_ATTEMPTS:
            raise Refused(sentence("Comparing it failed {count} times.", count=MOST_ATTEMPTS))
        found = _compare(row)
    except Refused as refusal:
        Reconciliation.objects.filter(pk=row.pk).update(
            status=ReconciliationStatus.REFUSED, refusal=kept(refusal.says), claimed_until=None
        )
    else:
        _write(row, found)
        if row.repairs_at_once:
            repair_all(reconciliation=row, by=Actor.system("reconciling"), at=timezone.now())
    row.refresh_from_db()
    return row


def _claim(at: datetime) -> Reconciliation | None:
    with transaction.atomic():
        free = Q(status=ReconciliationStatus.WAITING) | Q(status=ReconciliationStatus.COMPARING, claimed_until__lte=at)
        rows = Reconciliation.objects.select_for_update(of=("self",), skip_locked=True).filter(free)
        row = rows.select_related("interface__system").order_by("asked_at", "id").first()
        if row is None:
            return None
        row.status, row.attempts, row.claimed_until = ReconciliationStatus.COMPARING, row.attempts + 1, at + CLAIM_LASTS
        row.save(update_fields=["status", "attempts", "claimed_until"])
        return row


@dataclass(slots=True)
class _Found:
    """What a comparison found."""

    logged: int = 0
    matched: int = 0
    items: list[ReconciliationItem] = field(default_factory=list)
    #: By which keys we know what the log has.
    known: set[str] = field(default_factory=set)

    def count(self, kind: ItemKind) -> int:
        """Return how many items are of a kind."""
        return sum(item.kind == kind for item in self.items)


def _compare(row: Reconciliation) -> _Found:
    sender = sender_of(row.interface.system.code, row.interface.code)
    with default_storage.open(row.file, "rb") as file:
        body = file.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise Invalid(sentence("The file is larger than {most} MB; split it.", most=MOST_BYTES // 1024 // 1024))
    pieces = _by_key(sender.form.split(body))
    if len(pieces) > MOST_MESSAGES:
        raise Invalid(sentence("The log has more than {most} messages; split it.", most=Figure(MOST_MESSAGES)))
    found = _Found(logged=len(pieces))
    some: list[Piece] = []
    for piece in pieces.values():
        some.append(piece)
        if len(some) == MOST_AT_ONCE:
            _compare_some(row, sender, some, found)
            some = []
    if some:
        _compare_some(row, sender, some, found)
    found.items.extend(_missing_there(row, found.known))
    return found


def _by_key(pieces: Sequence[Piece]) -> dict[str, Piece]:
    """Return the messages of a log, each once; one without a key is known by its hash, as in the inbox."""
    found: dict[str, Piece] = {}
    for piece in pieces:
        name = piece.key or f"sha256:{hashlib.sha256(piece.body).hexdigest()}"
        found.setdefault(name, Piece(name, piece.body))
    return found


def _compare_some(row: Reconciliation, sender: Sender, pieces: Sequence[Piece], found: _Found) -> None:
    """Compare up to a thousand messages, with as many statements as for one."""
    ours = {
        message.key: message
        for message in InboundMessage.objects.filter(
            system=sender.system_id, key__in=[piece.key for piece in pieces]
        ).defer("body")
    }
    found.known.update(ours)
    same = {piece.key for piece in pieces if piece.key in ours and _is_same(ours[piece.key], piece)}
    told = _told(sender, [piece for piece in pieces if piece.key not in same])
    for piece in pieces:
        message = ours.get(piece.key)
        if piece.key in told:
            found.matched += 1
            found.known.update(told[piece.key])
        elif message is None:
            found.items.append(_item(row, ItemKind.MISSING_HERE, piece))
        elif piece.key not in same:
            found.items.append(_item(row, ItemKind.DIFFERENT, piece, message))
        elif message.status != MessageStatus.ACCEPTED:
            found.items.append(_item(row, ItemKind.UNWORKED, piece, message))
        else:
            found.matched += 1


def _is_same(message: InboundMessage, piece: Piece) -> bool:
    return bytes(message.fingerprint) == hashlib.sha256(piece.body).digest()


def _item(
    row: Reconciliation, kind: ItemKind, piece: Piece, message: InboundMessage | None = None
) -> ReconciliationItem:
    return ReconciliationItem(reconciliation=row, kind=kind, key=piece.key, theirs=piece.body, message=message)


#: Whom a status is about (None: nobody whom we know), which it is, and when it was reached.
_What = tuple[UUID | None, str, datetime]


def _told(sender: Sender, pieces: Sequence[Piece]) -> dict[str, set[str]]:
    """Return which messages the ledger already tells of under other keys, and those message ids."""
    readings = {piece.key: reading for piece in pieces if (reading := _reading(sender, piece)) is not None}
    facts = [fact for reading in readings.values() for fact in reading.facts if isinstance(fact, StatusReached)]
    if not facts:
        return {}
    book = CodeBook(sender.system_id, {code for fact in facts for code in fact.codes})
    keys = look_up((fact.subject for fact in facts), sender)
    events = OrderEvent.objects.filter(subject_id__in=set(keys.values()), source=sender.code).exclude(message_id="")
    known: dict[_What, str] = {
        (subject, status, moment): said_by
        for subject, status, moment, said_by in events.values_list(
            "subject_id", "to_status", "occurred_at", "message_id"
        )
    }
    told: dict[str, set[str]] = {}
    for name, reading in readings.items():
        said = [known.get(what, "") for what in _whats(reading, keys, book)]
        if said and all(said):
            # A fact of a message of several is known there by its place in it as well.
            told[name] = {*said, *(one.rpartition(":")[0] for one in said)}
    return told


def _reading(sender: Sender, piece: Piece) -> Reading | None:
    """Return what a message says, None where it cannot be read or says more than statuses."""
    try:
        reading = sender.form.read(piece.body, sender.speech)
    except Unreadable:
        return None
    return reading if all(isinstance(fact, StatusReached) for fact in reading.facts) else None


def _whats(reading: Reading, keys: Mapping[Subject, UUID], book: CodeBook) -> Iterator[_What]:
    """Give of each status in a message whom it is about, which it is, and when it was reached."""
    for fact in reading.facts:
        assert isinstance(fact, StatusReached), "others were left out"
        status = fact.status
        if fact.codes:
            try:
                meaning = book.meaning(fact.codes, fact.occurred_at.date())
            except CodeWaits:
                yield None, "", fact.occurred_at
                continue
            if meaning.effect == Effect.INFORMATION:
                continue
            status = meaning.status
        yield keys.get(fact.subject), status, fact.occurred_at


def _missing_there(row: Reconciliation, known: set[str]) -> Iterator[ReconciliationItem]:
    """Give what we have of the period and the log has not: of messages that say when they were sent, by that."""
    came = InboundMessage.objects.filter(
        interface=row.interface, received_at__gte=row.begins, received_at__lt=row.ends + _LATE
    )
    of_period = came.annotate(said_at=Coalesce("sent_at", "received_at")).filter(
        said_at__gte=row.begins, said_at__lt=row.ends
    )
    for message in of_period.defer("body").order_by("received_at", "id").iterator(2_000):
        if message.key not in known and message_id(message.key) not in known:
            yield ReconciliationItem(reconciliation=row, kind=ItemKind.MISSING_THERE, key=message.key, message=message)


def _write(row: Reconciliation, found: _Found) -> None:
    with transaction.atomic():
        ReconciliationItem.objects.filter(reconciliation=row).delete()
        ReconciliationItem.objects.bulk_create(found.items, batch_size=1_000)
        Reconciliation.objects.filter(pk=row.pk).update(
            status=ReconciliationStatus.COMPARED,
            compared_at=timezone.now(),
            claimed_until=None,
            logged=found.logged,
            matched=found.matched,
            **{kind.value: found.count(kind) for kind in ItemKind},
        )


# --- Decisions -------------------------------------------------------------------------------------------------------


def repair_all(*, reconciliation: Reconciliation, by: Actor, at: datetime, reason: str = "") -> Repaired:
    """Take in what is missing here and work again on what was not accepted; what differs is for a person.

    Raises Forbidden (`integrations.reconcile`). Stopped anywhere and repeated, it ends the same.
    """
    by.require("integrations.reconcile")
    open_ones = reconciliation.items.filter(
        status=ItemStatus.OPEN, kind__in=(ItemKind.MISSING_HERE, ItemKind.UNWORKED)
    ).order_by("id")
    done = Repaired()
    while keys := list(open_ones.values_list("pk", flat=True)[:MOST_AT_ONCE]):
        done += repair(items=keys, by=by, at=at, reason=reason or "missed")
    return done


def repair(*, items: Sequence[UUID], by: Actor, at: datetime, reason: str) -> Repaired:
    """Let what the log says have its effect: taken in as if it had come, or worked on again where it is here.

    A message that differs is taken in beside ours, under a key of its own. Raises Forbidden (`integrations.reconcile`),
    Invalid, NotFound where nothing of it is open any more, and Disconnected.
    """
    by.require("integrations.reconcile")
    rows = _open(items, reason, [ItemKind.MISSING_HERE, ItemKind.DIFFERENT, ItemKind.UNWORKED])
    sender = sender_of(rows[0].reconciliation.interface.system.code, rows[0].reconciliation.interface.code)
    missed = [row for row in rows if row.kind != ItemKind.UNWORKED]
    outcomes = _take_in(sender, missed, at) if missed else {}
    again = [row for row in rows if row.kind == ItemKind.UNWORKED and row.message_id]
    if again:
        settling.replay(messages=[row.message_id for row in again if row.message_id], by=by, at=at, reason=reason)
        outcomes |= {row.pk: MessageStatus.RECEIVED.value for row in again}
    for row in rows:
        row.status, row.outcome = ItemStatus.REPAIRED, outcomes[row.pk]
        row.decided_by, row.decided_at, row.reason = by.reference, at, reason.strip()
    ReconciliationItem.objects.bulk_update(rows, ["status", "outcome", "decided_by", "decided_at", "reason"])
    accepted = sum(outcome == MessageStatus.ACCEPTED for outcome in outcomes.values())
    return Repaired(accepted, len(rows) - accepted)


def explain(*, items: Sequence[UUID], by: Actor, at: datetime, reason: str) -> int:
    """Leave things as they are here, and say why; return how many. Raises as `repair` does."""
    by.require("integrations.reconcile")
    keys = [row.pk for row in _open(items, reason, list(ItemKind))]
    return ReconciliationItem.objects.filter(pk__in=keys, status=ItemStatus.OPEN).update(
        status=ItemStatus.EXPLAINED, decided_by=by.reference, decided_at=at, reason=reason.strip()
    )


def _open(items: Sequence[UUID], reason: str, kinds: Sequence[ItemKind]) -> list[ReconciliationItem]:
    check_texts(reason=(reason, LONGEST_REASON))
    if not reason.strip():
        raise Invalid(sentence("Say why."), {"reason": [sentence("Required.")]})
    if len(items) > MOST_AT_ONCE:
        raise Invalid(sentence("Up to {most} at once.", most=MOST_AT_ONCE))
    rows = ReconciliationItem.objects.filter(pk__in=items, status=ItemStatus.OPEN, kind__in=kinds)
    found = list(rows.select_related("reconciliation__interface__system").order_by("id"))
    if not found:
        raise NotFound(sentence("Nothing of it is open any more."))
    if len({row.reconciliation_id for row in found}) > 1:
        raise Invalid(sentence("They are of several reconciliations."))
    return found


def _take_in(sender: Sender, rows: Sequence[ReconciliationItem], at: datetime) -> dict[UUID, str]:
    """Take messages in as if they had come: each is known by its key, so a repeat has no second effect."""
    pieces = [Piece(_name_of(row), bytes(row.theirs or b"")) for row in rows]
    taken = take_pieces(sender=sender, pieces=pieces, way=Way.FILE, at=at)
    return {row.pk: one.status for row, one in zip(rows, taken, strict=True)}


def _name_of(row: ReconciliationItem) -> str:
    """Return under which key a message is taken in: its own, or where ours has that one, one beside it."""
    if row.kind != ItemKind.DIFFERENT:
        return row.key
    return f"{row.key[:160]}~{hashlib.sha256(bytes(row.theirs or b'')).hexdigest()[:16]}"

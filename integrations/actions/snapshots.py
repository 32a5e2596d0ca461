"""Inventory snapshots: taken in once, compared with the books beside all other work, and decided on by people."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import BinaryIO, cast
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from integrations.actions.cases import Contradiction, open_by_rule
from integrations.models import ExternalSystem, InventorySnapshot, SnapshotDifference
from integrations.snapshots import loading, sql
from integrations.snapshots.loading import Found, Pace
from integrations.statuses import DifferenceKind, DifferenceStatus, DiscrepancyKind, SnapshotStatus
from orders.rules import check_texts
from parts.actions.stock.corrections import Correction, apply_corrections
from parts.actions.stock.levels import lock_levels_by_key, read_facts
from parts.actors import Actor
from parts.errors import Invalid, NotFound, Refused
from parts.rules import ZERO, LevelKey, number_problem
from parts.sentences import in_english, kept, sentence
from parts.statuses import CorrectionReason

logger = logging.getLogger(__name__)

FOLDER = "snapshots"
SOURCE = "snapshot"
#: How long a loader that says nothing is believed to work.
CLAIM_LASTS = timedelta(minutes=5)
MOST_ATTEMPTS = 5
#: How many differences are decided by one call.
MOST_AT_ONCE = 1_000
#: How many by one click on a snapshot; what is left is there for the next.
MOST_OF_ALL = 10_000
LONGEST_REASON = 300
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of an approval: how many books were corrected, how many agreed by then, and how many cannot be: they
    hold more for orders than there is, or their unit has no such parts."""

    corrected: int = 0
    settled: int = 0
    held: int = 0

    def __add__(self, other: Decided) -> Decided:
        return Decided(self.corrected + other.corrected, self.settled + other.settled, self.held + other.held)


def receive(
    *,
    system: ExternalSystem,
    file: BinaryIO,
    name: str,
    as_of: datetime,
    by: Actor,
    at: datetime,
    key: str = "",
    is_complete: bool = True,
) -> tuple[InventorySnapshot, bool]:
    """Keep a file to be compared; return its snapshot, and whether it is new. A repeat (the same key, or the same
    content where there is none) has no second effect. Raises Forbidden (`integrations.load_inventorysnapshot`), Invalid
    for a moment that has not come yet, an older one than was compared already, and a key that had another content.
    """
    by.require("integrations.load_inventorysnapshot")
    check_texts(key=(key, 200), name=(name, 200))
    if as_of > at + timedelta(minutes=5):
        raise Invalid(sentence("The moment has not come yet."), {"as_of": [sentence("The moment has not come yet.")]})
    fingerprint, size = _fingerprint(file)
    key = key or f"sha256:{fingerprint.hex()}"
    if known := InventorySnapshot.objects.filter(system=system, key=key).first():
        return _repeated(known, fingerprint), False
    newest = InventorySnapshot.objects.filter(system=system, status=SnapshotStatus.COMPARED).order_by("-as_of").first()
    if newest is not None and newest.as_of >= as_of:
        says = sentence("One that is newer, of {as_of}, was compared already.", as_of=newest.as_of.isoformat())
        raise Invalid(says, {"as_of": [says]})
    stored = default_storage.save(f"{FOLDER}/{fingerprint.hex()[:32]}", File(file))
    snapshot, is_new = InventorySnapshot.objects.get_or_create(
        system=system,
        key=key,
        defaults={
            "as_of": as_of,
            "is_complete": is_complete,
            "file": stored,
            "file_name": name,
            "size": size,
            "fingerprint": fingerprint,
            "actor": by.reference,
            "received_at": at,
        },
    )
    if not is_new:  # somebody sent the same at this moment
        default_storage.delete(stored)
        _repeated(snapshot, fingerprint)
    return snapshot, is_new


def _fingerprint(file: BinaryIO) -> tuple[bytes, int]:
    digest, size = hashlib.sha256(), 0
    while piece := file.read(_PIECE):
        digest.update(piece)
        size += len(piece)
    file.seek(0)
    return digest.digest(), size


def _repeated(known: InventorySnapshot, fingerprint: bytes) -> InventorySnapshot:
    if bytes(known.fingerprint) != fingerprint:
        raise Invalid(
            sentence("Another file came under this key."), {"key": [sentence("Another file came under this key.")]}
        )
    return known


def load_next(*, share: float = 0.5) -> InventorySnapshot | None:
    """Compare the file that waits longest, if there is one; return its snapshot. Never in a transaction.

    A file that cannot be compared is refused and says why; one that ends its loader is refused at the fifth try.
    """
    snapshot = _claim(timezone.now())
    if snapshot is None:
        return None
    pace = Pace(share=share, alive=lambda done, of: _alive(snapshot, done, of))
    try:
        if snapshot.attempts > MOST_ATTEMPTS:
            raise Refused(sentence("Comparing it failed {count} times.", count=MOST_ATTEMPTS))
        with default_storage.open(snapshot.file, "rb") as file:
            found = loading.compare(snapshot=snapshot, file=cast(BinaryIO, file), pace=pace)
    except Refused as refusal:
        _refuse(snapshot, refusal)
    except FileNotFoundError:
        _refuse(snapshot, Refused(sentence("The file is not kept any more.")))
    else:
        _finish(snapshot, found)
    finally:
        sql.CLEAR.rows()
    snapshot.refresh_from_db()
    return snapshot


def _claim(at: datetime) -> InventorySnapshot | None:
    """Take up the oldest that nobody works on. Those of one system come one after the other, by their moment."""
    with transaction.atomic():
        free = Q(status=SnapshotStatus.RECEIVED) | Q(status=SnapshotStatus.COMPARING, claimed_until__lte=at)
        busy = InventorySnapshot.objects.filter(status=SnapshotStatus.COMPARING, claimed_until__gt=at).values("system")
        snapshot = (
            InventorySnapshot.objects.select_for_update(of=("self",), skip_locked=True)
            .select_related("system")
            .filter(free)
            .exclude(system__in=busy)
            .order_by("as_of", "id")
            .first()
        )
        if snapshot is None:
            return None
        snapshot.status = SnapshotStatus.COMPARING
        snapshot.attempts += 1
        snapshot.claimed_until = at + CLAIM_LASTS
        snapshot.slices_done = 0
        snapshot.save(update_fields=["status", "attempts", "claimed_until", "slices_done"])
        return snapshot


def _alive(snapshot: InventorySnapshot, done: int, of: int) -> None:
    InventorySnapshot.objects.filter(pk=snapshot.pk).update(
        claimed_until=timezone.now() + CLAIM_LASTS, slices=of, slices_done=done
    )


def _refuse(snapshot: InventorySnapshot, refusal: Refused) -> None:
    logger.warning("snapshot refused: %s", in_english(refusal.says), extra={"snapshot": str(snapshot.pk)})
    with transaction.atomic():
        SnapshotDifference.objects.filter(snapshot=snapshot).delete()
        InventorySnapshot.objects.filter(pk=snapshot.pk).update(
            status=SnapshotStatus.REFUSED, refusal=kept(refusal.says), claimed_until=None
        )


def _finish(snapshot: InventorySnapshot, found: Found) -> None:
    """Let its differences be decided on, older ones be past, and who answers for them be told; all of it or none."""
    at = timezone.now()
    with transaction.atomic():
        sql.OPEN_DIFFERENCES.rows(snapshot=snapshot.pk, system=snapshot.system_id)
        InventorySnapshot.objects.filter(pk=snapshot.pk).update(
            status=SnapshotStatus.COMPARED,
            compared_at=at,
            claimed_until=None,
            slices_done=F("slices"),
            rows=found.rows,
            unreadable=found.unreadable,
            stock=found.stock,
            same=found.same,
            different=found.different,
            unknown=found.unknown,
            not_listed=found.not_listed,
            beyond=found.beyond,
            value=found.value,
        )
        if found.beyond:
            _open_cases(snapshot, at)


def _open_cases(snapshot: InventorySnapshot, at: datetime) -> None:
    """Open a case for each warehouse in which something is beyond the tolerance, about what is worth most there."""
    cases = [
        Contradiction(
            DiscrepancyKind.COUNT_LEVEL.value,
            expected=sentence(
                "{quantity} × {part} in the books of {place}", quantity=ours.normalize(), part=part, place=place
            ),
            found=sentence(
                "{quantity} by {system}; in all {count} beyond the tolerance, worth {value}",
                quantity=theirs.normalize(),
                system=snapshot.system.code,
                count=count,
                value=value,
            ),
            about={"level_id": level_id},
            cause=("message_key", f"snapshot:{snapshot.pk}:{place}"),
        )
        for place, count, value, level_id, part, theirs, ours in sql.BEYOND.rows(snapshot=snapshot.pk)
        if level_id is not None
    ]
    open_by_rule(found=cases, by=Actor.system(SOURCE), source=snapshot.system.code, at=at)


def forget_old(*, at: datetime) -> int:
    """Delete the files of snapshots that ended long ago, and those of their differences that newer ones replaced.

    What people decided stays. Return how many rows were deleted; a repeat finds nothing.
    """
    old = InventorySnapshot.objects.filter(received_at__lt=at - timedelta(days=settings.SNAPSHOT_KEEP_DAYS))
    old = old.filter(status__in=(SnapshotStatus.COMPARED, SnapshotStatus.REFUSED))
    for stored in old.exclude(file="").values_list("file", flat=True):
        default_storage.delete(stored)
    gone, _by_model = SnapshotDifference.objects.filter(
        snapshot__in=old, status__in=(DifferenceStatus.SUPERSEDED, DifferenceStatus.SETTLED)
    ).delete()
    old.exclude(file="").update(file="")
    return gone


# --- Decisions -------------------------------------------------------------------------------------------------------


def approve(*, differences: Sequence[UUID], reason: str, by: Actor, source: str, at: datetime) -> Decided:
    """Let the books say what the system said: each by as much as they differed at that moment, whatever has happened
    since. What agrees by now is settled; what holds more for orders than there is, or is half a piece, stays open.

    Raises Forbidden (`integrations.approve_snapshotdifference`), Invalid, NotFound where nothing is open any more.
    """
    by.require("integrations.approve_snapshotdifference")
    _check(differences, reason)
    with transaction.atomic():
        rows = _locked(differences, kinds=(DifferenceKind.QUANTITY, DifferenceKind.NOT_LISTED))
        return _approve(rows, reason.strip(), by=by, source=source, at=at)


def approve_all(
    *,
    snapshot: InventorySnapshot,
    reason: str,
    by: Actor,
    source: str,
    at: datetime,
    only_within: bool = True,
    warehouse_id: UUID | None = None,
) -> Decided:
    """Approve what is open of a snapshot, up to `MOST_OF_ALL`: what is within the tolerance only, or all of it; of one
    warehouse, or of all. Each thousand is a transaction. Raises as `approve` does.
    """
    rows = SnapshotDifference.objects.filter(
        snapshot=snapshot,
        status=DifferenceStatus.OPEN,
        kind__in=(DifferenceKind.QUANTITY, DifferenceKind.NOT_LISTED),
    )
    if only_within:
        rows = rows.filter(is_beyond=False)
    if warehouse_id is not None:
        rows = rows.filter(warehouse=warehouse_id)
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[:MOST_OF_ALL])
    if not keys:
        by.require("integrations.approve_snapshotdifference")
        raise NotFound(sentence("Nothing of it is open any more."))
    done = Decided()
    for first in range(0, len(keys), MOST_AT_ONCE):
        some = keys[first : first + MOST_AT_ONCE]
        done += approve(differences=some, reason=reason, by=by, source=source, at=at)
    return done


def dismiss(*, differences: Sequence[UUID], reason: str, by: Actor, at: datetime) -> int:
    """Keep the books as they are; return of how many differences. Raises as `approve` does."""
    by.require("integrations.approve_snapshotdifference")
    _check(differences, reason)
    with transaction.atomic():
        keys = [row.pk for row in _locked(differences)]
        return SnapshotDifference.objects.filter(pk__in=keys).update(
            status=DifferenceStatus.DISMISSED, decided_by=by.reference, decided_at=at, reason=reason.strip()
        )


def _check(differences: Sequence[UUID], reason: str) -> None:
    check_texts(reason=(reason, LONGEST_REASON))
    if not reason.strip():
        raise Invalid(sentence("Say why."), {"reason": [sentence("Required.")]})
    if len(differences) > MOST_AT_ONCE:
        raise Invalid(sentence("Up to {most} at once.", most=MOST_AT_ONCE))


def _locked(differences: Sequence[UUID], kinds: Sequence[str] = ()) -> list[SnapshotDifference]:
    rows = SnapshotDifference.objects.select_for_update(of=("self",)).select_related("snapshot__system")
    rows = rows.filter(pk__in=differences, status=DifferenceStatus.OPEN).order_by("pk")
    found = list(rows.filter(kind__in=kinds) if kinds else rows)
    if not found:
        raise NotFound(sentence("Nothing of it is open any more."))
    if len({row.snapshot_id for row in found}) > 1:
        raise Invalid(sentence("They are of several snapshots."))
    return found


def _approve(rows: Sequence[SnapshotDifference], reason: str, *, by: Actor, source: str, at: datetime) -> Decided:
    """Correct the books under their locks, by what they differ then."""
    keys = {row.pk: _level_key(row) for row in rows}
    facts = read_facts(list(keys.values()))
    levels = lock_levels_by_key(facts)
    corrections: list[tuple[SnapshotDifference, Correction]] = []
    settled: list[SnapshotDifference] = []
    held = 0
    since = _since(rows[0].snapshot.as_of, [level.id for level in levels.values() if not level.is_new])
    for row in rows:
        level = levels[keys[row.pk]]
        on_hand_since, unfit_since = since.get(level.id, (ZERO, ZERO))
        assert row.theirs is not None, "one of another quantity says which"
        on_hand = row.theirs - (level.balance.on_hand - on_hand_since)
        unfit = ZERO if row.theirs_unfit is None else row.theirs_unfit - (level.balance.unfit - unfit_since)
        if not on_hand and not unfit:
            settled.append(row)
        elif not level.balance.changed(on_hand, unfit).is_possible or any(
            number_problem(change, facts[keys[row.pk]].decimals) for change in (on_hand, unfit)
        ):
            held += 1
        else:
            corrections.append((row, _correction(row, keys[row.pk], on_hand, unfit, reason)))
    done = apply_corrections(corrections=[correction for _row, correction in corrections], by=by, source=source, at=at)
    for (row, _correction_of), corrected in zip(corrections, done, strict=True):
        row.status, row.correction_id = DifferenceStatus.CORRECTED, corrected.correction_id
    for row in settled:
        row.status = DifferenceStatus.SETTLED
    changed = [row for row, _correction_of in corrections] + settled
    for row in changed:
        row.decided_by, row.decided_at, row.reason = by.reference, at, reason
    SnapshotDifference.objects.bulk_update(
        changed, ["status", "correction", "decided_by", "decided_at", "reason"], batch_size=MOST_AT_ONCE
    )
    return Decided(len(corrections), len(settled), held)


def _level_key(row: SnapshotDifference) -> LevelKey:
    assert row.part_id is not None, "the database has it so"
    assert row.warehouse_id is not None, "the database has it so"
    return LevelKey(row.part_id, row.warehouse_id, row.condition, row.owner)


def _since(as_of: datetime, levels: Sequence[UUID]) -> dict[UUID, tuple[Decimal, Decimal]]:
    """Return by level what has happened since a moment, on hand and unfit."""
    rows = sql.SINCE.rows(levels=list(levels), as_of=as_of)
    return {level: (on_hand, unfit) for level, on_hand, unfit in rows}


def _correction(row: SnapshotDifference, key: LevelKey, on_hand: Decimal, unfit: Decimal, reason: str) -> Correction:
    return Correction(
        part_id=key.part_id,
        warehouse_id=key.warehouse_id,
        reason=CorrectionReason.COUNT.value,
        condition=key.condition,
        owner=key.owner,
        on_hand_change=on_hand,
        unfit_change=unfit,
        note=reason,
        reference=f"{row.snapshot.system.code} {row.snapshot.as_of:%Y-%m-%dT%H:%MZ}",
    )

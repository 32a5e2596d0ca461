"""Erase what people wrote, or what was written about them; the chains of the ledger stay whole."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from orders import sql
from orders.actions.attachments import delete_with_commit
from orders.chains import chained_models
from orders.errors import ConcurrentChange, ReasonRequired
from orders.ledger import Cause, Ledger, Subject
from orders.models import EventText, OverrideRequest, PartsOrder, ServiceOrder
from orders.models.chained import Chained
from parts.actors import Actor
from parts.errors import Invalid
from parts.sentences import sentence

ERASED = "note.erased"

#: Move subjects on by the event of the erasure; their locks are held. Parameters: changes, events, texts.
_WRITE = """
WITH {append},
changed AS (
    UPDATE {table} AS subject
    SET version = change.version, chain_hash = decode(change.chain_hash, 'hex')
    FROM json_to_recordset(%(changes)s::json) AS change (
        id uuid, read_version integer, version integer, chain_hash text
    )
    WHERE subject.id = change.id AND subject.version = change.read_version
    RETURNING 1
)
SELECT count(*) FROM changed
"""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased: how many texts, of how many subjects, and how many files that overrides rested on."""

    texts: int
    subjects: int
    files: int = 0


class _Touched(Subject):
    """A subject as it stands under its lock."""

    __slots__ = ("kind", "read_version")

    read_version: int


def erase_texts(
    *,
    reason: str,
    by: Actor,
    source: str,
    at: datetime,
    subject_ids: Collection[UUID] = (),
    actors: Collection[str] = (),
    event_ids: Collection[UUID] = (),
) -> Erased:
    """Delete the texts of events: all of some subjects, all that some actors (`user:17`) wrote, or single ones.

    What was handed in as evidence of an override goes with the text that asked for it: the file and its name; the
    digest stays. Each subject gets an event that names the erased ones and keeps the reason (as a text of its own;
    write nobody's name in it). Reasons of earlier erasures stay unless their events are named. What was erased is gone:
    there is no way back, and copies in backups and exports are for whoever keeps those. A repeat finds nothing and does
    nothing.

    Raises Forbidden, ReasonRequired, and Invalid where nothing is named. The number of statements does not depend on
    how many texts there are.
    """
    by.require("orders.erase_eventtext")
    if not reason.strip():
        raise ReasonRequired(
            sentence("Say why this is erased."), fields={"reason": [sentence("A reason is required.")]}
        )
    if not (subject_ids or actors or event_ids):
        raise Invalid(sentence("Say whose texts."), {"subject_ids": [sentence("Name subjects, actors or events.")]})
    wanted = (Q(event__subject_id__among=subject_ids) | Q(event__actor__in=actors)) & ~Q(event__kind=ERASED)
    wanted |= Q(event__id__among=event_ids)
    with transaction.atomic():
        evidence = _locked_evidence(subject_ids, actors, event_ids)
        found = list(EventText.objects.filter(wanted).values_list("event__subject_kind", "event__subject_id"))
        ids: defaultdict[str, set[UUID]] = defaultdict(set)
        for kind, subject_id in found:
            ids[kind].add(subject_id)
        for row in evidence:
            ids[row.subject.subject_kind].add(row.subject.pk)
        models = [model for model in chained_models() if ids[model.subject_kind]]
        _lock(models, ids)
        # Read again under the locks: somebody else may have erased some meanwhile, or written more.
        texts = list(
            EventText.objects.filter(wanted, event__subject_id__among=set().union(*ids.values())).values_list(
                "pk", "event_id", "event__subject_id"
            )
        )
        events: defaultdict[UUID, list[str]] = defaultdict(list)
        for _key, event_id, subject_id in texts:
            events[subject_id].append(str(event_id))
        for row in evidence:
            if str(row.asked_event) not in events[row.subject.pk]:
                events[row.subject.pk].append(str(row.asked_event))
        for model in models:
            _record(model, ids[model.subject_kind] & set(events), events, reason.strip(), Cause(by, source, at))
        EventText.objects.filter(pk__among=[key for key, _event_id, _subject_id in texts]).delete()
        _take_away(evidence)
    return Erased(len(texts), len(events), len(evidence))


def _locked_evidence(
    subject_ids: Collection[UUID], actors: Collection[str], event_ids: Collection[UUID]
) -> list[OverrideRequest]:
    """Lock the requests whose evidence goes, before their subjects, as whoever consents to one does."""
    people = [int(actor[5:]) for actor in actors if actor.startswith("user:") and actor[5:].isdecimal()]
    wanted = Q(line__id__among=subject_ids) | Q(service_order__id__among=subject_ids)
    wanted |= Q(requested_by__in=people) | Q(asked_event__among=event_ids)
    rows = OverrideRequest.objects.filter(wanted).exclude(evidence="").select_related("line", "service_order")
    return list(rows.select_for_update(of=("self",), no_key=True).order_by("pk"))


def _take_away(evidence: Collection[OverrideRequest]) -> None:
    for row in evidence:
        delete_with_commit(row.evidence)
    OverrideRequest.objects.filter(pk__in=[row.pk for row in evidence]).update(evidence="", evidence_name="")


def _lock(models: Iterable[type[Chained]], ids: defaultdict[str, set[UUID]]) -> None:
    """Lock the orders that own the subjects, then the jobs, each in key order; note that the orders' trees change."""
    orders: set[UUID] = set()
    for model in models:
        if model is not ServiceOrder:
            owned = model._default_manager.filter(pk__among=ids[model.subject_kind])
            orders |= set(owned.order_by().values_list(model.lock_path, flat=True))
    if orders:
        list(PartsOrder.objects.filter(pk__among=orders).locked().values_list("pk"))
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE orders_partsorder SET revision = revision + 1 WHERE id = ANY(%s::uuid[])", [sorted(orders)]
            )
    if jobs := ids[ServiceOrder.subject_kind]:
        locked = ServiceOrder.objects.filter(pk__among=jobs).select_for_update(of=("self",), no_key=True)
        list(locked.order_by("pk").values_list("pk"))


def _record(
    model: type[Chained], ids: Collection[UUID], events: dict[UUID, list[str]], reason: str, cause: Cause
) -> None:
    """Append the event of the erasure to each subject of one model."""
    if not ids:
        return
    ledger, touched = Ledger(cause), _read(model, ids)
    for subject in touched:
        ledger.record(subject, ERASED, data={"events": sorted(events[subject.id])}, note=reason)
    changes = [
        {
            "id": str(subject.id),
            "read_version": subject.read_version,
            "version": subject.version,
            "chain_hash": subject.chain_hash.hex(),
        }
        for subject in touched
    ]
    statement = _WRITE.format(append=sql.APPEND_EVENTS, table=model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(statement, {"changes": json.dumps(changes), **ledger.parameters()})
        if cursor.fetchone() != (len(ids),):
            raise ConcurrentChange(sentence("A subject was changed by somebody who did not hold its lock."))


def _read(model: type[Chained], ids: Collection[UUID]) -> Sequence[_Touched]:
    columns = ("pk", "reference", "version", "chain_hash", "status", "status_since")
    found = []
    for row in model._default_manager.filter(pk__among=ids).order_by("pk").values_list(*columns):
        subject = _Touched()
        subject.id, subject.reference, subject.version, chain_hash, subject.status, subject.status_since = row
        subject.kind, subject.chain_hash, subject.read_version = model.subject_kind, bytes(chain_hash), row[2]
        found.append(subject)
    return found

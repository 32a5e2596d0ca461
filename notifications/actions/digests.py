"""Digests of stuck orders: made, changed and stopped by their readers, and fired by the clock.

`fire_due` writes down a day's issue of each digest whose hour has come, and lets a notice say it. One issue a local
date is all that the database takes, so that it may be stopped anywhere and run twice at once. After an outage only the
latest hour counts, and only while it is of use (`OF_USE`); the hours before it are never made up for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Max

from notifications import digest_letters, readers, sql, stuck
from notifications.actions.addresses import own_reader
from notifications.models import DigestIssue, DigestSubscription
from notifications.models.digests import DIGEST_CHANNELS, EVERY_DAY
from notifications.occurrences import Occurrence, Schedule
from notifications.readers import Reader
from notifications.statuses import Channel, DigestOutcome
from orders.rules import text_faults
from parts.actors import Actor
from parts.documents import as_text
from parts.errors import Forbidden, Invalid, NotFound, Refused
from parts.keys import new_key
from parts.sentences import sentence
from parts.zones import known_zone

MAKE = "notifications.add_digestsubscription"
#: How many a person may have, and how many are fired in one transaction.
MOST, BATCH = 20, 25
#: A digest for the morning is of use until the evening; after that, the next one says it better.
OF_USE = timedelta(hours=12)
#: Within so many seconds of its hour a digest is in time.
TARGET_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a digest is to be. `filters` is what the address of the board says; no zone, no language: the reader's."""

    name: str
    filters: str = ""
    days: int = 3
    hour: int = 7
    weekdays: Collection[int] = EVERY_DAY
    time_zone: str = ""
    language: str = ""
    channel: str = Channel.EMAIL.value
    says_nothing: bool = False


@dataclass(slots=True)
class Fired:
    """What firing did: how many digests were due, and how many of them are told."""

    due: int = 0
    told: int = 0


def make(*, wanted: Wanted, by: Actor, at: datetime) -> DigestSubscription:
    """Make a digest of one's own; it first comes at its next hour. Raises Forbidden, Invalid, Refused."""
    _require(by)
    with transaction.atomic():
        assert by.user_id is not None
        readers.of_person(by.user_id, at)  # who was never written to is no reader yet
        reader = own_reader(by)
        others = DigestSubscription.objects.filter(reader=reader)
        if others.count() >= MOST:
            raise Refused(sentence("You have {most} digests already; delete one first.", most=MOST))
        one = DigestSubscription(reader=reader, created_at=at)
        _keep(one, wanted, others, at)
    return one


def change(*, digest_id: UUID, wanted: Wanted, by: Actor, at: datetime) -> DigestSubscription:
    """Change a digest of one's own; a day that had its issue gets no second one.

    Raises Forbidden, Invalid, NotFound.
    """
    _require(by)
    with transaction.atomic():
        one = _own(digest_id, by)
        _keep(one, wanted, DigestSubscription.objects.filter(reader=one.reader).exclude(pk=one.pk), at)
    return one


def switch(*, digest_id: UUID, on: bool, by: Actor, at: datetime) -> bool:
    """Stop a digest of one's own, or let it come again; return whether that changed anything.

    One that was stopped says nothing any more, what waits to go out neither. Raises Forbidden, NotFound.
    """
    _require(by)
    with transaction.atomic():
        one = _own(digest_id, by)
        if one.is_active == on:
            return False
        one.is_active = on
        one.next_at = schedule_of(one).next_after(at, _last_day(one)).at if on else None
        one.save()
    return True


def delete(*, digest_id: UUID, by: Actor) -> None:
    """Delete a digest of one's own, with what came of it. Raises Forbidden, NotFound."""
    _require(by)
    with transaction.atomic():
        _own(digest_id, by).delete()


def schedule_of(one: DigestSubscription) -> Schedule:
    """Return when a digest comes. It comes with its reader."""
    return Schedule(one.hour, tuple(one.weekdays), one.time_zone or one.reader.time_zone or "UTC")


def reschedule(*, reader_id: UUID, at: datetime) -> None:
    """Let the digests of a reader come by the zone that the reader has now, where they have none of their own."""
    rows = DigestSubscription.objects.select_for_update(of=("self",)).select_related("reader")
    moved = list(rows.filter(reader=reader_id, is_active=True, time_zone=""))
    had = _days_had(moved)
    for one in moved:
        one.next_at = schedule_of(one).next_after(at, had.get(one.pk)).at
    DigestSubscription.objects.bulk_update(moved, ["next_at"])


def _require(by: Actor) -> None:
    by.require(MAKE)
    if by.user_id is None:
        raise Forbidden(sentence("Only a person has digests of their own."))


def _own(digest_id: UUID, by: Actor) -> DigestSubscription:
    """Return one's own digest, locked, with its reader; that of another is none."""
    own = DigestSubscription.objects.select_for_update(of=("self",)).select_related("reader")
    found = own.filter(pk=digest_id, reader__user=by.user_id).first()
    if found is None:
        raise NotFound(sentence("You have no such digest."), id=str(digest_id))
    return found


def _last_day(one: DigestSubscription) -> date | None:
    last: date | None = DigestIssue.objects.filter(subscription=one.pk).aggregate(last=Max("local_date"))["last"]
    return last


def _keep(one: DigestSubscription, wanted: Wanted, others: Any, at: datetime) -> None:
    wanted = _checked(wanted, others)
    one.name, one.filters, one.days, one.hour = wanted.name, wanted.filters, wanted.days, wanted.hour
    one.weekdays, one.time_zone, one.language = list(wanted.weekdays), wanted.time_zone, wanted.language
    one.channel, one.says_nothing = wanted.channel, wanted.says_nothing
    one.next_at = schedule_of(one).next_after(at, _last_day(one)).at if one.is_active else None
    one.save()


def _checked(wanted: Wanted, others: Any) -> Wanted:
    """Return what is wanted, tidied. Raises Invalid."""
    name, weekdays = " ".join(wanted.name.split()), sorted(set(wanted.weekdays))
    faults = text_faults(name=(name, 80), filters=(wanted.filters, 600))
    if not name:
        faults["name"] = [sentence("Give the digest a name.")]
    elif others.filter(name=name).exists():
        faults["name"] = [sentence("You have a digest of this name already.")]
    if not 1 <= wanted.days <= 365:
        faults["days"] = [sentence("A number of days from 1 to 365.")]
    if not 0 <= wanted.hour <= 23:
        faults["hour"] = [sentence("An hour of the day, from 0 to 23.")]
    if not weekdays or not set(weekdays) <= set(EVERY_DAY):
        faults["weekdays"] = [sentence("Choose at least one day.")]
    if wanted.language and wanted.language not in dict(settings.LANGUAGES):
        faults["language"] = [sentence("We do not write in this language.")]
    if wanted.channel not in DIGEST_CHANNELS:
        faults["channel"] = [sentence("A digest does not go this way.")]
    if wanted.time_zone:
        try:
            known_zone(wanted.time_zone)
        except ValidationError:
            faults["time_zone"] = [sentence("There is no time zone of this name.")]
    if faults:
        raise Invalid(sentence("This cannot be kept as it is."), faults)
    return Wanted(
        name,
        wanted.filters,
        wanted.days,
        wanted.hour,
        weekdays,
        wanted.time_zone,
        wanted.language,
        wanted.channel,
        wanted.says_nothing,
    )


# --- By the clock -----------------------------------------------------------------------------------------------------


def fire_due(*, at: datetime, go_on: Callable[[], bool] = lambda: True) -> Fired:
    """Write down an issue of each digest whose hour has come; `go_on` is asked before each batch."""
    fired = Fired()
    while go_on():
        some = fire_some(at=at)
        fired.due += some.due
        fired.told += some.told
        if some.due < BATCH:
            break
    return fired


@dataclass(slots=True)
class _Due:
    """A digest whose hour has come: which occurrence of it counts (none: it had that day's), and what came of it."""

    one: DigestSubscription
    occurrence: Occurrence | None
    outcome: DigestOutcome = DigestOutcome.TOLD
    found: int | None = None
    channel: str = ""


def fire_some(*, at: datetime) -> Fired:
    """Write down a batch of issues with their notices, and when each digest comes next. Constant statements."""
    with transaction.atomic():
        rows = list(
            DigestSubscription.objects.select_for_update(of=("self",), skip_locked=True)
            .select_related("reader__user")
            .filter(is_active=True, next_at__lte=at)
            .order_by("next_at", "id")[:BATCH]
        )
        if not rows:
            return Fired()
        had = _days_had(rows)
        due = [_Due(one, _counting(one, had.get(one.pk), at)) for one in rows]
        _decide([each for each in due if each.occurrence], at)
        notices = _write_notices(due, at)
        _write_issues(due, notices, at)
        for one in rows:
            fired_on = [each.occurrence.day for each in due if each.one is one and each.occurrence]
            one.next_at = schedule_of(one).next_after(at, max([*fired_on, *_day(had.get(one.pk))], default=None)).at
        DigestSubscription.objects.bulk_update(rows, ["next_at"])
    return Fired(len(rows), len(notices))


def _day(day: date | None) -> list[date]:
    return [day] if day else []


def _days_had(rows: Sequence[DigestSubscription]) -> dict[UUID, date]:
    """Return the last local date that each digest had its issue of. One statement."""
    found = DigestIssue.objects.filter(subscription__in=[one.pk for one in rows]).order_by()
    return dict(found.values_list("subscription").annotate(last=Max("local_date")))


def _counting(one: DigestSubscription, had: date | None, at: datetime) -> Occurrence | None:
    """Return the latest occurrence of a digest since it was to come, unless its day had its issue."""
    latest = schedule_of(one).latest_until(at)
    if latest is None or one.next_at is None or latest.at < one.next_at:
        return None  # its reader moved to another zone meanwhile: it comes by the clocks there
    return latest if had is None or latest.day > had else None


def _decide(due: Sequence[_Due], at: datetime) -> None:
    """Say what comes of each. Ten statements at most, whatever their number."""
    people = [each.one.reader.user_id for each in due if each.one.reader.user_id is not None]
    allowed = stuck.who_may_see(people)
    who = readers.read(users=people, at=at).by_user
    asked = {}
    for each in due:
        assert each.occurrence is not None
        person = each.one.reader.user_id
        reader = who.get(person) if person is not None else None
        if reader is None or person not in allowed:
            each.outcome = DigestOutcome.FORBIDDEN
        elif at - each.occurrence.at > OF_USE:
            each.outcome = DigestOutcome.MISSED
        elif reader.is_muted(at):
            each.outcome = DigestOutcome.MUTED
        else:
            each.channel = _way(each.one, reader)
            asked[each.one.pk] = digest_letters.asked_by(each.one)
    counts = stuck.counts(asked, at)
    for each in due:
        if each.one.pk in asked:
            each.found = counts.get(each.one.pk, 0)
            if not each.found and not each.one.says_nothing:
                each.outcome = DigestOutcome.NOTHING


def _way(one: DigestSubscription, reader: Reader) -> str:
    """Return the way of a digest: the house's own where its reader has no address to be written to."""
    return one.channel if one.channel in reader.channels else Channel.INBOX.value


def _write_notices(due: Sequence[_Due], at: datetime) -> dict[UUID, UUID]:
    """Write the notices that say what is told; return them by their digest. One that still waits says this, too."""
    told = [each for each in due if each.occurrence and each.outcome == DigestOutcome.TOLD]
    if not told:
        return {}
    rows: list[dict[str, Any]] = [
        {
            "id": new_key(),
            "recipient_id": each.one.reader_id,
            "channel": each.channel,
            "thread_kind": digest_letters.STUCK,
            "thread_id": each.one.pk,
            "reference": "",
            "region_id": None,
            "sources": [],
            "messages_count": 0,
            "is_urgent": False,
            "target_seconds": TARGET_SECONDS,
            "due_at": at,
            "caused_at": each.occurrence.at if each.occurrence else at,
            "held_until": None,
        }
        for each in told
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql.WRITE_NOTICES, {"notices": as_text(rows)})
        return dict(cursor.fetchall())


def _write_issues(due: Sequence[_Due], notices: Mapping[UUID, UUID], at: datetime) -> None:
    DigestIssue.objects.bulk_create(
        DigestIssue(
            subscription=each.one,
            local_date=each.occurrence.day,
            due_at=each.occurrence.at,
            written_at=at,
            outcome=each.outcome,
            found=each.found,
            asked=_asked(each.one),
            notice_id=notices.get(each.one.pk) if each.outcome == DigestOutcome.TOLD else None,
        )
        for each in due
        if each.occurrence
    )


def _asked(one: DigestSubscription) -> dict[str, Any]:
    """Return what a digest asks for, as its issue keeps it."""
    return {
        "name": one.name,
        "filters": one.filters,
        "days": one.days,
        "hour": one.hour,
        "weekdays": list(one.weekdays),
        "time_zone": one.time_zone or one.reader.time_zone or "UTC",
        "says_nothing": one.says_nothing,
    }

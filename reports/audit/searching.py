"""Searches the ledger: the newest events that fit, a page at a time, whatever is asked and however long it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser, User
from django.db import connection
from django.db.models import Q, Value
from django.db.models.functions import Concat

from orders.chains import chained_models
from orders.models import OrderEvent, OrderLine, PartsOrder, ServiceOrder
from orders.models.ledger import COMMON_KINDS
from orders.searching import find_jobs, find_lines, find_parts_orders
from reports.audit import sql

#: How many events a page holds, and how many subjects one reference may stand for.
PAGE, MOST_SUBJECTS = 50, 5_000
#: What makes up less of the ledger than this is looked up as a whole and then sorted.
_FEW = 0.002
#: How far the time in an event's key may be from the time of its recording.
_SLACK = timedelta(seconds=2)
_LAST_KEY = UUID(int=2**128 - 1)
#: How many people a name may mean.
MOST_PEOPLE = 12


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for. Empty means anything; times are those of recording, `until` is not in it."""

    subjects: tuple[UUID, ...] | None = None
    actor: str = ""
    source: str = ""
    kind: str = ""
    subject_kind: str = ""
    since: datetime | None = None
    until: datetime | None = None
    overrides: bool = False

    def parameters(self) -> dict[str, Any]:
        """Return what the conditions compare with."""
        values = {
            "subjects": None if self.subjects is None else list(self.subjects),
            "actor": self.actor,
            "source": self.source,
            "kind": self.kind,
            "subject_kind": self.subject_kind,
            "since": self.since,
            "until": self.until,
        }
        return {name: value for name, value in values.items() if value not in (None, "")}

    def conditions(self) -> list[str]:
        """Return what an event must be like, all of it."""
        said = [
            (self.subjects is not None, sql.SUBJECTS),
            (self.actor, sql.MACHINE),
            (self.source, sql.SOURCE),
            (self.kind, "event.kind = %(kind)s"),
            (self.subject_kind, "event.subject_kind = %(subject_kind)s"),
            (self.since, "event.recorded_at >= %(since)s"),
            (self.until, "event.recorded_at < %(until)s"),
            (self.overrides, sql.OVERRIDES),
        ]
        return [condition for is_asked, condition in said if is_asked]


@dataclass(frozen=True, slots=True)
class Found:
    """A page of events, the latest first. `older`: where the next page begins (None: this was the last).

    `looked_back_to` is set where the page is not full because enough was looked at: nothing fits until there.
    """

    rows: list[OrderEvent]
    older: UUID | None
    looked_back_to: datetime | None = None


def key_at(moment: datetime) -> UUID:
    """Return the first key that an event recorded at this moment could have; keys begin with 1970."""
    return UUID(int=min(max(int(moment.timestamp() * 1000), 0), 0xFFFFFFFFFFFF) << 80)


def moment_of(key: UUID) -> datetime:
    """Return the time in the key of an event, to the millisecond."""
    return datetime.fromtimestamp((key.int >> 80) / 1000, UTC)


def search(asked: Asked, *, before: UUID | None = None, size: int = PAGE) -> Found:
    """Return a page of the events that fit, the latest recorded first. At most four statements, of bounded cost.

    `before` is what the page before gave as `older`.
    """
    way, statement = _way(asked)
    parameters = asked.parameters() | {
        "before": _earliest(before, asked.until),
        "since_id": key_at(asked.since - _SLACK) if asked.since else UUID(int=0),
        "look_at": sql.LOOK_AT,
        "size": size + 1,
    }
    more = " AND ".join(asked.conditions()) or "true"
    keys = [key for (key,) in _run(statement.format(way=way, more=more), parameters)]
    older = keys[size - 1] if len(keys) > size else None
    looked_back_to: datetime | None = None
    if older is None and statement is sql.IN_ORDER:
        for (stopped_at,) in _run(sql.STOPPED_AT.format(way=way), parameters):
            older, looked_back_to = stopped_at, moment_of(stopped_at)
    rows = OrderEvent.objects.filter(pk__in=keys[:size]).select_related("text").order_by("-pk") if keys else []
    return Found(list(rows), older, looked_back_to)


def _earliest(before: UUID | None, until: datetime | None) -> UUID:
    ends = [end for end in (before, key_at(until + _SLACK) if until else None) if end is not None]
    return min(ends, default=_LAST_KEY)


def _way(asked: Asked) -> tuple[str, str]:
    """Return by what the search begins, which is the rarest of what is asked, and the statement that goes that way."""
    if asked.subjects is not None:
        return sql.SUBJECTS, sql.OF_FEW
    if asked.overrides:
        return sql.OVERRIDES, sql.OF_FEW
    is_person = asked.actor.startswith(("user:", "link:"))
    is_rare_kind = bool(asked.kind) and asked.kind not in COMMON_KINDS
    shares = _shares(asked) if asked.actor or asked.source or is_rare_kind else {}
    ways = [(1.0, sql.ALL, sql.IN_ORDER)]
    if asked.actor:
        share = shares.get(("actor", asked.actor), 0.0)
        way = (sql.PERSON, sql.IN_ORDER) if is_person else (sql.MACHINE, sql.OF_FEW)
        ways += [(share, *way)] if is_person or share < _FEW else []
    if is_rare_kind:
        ways.append((shares.get(("kind", asked.kind), 0.0), sql.RARE_KIND, sql.IN_ORDER))
    if asked.source and (share := shares.get(("source", asked.source), 0.0)) < _FEW:
        # A little dearer than an index that reads in order, so that it comes after one where both are as rare.
        ways.append((share + _FEW / 100, sql.SOURCE, sql.OF_FEW))
    _share, way_in, statement = min(ways, key=lambda one: one[0])
    return way_in, statement


def _shares(asked: Asked) -> dict[tuple[str, str], float]:
    """Return how much of the ledger the common values make up, by column and value; what is not there is rare."""
    names = [name for name in ("actor", "kind", "source") if getattr(asked, name)]
    return {(name, value): share for name, value, share in _run(sql.SHARES, {"names": names})}


def _run(statement: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


# --- What people type ------------------------------------------------------------------------------------------------


def subjects_named(text: str, reader: User | AnonymousUser) -> tuple[UUID, ...]:
    """Return the subjects that a reference stands for: an order, job or line and all that belongs to it, else the one
    subject that is called so (a case, a return); empty for none.

    Ours, the customer's own, of a shipment, or a tracking number; exactly, but for case and separators. At most seven
    statements and MOST_SUBJECTS subjects.
    """
    jobs, orders, lines = (
        [hit.row.pk for hit in find(text, reader, 20) if hit.is_exact]
        for find in (find_jobs, find_parts_orders, find_lines)
    )
    if jobs or orders or lines:
        parameters: dict[str, Any] = {"jobs": jobs, "orders": orders, "lines": lines, "most": MOST_SUBJECTS}
        statement = sql.SUBJECTS_OF.format(others=" UNION ALL ".join(_others_of()))
    else:
        parameters = {"reference": text.strip().upper()}
        tables = [model._meta.db_table for model in chained_models()]
        statement = " UNION ALL ".join(sql.SUBJECT_CALLED.format(table=table) for table in tables)
    return tuple(key for (key,) in _run(statement, parameters))


def _others_of() -> Iterator[str]:
    """Yield how each kind of subject is found that belongs to a job, order or line: back orders, cases, returns."""
    below: dict[Any, str] = {ServiceOrder: "job", PartsOrder: "parts_order", OrderLine: "line"}
    for model in chained_models():
        for field in model._meta.concrete_fields:
            if model not in below and field.related_model in below:
                names = {"table": model._meta.db_table, "column": field.column, "of": below[field.related_model]}
                yield sql.SUBJECTS_OF_OTHERS.format(**names)


def people_named(text: str) -> list[User]:
    """Return whom a name means: one person where it is exactly their user name, else those whose name holds it."""
    text = text.strip()
    exact = list(User.objects.filter(username__iexact=text)[:2])
    if len(exact) == 1 or not text:
        return exact
    full = Concat("first_name", Value(" "), "last_name")
    named = Q(username__icontains=text) | Q(full__icontains=text)
    return list(User.objects.annotate(full=full).filter(named).order_by("last_name", "username", "pk")[:MOST_PEOPLE])

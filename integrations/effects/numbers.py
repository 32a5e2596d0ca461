"""What others call our rows is learnt from what they send, so that what they send next may name them so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from integrations import sql
from integrations.effects.task import Task
from integrations.facts import NumberGiven
from integrations.models import NumberElsewhere
from integrations.senders import Sender
from integrations.subjects import look_up
from orders.actions.reporting import Result
from parts.errors import Refused
from parts.sentences import sentence

LONGEST_KIND, LONGEST_NUMBER = 40, 120
_MOST_WOKEN = 1000


class NumberMeansAnother(Refused):
    """A number of a system that it has given to something else of ours before: one number never means two."""

    code = "number_means_another"


def learn(tasks: Sequence[Task[NumberGiven]], sender: Sender, at: datetime) -> None:
    """Write down the numbers; a repeat changes nothing, and what waited for one of them is worked on again."""
    keys = look_up((task.fact.subject for task in tasks), sender)
    given: dict[tuple[str, str, str], NumberElsewhere] = {}
    for task in tasks:
        fact = task.fact
        key = keys.get(fact.subject)
        if key is None:
            task.is_missing(fact.subject)
        else:
            row = NumberElsewhere(
                system_id=sender.system_id,
                kind=fact.kind[:LONGEST_KIND],
                number=fact.number[:LONGEST_NUMBER],
                subject_kind=fact.subject.kind,
                subject_id=key,
                known_since=at,
            )
            given.setdefault((row.kind, row.number, fact.subject.kind), row)
    if not given:
        return
    known = write_down(list(given.values()), at)
    for task in tasks:
        key = keys.get(task.fact.subject)
        if key is not None:
            meant = known[task.fact.kind[:LONGEST_KIND], task.fact.number[:LONGEST_NUMBER]]
            if meant == (task.fact.subject.kind, key):
                task.results.append(Result("noted"))
            else:
                task.refuse(
                    NumberMeansAnother(
                        sentence("{number} means something else here already.", number=task.fact.number),
                        number=task.fact.number,
                        kind=task.fact.kind,
                    )
                )


def write_down(rows: Sequence[NumberElsewhere], at: datetime) -> dict[tuple[str, str], tuple[str, UUID]]:
    """Write down numbers of one system that are new; return what each of them means, by kind and number.

    Three statements, whatever their number.
    """
    NumberElsewhere.objects.bulk_create(rows, ignore_conflicts=True)
    found = NumberElsewhere.objects.filter(
        system=rows[0].system_id, kind__in={row.kind for row in rows}, number__in={row.number for row in rows}
    ).values_list("kind", "number", "subject_kind", "subject_id")
    known = {(kind, number): (subject, key) for kind, number, subject, key in found}
    names = sorted({f"{row.subject_kind}:{row.kind}:{row.number}" for row in rows})
    sql.WAKE_MESSAGES.rows(waits_for=names, at=at, most=_MOST_WOKEN)
    return known

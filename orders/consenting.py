"""Which overrides need the consent of a second person, and the leave that such a consent gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Q, Subquery, TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

from orders.errors import ConsentNeeded
from orders.ledger import Subject
from orders.models import ConsentRule, EventText, OrderEvent, OrderLine, OverrideRequest
from parts.actors import Actor
from parts.errors import VersionConflict
from parts.models import Part
from parts.rules import ZERO
from parts.sentences import sentence

#: How long a request is still shown on its order's page after it was decided, and how many are shown at most.
SHOWN_FOR = timedelta(days=30)
MOST_SHOWN = 20
#: How long before the order of a line the cost of its part is looked at.
LOOKED_BACK = timedelta(days=30)
#: The events after which a subject is not any more what was asked about.
IS_MOVE = ~Q(to_status="") | Q(kind__in=["line.quantity_changed", "line.split"])


def reference_of(evidence_sha256: str) -> str:
    """Return the reference of an override that rests on nothing but its evidence.

    The ledger keeps a reference for ever: it tells which file it was, and not its name, which may be somebody's.
    """
    return f"file {evidence_sha256[:12]}"


def evidence_of(rows: Iterable[OrderEvent]) -> dict[UUID, OverrideRequest]:
    """Return, by the event, the request whose file an event rests on, as long as nobody had the file erased.

    One query; none where no event rests on a file.
    """
    by_request = {row.pk: row.data["request"] for row in rows if row.data.get("evidence") and "request" in row.data}
    if not by_request:
        return {}
    found = OverrideRequest.objects.filter(pk__in=set(by_request.values())).exclude(evidence="")
    requests = {str(request.pk): request for request in found.order_by()}
    return {key: requests[request] for key, request in by_request.items() if request in requests}


def asked_about(*, job_id: UUID | None, order_ids: Sequence[UUID], at: datetime) -> list[OverrideRequest]:
    """Return the overrides of a job, and of lines of these parts orders, that needed consent: what waits, first, then
    what was decided lately. Each has `why` it was asked for and `why_not` where it was refused (None: erased).

    One query.
    """
    of = Q(line__order__in=order_ids)
    if job_id is not None:
        of |= Q(service_order=job_id)
    shown = Q(decided_at__isnull=True) | Q(decided_at__gte=at - SHOWN_FOR)
    rows = OverrideRequest.objects.filter(of, shown).exclude(rule="")  # by the index `override_request_lately`
    why = EventText.objects.filter(event=OuterRef("asked_event")).values("text")
    refused = (
        EventText.objects.annotate(request=KeyTextTransform("request", "event__data"))
        .filter(event__subject_id=OuterRef("subject_key"), event__kind__endswith=".override_refused")
        .filter(request=Cast(OuterRef("pk"), TextField()))
        .values("text")
    )
    rows = rows.annotate(is_done=~Q(status="waiting"), subject_key=Coalesce("line_id", "service_order_id"))
    rows = rows.annotate(why=Subquery(why), why_not=Subquery(refused[:1])).order_by("is_done", "-id")
    return list(rows.select_related("line__part", "service_order", "requested_by", "decided_by")[:MOST_SHOWN])


@dataclass(frozen=True, slots=True)
class Leave:
    """What stands behind an override that was asked for: the request, its evidence, and who consented, if anybody.

    `happened_at` is when it happened outside the system, by the word of the one who asks. `as_of` is the version of the
    subject that was consented to; None for what is applied as it is asked for.
    """

    request_id: UUID
    consented_by: str = ""
    evidence_sha256: str = ""
    happened_at: datetime | None = None
    as_of: int | None = None

    def as_data(self) -> dict[str, Any]:
        """Return what the ledger keeps of it."""
        facts = {"request": str(self.request_id), "consented_by": self.consented_by, "evidence": self.evidence_sha256}
        return {name: value for name, value in facts.items() if value}


def rule_for_line(*, line_id: UUID, part_id: UUID, quantity: Decimal, to: str) -> str:
    """Return the name of the rule by which overriding a line to this status needs consent, empty for none.

    A rule looks at all that the part has cost and how critical it has been since shortly before it was ordered: who may
    override may edit both, and nobody is to go round the rule by doing so. One query, and some more where there is a
    rule.
    """
    rules = _rules("line", to)
    if not rules:
        return ""
    part = Part.objects.only("unit_cost", "criticality").get(pk=part_id)
    had = _had(line_id, part)
    value, criticalities = quantity * max(cost for cost, _criticality in had), {each for _cost, each in had}
    for rule in rules:
        too_cheap = rule.value_over is not None and value <= (rule.value_over or ZERO)
        if not too_cheap and rule.criticality in ("", *criticalities):
            return rule.name
    return ""


def _had(line_id: UUID, part: Part) -> list[tuple[Decimal, str]]:
    """Return what the part costs and how critical it is, now and since shortly before it was ordered."""
    ordered_at = OrderLine.objects.values_list("created_at", flat=True).get(pk=line_id)
    since = ordered_at - LOOKED_BACK
    history = Part.history.filter(id=part.pk).values_list("unit_cost", "criticality")
    until_then = history.filter(history_date__lt=since).order_by("-history_date", "-history_id")[:1]
    later = history.filter(history_date__gte=since).order_by().distinct()
    return [(part.unit_cost, part.criticality), *until_then, *later]


def rule_for_job(*, to: str) -> str:
    """Return the name of the rule by which overriding a job to this status needs consent, empty for none. One query."""
    return next((rule.name for rule in _rules("service_order", to)), "")


def _rules(subject: str, to: str) -> list[ConsentRule]:
    return list(ConsentRule.objects.filter(is_active=True, subject=subject, to_status__in=["", to]).order_by("name"))


def has_moved(subject_id: UUID, *, since: int) -> bool:
    """Tell whether a subject took a step, also one there and back, or had its quantity changed after a version of it.

    What says nothing of where it stands (a note, a promise, who is to do it) is no move. One query.
    """
    later = OrderEvent.objects.filter(subject_id=subject_id, version__gt=since)
    return later.filter(IS_MOVE).exists()


def refuse_moved(subject: Subject, leave: Leave | None) -> None:
    """Raise VersionConflict where a subject, locked, is not any more what was consented to. No query, or one."""
    if leave is None or leave.as_of is None or subject.version == leave.as_of:
        return
    if has_moved(subject.id, since=leave.as_of):
        raise VersionConflict(
            sentence(
                "{reference} has moved since it was asked for; refuse it, and let it be asked for anew.",
                reference=subject.reference,
            ),
            version=subject.version,
            status=subject.status,
        )


def require(rule: str, by: Actor, leave: Leave | None) -> None:
    """Raise ConsentNeeded where a rule wants a second person and none has consented. Rules of ours need nobody."""
    if rule and by.permissions is not None and not (leave and leave.consented_by):
        raise ConsentNeeded(
            sentence(
                "Another person has to consent to this override; ask for it on the desk"
                " or in the back office, on the page of what it is about (rule: {rule}).",
                rule=rule,
            ),
            rule=rule,
        )

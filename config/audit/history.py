"""The history: a search over everything that happened, and the whole chain of one subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser, User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from config.audit.question import read
from config.desk.orders import for_staff
from config.desk.orders_timeline import Happening, one_by_one
from config.faces.htmx import is_quick
from orders import chains
from orders.consenting import evidence_of
from orders.models import OrderEvent, OverrideRequest
from orders.statuses import SubjectKind
from orders.verifying import fits_its_hash, verify_subject
from reports.audit.searching import Found, search
from reports.audit.subjects import anchored_until, chain

#: Kinds of subjects that have a page of their own on the desk.
_PAGES = {SubjectKind.SERVICE_ORDER: "desk:service-order", SubjectKind.PARTS_ORDER: "desk:parts-order"}


@dataclass(frozen=True, slots=True)
class Shown:
    """An event as a page shows it: the row, in words, whether its hash fits what stands there now, and the file that
    it rests on, where the reader may open it."""

    row: OrderEvent
    told: Happening
    fits: bool
    evidence: OverrideRequest | None = None

    @property
    def kind_word(self) -> str:
        """What it is about, in a word."""
        return str(SubjectKind(self.row.subject_kind).label)

    @property
    def happened_elsewhen(self) -> bool:
        """Whether the source's clock and ours differ by more than a person cares for."""
        return abs((self.row.recorded_at - self.row.occurred_at).total_seconds()) >= 60


def shown(rows: Sequence[OrderEvent], reader: User | AnonymousUser) -> list[Shown]:
    """Return events as a page shows them to a reader. Two statements, and one where an event rests on a file."""
    texts: Mapping[UUID, Any] = chains.events_of([row.pk for row in rows]) if rows else {}
    evidence = evidence_of(rows) if reader.has_perm("orders.view_overriderequest") else {}
    return [
        Shown(row, told, row.pk in texts and fits_its_hash(texts[row.pk]), evidence.get(row.pk))
        for row, told in zip(rows, one_by_one(rows), strict=True)
    ]


@for_staff("orders.view_orderevent")
@require_safe
def history(request: HttpRequest) -> HttpResponse:
    """Show the events that the address asks for, the latest recorded first."""
    question = read(request.GET, request.user)
    found = search(question.asked, before=_key(request.GET.get("before", ""))) if question.asked else Found([], None)
    context = {
        "question": question,
        "found": found,
        "shown": shown(found.rows, request.user),
        "is_first": "before" not in request.GET,
        "tab": "overrides" if question.query == "overrides=on" else "history",
    }
    quick = is_quick(request, "history")
    template = "audit/history_body.html" if quick else "audit/history.html"
    answer = render(request, template, {**context, "quick": quick})
    if quick:
        answer.headers["HX-Push-Url"] = f"{request.path}?{question.query}" if question.query else request.path
    return answer


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@for_staff("orders.view_orderevent")
@require_safe
def subject(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show the whole chain of one subject, the latest first, and check it from end to end where that is asked."""
    before = request.GET.get("before", "")
    rows, older = chain(key, before=int(before) if before.isascii() and before.isdigit() and len(before) < 10 else None)
    if not rows:
        raise Http404
    newest = rows[0]
    context: dict[str, Any] = {
        "key": key,
        "reference": newest.reference,
        "kind_word": SubjectKind(newest.subject_kind).label,
        "shown": shown(rows, request.user),
        "older": older,
        "is_first": not before,
        "page": reverse(_PAGES[kind], args=[newest.reference])
        if (kind := SubjectKind(newest.subject_kind)) in _PAGES
        else "",
        "anchored": anchored_until(key),
    }
    if "verify" in request.GET:
        with chains.one_snapshot():
            context["verdict"] = verify_subject(key)
    quick = is_quick(request, "verdict")
    return render(request, "audit/verdict.html" if quick else "audit/chain.html", context)

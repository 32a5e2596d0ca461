"""When? From a name, an order, a part or a serial number to the answer, and to what to tell the customer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from backorders.availability import Availability, availability
from backorders.waiting import Case, waits_of
from config.desk import search
from config.desk.orders import for_staff
from config.desk.when_says import Answer, about_job, answer, tell
from config.tracking import languages
from orders import wording
from orders.models import Customer, Equipment, PartsOrder, ServiceOrder
from orders.visibility import sight_of
from parts.actors import Actor
from parts.models import Part
from parts.searching import is_searchable


@dataclass(frozen=True, slots=True)
class Answered:
    """A job or order with the answers for its lines. `says` is about the job itself."""

    case: Case
    answers: list[Answer]
    says: str
    meaning: str


@for_staff("orders.view_orderline")
@require_safe
def when(request: HttpRequest) -> HttpResponse:
    """Answer for what the address names; find it by a text; else ask for one."""
    subject = _subject(request)
    if subject is not None:
        return render(request, "desk/when.html", _answer(request, subject))
    text = request.GET.get("q", "").strip()
    groups = search.find(text, request.user, search.ON_THE_PAGE)
    hits = [hit for group in groups for hit in group.hits]
    one = search.the_one(groups) or (hits[0] if len(hits) == 1 else None)
    if one is not None:
        return redirect(one.when)
    return render(request, "desk/when.html", {"text": text, "groups": groups, "searchable": is_searchable(text)})


def _subject(request: HttpRequest) -> Any:
    """Return what the address names, None where it names nothing. Raises Http404 for what is not there to see."""
    asked = request.GET
    if code := asked.get("customer"):
        return _found(Customer.objects.select_related("region").filter(code=code))
    if number := asked.get("part"):
        return _found(Part.objects.select_related("unit").filter(number=number))
    if key := asked.get("machine"):
        try:
            return _found(Equipment.objects.select_related("customer").filter(pk=UUID(key)))
        except ValueError:
            raise Http404 from None
    if reference := asked.get("order"):
        jobs = ServiceOrder.objects.visible_to(request.user).select_related("customer").filter(reference=reference)
        orders = PartsOrder.objects.visible_to(request.user).select_related("customer").filter(reference=reference)
        return jobs.first() or _found(orders)
    return None


def _found(rows: Any) -> Any:
    row = rows.first()
    if row is None:
        raise Http404
    return row


def _answer(request: HttpRequest, subject: Any) -> dict[str, Any]:
    now = timezone.now()
    today = timezone.localdate(now)
    waiting = waits_of(subject, request.user)
    answered = [_answered(case, now, today) for case in waiting.cases]
    customer = subject if isinstance(subject, Customer) else getattr(subject, "customer", None)
    told, language = "", ""
    if customer is not None and waiting.cases:
        language = languages.of(customer)
        told = tell(customer, waiting.cases, wording.read(language), now)
    return {
        "subject": subject,
        "kind": subject._meta.model_name,
        "customer": customer,
        "answered": answered,
        "in_danger": sum(each.promise.in_danger for case in answered for each in case.answers),
        "promised": sum(each.line.promised_on is not None for case in answered for each in case.answers),
        "undated": sum(each.has_no_day for case in answered for each in case.answers),
        "is_cut": waiting.is_cut,
        "tell": told,
        "language": language,
        "language_name": dict(settings.LANGUAGES).get(language, ""),
        "stock": _stock(request, subject, today),
        "text": "",
    }


def _answered(case: Case, now: datetime, today: date) -> Answered:
    says, meaning = about_job(case.job, now) if case.job is not None else ("", "neutral")
    return Answered(case, [answer(row, today) for row in case.rows], says, meaning)


def _stock(request: HttpRequest, subject: Any, today: date) -> Availability | None:
    """Return what there is of a part, as far as the rules let this person see it."""
    if not isinstance(subject, Part) or not request.user.has_perm("parts.view_stocklevel"):
        return None
    found = availability(sight=sight_of(Actor.user(request.user)), today=today, part_ids=[subject.pk])
    return found[0] if found else None

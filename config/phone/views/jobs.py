"""The technician's day, and a job with everything that can be done to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from backorders.fieldwork import day_of, free_jobs, needs_of
from config.phone.door import Done, carry_out, for_technicians, key_of, person_of, shown
from config.phone.explaining import Explained
from config.phone.forms import (
    AdvanceForm,
    ClaimForm,
    CodeForm,
    DiagnosisForm,
    LabourForm,
    NoteForm,
    PhoneForm,
    PhotoForm,
)
from config.phone.steps import CHOICES
from config.phone.views.receiving import confirm
from config.phone.views.telling import pushing
from orders.actions import attachments, jobs, service_orders
from orders.admin.timeline import timeline
from orders.models import Attachment, ServiceOrder
from orders.statuses import SERVICE_ORDER_CLOSED, ServiceOrderStatus
from parts.vans import van_of

#: How many of the last events a job's page shows.
MOST_HAPPENINGS = 12


@for_technicians
@require_safe
def day(request: HttpRequest) -> HttpResponse:
    """Show a technician's open jobs by what they ask for, and the jobs that nobody has."""
    person, now, today = person_of(request), timezone.now(), timezone.localdate()
    van = van_of(person.pk)
    everywhere = van is None or "everywhere" in request.GET
    free = free_jobs(
        None if everywhere or van is None else van.region_id, today=today, now=now, after=request.GET.get("after", "")
    )
    found = day_of(person.pk, today=today, now=now)
    context = {
        **pushing(person),
        "day": found,
        "groups": (
            (_("Overdue"), found.overdue),
            (_("Today"), found.today),
            (_("Paused"), found.paused),
            (_("Later"), found.later),
        ),
        "free": free,
        "van": van,
        "everywhere": everywhere,
        "here": "jobs",
    }
    return shown(request, "phone/day.html", context)


@for_technicians
@require_http_methods(["GET", "HEAD", "POST"])
def job(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Show a job; do to it what a form asks."""
    person = person_of(request)
    jobs_seen = ServiceOrder.objects.visible_to(person).select_related(
        "customer", "equipment", "contract", "region", "technician"
    )
    subject = get_object_or_404(jobs_seen, pk=pk)
    if request.method != "POST":
        return _page(request, subject, {})
    name = request.POST.get("deed", "")
    form_class, act = _DEEDS.get(name, (ClaimForm, _unknown))
    form = form_class(request.POST, request.FILES)

    def show(_explained: Explained, status: int) -> HttpResponse:
        subject.refresh_from_db()
        return _page(request, subject, {name: form}, status)

    def do(cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
        return act(request, subject, cleaned, told)

    return carry_out(request, form, do, show=show, back=reverse("phone:job", args=[pk]), job=subject)


def _page(request: HttpRequest, subject: ServiceOrder, sent: dict[str, PhoneForm], status: int = 200) -> HttpResponse:
    person = person_of(request)
    is_mine = subject.technician_id == person.pk
    is_open = subject.status not in SERVICE_ORDER_CLOSED
    words = dict(ServiceOrderStatus.choices)
    forms = {name: sent.get(name) or form() for name, (form, _act) in _DEEDS.items()}
    context = {
        "job": subject,
        "needs": needs_of(subject.pk),
        "happenings": [
            (one, words.get(one.to_status, one.to_status))
            for one in timeline([subject.pk], of=subject.pk)[:MOST_HAPPENINGS]
        ],
        "photos": Attachment.objects.filter(service_order=subject, removed_at=None).order_by("-id")[:20],
        "is_mine": is_mine,
        "may_claim": is_open and subject.technician_id is None and subject.status != "draft",
        "may_work": is_open and (is_mine or subject.technician_id is None) and subject.status != "draft",
        "steps": CHOICES,
        "forms": forms,
        "wrong": next((form for form in sent.values() if form.errors), None),
        "minutes": (15, 30, 45, 60, 90, 120, 180, 240),
        "is_late": subject.due_at is not None and subject.due_at < timezone.now(),
        "here": "jobs",
    }
    return shown(request, "phone/job.html", context, status)


# --- What can be done to a job: each calls one action ----------------------------------------------------------------

Deed = Callable[[HttpRequest, ServiceOrder, dict[str, Any], dict[str, Any]], Done]


def _claim(_request: HttpRequest, subject: ServiceOrder, _cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    moved = service_orders.claim(service_order_id=subject.pk, **told)
    return Done(_("%(job)s is yours.") % {"job": moved.reference}, moved.version, moved.version - 1)


def _advance(_request: HttpRequest, subject: ServiceOrder, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    status, walks = cleaned["to"]
    go = service_orders.fast_forward if walks else service_orders.move
    told = {**told, "at": max(told["at"], subject.status_since)}  # a phone's clock may be behind
    moved = go(
        service_order_id=subject.pk, to=status, note=cleaned["note"], expected_version=cleaned["version"], **told
    )
    word = dict(ServiceOrderStatus.choices)[moved.status]
    says = _("%(job)s is %(status)s now.") % {"job": moved.reference, "status": word}
    return Done(says, moved.version, cleaned["version"])


def _note(_request: HttpRequest, subject: ServiceOrder, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    moved = service_orders.add_note(service_order_id=subject.pk, text=cleaned["text"], public=cleaned["public"], **told)
    return Done(_("The note is on %(job)s.") % {"job": moved.reference}, moved.version, moved.version - 1)


def _labour(_request: HttpRequest, subject: ServiceOrder, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    minutes = cleaned["minutes"]
    jobs.log_labour(
        service_order_id=subject.pk,
        started_at=told["at"] - timedelta(minutes=minutes),
        minutes=minutes,
        description=cleaned["description"],
        **told,
    )
    says = _("%(minutes)s min of work are on %(job)s.") % {"minutes": minutes, "job": subject.reference}
    return _after(subject, says)


def _diagnosis(_request: HttpRequest, subject: ServiceOrder, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    jobs.add_diagnosis(service_order_id=subject.pk, text=cleaned["text"], failure_code=cleaned["failure_code"], **told)
    return _after(subject, _("The finding is on %(job)s.") % {"job": subject.reference})


def _photo(request: HttpRequest, subject: ServiceOrder, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    photo = cleaned["photo"]
    attachments.attach(
        service_order_id=subject.pk,
        name=photo.name,
        content=photo.read(),
        note=cleaned["caption"],
        public=cleaned["public"],
        key=key_of(request),
        **told,
    )
    return _after(subject, _("The photo is on %(job)s.") % {"job": subject.reference})


def _confirm(_request: HttpRequest, subject: ServiceOrder, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    return confirm(cleaned["code"], subject.pk, told)


def _unknown(_request: HttpRequest, _subject: ServiceOrder, _cleaned: dict[str, Any], _told: dict[str, Any]) -> Done:
    return Done(_("Nothing was changed."))


def _after(subject: ServiceOrder, says: str) -> Done:
    """Tell the version that one more event has led to; the job is still locked by the action."""
    version = ServiceOrder.objects.values_list("version", flat=True).get(pk=subject.pk)
    return Done(says, version, version - 1)


_DEEDS: dict[str, tuple[type[PhoneForm], Deed]] = {
    "claim": (ClaimForm, _claim),
    "advance": (AdvanceForm, _advance),
    "note": (NoteForm, _note),
    "labour": (LabourForm, _labour),
    "diagnosis": (DiagnosisForm, _diagnosis),
    "photo": (PhotoForm, _photo),
    "code": (CodeForm, _confirm),
}

"""Exports of the history: ask for one, watch it being made, take its files away."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config.audit.question import Question, read
from config.desk.orders import for_staff
from config.faces.htmx import is_quick
from orders import signing
from orders.exports import Filter
from orders.sheets import MOST_ROWS
from parts.actors import Actor
from parts.errors import Forbidden, NotFound, Refused
from parts.labels import names_of
from reports.actions import exports
from reports.exporting import files_of
from reports.models import ExportDownload, ExportRun
from reports.models.exports import UNFINISHED, ExportFormat, ExportStatus

#: How many exports the list shows.
SHOWN = 50

FORMATS = (
    (
        ExportFormat.JSON_LINES,
        _("JSON Lines"),
        _("Proves itself offline; of each order all events between the first and the last that fit"),
    ),
    (ExportFormat.CSV, _("CSV"), _("A table to read, with a JSON Lines file of the same moment that proves it")),
    (
        ExportFormat.XLSX,
        _("Excel"),
        _("As CSV, with a sheet about itself; up to %(count)s events, a million on each sheet"),
    ),
)
_MEANINGS = {
    ExportStatus.DONE: ("done", "circle-check"),
    ExportStatus.WAITING: ("waiting", "hourglass"),
    ExportStatus.RUNNING: ("moving", "circle-dot"),
    ExportStatus.FAILED: ("late", "circle-x"),
}


class ExportForm(forms.Form):
    """In which form, and whether with what people wrote."""

    format = forms.ChoiceField(label=_("Format"), choices=ExportFormat.choices)
    with_notes = forms.BooleanField(label=_("With notes"), required=False)


def _filter(question: Question) -> Filter:
    asked = question.asked
    assert asked is not None
    return Filter(
        since=asked.since,
        until=asked.until,
        subjects=asked.subjects or (),
        order=question.form.cleaned_data["order"],
        actor=asked.actor,
        source=asked.source,
        kind=asked.kind,
        subject_kind=asked.subject_kind,
        overrides=asked.overrides,
    )


@for_staff("orders.export_orderevent")
@require_http_methods(["GET", "HEAD", "POST"])
def new_export(request: HttpRequest) -> HttpResponse:
    """Ask for an export of what the address asks for."""
    question = read(request.GET, request.user)
    form = ExportForm(request.POST if request.method == "POST" else None)
    refusal = ""
    if request.method == "POST" and question.asked and form.is_valid():
        try:
            run = exports.request_export(
                format=form.cleaned_data["format"],
                wanted=_filter(question),
                words=question.words,
                with_notes=form.cleaned_data["with_notes"],
                by=Actor.user(request.user),
                at=timezone.now(),
            )
        except Forbidden:
            raise
        except Refused as refused:
            refusal = refused.detail
        else:
            return redirect("audit:export", key=run.pk)
    context = {
        "question": question,
        "form": form,
        "formats": [
            (
                value,
                title,
                words % {"count": number_format(MOST_ROWS, force_grouping=True)} if "%" in str(words) else words,
            )
            for value, title, words in FORMATS
        ],
        "chosen": request.POST.get("format", ExportFormat.JSON_LINES),
        "may_read_notes": request.user.has_perm(exports.READ_NOTES),
        "refusal": refusal,
        "tab": "exports",
    }
    return render(request, "audit/export_new.html", context, status=422 if request.method == "POST" else 200)


@for_staff("orders.export_orderevent")
@require_safe
def list_exports(request: HttpRequest) -> HttpResponse:
    """Show the newest exports, of everybody: they are on record."""
    runs = list(ExportRun.objects.order_by("-id")[:SHOWN])
    names = names_of(run.made_by for run in runs)
    rows = [
        (run, names[run.made_by], *_MEANINGS.get(ExportStatus(run.status), ("neutral", "circle-slash"))) for run in runs
    ]
    return render(request, "audit/exports.html", {"rows": rows, "tab": "exports", "is_cut": len(runs) == SHOWN})


@for_staff("orders.export_orderevent")
@require_safe
def export(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show one export: how far it is, what is in it, its files, and who took them."""
    run = get_object_or_404(ExportRun, pk=key)
    downloads = list(ExportDownload.objects.filter(run=run).order_by("-id")[:SHOWN])
    names = names_of([run.made_by, *(download.by for download in downloads)])
    is_own = run.made_by == f"user:{request.user.pk}"
    meaning, icon = _MEANINGS.get(ExportStatus(run.status), ("neutral", "circle-slash"))
    context: dict[str, Any] = {
        "run": run,
        "who": names[run.made_by],
        "is_own": is_own,
        "is_live": run.status in UNFINISHED,
        "files": [(name, path.stat().st_size) for name, path in files_of(run).items()] if is_own else [],
        "downloads": [(download, names[download.by]) for download in downloads],
        "meaning": meaning,
        "icon_name": icon,
        "signing_key": run.public_key or signing.public_key(),
        "tab": "exports",
    }
    quick = is_quick(request, "export")
    return render(request, "audit/export_body.html" if quick else "audit/export.html", context)


@for_staff("orders.export_orderevent")
@require_POST
def stop_export(request: HttpRequest, key: UUID) -> HttpResponse:
    """Stop one's own export."""
    try:
        exports.stop_export(run_id=key, by=Actor.user(request.user), at=timezone.now())
    except NotFound as refusal:
        raise Http404 from refusal
    messages.info(request, _g("It is being stopped."))
    return redirect("audit:export", key=key)


@for_staff("orders.export_orderevent")
@require_safe
def export_file(request: HttpRequest, key: UUID, name: str) -> HttpResponseBase:
    """Send a file of one's own export; where it is gone, say so on its page."""
    try:
        path = exports.hand_out(run_id=key, name=name, by=Actor.user(request.user), at=timezone.now())
    except NotFound as refusal:
        raise Http404 from refusal
    except exports.ExportGone as refusal:
        messages.error(request, refusal.detail)
        return redirect(reverse("audit:export", args=[key]))
    answer = FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type="application/octet-stream")
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer

"""Proposals for the words of statuses: made from an order's page, reviewed, and reported on."""

from __future__ import annotations

import uuid
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from config.desk.orders import for_staff
from config.messages.tabs import tabs
from config.tracking.languages import of as language_of
from notifications import proposals as reading
from notifications.actions import proposals as deeds
from notifications.actions.proposals import Proposed
from notifications.models import RootCause, WordProposal
from notifications.statuses import ProposalState
from orders import wording
from orders.actions.wording import LONGEST_NEXT_STEP, LONGEST_WORD, Words
from orders.models import PartsOrder, ServiceOrder
from orders.wording import LINE, SERVICE_ORDER
from parts.actors import Actor
from parts.errors import Forbidden, NotFound, Refused
from parts.labels import full_name, names_of

SEE = "notifications.view_wordproposal"
_LANGUAGES = [(code, get_language_info(code)["name_local"].capitalize()) for code, _name in settings.LANGUAGES]


class CauseField(forms.ModelChoiceField[RootCause]):
    """A root cause, in the reader's language where it is one of ours."""

    def label_from_instance(self, obj: Any) -> str:
        """Return its name."""
        return _g(obj.name)


class ProposalForm(forms.Form):
    """That a status does not say what is happening."""

    said = forms.CharField(
        label=_("What is happening"), max_length=deeds.LONGEST_SAID, widget=forms.Textarea(attrs={"rows": 3})
    )
    cause = CauseField(label=_("Why the status does not say it"), queryset=RootCause.objects.none())
    language = forms.ChoiceField(label=_("Language of your words"), choices=_LANGUAGES)
    word = forms.CharField(label=_("A better word"), max_length=LONGEST_WORD, required=False)
    next_step = forms.CharField(label=_("What happens next, better said"), max_length=LONGEST_NEXT_STEP, required=False)
    status = forms.CharField(max_length=20, widget=forms.HiddenInput)
    key = forms.CharField(max_length=60, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial, label_suffix="")
        field = self.fields["cause"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = RootCause.objects.filter(is_active=True)


class AcceptForm(forms.Form):
    """The words that go into the draft."""

    word = forms.CharField(label=_("Word"), max_length=LONGEST_WORD)
    next_step = forms.CharField(
        label=_("What happens next"), max_length=LONGEST_NEXT_STEP, widget=forms.Textarea(attrs={"rows": 2})
    )
    effective_from = forms.DateTimeField(
        label=_("In force from"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("Empty: at once, when it is published."),
    )

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial, label_suffix="", auto_id="accept_%s")


class DeclineForm(forms.Form):
    """Why not."""

    answer = forms.CharField(label=_("Why not"), max_length=deeds.LONGEST_ANSWER)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, label_suffix="", auto_id="decline_%s")


@for_staff(deeds.PROPOSE)
@require_http_methods(["GET", "HEAD", "POST"])
def propose_service_order(request: HttpRequest, key: UUID) -> HttpResponse:
    """Say that the status of a service order does not say what is happening."""
    order = get_object_or_404(ServiceOrder.objects.visible_to(request.user).select_related("customer"), pk=key)
    return _propose(request, SERVICE_ORDER, order, SERVICE_ORDER)


@for_staff(deeds.PROPOSE)
@require_http_methods(["GET", "HEAD", "POST"])
def propose_parts_order(request: HttpRequest, key: UUID) -> HttpResponse:
    """Say that the status of a parts order does not say what is happening."""
    order = get_object_or_404(PartsOrder.objects.visible_to(request.user).select_related("customer"), pk=key)
    return _propose(request, "parts_order", order, LINE)


def _propose(request: HttpRequest, kind: str, order: Any, subject: str) -> HttpResponse:
    back = reverse(f"desk:{kind.replace('_', '-')}", args=[order.reference])
    language = language_of(order.customer) if order.customer else "en"
    status = 200
    form = ProposalForm(initial={"status": order.status, "key": uuid.uuid4().hex, "language": language})
    if request.method == "POST":
        form, status = ProposalForm(request.POST), 400
        if form.is_valid():
            try:
                _send(request, kind, order, form.cleaned_data)
            except Forbidden as refusal:
                raise PermissionDenied from refusal
            except NotFound as refusal:
                raise Http404 from refusal
            except Refused as refusal:
                status = _name_faults(form, refusal)
            else:
                messages.success(request, _g("Thank you. You read in your inbox what comes of it."))
                return redirect(back)
    seen = (form.data.get("status", "") if form.is_bound else "") or order.status
    shown = wording.read(language)
    context = {
        "order": order,
        "back": back,
        "form": form,
        "status": seen,
        "label": wording.label_of(subject, seen),
        "language": language,
        "language_name": dict(_LANGUAGES).get(language, language),
        "word": shown.word(subject, seen),
        "next_step": shown.next_step(subject, seen),
    }
    return render(request, "messages/propose.html", context, status=status)


def _send(request: HttpRequest, kind: str, order: Any, data: dict[str, Any]) -> None:
    names = ("said", "language", "word", "next_step")
    deeds.propose(
        kind=kind,
        order_id=order.pk,
        status=data["status"],
        proposed=Proposed(cause_id=data["cause"].pk, **{name: data[name] for name in names}),
        form_key=data["key"],
        **_told(request),
    )


@for_staff(SEE)
@require_safe
def proposals(request: HttpRequest) -> HttpResponse:
    """Show what waits for an answer, and which statuses are complained of most and why."""
    state = request.GET.get("state", ProposalState.OPEN.value)
    code = request.GET.get("status", "")
    rows, older = reading.page(state, code, request.GET.get("before", ""))
    complaints = reading.by_status(timezone.now())
    subject, _hyphen, status = code.partition("-")
    context = {
        "rows": [(row, wording.label_of(row.subject, row.status), full_name(row.proposed_by)) for row in rows],
        "older": older,
        "state": state,
        "states": [(ProposalState.OPEN.value, _("Waiting")), *ProposalState.choices[1:], ("all", _("All"))],
        "code": code,
        "of_status": wording.label_of(subject, status) if status else "",
        "complaints": complaints,
        "causes": reading.by_cause(complaints),
        **tabs(request, "proposals"),
    }
    return render(request, "messages/proposals.html", context)


@for_staff(SEE)
@require_http_methods(["GET", "HEAD", "POST"])
def proposal(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show a proposal beside the words in force; a POST accepts or declines it."""
    rows = WordProposal.objects.select_related("cause", "proposed_by", "service_order", "parts_order")
    row = get_object_or_404(rows, pk=key)
    shown = wording.read(row.language)
    word, next_step = shown.word(row.subject, row.status), shown.next_step(row.subject, row.status)
    accept = AcceptForm(initial={"word": row.word or word, "next_step": row.next_step or next_step})
    decline, status = DeclineForm(), 200
    if request.method == "POST":
        if not request.user.has_perm(deeds.REVIEW):
            raise PermissionDenied
        is_accepted = request.POST.get("deed") == "accept"
        if is_accepted:
            accept = AcceptForm(request.POST)
        else:
            decline = DeclineForm(request.POST)
        form, status = (accept if is_accepted else decline), 400
        if form.is_valid():
            try:
                return _answer(request, row, form.cleaned_data, is_accepted=is_accepted)
            except Refused as refusal:
                status = _name_faults(form, refusal)
    context = {
        "row": row,
        "label": wording.label_of(row.subject, row.status),
        "word": word,
        "next_step": next_step,
        "language_name": dict(_LANGUAGES).get(row.language, row.language),
        "person": full_name(row.proposed_by),
        "answerer": names_of([row.answered_by])[row.answered_by] if row.answered_by else "",
        "accept": accept,
        "decline": decline,
        "form": accept if accept.errors else decline,
        "order_page": _page_of(row),
        "may_review": request.user.has_perm(deeds.REVIEW) and row.state == ProposalState.OPEN,
        **tabs(request, "proposals"),
    }
    return render(request, "messages/proposal.html", context, status=status)


def _answer(request: HttpRequest, row: WordProposal, data: dict[str, Any], *, is_accepted: bool) -> HttpResponse:
    if not is_accepted:
        deeds.decline(proposal_id=row.pk, answer=data["answer"], **_told(request))
        messages.success(request, _g("Declined. Who proposed it reads why in their inbox."))
        return redirect("messages:proposals")
    words = Words(data["word"], data["next_step"])
    deeds.accept(proposal_id=row.pk, words=words, effective_from=data["effective_from"], **_told(request))
    messages.success(request, _g("Accepted. This is the draft: complete its other languages and publish it."))
    return redirect("messages:status-word", row.code)


def _page_of(row: WordProposal) -> str:
    name = "desk:service-order" if row.service_order_id else "desk:parts-order"
    return reverse(name, args=[row.order.reference])


def _name_faults(form: forms.Form, refusal: Refused) -> int:
    fields = {name.rpartition("_")[0] if name not in form.fields else name: said for name, said in _fields(refusal)}
    for name, said in fields.items():
        for one in said:
            form.add_error(name if name in form.fields else None, one)
    if not fields:
        form.add_error(None, refusal.detail)
    return refusal.status


def _fields(refusal: Refused) -> Any:
    return refusal.extra.get("fields", {}).items()


def _told(request: HttpRequest) -> dict[str, Any]:
    return {"by": Actor.user(request.user), "source": "desk", "at": timezone.now()}

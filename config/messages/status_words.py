"""The words in which customers read a status: side by side in all languages, drafted, published from a moment on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
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
from django.utils.dateparse import parse_datetime
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config.desk.orders import for_staff
from config.faces.htmx import is_quick
from config.messages import status_word_pages as pages
from config.messages.tabs import tabs
from orders import wording
from orders.actions import wording as deeds
from orders.actions.wording import Words
from orders.models import CustomerWord, CustomerWordDraft
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, Refused

SEE = "orders.view_customerword"
_LOCAL = "%Y-%m-%dT%H:%M"


class WordsForm(forms.Form):
    """The words for one status in all languages, from when on, and why."""

    effective_from = forms.DateTimeField(
        label=_("In force from"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_LOCAL),
        help_text=_("Empty: at once, when it is published."),
    )
    why = forms.CharField(
        label=_("Why"), required=False, max_length=deeds.LONGEST_WHY, help_text=_("Needed to publish.")
    )
    seen = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial, label_suffix="")
        for code, _name in settings.LANGUAGES:
            self.fields[f"word_{code}"] = forms.CharField(
                label=_("Word"), max_length=deeds.LONGEST_WORD, widget=forms.TextInput(attrs={"lang": code})
            )
            self.fields[f"next_step_{code}"] = forms.CharField(
                label=_("What happens next"),
                max_length=deeds.LONGEST_NEXT_STEP,
                widget=forms.Textarea(attrs={"rows": 3, "lang": code}),
            )

    def words(self) -> dict[str, Words]:
        """Return what was typed, also where it cannot be kept."""
        typed = self.data if self.is_bound else self.initial
        return {
            code: Words(str(typed.get(f"word_{code}", "")), str(typed.get(f"next_step_{code}", "")))
            for code, _name in settings.LANGUAGES
        }

    def side_by_side(self) -> list[tuple[str, Any, Any]]:
        """Return the fields by language: its own name, the word, what happens next."""
        return [
            (get_language_info(code)["name_local"], self[f"word_{code}"], self[f"next_step_{code}"])
            for code, _name in settings.LANGUAGES
        ]


@for_staff(SEE)
@require_safe
def status_words(request: HttpRequest) -> HttpResponse:
    """Show the words in force, now or at another moment, in all languages, and whether any is missing."""
    now = timezone.now()
    asked = _moment(request.GET.get("at", ""))
    context = {
        **pages.overview(asked or now, now),
        "asked": asked,
        "typed": request.GET.get("at", ""),
        "now": now,
        "languages": [(code, get_language_info(code)["name_local"]) for code, _name in settings.LANGUAGES],
        **tabs(request, "status-words"),
    }
    return render(request, "messages/status_words.html", context)


@for_staff(SEE)
@require_http_methods(["GET", "HEAD", "POST"])
def status_word(request: HttpRequest, code: str) -> HttpResponse:
    """Show the words for one status, what they were and will be; a POST previews, drafts, publishes or throws away."""
    subject, _hyphen, status = code.partition("-")
    if status not in wording.LABELS.get(subject, {}):
        raise Http404
    editing = _Editing(request, subject, status)
    if request.method != "POST":
        return editing.page(editing.unbound())
    if not (request.user.has_perm(deeds.DRAFT) or request.user.has_perm(deeds.PUBLISH)):
        raise PermissionDenied
    form = WordsForm(request.POST)
    deed = request.POST.get("deed", "preview")
    if deed == "preview":
        return editing.page(form, only="messages/status_word_preview.html" if is_quick(request) else "")
    if deed != "discard" and not form.is_valid():
        return editing.page(form, status=400)
    try:
        said = editing.do(deed, form)
    except Forbidden as refusal:
        raise PermissionDenied from refusal
    except Refused as refusal:
        _name_faults(form, refusal)
        return editing.page(form, status=refusal.status)
    messages.success(request, said)
    return redirect("messages:status-word", code)


@for_staff(deeds.PUBLISH)
@require_POST
def use_again(request: HttpRequest, key: UUID) -> HttpResponse:
    """Let customers read older words again."""

    def act() -> CustomerWord:
        return deeds.use_again(word_id=key, why=request.POST.get("why", ""), **_told(request))

    return _of_version(request, key, act)


@for_staff(deeds.PUBLISH)
@require_POST
def withdraw(request: HttpRequest, key: UUID) -> HttpResponse:
    """Take words back that are not in force yet."""
    return _of_version(request, key, lambda: deeds.withdraw(word_id=key, **_told(request)))


def _of_version(request: HttpRequest, key: UUID, act: Callable[[], CustomerWord]) -> HttpResponse:
    row = get_object_or_404(CustomerWord, pk=key)
    try:
        act()
    except Forbidden as refusal:
        raise PermissionDenied from refusal
    except Refused as refusal:
        messages.error(request, str(refusal.detail))
    else:
        messages.success(request, _g("Done. The list below says what is in force from when."))
    return redirect(reverse("messages:status-word", args=[row.code]) + "#versions")


class _Editing:
    """The words for a status on somebody's screen."""

    def __init__(self, request: HttpRequest, subject: str, status: str) -> None:
        self.request, self.subject, self.status = request, subject, status
        self.now = timezone.now()
        self.draft = CustomerWordDraft.objects.filter(subject=subject, status=status).first()
        self.rows = wording.standing(subject=subject, status=status)

    def unbound(self) -> WordsForm:
        """Return the form with the draft, or with what is in force."""
        said = pages.said_of(self.rows, self.subject, self.status, self.now)
        if self.draft:
            said |= self.draft.words
        initial: dict[str, Any] = {
            f"{name}_{code}": text for code, words in said.items() for name, text in words.items()
        }
        if self.draft:
            initial |= {"why": self.draft.why, "effective_from": self.draft.effective_from}
            initial |= {"seen": self.draft.written_at.isoformat()}
        return WordsForm(initial=initial)

    def do(self, deed: str, form: WordsForm) -> str:
        """Do what was asked, and return what to say about it. Raises Refused."""
        of: dict[str, Any] = {"subject": self.subject, "status": self.status, **_told(self.request)}
        if deed == "discard":
            deeds.discard_draft(**of)
            return _g("The draft was thrown away.")
        moment, why = form.cleaned_data["effective_from"], form.cleaned_data["why"]
        if deed == "publish":
            deeds.publish(words=form.words(), effective_from=moment, why=why, **of)
            return _g("The words are published.")
        seen = parse_datetime(form.cleaned_data["seen"]) if form.cleaned_data["seen"] else None
        deeds.save_draft(words=form.words(), effective_from=moment, why=why, seen=seen, **of)
        return _g("The draft was kept. Nobody reads it before it is published.")

    def page(self, form: WordsForm, *, only: str = "", status: int = 200) -> HttpResponse:
        """Return the page, or one part of it."""
        context = {
            "subject": self.subject,
            "status": self.status,
            "address": reverse("messages:status-word", args=[f"{self.subject}-{self.status}"]),
            "label": wording.label_of(self.subject, self.status),
            "form": form,
            "draft": self.draft,
            "previews": pages.previews(self.subject, form.words(), self.request.user),
            "versions": pages.versions(self.subject, self.status, self.rows, self.now),
            "may_edit": self.request.user.has_perm(deeds.DRAFT),
            "may_publish": self.request.user.has_perm(deeds.PUBLISH),
            **tabs(self.request, "status-words"),
        }
        return render(self.request, only or "messages/status_word.html", context, status=status)


def _moment(text: str) -> datetime | None:
    """Return a moment that was typed, in the reader's zone unless it names one; None for anything else."""
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    if found is None or not 2000 <= found.year <= 2200:
        return None
    return found if timezone.is_aware(found) else timezone.make_aware(found)


def _name_faults(form: WordsForm, refusal: Refused) -> None:
    fields = refusal.extra.get("fields", {}) if isinstance(refusal, Invalid) else {}
    for name, said in fields.items():
        for one in said:
            form.add_error(name if name in form.fields else None, one)
    if not fields:
        form.add_error(None, refusal.detail)


def _told(request: HttpRequest) -> dict[str, Any]:
    return {"by": Actor.user(request.user), "source": "desk", "at": timezone.now()}

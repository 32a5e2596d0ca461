"""The editor of wordings: what there is and what is missing, a draft with its preview, versions and rolling back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_safe

from config.desk.orders import for_staff
from config.faces.htmx import is_quick
from config.messages import wording_pages as pages
from config.messages.framing import email_page, in_a_frame, with_frames
from config.messages.tabs import tabs
from notifications import previewing
from notifications.actions import templates as deeds
from notifications.actions.templates import Words
from notifications.models import Template, TemplateVersion
from notifications.rendering import CANNOT_BE_SAID
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, NotFound, Refused

SEE = "notifications.view_templateversion"
#: How many versions the history shows.
SHOWN = 50


class WordsForm(forms.Form):
    """A wording as it is typed."""

    subject = forms.CharField(label=capfirst(pgettext_lazy("notice", "subject")), max_length=deeds.LONGEST_SUBJECT)
    text = forms.CharField(label=capfirst(_("plain text")), widget=forms.Textarea, strip=False)
    html = forms.CharField(
        label=_("HTML"),
        widget=forms.Textarea,
        required=False,
        strip=False,
        help_text=_("Empty: made from the plain text."),
    )
    sms = forms.CharField(label=_("SMS"), widget=forms.Textarea, strip=False, help_text=_("Also for chat and push."))
    order = forms.CharField(required=False, max_length=40)
    seen = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def words(self) -> Words:
        """Return what was typed, its line ends as we keep them."""
        typed = {name: str(self.cleaned_data.get(name) or self.data.get(name) or "") for name in pages.PARTS}
        return Words(**{name: said.replace("\r\n", "\n").strip("\n") for name, said in typed.items()})

    def seen_at(self) -> datetime | None:
        """Return when the draft was written that this was begun with."""
        return parse_datetime(self.cleaned_data.get("seen", ""))


def _told(request: HttpRequest) -> dict[str, Any]:
    return {"by": Actor.user(request.user), "source": "desk", "at": timezone.now()}


@for_staff(SEE)
@require_safe
def wordings(request: HttpRequest) -> HttpResponse:
    """Show every wording in every language, and what is missing."""
    context = {"wordings": pages.overview(), "languages": settings.LANGUAGES, **tabs(request, "wordings")}
    return render(request, "messages/wordings.html", context)


@for_staff(SEE)
@with_frames
@require_http_methods(["GET", "HEAD", "POST"])
def wording(request: HttpRequest, code: str) -> HttpResponse:
    """Show a wording in a language with its preview; a POST previews, keeps, publishes or throws away a draft."""
    template = get_object_or_404(Template, code=code)
    language = pages.language_of(request.GET.get("language", ""))
    editing = _Editing(request, template, language)
    if request.method != "POST":
        return editing.page(editing.unbound())
    form = WordsForm(request.POST)
    form.is_valid()
    deed = request.POST.get("deed", "save")
    if deed == "preview":
        name = "messages/wording_preview.html" if is_quick(request) else ""
        return editing.page(form, only=name)
    try:
        said = editing.do(deed, form)
    except Forbidden as refusal:
        raise PermissionDenied from refusal
    except Invalid as refusal:
        _name_faults(form, refusal)
        return editing.page(form, status=400)
    except Refused as refusal:
        form.add_error(None, refusal.detail)
        return editing.page(form, status=refusal.status)
    messages.success(request, said)
    return redirect(editing.address(form.cleaned_data.get("order", "")))


class _Editing:
    """A wording in a language on somebody's screen."""

    def __init__(self, request: HttpRequest, template: Template, language: str) -> None:
        self.request, self.template, self.language = request, template, language
        found = TemplateVersion.objects.filter(template=template, language=language).select_related(
            "written_by", "published_by"
        )
        self.draft = found.filter(published_at=None).first()
        self.in_use = found.filter(published_at__isnull=False).order_by("-number").first()

    def address(self, order: str = "") -> str:
        """Return where it is edited, tried on an order."""
        query = urlencode({"language": self.language} | ({"order": order} if order else {}))
        return f"{reverse('messages:wording', args=[self.template.code])}?{query}"

    def unbound(self) -> WordsForm:
        """Return the form with the draft, with what is in use, or with the English words to be translated."""
        begun = self.draft or self.in_use or deeds.in_use_of(self.template, "en")
        initial: dict[str, Any] = {name: getattr(begun, name) for name in pages.PARTS} if begun else {}
        initial |= {"order": self.request.GET.get("order", ""), "seen": self.seen()}
        return WordsForm(initial=initial)

    def seen(self) -> str:
        """Return what tells that nobody wrote meanwhile."""
        return self.draft.written_at.isoformat() if self.draft else ""

    def do(self, deed: str, form: WordsForm) -> str:
        """Do what was asked, and return what to say about it. Raises Refused."""
        told: dict[str, Any] = {"template_id": self.template.pk, "language": self.language, **_told(self.request)}
        if deed == "discard":
            deeds.discard_draft(**told)
            return _g("The draft was thrown away.")
        if deed == "publish":
            version = deeds.publish(why=self.request.POST.get("why", ""), **told)
            return _g("Version %(number)s is in use now.") % {"number": version.number}
        deeds.save_draft(words=form.words(), seen=form.seen_at(), **told)
        return _g("The draft was kept. Nobody reads it before it is published.")

    def page(self, form: WordsForm, *, only: str = "", status: int = 200) -> HttpResponse:
        """Return the page, or one part of it."""
        words = form.words() if form.is_bound else Words(**{name: form.initial.get(name, "") for name in pages.PARTS})
        asked = form.data.get("order", "") if form.is_bound else form.initial.get("order", "")
        context = {
            "template": self.template,
            "language": self.language,
            "language_name": dict(settings.LANGUAGES)[self.language],
            "languages": settings.LANGUAGES,
            "form": form,
            "in_use": self.in_use,
            "draft": self.draft,
            "changes": pages.compared(self.in_use, self.draft) if self.draft else [],
            "names": pages.names(),
            "may_edit": self.request.user.has_perm(deeds.EDIT),
            "may_publish": self.request.user.has_perm(deeds.PUBLISH),
            "address": self.address(),
            **preview_of(self.request, self.template, self.language, words, asked),
        }
        return render(self.request, only or "messages/wording.html", context, status=status)


def preview_of(request: HttpRequest, template: Template, language: str, words: Words, reference: str) -> dict[str, Any]:
    """Return a wording in words on a real order, or what is wrong with it."""
    faults = deeds.faults_of(words)
    found: dict[str, Any] = {
        "faults": [(pages.PARTS[name], of_part) for name, of_part in faults.items()],
        "asked": reference,
        "preview": None,
    }
    order = previewing.order_for(request.user, reference)
    found["is_unknown"] = order is None
    if order is None or faults or not request.user.is_authenticated:
        return found
    try:
        found["preview"] = previewing.preview(
            words=words, template=template, language=language, order=order, user=request.user
        )
    except CANNOT_BE_SAID as error:
        found["faults"] = [(_("It cannot be put into words"), [{"line": 1, "what": str(error)}])]
    return found


@for_staff(SEE)
@in_a_frame
@xframe_options_sameorigin
@require_http_methods(["GET", "HEAD", "POST"])
def email(request: HttpRequest, code: str) -> HttpResponse:
    """Show the HTML of an email as a mail program does, for a frame; a POST brings words that nobody kept yet."""
    template = get_object_or_404(Template, code=code)
    language = pages.language_of(request.GET.get("language", ""))
    if request.method == "POST":
        if not request.user.has_perm(deeds.EDIT):
            raise PermissionDenied
        form = WordsForm(request.POST)
        form.is_valid()
        words, reference = form.words(), request.POST.get("order", "")
    else:
        version = _version(request, template, language)
        words, reference = Words.of(version) if version else Words("", "", ""), request.GET.get("order", "")
    found = preview_of(request, template, language, words, reference)
    shown = found["preview"].html if found["preview"] else ""
    return email_page(shown)


def _version(request: HttpRequest, template: Template, language: str) -> TemplateVersion | None:
    """Return the version that is asked for, the draft, what is in use, or the English one."""
    of_it = TemplateVersion.objects.filter(template=template)
    number = request.GET.get("version", "")
    if number.isdecimal() and len(number) < 9:
        return get_object_or_404(of_it, language=language, number=int(number))
    newest = of_it.filter(language=language).order_by(F("published_at").desc(nulls_first=True), "-number")
    return newest.first() or deeds.in_use_of(template, "en")


@for_staff(SEE)
@with_frames
@require_http_methods(["GET", "HEAD", "POST"])
def versions(request: HttpRequest, code: str) -> HttpResponse:
    """Show the versions of a wording in a language, and what one changed; a POST rolls back to one."""
    template = get_object_or_404(Template, code=code)
    language = pages.language_of(request.GET.get("language", ""))
    context: dict[str, Any] = {}
    status = 200
    if request.method == "POST":
        try:
            return _rolled_back(request, template, language)
        except Forbidden as refusal:
            raise PermissionDenied from refusal
        except (Invalid, Refused) as refusal:
            context, status = {"refused": refusal.detail}, refusal.status
    rows = list(
        TemplateVersion.objects.filter(template=template, language=language)
        .select_related("written_by", "published_by")
        .order_by("-number")[:SHOWN]
    )
    context |= {
        "template": template,
        "language": language,
        "language_name": dict(settings.LANGUAGES)[language],
        "languages": settings.LANGUAGES,
        "versions": rows,
        "may_publish": request.user.has_perm(deeds.PUBLISH),
        **_chosen(request.GET, rows),
    }
    return render(request, "messages/wording_versions.html", context, status=status)


def _chosen(asked: Mapping[str, str], rows: list[TemplateVersion]) -> dict[str, Any]:
    """Return the version that is looked at, and what it changed of the one before it."""
    in_use = next((row for row in rows if row.published_at), None)
    chosen = next((row for row in rows if str(row.number) == asked.get("version", "")), rows[0] if rows else None)
    if chosen is None:
        return {"chosen": None}
    before = next((row for row in rows if row.published_at and row.number < chosen.number), None)
    against = in_use if chosen.published_at is None or asked.get("against") == "in_use" else before
    return {
        "chosen": chosen,
        "in_use": in_use,
        "against": against,
        "changes": pages.compared(against, chosen),
        "parts": [(title, getattr(chosen, name)) for name, title in pages.PARTS.items()],
        "may_roll_back": bool(in_use and chosen.published_at and chosen != in_use),
    }


def _rolled_back(request: HttpRequest, template: Template, language: str) -> HttpResponse:
    told = _told(request)
    told["by"].require(deeds.PUBLISH)
    number = request.POST.get("version", "")
    of_it = TemplateVersion.objects.filter(template=template, language=language)
    version = of_it.filter(number=int(number)).first() if number.isdecimal() and len(number) < 9 else None
    if version is None:
        raise NotFound(_("There is no such version."))
    new = deeds.roll_back(version_id=version.pk, why=request.POST.get("why", ""), **told)
    said = _g("The words of version %(old)s are in use again, as version %(new)s.")
    messages.success(request, said % {"old": version.number, "new": new.number})
    return redirect(f"{reverse('messages:wording-versions', args=[template.code])}?language={language}")


def _name_faults(form: WordsForm, refusal: Invalid) -> None:
    """Put what is wrong beside the field it stands in."""
    for name, faults in refusal.extra.get("fields", {}).items():
        for fault in () if name in form.errors else faults:
            form.add_error(name if name in form.fields else None, fault)

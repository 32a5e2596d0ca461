"""How the contact who was sent a link wants to be told: channels, language, hours, kinds, mute, another address."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from config.tracking import languages
from config.tracking.views import closed, frame, measured, opened
from config.tracking.visits import is_own_form, visit_to
from notifications import contacts, readers
from notifications.actions import addresses
from notifications.actions import contacts as deeds
from notifications.actions.contacts import Wishes
from notifications.contacts import Way
from notifications.models import Recipient
from notifications.statuses import FOR_EVER, Channel, Kind
from orders.actions.tracking import LinkEnded, TooMuch, holder
from orders.models import TrackingLink
from parts.errors import Refused
from parts.zones import known_zones

_TOO_LONG_OPEN = _("This form was open for too long, or cookies are off. Please send it once more.")


class WishesForm(forms.Form):
    """What a contact wishes."""

    wanted = forms.MultipleChoiceField(label=_("Write to me by"), required=False, widget=forms.CheckboxSelectMultiple)
    kinds = forms.MultipleChoiceField(
        label=_("Tell me of"), required=False, widget=forms.CheckboxSelectMultiple, choices=Kind.choices
    )
    language = forms.ChoiceField(label=_("Language of messages"), required=False)
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False)
    quiet_from = forms.TimeField(label=_("Quiet from"), required=False)
    quiet_until = forms.TimeField(label=_("Quiet until"), required=False)
    mute = forms.ChoiceField(
        label=_("No messages at all"),
        choices=[("no", _("No, write to me")), ("until", _("Until a day")), ("ever", _("For ever"))],
    )
    muted_until = forms.DateField(label=_("Until that day"), required=False)

    def __init__(self, data: Any, *, reader: Recipient, ways: list[Way]) -> None:
        muted = reader.muted_until if reader.is_muted(timezone.now()) else None
        is_for_ever = muted is not None and muted >= FOR_EVER
        initial = {
            "wanted": [str(way.id) for way in ways if way.is_wanted],
            "kinds": [kind for kind in Kind.values if kind not in reader.unwanted_kinds],
            "language": reader.language,
            "time_zone": reader.time_zone,
            "quiet_from": reader.quiet_from,
            "quiet_until": reader.quiet_until,
            "mute": "ever" if is_for_ever else "until" if muted else "no",
            "muted_until": timezone.localtime(muted, _zone(reader)).date() if muted and not is_for_ever else None,
        }
        super().__init__(data, initial=initial, label_suffix="")
        self._reader = reader
        own = reader.customer
        spoken = [code for code, _name in settings.LANGUAGES]
        names = [(code, translation.get_language_info(code)["name_local"].capitalize()) for code in spoken]
        self._choices("wanted", [(str(way.id), f"{way.channel_name}: {way.masked}") for way in ways])
        self._choices("language", [("", _("As in your account")), *names])
        self._choices("time_zone", [("", own.time_zone if own else "UTC"), *((z, z) for z in sorted(known_zones()))])
        for name in ("quiet_from", "quiet_until"):
            self.fields[name].widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
        self.fields["muted_until"].widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

    def _choices(self, name: str, choices: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def clean(self) -> dict[str, Any]:
        """A day is needed where it is to be quiet until one."""
        data = super().clean() or {}
        if data.get("mute") == "until" and not data.get("muted_until") and "muted_until" not in self.errors:
            self.add_error("muted_until", _g("Choose a day."))
        return data

    def wishes(self) -> Wishes:
        """Return what was filled in."""
        data = self.cleaned_data
        until: datetime | None = None
        if data["mute"] == "ever":
            until = FOR_EVER
        elif data["mute"] == "until":
            zone = readers.zone_of(data["time_zone"]) if data["time_zone"] else _zone(self._reader)
            until = datetime.combine(data["muted_until"], time(), zone)
        return Wishes(
            language=data["language"],
            time_zone=data["time_zone"],
            quiet_from=data["quiet_from"],
            quiet_until=data["quiet_until"],
            muted_until=until,
            wanted=[UUID(key) for key in data["wanted"]],
            unwanted=[kind for kind in Kind.values if kind not in data["kinds"]],
        )


class AddressForm(forms.Form):
    """A new address."""

    channel = forms.ChoiceField(
        label=_("Channel"),
        choices=[(one, Channel(one).label) for one in (Channel.EMAIL.value, Channel.SMS.value)],
    )
    value = forms.CharField(label=_("Address"), max_length=320, help_text=_("name@example.com, or +49 170 1234567"))

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="new_%s", label_suffix="")


# Both are exempt from Django's check only because they make their own: see config/tracking/visits.py.


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@opened
def told(request: HttpRequest, link: TrackingLink, token: str) -> HttpResponse:
    """Show how the contact of a link is told, and keep what is filled in."""
    return _kept(request, link, token) if request.method == "POST" else _shown(request, link, token)


@measured
def _kept(request: HttpRequest, link: TrackingLink, token: str) -> HttpResponse:
    reader = contacts.reader_of(link)
    if reader is None:
        return _shown(request, link, token, status=409 if is_own_form(request, link) else 403)
    with languages.spoken_to(request, link):
        form = WishesForm(request.POST, reader=reader, ways=contacts.ways_of(reader))
        status = _check_own(request, link, form)
        if form.is_valid() and status == 400:
            try:
                deeds.change(link_id=link.pk, wishes=form.wishes(), by=holder(link), at=timezone.now())
            except LinkEnded:
                return closed(request)
            except Refused as refusal:
                status = _refuse(form, refusal)
            else:
                kept = HttpResponseRedirect(f"{reverse('tracking:told', args=[token])}?done=kept")
                if "language" in form.changed_data:  # who wants to be written to in it reads this in it, too
                    languages.remember(form.cleaned_data["language"], request, kept)
                return kept
        str(form.errors)  # put into words in this language
    return _shown(request, link, token, status=status, form=form)


@csrf_exempt
@require_POST
@opened
@measured
def name_address(request: HttpRequest, link: TrackingLink, token: str) -> HttpResponse:
    """Name a new address; it is asked at one that is confirmed whether it is right."""
    with languages.spoken_to(request, link):
        form = AddressForm(request.POST)
        status = _check_own(request, link, form)
        if form.is_valid() and status == 400:
            try:
                deeds.name_address(link_id=link.pk, by=holder(link), at=timezone.now(), **form.cleaned_data)
            except LinkEnded:
                return closed(request)
            except Refused as refusal:
                status = _refuse(form, refusal)
            else:
                return HttpResponseRedirect(f"{reverse('tracking:told', args=[token])}?done=asked")
        str(form.errors)
    return _shown(request, link, token, status=status, new=form)


def _check_own(request: HttpRequest, link: TrackingLink, form: forms.Form) -> int:
    """Return 400, what a form gets that is wrong; 403 for one that is not of this page, and say so."""
    if is_own_form(request, link):
        return 400
    form.add_error(None, _TOO_LONG_OPEN)
    return 403


def _refuse(form: forms.Form, refusal: Refused) -> int:
    """Say a refusal in the customer's words, and return its status."""
    if isinstance(refusal, deeds.NowhereToAsk):
        said = _g(
            "We have no confirmed address of yours at which we could ask whether this is right. Write to the workshop,"
            " and we enter it for you."
        )
    elif isinstance(refusal, TooMuch | addresses.AskedTooOften):
        said = _g("You have sent a lot today. Please call us, or try again tomorrow.")
    else:
        said = str(refusal.detail)
    fields = {name: told for name, told in refusal.extra.get("fields", {}).items() if name in form.fields}
    for name, told in fields.items():
        form.add_error(name, [str(one) for one in told])
    if not fields:
        form.add_error(None, said)
    return refusal.status


def _zone(reader: Recipient) -> Any:
    return readers.zone_of(reader.time_zone or (reader.customer.time_zone if reader.customer else "UTC"))


def _shown(
    request: HttpRequest,
    link: TrackingLink,
    token: str,
    *,
    status: int = 200,
    form: WishesForm | None = None,
    new: AddressForm | None = None,
) -> HttpResponse:
    visit = visit_to(request, link)
    with languages.spoken_to(request, link) as language:
        reader = contacts.reader_of(link)
        ways = contacts.ways_of(reader) if reader else []
        done = request.GET.get("done", "") if request.method == "GET" else ""
        context = {
            **frame(language),
            "token": token,
            "link": link,
            "reader": reader,
            "ways": ways,
            "form": form or (WishesForm(None, reader=reader, ways=ways) if reader else None),
            "new": new or AddressForm(),
            "form_key": visit.form_key(link),
            "unmutable": contacts.cannot_be_muted() if reader else [],
            "done": done if done in ("kept", "asked") else "",
        }
        response = render(request, "tracking/told.html", context, status=status)
        response["Content-Language"] = language
    visit.keep(request, response)
    languages.keep(request, response)
    return response

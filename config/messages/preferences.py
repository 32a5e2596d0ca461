"""How somebody of the house wants to be told: channels, language, hours, and addresses of their own."""

from __future__ import annotations

from datetime import time
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from config.messages.door import for_house, person_of
from config.messages.tabs import tabs
from notifications import readers
from notifications.actions import addresses
from notifications.actions import preferences as deeds
from notifications.actions.preferences import Wishes
from notifications.models import Address, Recipient, Rule, StoppedNumber
from notifications.statuses import AddressState, Channel
from parts.actors import Actor
from parts.errors import Refused
from parts.models import Region
from parts.zones import known_zones


class WishesForm(forms.Form):
    """What somebody wishes."""

    wanted = forms.MultipleChoiceField(
        label=_("Write to me at"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("The inbox is always there."),
    )
    language = forms.ChoiceField(label=_("Language"), required=False)
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False)
    quiet_from = forms.TimeField(label=_("Quiet from"), required=False)
    quiet_until = forms.TimeField(label=_("Quiet until"), required=False)
    digest_hour = forms.TypedChoiceField(label=_("Hour of the daily digest"), coerce=int)
    muted_until = forms.DateTimeField(label=_("Mute all until"), required=False)
    regions = forms.MultipleChoiceField(
        label=_("Only of these regions"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: all."),
    )

    def __init__(self, data: Any, *, reader: Recipient, confirmed: list[Address]) -> None:
        initial = {
            "wanted": [str(address.pk) for address in confirmed if address.is_wanted],
            "language": reader.language,
            "time_zone": reader.time_zone,
            "quiet_from": reader.quiet_from,
            "quiet_until": reader.quiet_until,
            "digest_hour": reader.digest_hour,
            "muted_until": timezone.localtime(reader.muted_until) if reader.muted_until else None,
            "regions": [str(key) for key in reader.regions],
        }
        super().__init__(data, initial=initial, label_suffix="")
        self._choices("wanted", [(str(one.pk), f"{one.get_channel_display()}: {one.value}") for one in confirmed])
        self._choices("language", [("", _("English, as for everybody")), *settings.LANGUAGES])
        self._choices("time_zone", [("", "UTC"), *((zone, zone) for zone in sorted(known_zones()))])
        self._choices("digest_hour", [(hour, f"{hour:02}:00") for hour in range(24)])
        regions = Region.objects.order_by("name").values_list("pk", "name")
        self._choices("regions", [(str(key), name) for key, name in regions])
        for name in ("quiet_from", "quiet_until"):
            self.fields[name].widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
        self.fields["muted_until"].widget = forms.DateTimeInput(
            attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
        )

    def _choices(self, name: str, choices: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def wishes(self) -> Wishes:
        """Return what was filled in."""
        data = self.cleaned_data
        quiet: dict[str, time | None] = {name: data[name] for name in ("quiet_from", "quiet_until")}
        return Wishes(
            language=data["language"],
            time_zone=data["time_zone"],
            muted_until=data["muted_until"],
            digest_hour=data["digest_hour"],
            regions=[UUID(key) for key in data["regions"]],
            wanted=[UUID(key) for key in data["wanted"]],
            **quiet,
        )


class AddressForm(forms.Form):
    """Another address."""

    channel = forms.ChoiceField(
        label=_("Channel"), choices=[(value, Channel(value).label) for value in addresses.NAMED]
    )
    value = forms.CharField(label=_("Address"), max_length=320, help_text=_("name@example.com, or +49 170 1234567"))

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="new_%s", label_suffix="")


@for_house
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    """Show one's wishes, and keep what is filled in."""
    reader, theirs = _read(request)
    form = _wishes_form(request.POST if request.method == "POST" else None, reader, theirs)
    if request.method == "POST" and form.is_valid():
        try:
            deeds.change(wishes=form.wishes(), **_told(request))
        except Refused as refusal:
            _refuse(form, refusal)
        else:
            messages.success(request, _g("Your preferences are kept."))
            return redirect("messages:preferences")
    return _show(request, theirs, form, AddressForm(), 422 if form.errors else 200)


@for_house
@require_POST
def name_address(request: HttpRequest) -> HttpResponse:
    """Name an address of one's own; it is asked whether we may write there."""
    reader, theirs = _read(request)
    form = AddressForm(request.POST)
    if form.is_valid():
        try:
            deed = addresses.name_address(**form.cleaned_data, **_told(request))
        except Refused as refusal:
            _refuse(form, refusal)
        else:
            said = _g("We have written to %(address)s. Follow the link in that message within two days to confirm it.")
            messages.success(request, said % {"address": deed.value})
            return redirect("messages:preferences")
    return _show(request, theirs, _wishes_form(None, reader, theirs), form, 422)


@for_house
@require_POST
def remove_address(request: HttpRequest, key: UUID) -> HttpResponse:
    """Take an address of one's own away."""
    try:
        addresses.give_up(address_id=key, **_told(request))
    except Refused as refusal:
        raise Http404 from refusal
    messages.success(request, _g("The address is removed; nothing is written to it any more."))
    return redirect("messages:preferences")


def _read(request: HttpRequest) -> tuple[Recipient, list[Address]]:
    reader = readers.of_person(person_of(request), timezone.now())
    return reader, list(Address.objects.filter(recipient=reader).order_by("channel", "-id"))


def _wishes_form(data: Any, reader: Recipient, theirs: list[Address]) -> WishesForm:
    confirmed = [address for address in theirs if address.state == AddressState.CONFIRMED]
    return WishesForm(data, reader=reader, confirmed=confirmed)


def _show(request: HttpRequest, theirs: list[Address], form: WishesForm, new: AddressForm, status: int) -> HttpResponse:
    standing = {address.channel for address in theirs if address.state != AddressState.OFF}
    numbers = [one.value for one in theirs if one.channel == Channel.SMS and one.state == AddressState.CONFIRMED]
    context = {
        "form": form,
        "new": new,
        # Of those that are off, only what still needs a word: nothing else reaches the reader over that channel.
        "addresses": [
            one
            for one in theirs
            if one.state != AddressState.OFF
            or (one.off_reason != "reader" and one.channel not in standing and one.channel != Channel.PUSH)
        ],
        "stopped": set(StoppedNumber.objects.filter(pk__in=numbers).values_list("pk", flat=True)) if numbers else set(),
        "unmutable": Rule.objects.filter(is_active=True, cannot_be_muted=True)
        .order_by("name")
        .values_list("name", flat=True),
    }
    return render(request, "messages/preferences.html", {**context, **tabs(request, "preferences")}, status=status)


def _refuse(form: forms.Form, refusal: Refused) -> None:
    fields = {name: said for name, said in refusal.extra.get("fields", {}).items() if name in form.fields}
    for name, said in fields.items():
        form.add_error(name, list(said))
    if not fields:
        form.add_error(None, refusal.detail)


def _told(request: HttpRequest) -> dict[str, Any]:
    return {"by": Actor.user(request.user), "at": timezone.now()}

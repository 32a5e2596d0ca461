"""The form of a digest: the filters of the board, and when, how and in which words it comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from config.desk.board_forms import BoardForm
from notifications.actions.digests import Wanted
from notifications.models import DigestSubscription
from notifications.models.digests import DIGEST_CHANNELS, EVERY_DAY
from notifications.stuck import ABOUT, JOBS, PARTS_ORDERS, PARTS_STATUS
from orders.models import SavedView
from orders.statuses import LINE_OPEN, SERVICE_ORDER_OPEN, LineStatus, ServiceOrderStatus
from parts.zones import known_zones

#: What of the board's form narrows a digest; how many days it has of its own.
FILTERS = tuple(name for name in BoardForm.base_fields if name != "days_in_status")
_WORDS, _PARTS_WORDS = dict(ServiceOrderStatus.choices), dict(LineStatus.choices)
_ABOUT = {
    "": _("Service orders, and parts orders without one"),
    JOBS: _("Service orders only"),
    PARTS_ORDERS: _("Parts orders without a service order only"),
}


class DigestForm(BoardForm):
    """What a digest is to be. A saved view, where one is chosen, takes the place of the filters."""

    name = forms.CharField(label=_("Name"), max_length=80)
    view = forms.ChoiceField(label=_("Filters of a saved view"), required=False)
    about = forms.ChoiceField(label=_("Speaks of"), required=False, choices=[*_ABOUT.items()])
    status = forms.MultipleChoiceField(
        label=_("Service orders only in status"),
        required=False,
        choices=[(value, _WORDS[value]) for value in SERVICE_ORDER_OPEN],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked here or among parts orders: all."),
    )
    parts_status = forms.MultipleChoiceField(
        label=_("Parts orders only in status"),
        required=False,
        choices=[(value, _PARTS_WORDS[value]) for value in LINE_OPEN],
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.IntegerField(label=_("More than days in one status"), min_value=1, max_value=365, initial=3)
    hour = forms.TypedChoiceField(
        label=_("Hour"), coerce=int, choices=[(hour, f"{hour:02}:00") for hour in range(24)], initial=7
    )
    weekdays = forms.TypedMultipleChoiceField(
        label=_("On these days"),
        coerce=int,
        choices=[(day, WEEKDAYS[day - 1]) for day in EVERY_DAY],
        widget=forms.CheckboxSelectMultiple,
        initial=list(EVERY_DAY),
        error_messages={"required": _("Choose at least one day.")},
    )
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False)
    language = forms.ChoiceField(label=_("Language"), required=False)
    channel = forms.ChoiceField(
        label=pgettext_lazy("channel", "By"), choices=[(one.value, one.label) for one in DIGEST_CHANNELS]
    )
    says_nothing = forms.BooleanField(label=_("Also when there is nothing to say"), required=False)

    def __init__(self, data: Mapping[str, Any] | None, *, views: Sequence[SavedView], initial: dict[str, Any]) -> None:
        super().__init__({})
        self.is_bound, self.data = data is not None, data if data is not None else {}
        self.initial, self.auto_id, self.label_suffix = initial, "id_%s", ""
        del self.fields["days_in_status"]
        self.views = {str(view.pk): view for view in views}
        self._choices("view", [("", _("as chosen below")), *((key, view.name) for key, view in self.views.items())])
        self._choices(
            "time_zone", [("", _("That of your preferences")), *((one, one) for one in sorted(known_zones()))]
        )
        self._choices("language", [("", _("That of your preferences")), *settings.LANGUAGES])

    def clean(self) -> dict[str, Any]:
        """Let a saved view take the place of the filters; what is wrong with them then does not matter."""
        data = super().clean() or self.cleaned_data
        if data.get("view"):
            for name in (*FILTERS, "status", PARTS_STATUS):
                self.errors.pop(name, None)
        return data

    def wanted(self) -> Wanted:
        """Return what was filled in."""
        data = self.cleaned_data
        return Wanted(
            name=data["name"],
            filters=self._filters(data),
            days=data["days"],
            hour=data["hour"],
            weekdays=data["weekdays"],
            time_zone=data["time_zone"],
            language=data["language"],
            channel=data["channel"],
            says_nothing=data["says_nothing"],
        )

    def _filters(self, data: dict[str, Any]) -> str:
        about = [(ABOUT, data[ABOUT])] if data.get(ABOUT) else []
        if view := self.views.get(data.get("view", "")):
            return "&".join(part for part in (filters_of(QueryDict(view.query)), urlencode(about)) if part)
        given = [(name, "true" if data.get(name) is True else str(data.get(name) or "")) for name in FILTERS]
        pairs = [(name, value) for name, value in given if value] + about
        ticked = [(name, status) for name in ("status", PARTS_STATUS) for status in data.get(name, [])]
        return urlencode([*pairs, *ticked])


def filters_of(query: QueryDict) -> str:
    """Return what of a board's address narrows a digest."""
    pairs = [(name, str(query[name])) for name in FILTERS if query.get(name)]
    return urlencode([*pairs, *(("status", one) for one in query.getlist("status") if one in SERVICE_ORDER_OPEN)])


def initial_of(one: DigestSubscription) -> dict[str, Any]:
    """Return what the form of a digest shows at first."""
    query = QueryDict(one.filters)
    return {
        **{name: query[name] for name in FILTERS if name in query},
        **{name: query.getlist(name) for name in ("status", PARTS_STATUS)},
        ABOUT: query.get(ABOUT, ""),
        "name": one.name,
        "days": one.days,
        "hour": one.hour,
        "weekdays": list(one.weekdays),
        "time_zone": one.time_zone,
        "language": one.language,
        "channel": one.channel,
        "says_nothing": one.says_nothing,
    }


def filters_said(filters: str, form: BoardForm) -> list[tuple[Any, str]]:
    """Return the filters of a digest in words: what is narrowed, and to what. The form knows the names of choices."""
    query = QueryDict(filters)
    found: list[tuple[Any, str]] = []
    if about := str(query.get(ABOUT, "")):
        found.append((_("Speaks of"), str(_ABOUT.get(about, about))))
    for name in FILTERS:
        if value := str(query.get(name, "")):
            field = form.fields[name]
            names: dict[Any, Any] = dict(getattr(field, "choices", ()))
            is_ticked = isinstance(field, forms.BooleanField)
            found.append((field.label, _g("yes") if is_ticked else str(names.get(value, value))))
    if statuses := [one for one in query.getlist("status") if one in _WORDS]:
        found.append((_("Status"), ", ".join(str(_WORDS[one]) for one in statuses)))
    if statuses := [one for one in query.getlist(PARTS_STATUS) if one in _PARTS_WORDS]:
        found.append((_("Status of parts orders"), ", ".join(str(_PARTS_WORDS[one]) for one in statuses)))
    return found


def days_said(weekdays: Sequence[int]) -> str:
    """Return days of the week in words."""
    if set(weekdays) == set(EVERY_DAY):
        return _g("every day")
    if set(weekdays) == set(EVERY_DAY[:5]):
        return _g("Monday to Friday")
    return ", ".join(str(WEEKDAYS_ABBR[day - 1]) for day in sorted(weekdays) if day in EVERY_DAY)

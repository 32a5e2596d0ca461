"""The alerts that stand: filtered by the address, acknowledged where they are."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from config.desk.orders import for_staff
from config.faces.htmx import is_quick
from config.messages.watch_tabs import watch_tabs
from notifications import alert_list
from notifications.actions import alerting
from notifications.models import Alert
from notifications.statuses import Trigger
from parts.actors import Actor
from parts.errors import Refused
from parts.models import Region


class AlertFilters(forms.Form):
    """What of the alerts is shown."""

    kind = forms.ChoiceField(label=_("What ran out"), required=False)
    region = forms.ChoiceField(label=_("Region"), required=False)
    mine = forms.BooleanField(label=_("Told to me"), required=False)
    unseen = forms.BooleanField(label=_("Not acknowledged"), required=False)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data, auto_id="filter-%s")
        kinds, regions = self.fields["kind"], self.fields["region"]
        assert isinstance(kinds, forms.ChoiceField)
        assert isinstance(regions, forms.ChoiceField)
        kinds.choices = [("", _("All kinds")), *Trigger.choices]
        regions.choices = [("", _("All regions")), *Region.objects.order_by("code").values_list("code", "name")]

    @property
    def given(self) -> dict[str, str]:
        """What is set and means something, as the address says it."""
        self.is_valid()
        said = {name: value for name, value in self.cleaned_data.items() if value}
        return {name: "on" if value is True else str(value) for name, value in said.items()}

    @property
    def query(self) -> str:
        """The same as the query of an address."""
        return urlencode(self.given)

    def found(self, person: User) -> Any:
        """Return the alerts that are asked for; what means nothing asks for nothing."""
        given = self.given
        return alert_list.standing(
            trigger=given.get("kind", ""),
            region=given.get("region", ""),
            mine_of=person.pk if "mine" in given else None,
            unseen="unseen" in given,
        )


@for_staff("notifications.view_alert")
@require_safe
def alerts(request: HttpRequest) -> HttpResponse:
    """List the alerts that stand; for htmx, only the list."""
    filters = AlertFilters(request.GET)
    person = cast(User, request.user)
    page = alert_list.page_of(filters.found(person), request.GET.get("after", ""))
    quick = is_quick(request, "alerts")
    context = {"filters": filters, "page": page, "quick": quick, "may": _may(person)}
    if not quick:
        context |= watch_tabs(request, "alerts")
    answer = render(request, "messages/alerts_body.html" if quick else "messages/alerts.html", context)
    if quick:
        answer.headers["HX-Push-Url"] = f"{request.path}?{filters.query}" if filters.query else request.path
    return answer


def _may(person: User) -> bool:
    return person.has_perm("notifications.acknowledge_alert")


@for_staff("notifications.acknowledge_alert")
@require_POST
def acknowledge(request: HttpRequest, key: UUID) -> HttpResponse:
    """Write down that this person saw an alert, and go back to the list; for htmx, show its row anew."""
    try:
        first = alerting.acknowledge(alert_id=key, by=Actor.user(request.user), at=timezone.now())
    except Refused as refusal:
        messages.error(request, refusal.detail)
        return _back(request)
    if is_quick(request):
        (row,) = alert_list.shown(list(Alert.objects.filter(pk=key).select_related("rule", "region")))
        return render(request, "messages/alert_row.html", {"row": row, "may": True, "fresh": True})
    if first:
        messages.success(request, _g("Acknowledged: it is not escalated any further."))
    else:
        messages.info(request, _g("It was acknowledged already."))
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    filters = AlertFilters(QueryDict(request.POST.get("filters", "")[:500]))
    address = reverse("messages:alerts")
    return redirect(f"{address}?{filters.query}" if filters.query else address)

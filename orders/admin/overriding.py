"""Asking for an override with its evidence, the second person's consent, and the list of all overrides."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Model, QuerySet
from django.db.models.functions import TruncMonth
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter
from unfold.decorators import display

from orders.actions import consents
from orders.admin.chained import ByReference
from orders.asking import LineOverrideAsked, OverrideAsked, ask_for_override
from orders.consenting import reference_of
from orders.models import ConsentRule, EventText, Override, OverrideRequest
from orders.serving import file_response
from orders.statuses import LineStatus, ServiceOrderStatus
from parts.admin.deeds import Act, Deed, DeedForm, Done, NothingAsked, ReasonForm
from parts.admin.offices import Edited, Shown
from parts.labels import full_name, moment_label, names_of, status_label
from parts.rules import day_problem

_WORDS = {**dict(ServiceOrderStatus.choices), **dict(LineStatus.choices)}
#: How many people's months are shown above the list.
MOST_ROWS = 60


class EvidencedForm(OverrideAsked, DeedForm):
    """Where to, why, and what it rests on."""


class LineOverrideForm(LineOverrideAsked, DeedForm):
    """For a line, also when it was shipped outside the system."""


def wishing(about: Literal["line", "service_order"]) -> Act:
    """Return what the override's deed does on the page of a line or a job: it is done, or waits for consent."""

    def act(subject: Any, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
        row, says = ask_for_override(about, subject, cleaned, told)
        return Done(says, row if row.status == "waiting" else None)

    return act


# --- What waits for consent ------------------------------------------------------------------------------------------


def _consent(subject: OverrideRequest, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    consents.consent(request_id=subject.pk, **told)
    return Done(_g("Done: %(what)s.") % {"what": subject})


def _refuse(subject: OverrideRequest, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    consents.refuse(request_id=subject.pk, reason=cleaned["reason"], **told)
    return Done(_g("Refused; nothing was overridden."))


def _withdraw(subject: OverrideRequest, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    consents.withdraw(request_id=subject.pk, **told)
    return Done(_g("Taken back; nothing was overridden."))


def _waits(row: Any) -> bool:
    return row.status == "waiting"


def reason_of(row: OverrideRequest) -> str:
    """Return why it was asked for, from the ledger's vault."""
    text = EventText.objects.filter(event=row.asked_event).values_list("text", flat=True).first()
    return _g("(erased)") if text is None else text


@admin.register(OverrideRequest)
class OverrideRequestOffice(Shown):
    list_display = ("about", "change", "rule", "state", "request_by", "decision")
    list_filter = (("status", ChoicesDropdownFilter), "requested_by", ("requested_at", RangeDateTimeFilter))
    list_select_related = ("line", "service_order", "requested_by", "decided_by")
    search_fields = ("line__reference", "service_order__reference", "reference")
    ordering = ("-id",)
    fields = ("reference", "happened_at", "rule", "requested_by", "requested_at", "decided_by", "decided_at")
    panel_template = "admin/orders/overriderequest/panel.html"
    deeds = (
        Deed(
            slug="consent",
            title=_("Consent"),
            permission="orders.consent_override",
            form=NothingAsked,
            act=_consent,
            offered=_waits,
            icon="how_to_reg",
            intro=_("It is done at once, in the name of who asked; the ledger has your consent beside it, for ever."),
            danger=True,
        ),
        Deed(
            slug="refuse",
            title=_("Refuse"),
            permission="orders.consent_override",
            form=ReasonForm,
            act=_refuse,
            offered=_waits,
            icon="block",
        ),
        Deed(
            slug="withdraw",
            title=_("Take it back"),
            permission="orders.override_orderline",
            act=_withdraw,
            offered=_waits,
            icon="undo",
            inline=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[OverrideRequest]:
        """Read what it is about along."""
        rows = super().get_queryset(request)
        return rows.select_related("line__part", "service_order__customer", "requested_by", "decided_by")

    def get_urls(self) -> list[URLPattern]:
        """Add the address of the evidence."""
        view = require_safe(self.admin_site.admin_view(self.evidence_view))
        return [path("<path:object_id>/evidence/", view, name="orders_overriderequest_evidence"), *super().get_urls()]

    def evidence_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Send the file that an override rests on."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None or not row.evidence:
            raise Http404
        return file_response(row.evidence, row.evidence_name, row.evidence_type, is_shown="save" not in request.GET)

    def title_of(self, subject: Any) -> str:
        """Say what it is about, and from where to where."""
        return f"{subject.subject.reference}: {self.change(subject)}"

    def is_theirs(self, request: HttpRequest, deed: Deed, subject: Any) -> bool:
        """Who asked can take it back, and nobody else; another person decides."""
        return (subject.requested_by_id == request.user.pk) == (deed.slug == "withdraw")

    def panel(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Show what is asked for, why, and what it rests on."""
        return {
            "about": subject.subject,
            "about_address": _address(subject.subject),
            "reason": reason_of(subject),
            "from_label": status_label(subject.from_status, _WORDS.get(subject.from_status, subject.from_status)),
            "to_label": status_label(subject.to_status, _WORDS.get(subject.to_status, subject.to_status)),
            "is_own": subject.requested_by_id == request.user.pk,
        }

    @display(description=_("about"))
    def about(self, row: OverrideRequest) -> str:
        """The reference of the line or the job."""
        return row.subject.reference

    @display(description=_("change"))
    def change(self, row: OverrideRequest) -> str:
        """From where to where."""
        return f"{_WORDS.get(row.from_status, row.from_status)} → {_WORDS.get(row.to_status, row.to_status)}"

    @display(description=_("asked for by"), ordering="requested_at")
    def request_by(self, row: OverrideRequest) -> SafeString:
        """By whom and when."""
        return _who_and_when(row.requested_by, row.requested_at)

    @display(description=_("decided by"), ordering="decided_at")
    def decision(self, row: OverrideRequest) -> SafeString | str:
        """By whom and when."""
        return _who_and_when(row.decided_by, row.decided_at) if row.decided_at else "–"

    @display(description=_("status"), ordering="status")
    def state(self, row: OverrideRequest) -> SafeString:
        """Where it stands."""
        return status_label(row.status, row.get_status_display())


def _who_and_when(person: User | None, at: datetime) -> SafeString:
    return format_html('{} <span class="desk-under">{}</span>', full_name(person), moment_label(at))


def _address(subject: Model) -> str:
    return reverse(f"admin:orders_{subject._meta.model_name}_change", args=[subject.pk])


@admin.register(ConsentRule)
class ConsentRuleOffice(Edited):
    list_display = ("name", "subject", "to_status", "value_over", "criticality", "is_active")
    list_filter = ("is_active", ("subject", ChoicesDropdownFilter))
    search_fields = ("name",)
    ordering = ("name",)


# --- All overrides ---------------------------------------------------------------------------------------------------


def _month(text: str | None) -> datetime | None:
    """Return the first moment of a month of an address (`2026-03`), None for what is none."""
    try:
        begin = datetime.strptime(text or "", "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        return None
    return begin if day_problem(begin.date()) is None else None


class MonthFilter(SimpleListFilter):
    """`?month=2026-03`; the table above the list leads here."""

    title = _("month")
    parameter_name = "month"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the last twelve months."""
        today = timezone.now().date()
        firsts = [_months_before(today, count) for count in range(12)]
        return [(first.strftime("%Y-%m"), date_format(first, "F Y")) for first in firsts]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the month."""
        if begin := _month(self.value()):
            end = (begin.replace(day=28) + timedelta(days=4)).replace(day=1)
            return queryset.filter(recorded_at__gte=begin, recorded_at__lt=end)
        return queryset


def _months_before(day: date, count: int) -> date:
    month = day.year * 12 + day.month - 1 - count
    return date(month // 12, month % 12 + 1, 1)


class PersonFilter(SimpleListFilter):
    """`?person=user:17`: who overrode."""

    title = _("person")
    parameter_name = "person"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer who has overridden."""
        actors = Override.objects.order_by().values_list("actor", flat=True).distinct()[:MOST_ROWS]
        return sorted(names_of(actors).items(), key=lambda item: item[1].lower())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the person's."""
        return queryset.filter(actor=self.value()) if self.value() else queryset


@admin.register(Override)
class OverrideOffice(ByReference, Shown):
    list_display = ("recorded_at", "reference", "change", "by", "why", "rests_on", "consent", "source")
    list_filter = (PersonFilter, MonthFilter, ("subject_kind", ChoicesDropdownFilter))
    search_fields = ("reference", "override_reference")
    search_help_text = _("Reference of the line or job, or of what the override rests on")
    ordering = ("-id",)
    fields = ("recorded_at", "occurred_at", "reference", "change", "by", "why", "rests_on", "consent", "source")
    readonly_fields = ("change", "by", "why", "rests_on", "consent")
    overview_template = "admin/orders/override/months.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Override]:
        """Keep what went round the flow, with the reasons."""
        return super().get_queryset(request).select_related("text")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Read along, for the whole list at once, what each override rests on and who consented."""
        changelist = super().get_changelist_instance(request)
        keys = [row.data["request"] for row in changelist.result_list if "request" in row.data]
        requests = {str(found.pk): found for found in OverrideRequest.objects.filter(pk__in=keys)}
        names = names_of(row.data["consented_by"] for row in changelist.result_list if "consented_by" in row.data)
        for row in changelist.result_list:
            row.request = requests.get(row.data.get("request", ""))
            row.consented = names.get(row.data.get("consented_by", ""), "")
        return changelist

    def overview(self, request: HttpRequest) -> dict[str, Any]:
        """Count them by person and month, the last twelve months; each figure leads to its rows."""
        first = _months_before(timezone.now().date(), 11)
        begin = datetime(first.year, first.month, 1, tzinfo=UTC)
        rows = list(
            Override.objects.filter(recorded_at__gte=begin)
            .annotate(month=TruncMonth("recorded_at", tzinfo=UTC))
            .order_by("actor", "month")
            .values_list("actor", "month")
            .annotate(count=Count("pk"))
        )
        months = [_months_before(timezone.now().date(), count) for count in reversed(range(12))]
        counts = {(actor, month.strftime("%Y-%m")): count for actor, month, count in rows}
        names = names_of(actor for actor, _month_of, _count in rows)
        people = sorted(names.items(), key=lambda item: item[1].lower())[:MOST_ROWS]
        labels = [(month.strftime("%Y-%m"), date_format(month, "M y")) for month in months]
        return {
            "months": labels,
            "people": [
                (actor, name, [(key, counts.get((actor, key), 0)) for key, _label in labels]) for actor, name in people
            ],
            "waiting": OverrideRequest.objects.filter(status="waiting").count(),
        }

    @display(description=_("change"))
    def change(self, row: Override) -> SafeString:
        """From where to where."""
        before = _WORDS.get(row.from_status, row.from_status)
        return format_html("{} → {}", before, status_label(row.to_status, _WORDS.get(row.to_status, row.to_status)))

    @display(description=_("why"))
    def why(self, row: Override) -> str:
        """The reason, as long as nobody had it erased."""
        text = getattr(row, "text", None)
        return text.text if text else _g("(erased)")

    @display(description=_("rests on"))
    def rests_on(self, row: Any) -> SafeString | str:
        """The reference, and the evidence."""
        if not hasattr(row, "request"):
            row.request = OverrideRequest.objects.filter(pk=row.data.get("request")).first()
        if row.request is None or not row.request.evidence_sha256:
            return row.override_reference
        if not row.request.evidence:
            return f"{row.override_reference} {_g('(file erased)')}"
        address = reverse("admin:orders_overriderequest_evidence", args=[row.request.pk])
        alone = row.override_reference == reference_of(row.request.evidence_sha256)
        shown = "" if alone else row.override_reference
        return format_html('{} <a href="{}" class="underline">{}</a>', shown, address, row.request.evidence_name)

    @display(description=_("consent"))
    def consent(self, row: Any) -> str:
        """Who consented, where somebody had to."""
        if not hasattr(row, "consented"):
            row.consented = (
                names_of([row.data["consented_by"]])[row.data["consented_by"]] if "consented_by" in row.data else ""
            )
        return row.consented or "–"

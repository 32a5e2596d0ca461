"""Jobs: their words are edited, everything else about them is done by a deed (see `job_deeds`)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from django_fsm import ConcurrentTransition
from unfold.contrib.filters.admin import (
    ChoicesDropdownFilter,
    DropdownFilter,
    RangeDateFilter,
)
from unfold.decorators import display

from orders.actions import jobs
from orders.admin.chained import ByReference, Standing, moves_panel
from orders.admin.job_deeds import DEEDS
from orders.admin.timeline import timeline_panel
from orders.models import DiagnosticNote, LabourEntry, PartsOrder, ReturnShipment, ServiceOrder
from orders.people import technicians
from orders.searching import jobs_with
from orders.statuses import SERVICE_ORDER_STEPS
from parts.admin.deeds import Deed, Done
from parts.admin.filters import ChosenFilter
from parts.admin.offices import Edited, Shown
from parts.labels import full_name

#: What the page of a job shows and only its deeds change.
SET_BY_DEEDS = (
    "customer",
    "region",
    "technician",
    "scheduled_for",
    "estimated_completion_at",
    "is_test",
    "version",
    "created_at",
)


class TechnicianFilter(DropdownFilter):
    """By who works on it. Whoever sees jobs chooses from those who do, without a right to see all people."""

    title = _("technician")
    parameter_name = "technician"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the technicians by name."""
        return [(str(person.pk), full_name(person)) for person in technicians()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return what is theirs."""
        chosen = self.value()
        return queryset.filter(technician_id=chosen) if chosen and chosen.isdecimal() else queryset


@admin.register(ServiceOrder)
class ServiceOrderOffice(ByReference, Standing, Edited):
    list_display = (
        "reference",
        "title",
        "state",
        "customer",
        "machine_down",
        "who",
        "scheduled_for",
    )
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("customer", ChosenFilter),
        TechnicianFilter,
        ("region", ChosenFilter),
        "machine_down",
        "is_test",
        ("scheduled_for", RangeDateFilter),
    )
    list_select_related = ("customer", "technician")
    search_fields = ("reference", "title", "external_reference", "customer__code", "customer__name")
    search_help_text = _("Reference, title or customer")
    autocomplete_fields = ("equipment", "contract")
    ordering = ("-id",)
    readonly_fields = ("reference", "state", *SET_BY_DEEDS)
    fieldsets = (
        (None, {"fields": ("title", "description", "external_reference", "equipment", "contract", "machine_down")}),
        (_("Set by the buttons above"), {"fields": SET_BY_DEEDS}),
    )
    panel_template = "admin/orders/serviceorder/panel.html"
    deeds = DEEDS

    def meant_by(self, term: str) -> Q:
        """Find as the desk does: by the customer, their reference, the machine, or words of an open job's title."""
        return jobs_with(term, closed_too=True)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: a job is opened by its deed."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: a job is cancelled."""
        return False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Save the words; who edits while somebody else moves the job is told so, and nothing is saved."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except ConcurrentTransition:
            says = _g("Somebody moved this job while you edited it. Nothing was saved: look again, then decide.")
            messages.error(request, says)
            return redirect(request.path)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ServiceOrder]:
        """Read customer and technician along."""
        return super().get_queryset(request).select_related("customer", "technician", "region")

    @display(description=_("technician"), ordering="technician")
    def who(self, job: ServiceOrder) -> str:
        """Who has it, by name."""
        return full_name(job.technician)

    def title_of(self, subject: Any) -> str:
        """Say reference and title."""
        return f"{subject.reference} · {subject.title}"

    def panel(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Show where it stands, where it may go, its parts and its timeline."""
        return {
            **moves_panel(
                subject,
                list(SERVICE_ORDER_STEPS[subject.status]),
                may_move=request.user.has_perm("orders.move_serviceorder"),
                may_cancel=True,
                public_notes=True,
            ),
            "parts_orders": list(PartsOrder.objects.filter(service_order=subject).order_by("-id")[:20]),
            "labour": list(LabourEntry.objects.filter(service_order=subject).select_related("technician")[:20]),
            "diagnoses": list(DiagnosticNote.objects.filter(service_order=subject).select_related("author")[:20]),
            "return_shipments": list(ReturnShipment.objects.filter(service_order=subject)[:20]),
            **timeline_panel([subject.pk], of=subject.pk),
        }


def _arrived(subject: ReturnShipment, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    jobs.equipment_arrived(shipment_id=subject.pk, **told)
    return Done(_g("Its arrival is noted."))


@admin.register(ReturnShipment)
class ReturnShipmentOffice(Shown):
    list_display = (
        "tracking_number",
        "carrier",
        "direction",
        "service_order",
        "shipped_at",
        "expected_on",
        "arrived_at",
    )
    list_filter = (("direction", ChoicesDropdownFilter), ("expected_on", RangeDateFilter))
    list_select_related = ("service_order",)
    search_fields = ("tracking_number", "carrier", "service_order__reference")
    ordering = ("-id",)
    deeds = (
        Deed(
            slug="arrived",
            title=_("It has arrived"),
            permission="orders.change_serviceorder",
            act=_arrived,
            offered=lambda shipment: shipment.arrived_at is None,
            icon="task_alt",
            inline=True,
        ),
    )


@admin.register(LabourEntry)
class LabourEntryOffice(Shown):
    list_display = ("started_at", "minutes", "technician", "service_order", "description")
    list_filter = (TechnicianFilter,)
    list_select_related = ("service_order", "technician")
    search_fields = ("service_order__reference", "description", "technician__username")
    ordering = ("-id",)


@admin.register(DiagnosticNote)
class DiagnosticNoteOffice(Shown):
    list_display = ("created_at", "failure_code", "service_order", "author", "text")
    list_filter = (("author", ChosenFilter),)
    list_select_related = ("service_order", "author")
    search_fields = ("service_order__reference", "failure_code", "text")
    ordering = ("-id",)

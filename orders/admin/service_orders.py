"""Jobs: their words are edited, everything else about them is done by a deed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from django_fsm import ConcurrentTransition
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RangeDateFilter
from unfold.decorators import display

from orders.actions import jobs, service_orders
from orders.admin.chained import OVERRIDE_INTRO, ByReference, MoveForm, OverrideForm, moves_panel
from orders.admin.timeline import MOST_SHOWN, timeline
from orders.models import DiagnosticNote, LabourEntry, PartsOrder, ReturnShipment, ServiceOrder
from orders.statuses import SERVICE_ORDER_OPEN, SERVICE_ORDER_PATH, SERVICE_ORDER_STEPS, ServiceOrderStatus
from parts.admin.deeds import Chosen, Deed, DeedForm, Done
from parts.admin.offices import Edited, Shown
from parts.labels import status_label


def _is_open(job: ServiceOrder) -> bool:
    return job.status in SERVICE_ORDER_OPEN


def _stands(moved: service_orders.Moved) -> Done:
    says = _g("%(reference)s is %(status)s now.")
    return Done(says % {"reference": moved.reference, "status": ServiceOrderStatus(moved.status).label})


def _move(subject: ServiceOrder, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    return _stands(service_orders.move(service_order_id=subject.pk, **cleaned, **told))


class FastForwardForm(DeedForm):
    """A status further on."""

    to = forms.ChoiceField(label=_("Straight to"))
    note = forms.CharField(label=_("Note"), required=False, max_length=2000, widget=forms.Textarea)
    public = forms.BooleanField(label=_("The customer may read it"), required=False)

    def shape(self) -> None:
        """Offer what lies more than one step ahead."""
        words = dict(ServiceOrderStatus.choices)
        ahead = SERVICE_ORDER_PATH[_place(self.subject) + 2 :]
        self.fields["to"] = forms.ChoiceField(label=_("Straight to"), choices=[(to, words[to]) for to in ahead])


def _place(job: ServiceOrder) -> int:
    return SERVICE_ORDER_PATH.index(job.status) if job.status in SERVICE_ORDER_PATH else len(SERVICE_ORDER_PATH)


def _fast_forward(subject: ServiceOrder, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    return _stands(service_orders.fast_forward(service_order_id=subject.pk, **cleaned, **told))


def _override(subject: ServiceOrder, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    return _stands(service_orders.override(service_order_id=subject.pk, **cleaned, **told))


class AssignForm(DeedForm):
    """Who does it."""

    technician = Chosen(
        ServiceOrder._meta.get_field("technician"), label=_("Technician"), required=False, help_text=_("Empty: nobody.")
    )

    def shape(self) -> None:
        """Begin with who has it."""
        self.fields["technician"].initial = self.subject.technician_id


def _assign(subject: ServiceOrder, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    person: User | None = cleaned["technician"]
    service_orders.assign(
        service_order_id=subject.pk,
        technician_id=person.pk if person else None,
        expected_version=cleaned["expected_version"],
        **told,
    )
    return Done(_g("Given to %(person)s.") % {"person": person} if person else _g("Nobody has it now."))


def _claim(subject: ServiceOrder, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    service_orders.claim(service_order_id=subject.pk, expected_version=cleaned["expected_version"], **told)
    return Done(_g("It is yours now."))


class JobNoteForm(DeedForm):
    """A note for the timeline."""

    text = forms.CharField(label=_("Note"), max_length=4000, widget=forms.Textarea)
    public = forms.BooleanField(label=_("The customer may read it"), required=False)


def _note(subject: ServiceOrder, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    service_orders.add_note(service_order_id=subject.pk, text=cleaned["text"], public=cleaned["public"], **told)
    return Done(_g("The note is on the timeline."))


class RescheduleForm(DeedForm):
    """For which day."""

    scheduled_for = forms.DateField(label=_("Scheduled for"))
    note = forms.CharField(label=_("Note"), required=False, max_length=2000, widget=forms.Textarea)

    def shape(self) -> None:
        """Begin with the present day."""
        self.fields["scheduled_for"].initial = self.subject.scheduled_for


def _reschedule(subject: ServiceOrder, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    jobs.reschedule(service_order_id=subject.pk, **cleaned, **told)
    return Done(_g("Planned for %(day)s.") % {"day": cleaned["scheduled_for"]})


class EstimateForm(DeedForm):
    """When it will be done."""

    estimated_completion_at = forms.DateTimeField(label=_("Estimated completion (UTC)"))
    note = forms.CharField(label=_("Note"), required=False, max_length=2000, widget=forms.Textarea)

    def shape(self) -> None:
        """Begin with the present estimate."""
        self.fields["estimated_completion_at"].initial = self.subject.estimated_completion_at


def _estimate(subject: ServiceOrder, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    jobs.set_estimated_completion(service_order_id=subject.pk, **cleaned, **told)
    return Done(_g("The estimate is noted."))


class LabourForm(DeedForm):
    """Work done."""

    started_at = forms.DateTimeField(label=_("Started at (UTC)"))
    minutes = forms.IntegerField(label=_("Minutes"), min_value=1, max_value=1440)
    description = forms.CharField(label=_("What was done"), required=False, max_length=300)

    def shape(self) -> None:
        """Begin with now."""
        self.fields["started_at"].initial = timezone.now().replace(second=0, microsecond=0)


def _labour(subject: ServiceOrder, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    facts = {name: cleaned[name] for name in ("started_at", "minutes", "description")}
    jobs.log_labour(service_order_id=subject.pk, **facts, **told)
    return Done(_g("%(minutes)s minutes logged.") % {"minutes": cleaned["minutes"]})


class DiagnosisForm(DeedForm):
    """What was found."""

    text = forms.CharField(label=_("Finding"), max_length=4000, widget=forms.Textarea)
    failure_code = forms.CharField(label=_("Failure code"), required=False, max_length=40)


def _diagnose(subject: ServiceOrder, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    jobs.add_diagnosis(service_order_id=subject.pk, text=cleaned["text"], failure_code=cleaned["failure_code"], **told)
    return Done(_g("The finding is noted."))


class SendForm(DeedForm):
    """Which way the equipment goes, and with whom."""

    direction = forms.ChoiceField(label=_("Direction"), choices=ReturnShipment.Direction.choices)
    carrier = forms.CharField(label=_("Carrier"), max_length=60)
    tracking_number = forms.CharField(label=_("Tracking number"), max_length=80)
    expected_on = forms.DateField(label=_("Expected on"), required=False)


def _send(subject: ServiceOrder, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    facts = {name: cleaned[name] for name in ("direction", "carrier", "tracking_number", "expected_on")}
    jobs.send_equipment(service_order_id=subject.pk, **facts, **told)
    return Done(_g("The shipment is tracked."))


class OpenForm(DeedForm):
    """A new job."""

    customer = Chosen(ServiceOrder._meta.get_field("customer"), label=_("Customer"))
    title = forms.CharField(label=_("Title"), max_length=160)
    equipment = Chosen(ServiceOrder._meta.get_field("equipment"), label=_("Equipment"), required=False)
    contract = Chosen(ServiceOrder._meta.get_field("contract"), label=_("Contract"), required=False)
    description = forms.CharField(label=_("Description"), required=False, widget=forms.Textarea)
    external_reference = forms.CharField(label=_("Customer's reference"), required=False, max_length=80)
    machine_down = forms.BooleanField(label=_("The machine is down"), required=False)
    scheduled_for = forms.DateField(label=_("Scheduled for"), required=False)
    status = forms.ChoiceField(
        label=_("Begins as"), choices=[("draft", _("Draft: staff only")), ("new", _("New: logged on site"))]
    )
    is_test = forms.BooleanField(label=_("Test or training"), required=False)


def _open(subject: None, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    job = service_orders.create(
        customer_id=cleaned["customer"].pk,
        equipment_id=cleaned["equipment"].pk if cleaned["equipment"] else None,
        contract_id=cleaned["contract"].pk if cleaned["contract"] else None,
        **{
            name: cleaned[name]
            for name in (
                "title",
                "description",
                "external_reference",
                "machine_down",
                "scheduled_for",
                "status",
                "is_test",
            )
        },
        **told,
    )
    return Done(_g("%(reference)s opened.") % {"reference": job.reference}, job)


@admin.register(ServiceOrder)
class ServiceOrderOffice(ByReference, Edited):
    list_display = (
        "reference",
        "title",
        "state",
        "customer",
        "machine_down",
        "technician",
        "scheduled_for",
        "created_at",
    )
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("customer", AutocompleteSelectFilter),
        ("technician", AutocompleteSelectFilter),
        ("region", AutocompleteSelectFilter),
        "machine_down",
        "is_test",
        ("scheduled_for", RangeDateFilter),
    )
    list_select_related = ("customer", "technician")
    search_fields = ("reference", "title", "external_reference", "customer__code", "customer__name")
    search_help_text = _("Reference, title or customer")
    autocomplete_fields = ("equipment", "contract")
    ordering = ("-id",)
    readonly_fields = (
        "reference",
        "state",
        "customer",
        "region",
        "technician",
        "scheduled_for",
        "estimated_completion_at",
        "is_test",
        "version",
        "created_at",
    )
    fieldsets = (
        (None, {"fields": ("title", "description", "external_reference", "equipment", "contract", "machine_down")}),
        (
            _("Set by the buttons above"),
            {
                "fields": (
                    "customer",
                    "region",
                    "technician",
                    "scheduled_for",
                    "estimated_completion_at",
                    "is_test",
                    "version",
                    "created_at",
                )
            },
        ),
    )
    panel_template = "admin/orders/serviceorder/panel.html"
    deeds = (
        Deed(
            slug="open",
            title=_("Open a service order"),
            permission="orders.add_serviceorder",
            form=OpenForm,
            act=_open,
            icon="add",
            on_list=True,
        ),
        Deed(
            slug="move",
            title=_("Move"),
            permission="orders.move_serviceorder",
            form=MoveForm,
            act=_move,
            inline=True,
            hidden=True,
        ),
        Deed(
            slug="claim",
            title=_("Claim"),
            permission="orders.claim_serviceorder",
            act=_claim,
            offered=lambda job: _is_open(job) and job.technician_id is None,
            icon="front_hand",
            inline=True,
        ),
        Deed(
            slug="assign",
            title=_("Assign"),
            permission="orders.assign_serviceorder",
            form=AssignForm,
            act=_assign,
            offered=_is_open,
            icon="person_add",
        ),
        Deed(
            slug="fast-forward",
            title=_("Fast-forward"),
            permission="orders.move_serviceorder",
            form=FastForwardForm,
            act=_fast_forward,
            offered=lambda job: len(SERVICE_ORDER_PATH) - _place(job) > 2,
            icon="fast_forward",
            intro=_("Every step in between is walked and recorded as passed through."),
        ),
        Deed(
            slug="note",
            title=_("Add a note"),
            permission="orders.change_serviceorder",
            form=JobNoteForm,
            act=_note,
            icon="sticky_note_2",
        ),
        Deed(
            slug="reschedule",
            title=_("Reschedule"),
            permission="orders.change_serviceorder",
            form=RescheduleForm,
            act=_reschedule,
            offered=_is_open,
            icon="event",
        ),
        Deed(
            slug="estimate",
            title=_("Estimate completion"),
            permission="orders.change_serviceorder",
            form=EstimateForm,
            act=_estimate,
            offered=_is_open,
            icon="schedule",
        ),
        Deed(
            slug="labour",
            title=_("Log labour"),
            permission="orders.add_labourentry",
            form=LabourForm,
            act=_labour,
            offered=_is_open,
            icon="timer",
        ),
        Deed(
            slug="diagnosis",
            title=_("Add a diagnosis"),
            permission="orders.add_diagnosticnote",
            form=DiagnosisForm,
            act=_diagnose,
            offered=_is_open,
            icon="troubleshoot",
        ),
        Deed(
            slug="send",
            title=_("Send equipment"),
            permission="orders.change_serviceorder",
            form=SendForm,
            act=_send,
            icon="package_2",
        ),
        Deed(
            slug="override",
            title=_("Override"),
            permission="orders.override_serviceorder",
            form=OverrideForm,
            act=_override,
            icon="warning",
            intro=OVERRIDE_INTRO,
            danger=True,
        ),
    )

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

    def title_of(self, subject: Any) -> str:
        """Say reference and title."""
        return f"{subject.reference} · {subject.title}"

    def panel(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Show where it stands, where it may go, its parts and its timeline."""
        happenings = timeline([subject.pk], of=subject.pk)
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
            "timeline": happenings,
            "timeline_cut": len(happenings) == MOST_SHOWN,
        }

    @display(description=_("status"), ordering="status")
    def state(self, job: ServiceOrder) -> SafeString:
        """The status, coloured."""
        return status_label(job.status, job.get_status_display())


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
    list_filter = (("technician", AutocompleteSelectFilter),)
    list_select_related = ("service_order", "technician")
    search_fields = ("service_order__reference", "description", "technician__username")
    ordering = ("-id",)


@admin.register(DiagnosticNote)
class DiagnosticNoteOffice(Shown):
    list_display = ("created_at", "failure_code", "service_order", "author", "text")
    list_filter = (("author", AutocompleteSelectFilter),)
    list_select_related = ("service_order", "author")
    search_fields = ("service_order__reference", "failure_code", "text")
    ordering = ("-id",)

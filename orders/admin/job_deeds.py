"""What can be done with a job at the desk: each deed's form, and the action that it calls."""

from __future__ import annotations

from functools import partial
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from orders.actions import jobs, service_orders
from orders.admin.chained import MoveForm, move_deed, noting, override_deed, stepping
from orders.admin.overriding import EvidencedForm, wishing
from orders.models import ReturnShipment, ServiceOrder
from orders.people import technicians
from orders.statuses import SERVICE_ORDER_OPEN, SERVICE_ORDER_PATH, ServiceOrderStatus
from parts.admin.deeds import Chosen, Deed, DeedForm, Done, NoteForm

_stepping = partial(stepping, key="service_order_id")
_noting = partial(noting, key="service_order_id")


def _is_open(job: ServiceOrder) -> bool:
    return job.status in SERVICE_ORDER_OPEN


def _place(job: ServiceOrder) -> int:
    return SERVICE_ORDER_PATH.index(job.status) if job.status in SERVICE_ORDER_PATH else len(SERVICE_ORDER_PATH)


class FastForwardForm(MoveForm):
    """A status further on."""

    def shape(self) -> None:
        """Offer what lies more than one step ahead."""
        words = dict(ServiceOrderStatus.choices)
        ahead = SERVICE_ORDER_PATH[_place(self.subject) + 2 :]
        self.fields["to"] = forms.ChoiceField(label=_("Straight to"), choices=[(to, words[to]) for to in ahead])


class Person(forms.ModelChoiceField):
    """Somebody by their name."""

    def label_from_instance(self, obj: Any) -> str:
        """Return the full name, or the name they sign in with."""
        return str(obj.get_full_name() or obj.get_username())


class AssignForm(DeedForm):
    """Who does it."""

    present = ("technician",)
    technician = Person(queryset=User.objects.none(), label=_("Technician"), required=False, empty_label=_("Nobody"))

    def shape(self) -> None:
        """Offer the technicians, and whoever has it now."""
        people: Any = self.fields["technician"]
        people.queryset = technicians() | User.objects.filter(pk=self.subject.technician_id)


def _assign(subject: ServiceOrder, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    person: User | None = cleaned["technician"]
    service_orders.assign(
        service_order_id=subject.pk,
        technician_id=person.pk if person else None,
        expected_version=cleaned["expected_version"],
        **told,
    )
    return Done(_g("Given to %(person)s.") % {"person": person} if person else _g("Nobody has it now."))


class JobNoteForm(DeedForm):
    """A note for the timeline."""

    text = forms.CharField(label=_("Note"), max_length=4000, widget=forms.Textarea)
    public = forms.BooleanField(label=_("The customer may read it"), required=False)


class RescheduleForm(NoteForm):
    """For which day."""

    present = ("scheduled_for",)
    field_order = ("scheduled_for",)
    scheduled_for = forms.DateField(label=_("Scheduled for"))


class EstimateForm(NoteForm):
    """When it will be done."""

    present = ("estimated_completion_at",)
    field_order = ("estimated_completion_at",)
    estimated_completion_at = forms.DateTimeField(label=_("Estimated completion"))


class LabourForm(DeedForm):
    """Work done."""

    started_at = forms.DateTimeField(label=_("Started at"))
    minutes = forms.IntegerField(label=_("Minutes"), min_value=1, max_value=1440)
    description = forms.CharField(label=_("What was done"), required=False, max_length=300)

    def shape(self) -> None:
        """Begin with now."""
        self.fields["started_at"].initial = timezone.now().replace(second=0, microsecond=0)


class DiagnosisForm(DeedForm):
    """What was found."""

    text = forms.CharField(label=_("Finding"), max_length=4000, widget=forms.Textarea)
    failure_code = forms.CharField(label=_("Failure code"), required=False, max_length=40)


class SendForm(DeedForm):
    """Which way the equipment goes, and with whom."""

    direction = forms.ChoiceField(label=_("Direction"), choices=ReturnShipment.Direction.choices)
    carrier = forms.CharField(label=_("Carrier"), max_length=60)
    tracking_number = forms.CharField(label=_("Tracking number"), max_length=80)
    expected_on = forms.DateField(label=_("Expected on"), required=False)


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
    words = ("title", "description", "external_reference", "machine_down", "scheduled_for", "status", "is_test")
    job = service_orders.create(
        customer_id=cleaned["customer"].pk,
        equipment_id=cleaned["equipment"].pk if cleaned["equipment"] else None,
        contract_id=cleaned["contract"].pk if cleaned["contract"] else None,
        **{name: cleaned[name] for name in words},
        **told,
    )
    return Done(_g("%(reference)s opened.") % {"reference": job.reference}, job)


DEEDS = (
    Deed(
        slug="open",
        title=_("Open a service order"),
        permission="orders.add_serviceorder",
        form=OpenForm,
        act=_open,
        icon="add",
        on_list=True,
    ),
    move_deed("orders.move_serviceorder", _stepping(service_orders.move)),
    Deed(
        slug="claim",
        title=_("Claim"),
        permission="orders.claim_serviceorder",
        act=_noting(service_orders.claim, names=("expected_version",), says=_("It is yours now.")),
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
        act=_stepping(service_orders.fast_forward),
        offered=lambda job: len(SERVICE_ORDER_PATH) - _place(job) > 2,
        icon="fast_forward",
        intro=_("Every step in between is walked and recorded as passed through."),
    ),
    Deed(
        slug="note",
        title=_("Add a note"),
        permission="orders.change_serviceorder",
        form=JobNoteForm,
        act=_noting(service_orders.add_note, names=("text", "public"), says=_("The note is on the timeline.")),
        icon="sticky_note_2",
    ),
    Deed(
        slug="reschedule",
        title=_("Reschedule"),
        permission="orders.change_serviceorder",
        form=RescheduleForm,
        act=_noting(
            jobs.reschedule,
            names=("scheduled_for", "note", "expected_version"),
            says=_("Planned for %(scheduled_for)s."),
        ),
        offered=_is_open,
        icon="event",
    ),
    Deed(
        slug="estimate",
        title=_("Estimate completion"),
        permission="orders.change_serviceorder",
        form=EstimateForm,
        act=_noting(
            jobs.set_estimated_completion,
            names=("estimated_completion_at", "note", "expected_version"),
            says=_("The estimate is noted."),
        ),
        offered=_is_open,
        icon="schedule",
    ),
    Deed(
        slug="labour",
        title=_("Log labour"),
        permission="orders.add_labourentry",
        form=LabourForm,
        act=_noting(
            jobs.log_labour,
            names=("started_at", "minutes", "description"),
            says=_("%(minutes)s minutes logged."),
        ),
        offered=_is_open,
        icon="timer",
    ),
    Deed(
        slug="diagnosis",
        title=_("Add a diagnosis"),
        permission="orders.add_diagnosticnote",
        form=DiagnosisForm,
        act=_noting(jobs.add_diagnosis, names=("text", "failure_code"), says=_("The finding is noted.")),
        offered=_is_open,
        icon="troubleshoot",
    ),
    Deed(
        slug="send",
        title=_("Send equipment"),
        permission="orders.change_serviceorder",
        form=SendForm,
        act=_noting(
            jobs.send_equipment,
            names=("direction", "carrier", "tracking_number", "expected_on"),
            says=_("The shipment is tracked."),
        ),
        icon="package_2",
    ),
    override_deed("orders.override_serviceorder", wishing("service_order"), form=EvidencedForm),
)

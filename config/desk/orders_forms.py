"""What the deeds on an order's page ask. A form cleans and converts; rules are the action's."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backorders.statuses import BackOrderStatus
from orders.asking import LineOverrideAsked, OverrideAsked, ShipAsked, accepted
from orders.models import ReturnShipment
from orders.people import technicians
from orders.statuses import SERVICE_ORDER_PATH, ServiceOrderStatus
from parts.admin.deeds import say
from parts.errors import Refused
from parts.keys import new_key


class DeskForm(forms.Form):
    """What a deed asks. `subject` is what it is done to; its version travels along, so that who was slower is told."""

    present: ClassVar[tuple[str, ...]] = ()

    expected_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, subject: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.subject = subject
        self.fields["expected_version"].initial = getattr(subject, "version", None)
        for name in self.present:
            self.fields[name].initial = getattr(subject, name)
        self.shape()
        for field in self.fields.values():
            _dress(field)

    def shape(self) -> None:
        """Adapt the fields to the subject; for subclasses."""

    def refuse(self, refusal: Refused) -> None:
        """Show a refusal where it belongs: at the fields it names, otherwise above the form."""
        fields = refusal.extra.get("fields", {})
        known = {path: said for path, said in fields.items() if path in self.fields}
        for path, said in known.items():
            self.add_error(path, said)
        if not known:
            self.add_error(None, say(refusal, self.subject))
        for path, said in fields.items():
            if path not in self.fields:
                self.add_error(None, " ".join(said))


def _dress(field: forms.Field) -> None:
    widget = field.widget
    if isinstance(widget, forms.Textarea):
        widget.attrs.setdefault("rows", 3)
    elif isinstance(field, forms.DateTimeField):
        widget.input_type = "datetime-local"
        widget.format = "%Y-%m-%dT%H:%M"
    elif isinstance(field, forms.DateField):
        widget.input_type = "date"
        widget.format = "%Y-%m-%d"
    elif isinstance(field, forms.DecimalField):
        field.localize = True  # a comma where the reader writes one
        field.widget = forms.TextInput(attrs={**widget.attrs, "inputmode": "decimal", "autocomplete": "off"})
        field.widget.is_localized = True


def _text(label: Any, longest: int = 2000, **kwargs: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=longest, widget=forms.Textarea, **kwargs)


class NothingAsked(DeskForm):
    """A button is enough."""


class StepForm(DeskForm):
    """One step, by its button."""

    to = forms.CharField(max_length=20, widget=forms.HiddenInput)


class ReasonForm(DeskForm):
    """Asks why."""

    reason = _text(_("Reason"))


class CancelJobForm(DeskForm):
    """Asks why, and whether the customer reads it."""

    note = _text(_("Reason"))
    public = forms.BooleanField(label=_("The customer may read it"), required=False)


class OverrideForm(OverrideAsked, DeskForm):
    """Where to, why, and what it rests on."""


class LineOverrideForm(LineOverrideAsked, DeskForm):
    """For a line, also when it was shipped outside the system."""


class ConsentForm(DeskForm):
    """Asks for nothing, but not with one click."""


# --- A job -----------------------------------------------------------------------------------------------------------


class FastForwardForm(DeskForm):
    """A status further on; the steps in between are recorded as passed through."""

    to = forms.ChoiceField(label=_("Straight to"))
    note = _text(_("Note"), required=False)
    public = forms.BooleanField(label=_("The customer may read it"), required=False)

    def shape(self) -> None:
        """Offer what lies more than one step ahead."""
        place = SERVICE_ORDER_PATH.index(self.subject.status) if self.subject.status in SERVICE_ORDER_PATH else 99
        words = dict(ServiceOrderStatus.choices)
        ahead = [(to, words[ServiceOrderStatus(to)]) for to in SERVICE_ORDER_PATH[place + 2 :]]
        self.fields["to"] = forms.ChoiceField(label=_("Straight to"), choices=ahead)


class _Person(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return obj.get_full_name() or obj.get_username()


class AssignForm(DeskForm):
    """Who does it."""

    technician = _Person(
        queryset=User.objects.none(), label=_("Technician"), required=False, empty_label=_("Nobody yet")
    )

    def shape(self) -> None:
        """Offer the technicians, and whoever has it now."""
        people: Any = self.fields["technician"]
        people.queryset = technicians() | User.objects.filter(pk=self.subject.technician_id)
        self.fields["technician"].initial = self.subject.technician_id


class NoteForm(DeskForm):
    """A note for the timeline."""

    text = _text(_("Note"), 4000)
    public = forms.BooleanField(label=_("The customer may read it"), required=False)


class RescheduleForm(DeskForm):
    """For which day."""

    present = ("scheduled_for",)
    scheduled_for = forms.DateField(label=_("Scheduled for"))
    note = _text(_("Note"), required=False, help_text=_("The customer reads it with the new day."))


class EstimateForm(DeskForm):
    """When it will be done."""

    present = ("estimated_completion_at",)
    estimated_completion_at = forms.DateTimeField(label=_("Done by about"))
    note = _text(_("Note"), required=False, help_text=_("The customer reads it with the new estimate."))


class LabourForm(DeskForm):
    """Work done."""

    started_at = forms.DateTimeField(label=_("Started at"))
    minutes = forms.IntegerField(label=_("Minutes"), min_value=1, max_value=1440)
    description = forms.CharField(label=_("What was done"), required=False, max_length=300)

    def shape(self) -> None:
        """Begin with the last hour."""
        self.fields["started_at"].initial = timezone.now() - timedelta(hours=1)
        self.fields["minutes"].initial = 60


class DiagnosisForm(DeskForm):
    """What was found wrong."""

    failure_code = forms.CharField(label=_("Failure code"), required=False, max_length=40)
    text = _text(_("Finding"), 4000)


class SendForm(DeskForm):
    """Where the equipment goes, and with whom."""

    direction = forms.ChoiceField(label=_("Direction"), choices=ReturnShipment.Direction.choices)
    carrier = forms.CharField(label=_("Carrier"), max_length=60)
    tracking_number = forms.CharField(label=_("Tracking number"), max_length=80)
    expected_on = forms.DateField(label=_("Expected on"), required=False)


class ManyFilesInput(forms.ClearableFileInput):
    """Takes several files at once."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One file or more; `clean` returns a list."""

    def clean(self, data: Any, initial: Any = None) -> Any:
        many = data if isinstance(data, list | tuple) else [data]
        return [super(FilesField, self).clean(one, initial) for one in many]


class AttachForm(DeskForm):
    """A file, and whether the customer sees it."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    file = FilesField(label=_("File"), widget=ManyFilesInput)
    note = forms.CharField(label=_("What it shows"), required=False, max_length=2000)
    public = forms.BooleanField(label=_("The customer may see it"), required=False)

    def shape(self) -> None:
        """Say what is taken. Sent twice, the key makes it one."""
        self.fields["key"].initial = new_key()
        most = settings.ATTACHMENT_MOST_BYTES // 1024 // 1024
        kinds = ", ".join(settings.ATTACHMENT_KINDS)
        self.fields["file"].widget.attrs["accept"] = accepted()
        self.fields["file"].help_text = _(
            "At most %(most)s MB: %(kinds)s. A photo loses the place where it was taken."
        ) % {
            "most": most,
            "kinds": kinds,
        }


# --- A line ----------------------------------------------------------------------------------------------------------


class CancelLineForm(DeskForm):
    """All of it, or a part; and why."""

    quantity = forms.DecimalField(
        label=_("Quantity"), required=False, help_text=_("Left empty: all that has not left. What waits goes first.")
    )
    reason = _text(_("Reason"))


class PromiseForm(DeskForm):
    """A date, and why it changes."""

    present = ("promised_on",)
    promised_on = forms.DateField(label=_("Promise for"))
    reason = forms.CharField(label=_("Reason"), required=False, max_length=2000)

    def shape(self) -> None:
        """Say when a reason is needed."""
        if self.subject.first_promised_on:
            self.fields["reason"].help_text = _("Needed: a promise was made before. The customer reads it.")


class ReturnForm(DeskForm):
    """How much came back, and in which state."""

    quantity = forms.DecimalField(label=_("Came back"), min_value=Decimal(0))
    unfit = forms.DecimalField(label=_("Of it unfit"), min_value=Decimal(0), required=False)
    note = forms.CharField(label=_("Note"), required=False, max_length=2000)

    def shape(self) -> None:
        """Begin with all of it."""
        self.fields["quantity"].initial = self.subject.quantity.normalize()

    def clean_unfit(self) -> Decimal:
        """Take an empty field for none."""
        return self.cleaned_data["unfit"] or Decimal(0)


class SupplyForm(DeskForm):
    """How the supply of a back order goes."""

    to = forms.ChoiceField(label=_("Its supply is"), choices=BackOrderStatus.choices[:3])
    note = forms.CharField(label=_("Note"), required=False, max_length=2000)


# --- A parts order ---------------------------------------------------------------------------------------------------


class ShipForm(ShipAsked, DeskForm):
    """What leaves now."""

    def refuse(self, refusal: Refused) -> None:
        """Show what is wrong with a line at the fields of that line."""
        super().refuse(self.at_its_line(refusal))

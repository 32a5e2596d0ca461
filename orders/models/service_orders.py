"""The job: nine statuses, one step at a time."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Case, F, Q, When
from django.db.models.functions import Least
from django.utils.translation import gettext_lazy as _
from django_fsm import ConcurrentTransitionMixin, FSMField, transition
from simple_history.models import HistoricalRecords

from orders.models.chained import Chained
from orders.models.customers import Customer, Equipment, ServiceContract
from orders.querysets import ServiceOrderQuerySet, Urgency
from orders.statuses import (
    SERVICE_ORDER_CLAIMABLE,
    SERVICE_ORDER_OPEN,
    SERVICE_ORDER_STEPS,
    SLA_REPAIR,
    SLA_RESPONSE,
    ServiceOrderStatus,
    SubjectKind,
)
from parts.keys import new_key
from parts.lookups import Key, Words
from parts.models import Region


def _sources(target: str) -> list[str]:
    return [status for status, targets in SERVICE_ORDER_STEPS.items() if target in targets]


class ServiceOrder(ConcurrentTransitionMixin, Chained):
    """A job on a machine. Only `orders.actions.service_orders` moves its status."""

    subject_kind = SubjectKind.SERVICE_ORDER.value

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    status = FSMField(_("status"), max_length=20, choices=ServiceOrderStatus, default="draft", protected=True)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="service_orders", db_index=False)
    equipment = models.ForeignKey(Equipment, models.PROTECT, null=True, blank=True, related_name="service_orders")
    contract = models.ForeignKey(ServiceContract, models.PROTECT, null=True, blank=True, related_name="service_orders")
    region = models.ForeignKey(Region, models.PROTECT, related_name="service_orders")
    title = models.CharField(_("title"), max_length=160)
    description = models.TextField(_("description"), blank=True)
    external_reference = models.CharField(_("customer's reference"), max_length=80, blank=True)
    machine_down = models.BooleanField(_("machine is down"), default=False)
    technician = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="jobs",
        verbose_name=_("technician"),
    )
    scheduled_for = models.DateField(_("scheduled for"), null=True, blank=True)
    estimated_completion_at = models.DateTimeField(_("estimated completion"), null=True, blank=True)
    response_due_at = models.DateTimeField(
        _("response due"), null=True, blank=True, editable=False, help_text=_("By the contract, from when it came in.")
    )
    repair_due_at = models.DateTimeField(
        _("repair due"), null=True, blank=True, editable=False, help_text=_("By the contract, from when it came in.")
    )
    due_at = models.GeneratedField(
        verbose_name=_("due"),
        expression=Case(
            When(status__in=SLA_RESPONSE, then=Least("response_due_at", "repair_due_at")),
            When(status__in=SLA_REPAIR, then="repair_due_at"),
        ),
        output_field=models.DateTimeField(null=True),
        db_persist=True,
    )
    is_test = models.BooleanField(_("test or training"), default=False)
    messages_stopped_at = models.DateTimeField(
        _("messages stopped at"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("The customer wants no messages about this order since then."),
    )
    history = HistoricalRecords(
        excluded_fields=["status", "version", "chain_hash", "status_since", "due_at", "messages_stopped_at"]
    )

    objects = ServiceOrderQuerySet.as_manager()

    class Meta(Chained.Meta):
        abstract = False
        ordering = ("-id",)
        verbose_name = _("service order")
        verbose_name_plural = _("service orders")
        permissions = [
            ("move_serviceorder", "Can move a service order along its flow"),
            ("override_serviceorder", "Can override a service order's status"),
            ("assign_serviceorder", "Can assign a technician"),
            ("claim_serviceorder", "Can claim a service order as its technician"),
            ("view_draft_serviceorder", "Can see drafts"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=ServiceOrderStatus.values), name="service_order_status_known"
            ),
            models.UniqueConstraint(fields=["reference"], name="service_order_reference_unique"),
        ]
        indexes = [
            models.Index(fields=["status", "-id"], name="service_order_by_status"),
            models.Index(fields=["customer", "-id"], name="service_order_by_customer"),
            models.Index(
                fields=["technician", "-id"], condition=Q(status__in=SERVICE_ORDER_OPEN), name="service_order_open_jobs"
            ),
            models.Index(
                fields=["customer", "status"],
                condition=Q(status__in=SERVICE_ORDER_OPEN),
                name="service_order_open_of_customer",
            ),
            models.Index(F("status"), Urgency("due_at"), F("id"), name="service_order_by_urgency"),
            models.Index(Key("reference"), name="service_order_by_key"),
            models.Index(
                Key("external_reference"), condition=~Q(external_reference=""), name="service_order_by_their_key"
            ),
            GinIndex(Words("title"), condition=Q(status__in=SERVICE_ORDER_OPEN), name="service_order_open_by_words"),
            models.Index(
                fields=["region", "-machine_down", "id"],
                condition=Q(technician__isnull=True, status__in=SERVICE_ORDER_CLAIMABLE),
                name="service_order_unclaimed",
            ),
            models.Index(
                fields=["status_since", "id"],
                condition=Q(status__in=SERVICE_ORDER_OPEN, is_test=False),
                name="service_order_long_in_status",
            ),
        ]

    @transition(field=status, source=_sources("draft"), target="draft")
    def to_draft(self) -> None:
        """Step back to intake."""

    @transition(field=status, source=_sources("scheduled"), target="scheduled")
    def to_scheduled(self) -> None:
        """A date is planned."""

    @transition(field=status, source=_sources("new"), target="new")
    def to_new(self) -> None:
        """Ready for the next technician."""

    @transition(field=status, source=_sources("in_progress"), target="in_progress")
    def to_in_progress(self) -> None:
        """A technician works on it."""

    @transition(field=status, source=_sources("awaiting_parts"), target="awaiting_parts")
    def to_awaiting_parts(self) -> None:
        """Paused until parts arrive."""

    @transition(field=status, source=_sources("with_manufacturer"), target="with_manufacturer")
    def to_with_manufacturer(self) -> None:
        """The equipment is at an OEM or specialist."""

    @transition(field=status, source=_sources("ready_for_return"), target="ready_for_return")
    def to_ready_for_return(self) -> None:
        """Repaired, waiting to go back."""

    @transition(field=status, source=_sources("completed"), target="completed")
    def to_completed(self) -> None:
        """The customer has it."""

    @transition(field=status, source=_sources("cancelled"), target="cancelled")
    def to_cancelled(self) -> None:
        """Stopped before completion."""


class LabourEntry(models.Model):
    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    service_order = models.ForeignKey(ServiceOrder, models.PROTECT, related_name="labour")
    technician = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="labour")
    started_at = models.DateTimeField(_("started at"))
    minutes = models.PositiveIntegerField(_("minutes"))
    description = models.CharField(_("what was done"), max_length=300, blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ("started_at", "id")
        verbose_name = _("labour entry")
        verbose_name_plural = _("labour entries")
        constraints = [
            models.CheckConstraint(condition=Q(minutes__gt=0, minutes__lte=1440), name="labour_entry_within_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.service_order_id} {self.started_at:%Y-%m-%d %H:%M} {self.minutes} min"


class DiagnosticNote(models.Model):
    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    service_order = models.ForeignKey(ServiceOrder, models.PROTECT, related_name="diagnostics")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="diagnostics")
    failure_code = models.CharField(_("failure code"), max_length=40, blank=True)
    text = models.TextField(_("finding"))
    created_at = models.DateTimeField(_("at"))
    history = HistoricalRecords()

    class Meta:
        ordering = ("created_at", "id")
        verbose_name = _("diagnostic note")
        verbose_name_plural = _("diagnostic notes")

    def __str__(self) -> str:
        return f"{self.service_order_id} {self.created_at:%Y-%m-%d %H:%M:%S}"


class ReturnShipment(models.Model):
    """Where the equipment is on its way to or from the manufacturer or the customer."""

    class Direction(models.TextChoices):
        TO_MANUFACTURER = "to_manufacturer", _("To the manufacturer")
        FROM_MANUFACTURER = "from_manufacturer", _("From the manufacturer")
        TO_CUSTOMER = "to_customer", _("To the customer")

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    service_order = models.ForeignKey(ServiceOrder, models.PROTECT, related_name="return_shipments")
    direction = models.CharField(_("direction"), max_length=20, choices=Direction)
    carrier = models.CharField(_("carrier"), max_length=60)
    tracking_number = models.CharField(_("tracking number"), max_length=80)
    shipped_at = models.DateTimeField(_("shipped at"))
    expected_on = models.DateField(_("expected on"), null=True, blank=True)
    arrived_at = models.DateTimeField(_("arrived at"), null=True, blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ("shipped_at", "id")
        verbose_name = _("return shipment")
        verbose_name_plural = _("return shipments")
        constraints = [
            models.UniqueConstraint(fields=["carrier", "tracking_number"], name="return_shipment_tracking_unique"),
            models.CheckConstraint(
                condition=Q(arrived_at__isnull=True) | Q(arrived_at__gte=models.F("shipped_at")),
                name="return_shipment_arrives_after_it_left",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.carrier} {self.tracking_number}"

"""Overrides that were asked for: with their evidence, and with the consent of a second person where a rule wants it."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from orders.models.attachments import random_path
from orders.models.ledger import OrderEvent
from orders.models.parts_orders import OrderLine
from orders.models.service_orders import ServiceOrder
from orders.querysets import OrderEventQuerySet
from orders.statuses import ConsentStatus, LineStatus, Overridable, ServiceOrderStatus
from parts.keys import new_key
from parts.statuses import Criticality


class ConsentRule(models.Model):
    """Which overrides need a second person. An override needs consent where any active rule fits it.

    What is left empty fits everything. The value of a line is its quantity times the unit cost of its part.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    name = models.CharField(_("name"), max_length=80, unique=True)
    subject = models.CharField(_("overrides of"), max_length=16, choices=Overridable, default=Overridable.LINE)
    to_status = models.CharField(
        _("to"), max_length=20, blank=True, help_text=_("The new status, for example shipped. Empty: any.")
    )
    value_over = models.DecimalField(
        _("value over"), max_digits=12, decimal_places=2, null=True, blank=True, help_text=_("Of a line. Empty: any.")
    )
    criticality = models.CharField(_("criticality"), max_length=1, choices=Criticality, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ("name", "id")
        verbose_name = _("consent rule")
        verbose_name_plural = _("consent rules")
        constraints = [
            models.CheckConstraint(condition=Q(subject__in=Overridable.values), name="consent_rule_subject_known"),
            models.CheckConstraint(
                condition=Q(subject="line") | Q(value_over__isnull=True, criticality=""),
                name="consent_rule_value_is_of_lines",
            ),
            models.CheckConstraint(
                condition=Q(to_status="")
                | Q(subject="line", to_status__in=LineStatus.values)
                | Q(subject="service_order", to_status__in=ServiceOrderStatus.values),
                name="consent_rule_status_of_its_subject",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class OverrideRequest(models.Model):
    """An override that somebody asked for. Why, stands with the event `asked_event` in the ledger's vault.

    One that no rule holds up is applied at once. `decided_by` is another person, always: a constraint sees to it.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    line = models.ForeignKey(OrderLine, models.PROTECT, null=True, blank=True, related_name="override_requests")
    service_order = models.ForeignKey(
        ServiceOrder, models.PROTECT, null=True, blank=True, related_name="override_requests"
    )
    from_status = models.CharField(_("from"), max_length=20)
    to_status = models.CharField(_("to"), max_length=20)
    reference = models.CharField(_("reference"), max_length=120)
    happened_at = models.DateTimeField(_("happened outside the system on"), null=True, blank=True)
    rule = models.CharField(_("needs consent by the rule"), max_length=80, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=ConsentStatus)
    asked_event = models.UUIDField(_("event that says why"))
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="overrides_asked_for", verbose_name=_("asked for by")
    )
    requested_at = models.DateTimeField(_("asked for at"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="overrides_decided_on",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    evidence = models.FileField(_("evidence"), upload_to=random_path, max_length=120, blank=True)
    evidence_name = models.CharField(_("name of the evidence"), max_length=200, blank=True)
    evidence_type = models.CharField(_("kind of the evidence"), max_length=100, blank=True)
    evidence_sha256 = models.CharField(_("SHA-256 of the evidence"), max_length=64, blank=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("override asked for")
        verbose_name_plural = _("overrides asked for")
        permissions = [("consent_override", "Can consent to another person's override")]
        constraints = [
            models.CheckConstraint(
                condition=Q(line__isnull=False, service_order__isnull=True)
                | Q(line__isnull=True, service_order__isnull=False),
                name="override_request_of_one_subject",
            ),
            models.CheckConstraint(condition=Q(status__in=ConsentStatus.values), name="override_request_status_known"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("requested_by")),
                name="override_request_decided_by_another",
            ),
            models.CheckConstraint(
                condition=Q(status="waiting", decided_by__isnull=True, decided_at__isnull=True)
                | Q(status__in=["withdrawn", "expired"], decided_by__isnull=True, decided_at__isnull=False)
                | Q(status="refused", decided_by__isnull=False, decided_at__isnull=False)
                | Q(status="applied", decided_at__isnull=False),
                name="override_request_decided_with_time",
            ),
            models.CheckConstraint(
                condition=~Q(status="applied") | Q(rule="") | Q(decided_by__isnull=False),
                name="override_request_consented_where_needed",
            ),
            models.UniqueConstraint(
                fields=["line"], condition=Q(status="waiting"), name="override_request_one_waiting_per_line"
            ),
            models.UniqueConstraint(
                fields=["service_order"], condition=Q(status="waiting"), name="override_request_one_waiting_per_job"
            ),
            models.CheckConstraint(
                condition=Q(evidence="", evidence_name="", evidence_sha256="")
                | Q(evidence="", evidence_name="", evidence_sha256__regex=r"^[0-9a-f]{64}$")
                | (~Q(evidence="") & ~Q(evidence_name="") & Q(evidence_sha256__regex=r"^[0-9a-f]{64}$")),
                name="override_request_evidence_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["evidence"], condition=~Q(evidence=""), name="override_request_by_evidence"),
            models.Index(fields=["decided_at"], condition=~Q(rule=""), name="override_request_lately"),
        ]

    def __str__(self) -> str:
        return f"{self.subject.reference}: {self.from_status} → {self.to_status}"

    @property
    def subject(self) -> Any:
        """The line or the job."""
        return self.line or self.service_order


class OverrideManager(models.Manager["Override"]):
    """Only what went round the flow."""

    def get_queryset(self) -> OrderEventQuerySet:
        """Keep the overrides."""
        return OrderEventQuerySet(self.model, using=self._db).overrides()


class Override(OrderEvent):
    """An event that went round the flow, whichever door it came through."""

    objects: ClassVar[Any] = OverrideManager()

    class Meta:
        proxy = True
        ordering = ("-id",)
        verbose_name = _("override")
        verbose_name_plural = _("overrides")

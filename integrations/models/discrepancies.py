"""Where two that should say the same do not: a scan and an order, a count and a level, a message and a status."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from integrations.statuses import CaseStatus, DiscrepancyKind, Resolution
from orders.models import OrderLine, ServiceOrder
from orders.models.chained import Chained
from orders.statuses import SubjectKind
from parts.keys import new_key
from parts.labels import role_word
from parts.models import Delivery, PurchaseOrderLine, StockCorrection, StockCountLine, StockLevel
from parts.sentences import from_kept
from parts.statuses import Criticality


class Discrepancy(Chained):
    """A case that somebody settles: what was expected, what was found, who answers for it and until when.

    It is opened by people, or by the system (then `count_line`, `correction` or `message_key` names its cause, which
    has one case at most). Notes and why it was resolved stand in the ledger's vault. `role` answers for it at the
    present step; who has not settled it when it is due sees it go to the next step's role.
    """

    subject_kind = SubjectKind.CASE.value

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    kind = models.CharField(_("kind"), max_length=16, choices=DiscrepancyKind)
    status = models.CharField(_("status"), max_length=20, choices=CaseStatus, default=CaseStatus.OPEN)
    expected = models.CharField(_("expected"), max_length=200)
    found = models.CharField(_("found"), max_length=200)
    #: What a rule said of the two, as `parts.sentences` keeps it; empty where people wrote them.
    sentences = models.JSONField(default=dict, editable=False)
    service_order = models.ForeignKey(
        ServiceOrder, models.PROTECT, null=True, blank=True, related_name="cases", verbose_name=_("service order")
    )
    line = models.ForeignKey(
        OrderLine, models.PROTECT, null=True, blank=True, related_name="cases", verbose_name=_("order line")
    )
    level = models.ForeignKey(
        StockLevel, models.PROTECT, null=True, blank=True, related_name="cases", verbose_name=_("stock level")
    )
    delivery = models.ForeignKey(
        Delivery, models.PROTECT, null=True, blank=True, related_name="cases", verbose_name=_("delivery")
    )
    purchase_order_line = models.ForeignKey(
        PurchaseOrderLine,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="cases",
        verbose_name=_("purchase order line"),
    )
    count_line = models.OneToOneField(StockCountLine, models.PROTECT, null=True, blank=True, related_name="case")
    correction = models.OneToOneField(StockCorrection, models.PROTECT, null=True, blank=True, related_name="case")
    message_key = models.CharField(_("message"), max_length=240, null=True, blank=True, unique=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="cases", verbose_name=_("owner")
    )
    step = models.PositiveSmallIntegerField(_("escalation step"), default=1)
    role = models.CharField(_("answers for it"), max_length=150, blank=True)
    due_at = models.DateTimeField(_("due"))
    resolution = models.CharField(_("resolution"), max_length=10, choices=Resolution, blank=True)
    resolved_at = models.DateTimeField(_("resolved at"), null=True, blank=True)

    class Meta(Chained.Meta):
        abstract = False
        ordering = ("status", "due_at", "id")
        verbose_name = _("discrepancy case")
        verbose_name_plural = _("discrepancy cases")
        permissions = [
            ("open_discrepancy", "Can open a discrepancy case"),
            ("work_discrepancy", "Can assign, note, resolve and reopen discrepancy cases"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="discrepancy_reference_unique"),
            models.CheckConstraint(condition=Q(kind__in=DiscrepancyKind.values), name="discrepancy_kind_known"),
            models.CheckConstraint(condition=Q(status__in=CaseStatus.values), name="discrepancy_status_known"),
            models.CheckConstraint(
                condition=Q(service_order__isnull=False)
                | Q(line__isnull=False)
                | Q(level__isnull=False)
                | Q(delivery__isnull=False)
                | Q(purchase_order_line__isnull=False),
                name="discrepancy_about_something",
            ),
            models.CheckConstraint(
                condition=Q(status="open", resolved_at__isnull=True, resolution="")
                | (Q(status="resolved", resolved_at__isnull=False) & Q(resolution__in=Resolution.values)),
                name="discrepancy_resolved_with_how_and_when",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(status="open"), name="discrepancy_by_due"),
            models.Index(fields=["owner", "due_at"], condition=Q(status="open"), name="discrepancy_by_owner"),
        ]

    @property
    def expected_said(self) -> str:
        """What was expected, in the reader's language where a rule said it."""
        return self._said("expected")

    @property
    def found_said(self) -> str:
        """What was found, likewise."""
        return self._said("found")

    def _said(self, name: str) -> str:
        return str(from_kept(self.sentences[name])) if name in self.sentences else str(getattr(self, name))


class EscalationStep(models.Model):
    """Who answers for a kind of case, and for how many hours before the next step's role does."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    kind = models.CharField(_("kind"), max_length=16, choices=DiscrepancyKind)
    position = models.PositiveSmallIntegerField(_("step"))
    role = models.CharField(_("role"), max_length=150)
    hours = models.PositiveIntegerField(_("hours to settle it"))
    history = HistoricalRecords()

    class Meta:
        ordering = ("kind", "position")
        verbose_name = _("escalation step")
        verbose_name_plural = _("escalation steps")
        constraints = [
            models.UniqueConstraint(fields=["kind", "position"], name="escalation_step_unique"),
            models.CheckConstraint(
                condition=Q(kind__in=DiscrepancyKind.values, position__gte=1, hours__gte=1),
                name="escalation_step_possible",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.position}: {role_word(self.role)}"


class CountTolerance(models.Model):
    """By how much a count in a warehouse may differ before a case is opened. Vans have none: each difference is one."""

    criticality = models.CharField(_("criticality"), max_length=1, choices=Criticality, primary_key=True)
    share = models.DecimalField(
        _("share of the books"), max_digits=5, decimal_places=2, help_text=_("Per cent of what the books said.")
    )
    value = models.DecimalField(
        _("value"), max_digits=12, decimal_places=2, help_text=_("Of what differs, at unit cost; more opens a case.")
    )
    history = HistoricalRecords()

    class Meta:
        ordering = ("criticality",)
        verbose_name = _("count tolerance")
        verbose_name_plural = _("count tolerances")
        constraints = [
            models.CheckConstraint(condition=Q(share__gte=0, value__gte=0), name="count_tolerance_not_negative"),
            models.CheckConstraint(
                condition=Q(criticality__in=Criticality.values), name="count_tolerance_criticality_known"
            ),
        ]

    def __str__(self) -> str:
        return self.criticality

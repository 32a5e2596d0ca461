"""The log of another system beside what we took in from it: after an outage, over a period."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from integrations.models.inbound import InboundMessage
from integrations.models.systems import Interface
from integrations.statuses import ItemKind, ItemStatus, ReconciliationStatus
from parts.keys import new_key
from parts.sentences import from_kept


class Reconciliation(models.Model):
    """A log that was compared: what an interface says it sent between two moments, and what of it is here.

    `logged` counts the log's messages, and `matched + missing_here + different + unworked` is as many; `missing_there`
    counts what only we have.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    interface = models.ForeignKey(
        Interface, models.PROTECT, related_name="reconciliations", verbose_name=_("interface")
    )
    begins = models.DateTimeField(_("from"))
    ends = models.DateTimeField(_("until"))
    file = models.CharField(_("file"), max_length=200, blank=True)
    file_name = models.CharField(_("name of the file"), max_length=200)
    repairs_at_once = models.BooleanField(
        _("repair at once"),
        default=False,
        help_text=_("What is missing here is taken in, and what was not accepted is worked on again, without asking."),
    )
    asked_by = models.CharField(_("by"), max_length=80)
    asked_at = models.DateTimeField(_("asked for"))
    status = models.CharField(
        _("status"), max_length=10, choices=ReconciliationStatus, default=ReconciliationStatus.WAITING
    )
    refusal = models.JSONField(_("why it was refused"), default=dict, blank=True)
    claimed_until = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    logged = models.PositiveIntegerField(_("in the log"), default=0)
    matched = models.PositiveIntegerField(_("matched"), default=0)
    missing_here = models.PositiveIntegerField(_("missing here"), default=0)
    missing_there = models.PositiveIntegerField(_("missing there"), default=0)
    different = models.PositiveIntegerField(_("different"), default=0)
    unworked = models.PositiveIntegerField(_("here, but not accepted"), default=0)
    compared_at = models.DateTimeField(_("compared at"), null=True)

    class Meta:
        ordering = ("-asked_at", "-id")
        verbose_name = _("reconciliation")
        verbose_name_plural = _("reconciliations")
        permissions = [("reconcile", "Can reconcile logs of other systems with what came in")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=ReconciliationStatus.values), name="reconciliation_status_known"
            ),
            models.CheckConstraint(condition=Q(begins__lt=F("ends")), name="reconciliation_begins_before_it_ends"),
            models.CheckConstraint(
                condition=~Q(status="compared")
                | Q(
                    compared_at__isnull=False,
                    logged=F("matched") + F("missing_here") + F("different") + F("unworked"),
                ),
                name="reconciliation_accounts_for_the_whole_log",
            ),
        ]
        indexes = [
            models.Index(
                fields=["asked_at"], condition=Q(status__in=["waiting", "comparing"]), name="reconciliation_to_compare"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.interface} {self.begins:%Y-%m-%d %H:%M}"

    @property
    def refused_because(self) -> str:
        """Why it was refused, in the reader's language; nothing where it was not."""
        return str(from_kept(self.refusal)) if self.refusal else ""


class ReconciliationItem(models.Model):
    """One message on which the log and we do not agree, both views of it, and what was decided.

    `theirs` is the message as the log has it, `message` what we have.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    reconciliation = models.ForeignKey(
        Reconciliation, models.CASCADE, related_name="items", verbose_name=_("reconciliation")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=ItemKind)
    key = models.CharField(_("key"), max_length=200)
    theirs = models.BinaryField(_("in the log"), null=True)
    message = models.ForeignKey(
        InboundMessage, models.PROTECT, null=True, related_name="+", verbose_name=_("here"), db_index=False
    )
    status = models.CharField(_("status"), max_length=10, choices=ItemStatus, default=ItemStatus.OPEN)
    outcome = models.CharField(_("what came of it"), max_length=60, blank=True)
    decided_by = models.CharField(_("decided by"), max_length=80, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        ordering = ("reconciliation", "id")
        verbose_name = _("divergence")
        verbose_name_plural = _("divergences")
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=ItemKind.values), name="reconciliation_item_kind_known"),
            models.CheckConstraint(condition=Q(status__in=ItemStatus.values), name="reconciliation_item_status_known"),
            models.CheckConstraint(
                condition=Q(kind="missing_here", theirs__isnull=False, message__isnull=True)
                | Q(kind="missing_there", theirs__isnull=True, message__isnull=False)
                | Q(kind__in=["different", "unworked"], theirs__isnull=False, message__isnull=False),
                name="reconciliation_item_has_the_views_of_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(status="open", decided_at__isnull=True) | ~Q(status="open") & Q(decided_at__isnull=False),
                name="reconciliation_item_decided_with_its_time",
            ),
        ]
        indexes = [
            models.Index(fields=["reconciliation", "id"], condition=Q(status="open"), name="reconciliation_item_open"),
        ]

    def __str__(self) -> str:
        return self.key

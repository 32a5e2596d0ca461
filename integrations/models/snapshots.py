"""What a warehouse's system says it has, all of it at one moment, and where that is not what our books say."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from integrations.models.systems import ExternalSystem
from integrations.statuses import DifferenceKind, DifferenceStatus, SnapshotStatus
from parts.keys import new_key
from parts.labels import plain
from parts.models import Part, StockCorrection, StockLevel, Warehouse
from parts.sentences import from_kept


class InventorySnapshot(models.Model):
    """A file of stock, known by its key or its content, and what became of each row in it.

    Rows of one stock (several bins, several batches) are added up: `stock` counts what they are about, and
    `same + different + unknown` is as many. `not_listed` counts what only our books know.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    system = models.ForeignKey(
        ExternalSystem, models.PROTECT, related_name="snapshots", verbose_name=_("external system")
    )
    key = models.CharField(_("key"), max_length=200)
    as_of = models.DateTimeField(_("as of"), help_text=_("When the system saw its stock so."))
    is_complete = models.BooleanField(
        _("complete"), default=True, help_text=_("What it does not list of its warehouses, they do not have.")
    )
    file = models.CharField(_("file"), max_length=200, blank=True)
    file_name = models.CharField(_("name of the file"), max_length=200)
    size = models.BigIntegerField(_("size in bytes"))
    fingerprint = models.BinaryField(_("SHA-256"), max_length=32)
    actor = models.CharField(_("by"), max_length=80)
    received_at = models.DateTimeField(_("received at"))
    status = models.CharField(_("status"), max_length=10, choices=SnapshotStatus, default=SnapshotStatus.RECEIVED)
    refusal = models.JSONField(_("why it was refused"), default=dict, blank=True)
    claimed_until = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    slices = models.PositiveIntegerField(_("slices"), default=0)
    slices_done = models.PositiveIntegerField(_("slices compared"), default=0)
    rows = models.PositiveIntegerField(_("rows"), default=0)
    unreadable = models.PositiveIntegerField(_("unreadable rows"), default=0)
    stock = models.PositiveIntegerField(_("stocks"), default=0)
    same = models.PositiveIntegerField(_("as in the books"), default=0)
    different = models.PositiveIntegerField(_("different"), default=0)
    unknown = models.PositiveIntegerField(_("unknown here"), default=0)
    not_listed = models.PositiveIntegerField(_("only in the books"), default=0)
    beyond = models.PositiveIntegerField(_("beyond the tolerance"), default=0)
    value = models.DecimalField(_("value of what differs"), max_digits=16, decimal_places=2, default=0)
    compared_at = models.DateTimeField(_("compared at"), null=True)

    class Meta:
        ordering = ("-as_of", "-id")
        verbose_name = _("inventory snapshot")
        verbose_name_plural = _("inventory snapshots")
        permissions = [("load_inventorysnapshot", "Can load inventory snapshots")]
        constraints = [
            models.UniqueConstraint(fields=["system", "key"], name="snapshot_once_per_key"),
            models.CheckConstraint(condition=Q(status__in=SnapshotStatus.values), name="snapshot_status_known"),
            models.CheckConstraint(
                condition=~Q(status="compared")
                | Q(compared_at__isnull=False, stock=F("same") + F("different") + F("unknown")),
                name="snapshot_compared_accounts_for_all",
            ),
            models.CheckConstraint(
                condition=Q(status="refused") | Q(refusal={}), name="snapshot_says_why_only_where_refused"
            ),
        ]
        indexes = [
            models.Index(
                fields=["received_at"], condition=Q(status__in=["received", "comparing"]), name="snapshot_to_load"
            ),
            models.Index(fields=["system", "-as_of"], name="snapshot_newest_of_system"),
        ]

    def __str__(self) -> str:
        return f"{self.system} {self.as_of:%Y-%m-%d %H:%M}"

    @property
    def refused_because(self) -> str:
        """Why it was refused, in the reader's language; nothing where it was not."""
        return str(from_kept(self.refusal)) if self.refusal else ""


class SnapshotDifference(models.Model):
    """One stock of which a system says something else than our books did at that moment, and what was decided.

    `ours` is what the books say of `as_of`: what is there now, less what has happened since. Counts and imports put
    the past right, so they do not count as having happened since.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    snapshot = models.ForeignKey(
        InventorySnapshot, models.CASCADE, related_name="differences", verbose_name=_("inventory snapshot")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=DifferenceKind)
    part = models.ForeignKey(Part, models.PROTECT, null=True, related_name="+", verbose_name=_("part"), db_index=False)
    warehouse = models.ForeignKey(
        Warehouse, models.PROTECT, null=True, related_name="+", verbose_name=_("warehouse"), db_index=False
    )
    level = models.ForeignKey(
        StockLevel, models.PROTECT, null=True, related_name="+", verbose_name=_("stock level"), db_index=False
    )
    named = models.CharField(_("as the file names it"), max_length=200, blank=True)
    line = models.PositiveIntegerField(_("line"), null=True)
    #: Why a row cannot be used, as `parts.sentences` keeps it.
    problem = models.JSONField(default=dict, editable=False)
    condition = models.CharField(_("condition"), max_length=12, blank=True)
    owner = models.CharField(_("owner"), max_length=40, blank=True)
    theirs = models.DecimalField(_("there"), max_digits=14, decimal_places=3, null=True)
    ours = models.DecimalField(_("in the books"), max_digits=14, decimal_places=3, null=True)
    theirs_unfit = models.DecimalField(_("unfit there"), max_digits=14, decimal_places=3, null=True)
    ours_unfit = models.DecimalField(_("unfit in the books"), max_digits=14, decimal_places=3, null=True)
    value = models.DecimalField(_("value"), max_digits=16, decimal_places=2, default=0)
    is_beyond = models.BooleanField(_("beyond the tolerance"), default=False)
    status = models.CharField(_("status"), max_length=10, choices=DifferenceStatus)
    correction = models.OneToOneField(StockCorrection, models.PROTECT, null=True, related_name="snapshot_difference")
    decided_by = models.CharField(_("decided by"), max_length=80, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        ordering = ("-value", "id")
        verbose_name = _("difference of stock")
        verbose_name_plural = _("differences of stock")
        permissions = [("approve_snapshotdifference", "Can decide differences between our stock and other systems'")]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=DifferenceKind.values), name="snapshot_difference_kind_known"),
            models.CheckConstraint(
                condition=Q(status__in=DifferenceStatus.values), name="snapshot_difference_status_known"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["quantity", "not_listed"], part__isnull=False, warehouse__isnull=False)
                | (~Q(kind__in=["quantity", "not_listed"]) & ~Q(named="")),
                name="snapshot_difference_says_of_what",
            ),
            models.CheckConstraint(
                condition=Q(status="corrected", correction__isnull=False)
                | (~Q(status="corrected") & Q(correction__isnull=True)),
                name="snapshot_difference_corrected_by_a_correction",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["corrected", "dismissed"], decided_at__isnull=False)
                & ~Q(decided_by="")
                & ~Q(reason="")
                | ~Q(status__in=["corrected", "dismissed"]),
                name="snapshot_difference_decided_by_somebody",
            ),
        ]
        indexes = [
            models.Index(fields=["-value", "id"], condition=Q(status="open"), name="snapshot_difference_open"),
            models.Index(fields=["part", "warehouse"], condition=Q(status="open"), name="snapshot_difference_of_part"),
        ]

    def __str__(self) -> str:
        return self.named or f"{self.part} · {self.warehouse}"

    @property
    def problem_said(self) -> str:
        """Why the row cannot be used, in the reader's language; nothing where it can."""
        return str(from_kept(self.problem)) if self.problem else ""

    @property
    def difference(self) -> str:
        """There less here, as people write it."""
        if self.theirs is None or self.ours is None:
            return ""
        return plain(self.theirs - self.ours)

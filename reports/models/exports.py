"""Exports of the ledger: what was asked for, what came of it, and who took it away."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from parts.keys import new_key
from parts.sentences import from_kept


class ExportStatus(models.TextChoices):
    WAITING = "waiting", _("Waits for a worker")
    RUNNING = "running", _("Is being made")
    DONE = "done", _("Ready")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
    EXPIRED = "expired", _("File deleted, its time was over")
    WITHDRAWN = "withdrawn", _("File deleted, a text in it was erased")


#: Statuses in which nothing more happens by itself, but that a file is deleted in the end.
UNFINISHED = (ExportStatus.WAITING.value, ExportStatus.RUNNING.value)


class ExportFormat(models.TextChoices):
    JSON_LINES = "jsonl", _("JSON Lines")
    CSV = "csv", _("CSV")
    XLSX = "xlsx", _("Excel")


class ExportRun(models.Model):
    """One export: asked for by somebody, made by a worker. The row stays when its files are gone.

    `filter` is what `orders.exports.Filter.of_json` reads, `words` the same as the person was told it. The snapshot may
    lack events of the transaction `horizon` and later ones; `snapshot` says of which.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("asked for by")
    )
    made_by = models.CharField(_("asked for by"), max_length=80)
    format = models.CharField(_("format"), max_length=5, choices=ExportFormat)
    filter = models.JSONField(_("filter"), default=dict)
    words = models.JSONField(_("filter in words"), default=list)
    with_notes = models.BooleanField(_("with notes"), default=False)
    status = models.CharField(_("status"), max_length=9, choices=ExportStatus, default=ExportStatus.WAITING)
    asked_at = models.DateTimeField(_("asked for"))
    started_at = models.DateTimeField(_("started"), null=True)
    beat_at = models.DateTimeField(_("last sign of life"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    expires_at = models.DateTimeField(_("kept until"), null=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    is_stopped = models.BooleanField(_("to be stopped"), default=False)
    trouble = models.TextField(_("what went wrong"), blank=True)
    #: The same as `parts.sentences` keeps it, so that each reader has it in their language.
    trouble_sentence = models.JSONField(null=True, editable=False)
    expected = models.PositiveBigIntegerField(_("events expected"), null=True)
    written = models.PositiveBigIntegerField(_("events written"), default=0)
    events = models.PositiveBigIntegerField(_("events"), null=True)
    bytes = models.PositiveBigIntegerField(_("bytes"), null=True)
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)
    public_key = models.CharField(_("public key"), max_length=64, blank=True)
    horizon = models.BigIntegerField(_("horizon"), null=True)
    snapshot = models.TextField(_("snapshot"), blank=True, editable=False)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        constraints = [
            models.CheckConstraint(condition=Q(status__in=ExportStatus.values), name="export_run_status_known"),
            models.CheckConstraint(condition=Q(format__in=ExportFormat.values), name="export_run_format_known"),
            models.CheckConstraint(
                condition=~Q(status="done") | Q(events__isnull=False, horizon__isnull=False, expires_at__isnull=False),
                name="export_run_done_says_what_is_in_it",
            ),
        ]
        indexes = [
            models.Index(fields=["status"], condition=Q(status__in=["waiting", "running", "done"]), name="export_live"),
        ]

    def __str__(self) -> str:
        return f"{self.get_format_display()} {self.pk}"

    @property
    def trouble_said(self) -> str:
        """What went wrong, in the reader's language."""
        return str(from_kept(self.trouble_sentence)) if self.trouble_sentence else self.trouble

    @property
    def file_name(self) -> str:
        """The name of the file with the events."""
        return f"backline-ledger-{self.asked_at:%Y-%m-%d}.{self.format}"


class ExportDownload(models.Model):
    """A file of an export was taken away: by whom, and when."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    run = models.ForeignKey(ExportRun, models.PROTECT, related_name="downloads", verbose_name=_("export"))
    file = models.CharField(_("file"), max_length=80)
    by = models.CharField(_("by"), max_length=80)
    at = models.DateTimeField(_("at"))

    class Meta:
        ordering = ("-id",)
        verbose_name = _("download")
        verbose_name_plural = _("downloads")

    def __str__(self) -> str:
        return f"{self.file} {self.pk}"

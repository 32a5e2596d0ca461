"""How far replays of demand have lived."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ReplayRun(models.Model):
    """How far a replay of demand has lived; written in the same transaction as each day it has lived through.

    `id` follows from seed, file and scope, so that a second start finds the first one's row. `seconds` is real time.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    name = models.CharField(_("file"), max_length=200)
    checksum = models.CharField(_("SHA-256 of the file"), max_length=64)
    seed = models.BigIntegerField(_("seed"))
    months = models.PositiveIntegerField(_("months"))
    parts = models.PositiveIntegerField(_("parts"))
    first_day = models.DateField(_("first simulated day"))
    last_day = models.DateField(_("last simulated day of the demand"))
    lived_until = models.DateField(_("lived until"), null=True, blank=True)
    seconds = models.FloatField(_("seconds"), default=0)
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    figures = models.JSONField(_("figures"), default=dict, blank=True)

    class Meta:
        ordering = ("-started_at", "id")
        verbose_name = _("replay of demand")
        verbose_name_plural = _("replays of demand")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(lived_until__isnull=True) | models.Q(lived_until__gte=models.F("first_day")),
                name="replay_run_days_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}, seed {self.seed}"

"""What people counted, beside what the books said: append-only (a trigger refuses UPDATE, DELETE and TRUNCATE)."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from parts.keys import new_key
from parts.labels import plain
from parts.models.stock import StockCorrection, StockLevel, Warehouse
from parts.sentences import sentence


class StockCount(models.Model):
    """One count of a warehouse (or of a part of it) by one person; also one in which everything was as expected."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    warehouse = models.ForeignKey(Warehouse, models.PROTECT, related_name="counts")
    note = models.CharField(_("note"), max_length=300, blank=True)
    counted_at = models.DateTimeField(_("counted at"))
    recorded_at = models.DateTimeField(_("recorded at"), db_default=Now())
    actor = models.CharField(_("by"), max_length=80)
    source = models.CharField(_("source"), max_length=40)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("stock count")
        verbose_name_plural = _("stock counts")
        permissions = [("count_van", "Can count the stock of one's own van")]

    def __str__(self) -> str:
        return f"{self.warehouse_id} {self.counted_at:%Y-%m-%d %H:%M}"


class StockCountLine(models.Model):
    """What was counted of one level, and what the books said at that moment.

    `correction` is how the books followed. It is empty where nothing differed, and where the level holds more for
    others (reserved, unfit) than was found: then the books still say otherwise, and a person has to decide.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    count = models.ForeignKey(StockCount, models.PROTECT, related_name="lines", db_index=False)
    level = models.ForeignKey(StockLevel, models.PROTECT, related_name="count_lines")
    expected = models.DecimalField(_("in the books"), max_digits=14, decimal_places=3)
    counted = models.DecimalField(_("counted"), max_digits=14, decimal_places=3)
    correction = models.OneToOneField(StockCorrection, models.PROTECT, null=True, blank=True, related_name="counted")

    class Meta:
        ordering = ("count", "id")
        verbose_name = _("counted level")
        verbose_name_plural = _("counted levels")
        constraints = [
            models.UniqueConstraint(fields=["count", "level"], name="stock_count_line_unique_per_count"),
            models.CheckConstraint(condition=Q(counted__gte=0, expected__gte=0), name="stock_count_line_not_negative"),
            models.CheckConstraint(
                condition=Q(correction__isnull=True) | ~Q(counted=F("expected")),
                name="stock_count_line_corrects_a_difference",
            ),
        ]

    def __str__(self) -> str:
        said = sentence(
            "{counted} counted, {expected} expected",
            counted=plain(self.counted),
            expected=plain(self.expected),
        )
        return str(said)

    @property
    def difference(self) -> Decimal:
        """Counted less expected, in the part's unit."""
        return self.counted - self.expected

"""The figures' memory: what happened on each day, added up."""

from uuid import UUID

from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from orders.statuses import Tier
from parts.models import Region, Warehouse
from parts.statuses import Criticality

#: Stands for none where a key may not be null.
_NONE = Value(UUID(int=0), output_field=models.UUIDField())


class Grain(models.IntegerChoices):
    """By what a row is added up. The values are PostgreSQL's GROUPING(region, warehouse, criticality, tier)."""

    EACH = 0, _("region, warehouse, criticality and tier")
    REGION = 7, _("region")
    WAREHOUSE = 11, _("warehouse")
    CRITICALITY = 13, _("criticality")
    TIER = 14, _("tier")
    ALL = 15, _("all together")


class DailyFigure(models.Model):
    """The facts of one measure (`reports.figures.facts`) on one day of UTC, added up by one grain.

    `facts` is how many there are, `met` of how many the whole weight was achieved. Written only by
    `reports.actions.rollups`, whole days at a time; it can be thrown away and made again from the ledger.
    """

    id = models.BigAutoField(primary_key=True)
    measure = models.CharField(_("measure"), max_length=24)
    day = models.DateField(_("day"))
    grain = models.SmallIntegerField(_("added up by"), choices=Grain)
    region = models.ForeignKey(Region, models.DO_NOTHING, null=True, db_index=False, db_constraint=False)
    warehouse = models.ForeignKey(Warehouse, models.DO_NOTHING, null=True, db_index=False, db_constraint=False)
    criticality = models.CharField(_("criticality"), max_length=1, blank=True, choices=Criticality)
    tier = models.CharField(_("tier"), max_length=10, blank=True, choices=Tier)
    edge = models.CharField(_("transition"), max_length=48, blank=True)
    facts = models.BigIntegerField(_("facts"))
    met = models.BigIntegerField(_("met"))
    weight = models.DecimalField(_("weight"), max_digits=20, decimal_places=3)
    value = models.DecimalField(_("value"), max_digits=24, decimal_places=6)

    class Meta:
        ordering = ("measure", "grain", "day", "id")
        verbose_name = _("daily figure")
        verbose_name_plural = _("daily figures")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                "measure",
                "grain",
                "day",
                "edge",
                Coalesce("region", _NONE),
                Coalesce("warehouse", _NONE),
                "criticality",
                "tier",
                name="daily_figure_counted_once",
            ),
            models.CheckConstraint(
                condition=Q(facts__gt=0, met__gte=0, met__lte=models.F("facts")), name="daily_figure_counts"
            ),
            models.CheckConstraint(condition=Q(grain__in=Grain.values), name="daily_figure_grain_known"),
        ]

    def __str__(self) -> str:
        return f"{self.measure} {self.day}"

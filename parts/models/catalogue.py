"""What a part is, by which numbers it goes, and what may stand in for it."""

from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from parts.keys import new_key
from parts.lookups import Key, Words
from parts.statuses import Criticality, RelationKind, VedClass


class UnitOfMeasure(models.Model):
    """A unit by its UN/ECE Recommendation 20 code (`C62` one piece, `MTR` metre, `LTR` litre)."""

    code = models.CharField(_("code"), max_length=3, primary_key=True)
    name = models.CharField(_("name"), max_length=60)
    decimals = models.PositiveSmallIntegerField(
        _("decimals"), default=0, help_text=_("How many decimal places a quantity may have; 0 for pieces.")
    )

    class Meta:
        ordering = ("code",)
        verbose_name = _("unit of measure")
        verbose_name_plural = _("units of measure")
        constraints = [
            models.CheckConstraint(condition=Q(decimals__lte=3), name="unit_of_measure_decimals_at_most_3"),
        ]

    def __str__(self) -> str:
        return gettext(self.name) if self.name else self.code


class Category(models.Model):
    """A node of the parts taxonomy, by its full path (`hydraulics/pumps`)."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    path = models.CharField(_("path"), max_length=200, unique=True)
    name = models.CharField(_("name"), max_length=120)

    class Meta:
        ordering = ("path",)
        verbose_name = _("category")
        verbose_name_plural = _("categories")

    def __str__(self) -> str:
        return self.path


class Part(models.Model):
    """A part as the catalogue knows it: one row per thing that can be ordered."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    number = models.CharField(_("part number"), max_length=60, unique=True)
    description = models.CharField(_("description"), max_length=200)
    category = models.ForeignKey(Category, models.PROTECT, null=True, blank=True, verbose_name=_("category"))
    criticality = models.CharField(_("criticality"), max_length=1, choices=Criticality, default=Criticality.C)
    ved_class = models.CharField(_("VED class"), max_length=1, choices=VedClass, default=VedClass.DESIRABLE)
    unit = models.ForeignKey(UnitOfMeasure, models.PROTECT, default="C62", verbose_name=_("unit of measure"))
    unit_cost = models.DecimalField(_("unit cost"), max_digits=12, decimal_places=2, default=0)
    core_charge = models.DecimalField(
        _("core charge"),
        max_digits=12,
        decimal_places=2,
        default=0,
        help_text=_("Deposit for the old unit; 0 if none."),
    )
    is_active = models.BooleanField(_("can be ordered"), default=True)
    is_controlled = models.BooleanField(
        _("controlled"), default=False, help_text=_("What changes about it needs the approval of a second person.")
    )
    history = HistoricalRecords()
    # What django-simple-history reads off a part that is saved outside a request, where it is set.
    _history_user: Any
    _change_reason: str

    class Meta:
        ordering = ("number", "id")
        verbose_name = _("part")
        verbose_name_plural = _("parts")
        permissions = [("import_catalogue", "Can import the catalogue from a file")]
        constraints = [
            models.CheckConstraint(condition=Q(criticality__in=Criticality.values), name="part_criticality_known"),
            models.CheckConstraint(condition=Q(ved_class__in=VedClass.values), name="part_ved_class_known"),
            models.CheckConstraint(condition=Q(unit_cost__gte=0, core_charge__gte=0), name="part_money_not_negative"),
            models.CheckConstraint(condition=~Q(number=""), name="part_number_not_empty"),
        ]
        indexes = [
            models.Index(Key("number"), name="part_by_key"),
            GinIndex(Words("description"), name="part_by_words"),
        ]

    def __str__(self) -> str:
        return self.number


class PartNumber(models.Model):
    """The number by which another system knows a part."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    part = models.ForeignKey(Part, models.CASCADE, related_name="numbers")
    system = models.CharField(_("system"), max_length=40, help_text=_("For example ERP, WMS or the maker's name."))
    number = models.CharField(_("number there"), max_length=80, db_index=True)

    class Meta:
        ordering = ("system", "number", "id")
        verbose_name = _("part number in another system")
        verbose_name_plural = _("part numbers in other systems")
        constraints = [
            models.UniqueConstraint(fields=["system", "number"], name="part_number_unique_per_system"),
        ]
        indexes = [models.Index(Key("number"), name="part_number_by_key")]

    def __str__(self) -> str:
        return f"{self.system} {self.number}"


class PartRelation(models.Model):
    """`part` supersedes, or can stand in for, `other`, under conditions; stored now, read by availability later."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    kind = models.CharField(_("kind"), max_length=12, choices=RelationKind)
    part = models.ForeignKey(Part, models.CASCADE, related_name="stands_in_for")
    other = models.ForeignKey(Part, models.CASCADE, related_name="replaced_by")
    both_ways = models.BooleanField(_("both ways"), default=False)
    quantity_factor = models.DecimalField(
        _("quantity factor"),
        max_digits=9,
        decimal_places=3,
        default=1,
        help_text=_("Units of the part for one of the other."),
    )
    equipment_models = models.JSONField(
        _("equipment models"), default=list, blank=True, help_text=_("Models it is allowed in; empty means all.")
    )
    effective_from = models.DateField(_("effective from"), null=True, blank=True)
    effective_until = models.DateField(_("effective until"), null=True, blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ("part", "other", "id")
        verbose_name = _("part relation")
        verbose_name_plural = _("part relations")
        constraints = [
            models.UniqueConstraint(fields=["kind", "part", "other"], name="part_relation_unique"),
            models.CheckConstraint(condition=~Q(part=F("other")), name="part_relation_not_to_itself"),
            models.CheckConstraint(condition=Q(quantity_factor__gt=0), name="part_relation_factor_positive"),
            models.CheckConstraint(
                condition=Q(effective_from__isnull=True)
                | Q(effective_until__isnull=True)
                | Q(effective_from__lte=F("effective_until")),
                name="part_relation_dates_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.part} {self.get_kind_display()} {self.other}"

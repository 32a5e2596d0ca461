"""Who orders, for which machine, under which contract, and who may see whose orders."""

from datetime import UTC, date, datetime

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from orders.rules import deadline
from orders.statuses import Tier
from parts.keys import new_key
from parts.lookups import Key, Words
from parts.models import Region
from parts.statuses import Criticality
from parts.zones import known_zone


class Customer(models.Model):
    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    code = models.CharField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)
    tier = models.CharField(_("tier"), max_length=10, choices=Tier, default=Tier.SILVER)
    region = models.ForeignKey(Region, models.PROTECT, verbose_name=_("region"))
    language = models.CharField(_("language"), max_length=10, default="en")
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[known_zone])
    email = models.EmailField(_("email"), blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    address = models.CharField(
        _("address"),
        max_length=300,
        blank=True,
        help_text=_("Where a technician finds the machine: street, town, gate."),
    )
    latitude = models.FloatField(_("latitude"), null=True, blank=True)
    longitude = models.FloatField(_("longitude"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ("code", "id")
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        constraints = [
            models.CheckConstraint(condition=Q(tier__in=Tier.values), name="customer_tier_known"),
            models.CheckConstraint(
                condition=(Q(latitude__isnull=True) & Q(longitude__isnull=True))
                | (Q(latitude__range=(-90, 90)) & Q(longitude__range=(-180, 180))),
                name="customer_position_whole_and_on_earth",
            ),
        ]
        indexes = [
            models.Index(Key("code"), name="customer_by_key"),
            GinIndex(Words("name"), name="customer_by_words"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class CustomerAccess(models.Model):
    """A person or a partner's system that may see and order for a customer."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="customer_access")
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="access")
    history = HistoricalRecords()

    class Meta:
        ordering = ("customer", "user", "id")
        verbose_name = _("customer access")
        verbose_name_plural = _("customer access")
        constraints = [models.UniqueConstraint(fields=["user", "customer"], name="customer_access_unique")]

    def __str__(self) -> str:
        return f"{self.user_id} for {self.customer_id}"


class Equipment(models.Model):
    """A machine at a customer's site."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    serial_number = models.CharField(_("serial number"), max_length=80)
    model = models.CharField(_("model"), max_length=80)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="equipment")
    criticality = models.CharField(_("criticality"), max_length=1, choices=Criticality, default=Criticality.B)
    downtime_cost_per_hour = models.DecimalField(
        _("downtime cost per hour"),
        max_digits=12,
        decimal_places=2,
        default=0,
        help_text=_("In the region's currency."),
    )
    history = HistoricalRecords()

    class Meta:
        ordering = ("model", "serial_number", "id")
        verbose_name = _("equipment")
        verbose_name_plural = _("equipment")
        constraints = [
            models.UniqueConstraint(fields=["model", "serial_number"], name="equipment_serial_unique_per_model"),
            models.CheckConstraint(condition=Q(downtime_cost_per_hour__gte=0), name="equipment_downtime_not_negative"),
        ]
        indexes = [
            models.Index(Key("serial_number"), name="equipment_by_serial_key"),
            models.Index(Key("model"), name="equipment_by_model_key"),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.serial_number}"


class ServiceContract(models.Model):
    """What a customer was promised; enough of it for priority."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    number = models.CharField(_("number"), max_length=40, unique=True)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="contracts")
    name = models.CharField(_("name"), max_length=120)
    response_hours = models.PositiveSmallIntegerField(_("response within hours"), null=True, blank=True)
    repair_hours = models.PositiveSmallIntegerField(_("repair within hours"), null=True, blank=True)
    priority_points = models.DecimalField(
        _("priority points"),
        max_digits=8,
        decimal_places=2,
        default=0,
        help_text=_("Added to the rank of its back orders."),
    )
    valid_from = models.DateField(_("valid from"))
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ("number", "id")
        verbose_name = _("service contract")
        verbose_name_plural = _("service contracts")
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=models.F("valid_from")),
                name="service_contract_dates_in_order",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def clocks(self, at: datetime) -> dict[str, datetime | None]:
        """Return until when it wants somebody to begin, and the repair; nothing where it is not valid at that time."""
        if not self.valid_from <= at.astimezone(UTC).date() <= (self.valid_until or date.max):
            return {}
        return {"response_due_at": deadline(at, self.response_hours), "repair_due_at": deadline(at, self.repair_hours)}

"""Where stock lies, how much of it there is, who holds it, and each movement that made it so."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from parts.keys import new_key
from parts.models.catalogue import Part
from parts.querysets import ReservationQuerySet, StockLevelQuerySet, StockMovementQuerySet
from parts.statuses import (
    RESERVATION_LIVE,
    Condition,
    CorrectionReason,
    MovementKind,
    Purpose,
    ReservationStatus,
    Strength,
    WarehouseKind,
    WarehouseMode,
)
from parts.zones import known_zone

OWN = "own"


class Region(models.Model):
    """A part of the world with its own clock and money."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    code = models.CharField(_("code"), max_length=12, unique=True)
    name = models.CharField(_("name"), max_length=80)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[known_zone])
    currency = models.CharField(_("currency"), max_length=3, default="EUR")

    class Meta:
        ordering = ("code", "id")
        verbose_name = _("region")
        verbose_name_plural = _("regions")

    def __str__(self) -> str:
        return self.code


class Warehouse(models.Model):
    """A place that holds stock, from the central warehouse to a technician's van."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    code = models.CharField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=80)
    region = models.ForeignKey(Region, models.PROTECT, verbose_name=_("region"))
    kind = models.CharField(_("kind"), max_length=12, choices=WarehouseKind, default=WarehouseKind.DEPOT)
    mode = models.CharField(_("mode"), max_length=8, choices=WarehouseMode, default=WarehouseMode.DIGITAL)
    allocatable = models.BooleanField(
        _("serves orders"),
        default=True,
        help_text=_("Whether its stock may be promised to any order (vans usually not)."),
    )
    latitude = models.FloatField(_("latitude"), null=True, blank=True)
    longitude = models.FloatField(_("longitude"), null=True, blank=True)
    cut_off = models.TimeField(
        _("cut-off"), null=True, blank=True, help_text=_("Orders after this local time leave the next day.")
    )
    dock = models.CharField(
        _("dock for orders"),
        max_length=40,
        blank=True,
        help_text=_("Where what comes in for an order is left, for example 'dock 2'; empty: it goes with the rest."),
    )
    technician = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="van",
        verbose_name=_("technician"),
        help_text=_("Whose van it is: they see and count its stock on their phone."),
    )
    history = HistoricalRecords()

    class Meta:
        ordering = ("code", "id")
        verbose_name = _("warehouse")
        verbose_name_plural = _("warehouses")
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=WarehouseKind.values), name="warehouse_kind_known"),
            models.CheckConstraint(condition=Q(mode__in=WarehouseMode.values), name="warehouse_mode_known"),
            models.CheckConstraint(
                condition=(Q(latitude__isnull=True) & Q(longitude__isnull=True))
                | (Q(latitude__range=(-90, 90)) & Q(longitude__range=(-180, 180))),
                name="warehouse_position_whole_and_on_earth",
            ),
            models.CheckConstraint(
                condition=Q(technician__isnull=True) | Q(kind=WarehouseKind.VAN),
                name="warehouse_of_a_technician_is_a_van",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class StockLevel(models.Model):
    """How much of a part lies in a warehouse, per condition and owner; always the sum of its movements.

    available = on hand - unfit - reserved.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    part = models.ForeignKey(Part, models.PROTECT, related_name="levels", db_index=False)
    warehouse = models.ForeignKey(Warehouse, models.PROTECT, related_name="levels")
    condition = models.CharField(_("condition"), max_length=12, choices=Condition, default=Condition.NEW)
    owner = models.CharField(
        _("owner"),
        max_length=40,
        default=OWN,
        help_text=_("'own', or the code of the supplier or customer who owns it."),
    )
    on_hand = models.DecimalField(_("on hand"), max_digits=14, decimal_places=3, default=0)
    reserved = models.DecimalField(_("reserved"), max_digits=14, decimal_places=3, default=0)
    unfit = models.DecimalField(_("unfit"), max_digits=14, decimal_places=3, default=0)

    objects = StockLevelQuerySet.as_manager()

    class Meta:
        ordering = ("part", "warehouse", "id")
        verbose_name = _("stock level")
        verbose_name_plural = _("stock levels")
        permissions = [("view_all_stock", "Can see consigned, loaner and in-repair stock without a rule")]
        constraints = [
            models.UniqueConstraint(fields=["part", "warehouse", "condition", "owner"], name="stock_level_unique"),
            models.CheckConstraint(condition=Q(condition__in=Condition.values), name="stock_level_condition_known"),
            models.CheckConstraint(condition=Q(reserved__gte=0), name="stock_level_reserved_not_negative"),
            models.CheckConstraint(condition=Q(unfit__gte=0), name="stock_level_unfit_not_negative"),
            models.CheckConstraint(
                condition=Q(on_hand__gte=F("reserved") + F("unfit")), name="stock_level_nothing_promised_twice"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.part_id} in {self.warehouse_id} ({self.condition}, {self.owner})"


class Reservation(models.Model):
    """Stock of one level held for one demand (an order line, named by its key).

    A soft reservation may be taken back by service demand and lapses at `expires_at`; a hard one does neither.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    level = models.ForeignKey(StockLevel, models.PROTECT, related_name="reservations", db_index=False)
    demand_id = models.UUIDField(_("order line"), db_index=True)
    purpose = models.CharField(_("purpose"), max_length=12, choices=Purpose, default=Purpose.SERVICE)
    strength = models.CharField(_("strength"), max_length=4, choices=Strength, default=Strength.HARD)
    status = models.CharField(_("status"), max_length=8, choices=ReservationStatus, default=ReservationStatus.ACTIVE)
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=3)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    created_at = models.DateTimeField(_("made at"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    objects = ReservationQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "id")
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")
        constraints = [
            models.UniqueConstraint(
                fields=["demand_id"], condition=Q(status__in=RESERVATION_LIVE), name="reservation_one_live_per_demand"
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="reservation_quantity_positive"),
            models.CheckConstraint(condition=Q(purpose__in=Purpose.values), name="reservation_purpose_known"),
            models.CheckConstraint(condition=Q(status__in=ReservationStatus.values), name="reservation_status_known"),
            models.CheckConstraint(
                condition=Q(strength=Strength.SOFT) | Q(strength=Strength.HARD, expires_at__isnull=True),
                name="reservation_only_soft_expires",
            ),
            models.CheckConstraint(
                condition=Q(status__in=RESERVATION_LIVE, closed_at__isnull=True)
                | (~Q(status__in=RESERVATION_LIVE) & Q(closed_at__isnull=False)),
                name="reservation_closed_with_time",
            ),
        ]
        indexes = [
            models.Index(fields=["level"], condition=Q(status__in=RESERVATION_LIVE), name="reservation_live_by_level"),
            models.Index(
                fields=["level"], condition=Q(status="active", strength="soft"), name="reservation_soft_by_level"
            ),
            models.Index(
                fields=["expires_at"],
                condition=Q(status="active", expires_at__isnull=False),
                name="reservation_expiring",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} for {self.demand_id}"


class StockCorrection(models.Model):
    """A person's or a count's reason for changing a level outside of receipts and issues."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    level = models.ForeignKey(StockLevel, models.PROTECT, related_name="corrections")
    reason = models.CharField(_("reason"), max_length=8, choices=CorrectionReason)
    note = models.CharField(_("note"), max_length=300, blank=True)
    reference = models.CharField(_("reference"), max_length=80, blank=True)
    actor = models.CharField(_("by"), max_length=80)
    created_at = models.DateTimeField(_("at"), db_default=Now())

    class Meta:
        ordering = ("-created_at", "id")
        verbose_name = _("stock correction")
        verbose_name_plural = _("stock corrections")
        permissions = [("correct_stock", "Can correct and count stock")]
        indexes = [
            models.Index(fields=["reference"], condition=~Q(reference=""), name="stock_correction_by_reference"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(reason__in=CorrectionReason.values), name="stock_correction_reason_known"
            ),
            models.CheckConstraint(condition=~Q(reason="other", note=""), name="stock_correction_other_needs_a_note"),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()} {self.created_at:%Y-%m-%d %H:%M:%S.%f}"


class StockTransfer(models.Model):
    """Stock moved from one level to another of the same part."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    source = models.ForeignKey(StockLevel, models.PROTECT, related_name="transfers_out")
    destination = models.ForeignKey(StockLevel, models.PROTECT, related_name="transfers_in")
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=3)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    actor = models.CharField(_("by"), max_length=80)
    created_at = models.DateTimeField(_("at"), db_default=Now())

    class Meta:
        ordering = ("-created_at", "id")
        verbose_name = _("stock transfer")
        verbose_name_plural = _("stock transfers")
        permissions = [("transfer_stock", "Can transfer stock between warehouses")]
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="stock_transfer_quantity_positive"),
            models.CheckConstraint(condition=~Q(source=F("destination")), name="stock_transfer_between_two_levels"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} from {self.source_id} to {self.destination_id}"


class StockMovement(models.Model):
    """One change of one level with its concrete cause; append-only (a trigger refuses UPDATE, DELETE and TRUNCATE)."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    level = models.ForeignKey(StockLevel, models.PROTECT, related_name="movements", db_index=False)
    kind = models.CharField(_("kind"), max_length=12, choices=MovementKind)
    on_hand_change = models.DecimalField(_("on hand"), max_digits=14, decimal_places=3, default=0)
    reserved_change = models.DecimalField(_("reserved"), max_digits=14, decimal_places=3, default=0)
    unfit_change = models.DecimalField(_("unfit"), max_digits=14, decimal_places=3, default=0)
    reservation = models.ForeignKey(Reservation, models.PROTECT, null=True, related_name="movements")
    delivery_line = models.ForeignKey("parts.DeliveryLine", models.PROTECT, null=True, related_name="movements")
    correction = models.ForeignKey(StockCorrection, models.PROTECT, null=True, related_name="movements")
    transfer = models.ForeignKey(StockTransfer, models.PROTECT, null=True, related_name="movements")
    demand_id = models.UUIDField(_("order line"), null=True)
    occurred_at = models.DateTimeField(_("occurred at"))
    recorded_at = models.DateTimeField(_("recorded at"), db_default=Now())
    actor = models.CharField(_("by"), max_length=80)
    source = models.CharField(_("source"), max_length=40)

    objects = StockMovementQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name = _("stock movement")
        verbose_name_plural = _("stock movements")
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    kind__in=["reservation", "release", "issue", "return"],
                    reservation__isnull=False,
                    delivery_line__isnull=True,
                    correction__isnull=True,
                    transfer__isnull=True,
                    demand_id__isnull=True,
                )
                | Q(
                    kind="receipt",
                    reservation__isnull=True,
                    delivery_line__isnull=False,
                    correction__isnull=True,
                    transfer__isnull=True,
                    demand_id__isnull=True,
                )
                | Q(
                    kind="correction",
                    reservation__isnull=True,
                    delivery_line__isnull=True,
                    correction__isnull=False,
                    transfer__isnull=True,
                    demand_id__isnull=True,
                )
                | Q(
                    kind="transfer",
                    reservation__isnull=True,
                    delivery_line__isnull=True,
                    correction__isnull=True,
                    transfer__isnull=False,
                    demand_id__isnull=True,
                )
                | Q(
                    kind__in=["arrival", "reversal"],
                    reservation__isnull=True,
                    delivery_line__isnull=True,
                    correction__isnull=True,
                    transfer__isnull=True,
                    demand_id__isnull=False,
                ),
                name="stock_movement_has_its_cause",
            ),
            models.CheckConstraint(
                condition=~Q(on_hand_change=0, reserved_change=0, unfit_change=0),
                name="stock_movement_changes_something",
            ),
            models.CheckConstraint(
                condition=Q(kind="reservation", on_hand_change=0, reserved_change__gt=0, unfit_change=0)
                | Q(kind="release", on_hand_change=0, reserved_change__lt=0, unfit_change=0)
                | Q(kind="issue", on_hand_change__lt=0, reserved_change=F("on_hand_change"), unfit_change=0)
                | Q(
                    kind__in=["receipt", "return"],
                    on_hand_change__gt=0,
                    reserved_change=0,
                    unfit_change__gte=0,
                    unfit_change__lte=F("on_hand_change"),
                )
                | Q(kind="correction", reserved_change=0)
                | Q(kind="transfer", reserved_change=0, unfit_change=0)
                | Q(kind="arrival", on_hand_change__gt=0, reserved_change=0, unfit_change=0)
                | Q(
                    kind="reversal",
                    on_hand_change__lt=0,
                    reserved_change=0,
                    unfit_change__lte=0,
                    unfit_change__gte=F("on_hand_change"),
                ),
                name="stock_movement_goes_the_way_of_its_kind",
            ),
        ]
        indexes = [
            models.Index(fields=["level", "id"], name="stock_movement_by_level"),
            models.Index(
                fields=["demand_id"], condition=Q(demand_id__isnull=False), name="stock_movement_by_order_line"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.id}"

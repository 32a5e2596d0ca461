"""Where new stock comes from: suppliers, what was ordered from them, and what they delivered."""

from django.db import models
from django.db.models import ExpressionWrapper, F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from parts.keys import new_key
from parts.lookups import Key
from parts.models.catalogue import Part
from parts.models.stock import OWN, Warehouse
from parts.querysets import PurchaseOrderLineQuerySet
from parts.statuses import Condition, PurchaseOrderStatus


class Supplier(models.Model):
    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    code = models.CharField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)
    is_active = models.BooleanField(_("active"), default=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ("code", "id")
        verbose_name = _("supplier")
        verbose_name_plural = _("suppliers")

    def __str__(self) -> str:
        return self.code

    @property
    def full_name(self) -> str:
        """Code and name, where there is room for both."""
        return f"{self.code} {self.name}"


class SupplierPart(models.Model):
    """What a supplier sells, at which cost, how fast and in which quantities."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    supplier = models.ForeignKey(Supplier, models.CASCADE, related_name="parts")
    part = models.ForeignKey(Part, models.CASCADE, related_name="suppliers")
    supplier_number = models.CharField(_("supplier's number"), max_length=80, blank=True)
    lead_time_days = models.PositiveSmallIntegerField(_("lead time in days"))
    minimum_quantity = models.DecimalField(_("minimum quantity"), max_digits=14, decimal_places=3, default=1)
    order_multiple = models.DecimalField(_("order multiple"), max_digits=14, decimal_places=3, default=1)
    unit_cost = models.DecimalField(_("unit cost"), max_digits=12, decimal_places=2, default=0)
    is_preferred = models.BooleanField(_("preferred"), default=False)
    history = HistoricalRecords()

    class Meta:
        ordering = ("part", "supplier", "id")
        verbose_name = _("supplier's part")
        verbose_name_plural = _("suppliers' parts")
        constraints = [
            models.UniqueConstraint(fields=["supplier", "part"], name="supplier_part_unique"),
            models.UniqueConstraint(
                fields=["part"], condition=Q(is_preferred=True), name="supplier_part_one_preferred"
            ),
            models.CheckConstraint(
                condition=Q(minimum_quantity__gt=0, order_multiple__gt=0, unit_cost__gte=0),
                name="supplier_part_quantities_positive",
            ),
        ]
        indexes = [
            models.Index(Key("supplier_number"), condition=~Q(supplier_number=""), name="supplier_part_by_key"),
        ]

    def __str__(self) -> str:
        return f"{self.part_id} from {self.supplier_id}"


class PurchaseOrder(models.Model):
    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    number = models.CharField(_("number"), max_length=40, unique=True)
    supplier = models.ForeignKey(Supplier, models.PROTECT, related_name="purchase_orders")
    warehouse = models.ForeignKey(
        Warehouse, models.PROTECT, related_name="purchase_orders", verbose_name=_("deliver to")
    )
    status = models.CharField(
        _("status"), max_length=10, choices=PurchaseOrderStatus, default=PurchaseOrderStatus.ORDERED
    )
    ordered_at = models.DateTimeField(_("ordered at"))
    created_at = models.DateTimeField(_("recorded at"), db_default=Now())
    history = HistoricalRecords(excluded_fields=["status"])  # deliveries close it, not people

    class Meta:
        ordering = ("-ordered_at", "id")
        verbose_name = _("purchase order")
        verbose_name_plural = _("purchase orders")
        permissions = [("manage_purchase_orders", "Can place, confirm and cancel purchase orders")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=PurchaseOrderStatus.values), name="purchase_order_status_known"
            ),
        ]

    def __str__(self) -> str:
        return self.number


class PurchaseOrderLine(models.Model):
    """Open quantity = quantity - received - cancelled, never below zero (a supplier may deliver more than ordered)."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    purchase_order = models.ForeignKey(PurchaseOrder, models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField(_("position"))
    part = models.ForeignKey(Part, models.PROTECT, related_name="purchase_order_lines")
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=3)
    received = models.DecimalField(_("received"), max_digits=14, decimal_places=3, default=0)
    cancelled = models.DecimalField(_("cancelled"), max_digits=14, decimal_places=3, default=0)
    unit_cost = models.DecimalField(_("unit cost"), max_digits=12, decimal_places=2, default=0)
    first_confirmed_on = models.DateField(_("first confirmed for"), null=True, blank=True)
    expected_on = models.DateField(
        _("expected on"), null=True, blank=True, help_text=_("The supplier's present date; empty if none was given.")
    )
    answered_at = models.DateTimeField(
        _("answered at"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("By the supplier's clock; an older answer that comes later changes nothing."),
    )
    is_open = models.GeneratedField(
        expression=ExpressionWrapper(
            Q(quantity__gt=F("received") + F("cancelled")), output_field=models.BooleanField()
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    history = HistoricalRecords(excluded_fields=["received", "is_open", "answered_at"])  # the deliveries tell what came

    objects = PurchaseOrderLineQuerySet.as_manager()

    class Meta:
        ordering = ("purchase_order", "position", "id")
        verbose_name = _("purchase order line")
        verbose_name_plural = _("purchase order lines")
        constraints = [
            models.UniqueConstraint(fields=["purchase_order", "position"], name="purchase_order_line_position_unique"),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, received__gte=0, cancelled__gte=0), name="purchase_order_line_quantities"
            ),
            models.CheckConstraint(
                condition=Q(cancelled__lte=F("quantity")), name="purchase_order_line_cancelled_at_most_ordered"
            ),
        ]
        indexes = [
            models.Index(
                fields=["part", "expected_on", "id"], condition=Q(is_open=True), name="purchase_order_line_incoming"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purchase_order_id}/{self.position}"


class Delivery(models.Model):
    """A supplier's delivery as booked. Its note number is unique per supplier: booking it twice changes nothing."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    supplier = models.ForeignKey(Supplier, models.PROTECT, related_name="deliveries")
    warehouse = models.ForeignKey(Warehouse, models.PROTECT, related_name="deliveries")
    note_number = models.CharField(_("delivery note"), max_length=60)
    received_at = models.DateTimeField(_("received at"))
    recorded_at = models.DateTimeField(_("recorded at"), db_default=Now())
    actor = models.CharField(_("by"), max_length=80)
    source = models.CharField(_("source"), max_length=40)
    content_digest = models.CharField(
        _("fingerprint of the content"),
        max_length=64,
        editable=False,
        help_text=_("SHA-256 of what was booked; tells a repeat of the same note from another note under its number."),
    )

    class Meta:
        ordering = ("-received_at", "id")
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        permissions = [("receive_delivery", "Can book a delivery")]
        constraints = [
            models.UniqueConstraint(fields=["supplier", "note_number"], name="delivery_note_unique_per_supplier"),
            models.CheckConstraint(condition=~Q(note_number=""), name="delivery_note_not_empty"),
        ]

    def __str__(self) -> str:
        return self.note_number


class DeliveryLine(models.Model):
    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    delivery = models.ForeignKey(Delivery, models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField(_("position"))
    part = models.ForeignKey(Part, models.PROTECT, related_name="delivery_lines")
    purchase_order_line = models.ForeignKey(
        PurchaseOrderLine, models.PROTECT, null=True, blank=True, related_name="delivery_lines"
    )
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=3)
    unfit_quantity = models.DecimalField(
        _("of it unfit"),
        max_digits=14,
        decimal_places=3,
        default=0,
        help_text=_("Damaged or wrong; in stock, never promised."),
    )
    open_before = models.DecimalField(
        _("open before it"),
        max_digits=14,
        decimal_places=3,
        null=True,
        blank=True,
        help_text=_("What the purchase order line still waited for; more delivered is too much, less leaves a rest."),
    )
    condition = models.CharField(_("condition"), max_length=12, choices=Condition, default=Condition.NEW)
    owner = models.CharField(_("owner"), max_length=40, default=OWN)

    class Meta:
        ordering = ("delivery", "position", "id")
        verbose_name = _("delivery line")
        verbose_name_plural = _("delivery lines")
        constraints = [
            models.UniqueConstraint(fields=["delivery", "position"], name="delivery_line_position_unique"),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, unfit_quantity__gte=0, unfit_quantity__lte=F("quantity")),
                name="delivery_line_quantities",
            ),
            models.CheckConstraint(condition=Q(condition__in=Condition.values), name="delivery_line_condition_known"),
            models.CheckConstraint(
                condition=Q(purchase_order_line__isnull=True, open_before__isnull=True)
                | Q(purchase_order_line__isnull=False, open_before__gte=0),
                name="delivery_line_open_before_with_its_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id}/{self.position}"


class DeliverySerial(models.Model):
    """A serial number that was read off a delivered unit. Which unit of its line it is, nobody needs to know."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    line = models.ForeignKey(DeliveryLine, models.PROTECT, related_name="serials", db_index=False)
    serial = models.CharField(_("serial number"), max_length=80)

    class Meta:
        ordering = ("line", "id")
        verbose_name = _("delivered serial number")
        verbose_name_plural = _("delivered serial numbers")
        constraints = [
            models.UniqueConstraint(fields=["line", "serial"], name="delivery_serial_unique_per_line"),
            models.CheckConstraint(condition=~Q(serial=""), name="delivery_serial_not_empty"),
        ]
        indexes = [models.Index(Key("serial"), name="delivery_serial_by_key")]

    def __str__(self) -> str:
        return self.serial

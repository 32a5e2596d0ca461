"""The demand: a parts order, its lines as a tree, and what was shipped of it."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import ConcurrentTransitionMixin, FSMField, transition
from simple_history.models import HistoricalRecords

from orders.models.chained import Chained
from orders.models.customers import Customer
from orders.models.ledger import OrderEvent
from orders.models.service_orders import ServiceOrder
from orders.querysets import OrderLineQuerySet, PartsOrderQuerySet
from orders.statuses import LINE_CLOSED, LINE_OPEN, LINE_STEPS, LineStatus, SubjectKind
from parts.keys import new_key
from parts.lookups import Key
from parts.models import Part, Region, Warehouse
from parts.statuses import Purpose


def _sources(target: str) -> list[str]:
    return [status for status, targets in LINE_STEPS.items() if target in targets]


class PartsOrder(Chained):
    """A demand for parts. `status` and `progress` are derived from its lines; nobody sets them.

    `revision` grows with every write to the tree of lines: a reader that waited for the lock sees by it that what it
    read beside the lock is old.
    """

    subject_kind = SubjectKind.PARTS_ORDER.value

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    kind = models.CharField(_("kind"), max_length=12, choices=Purpose, default=Purpose.SERVICE)
    status = models.CharField(_("fulfilment"), max_length=20, choices=LineStatus, default="open", editable=False)
    progress = models.DecimalField(_("shipped share"), max_digits=5, decimal_places=4, default=0, editable=False)
    revision = models.PositiveIntegerField(default=0, editable=False)
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="parts_orders", db_index=False
    )
    service_order = models.ForeignKey(ServiceOrder, models.PROTECT, null=True, blank=True, related_name="parts_orders")
    region = models.ForeignKey(Region, models.PROTECT, related_name="parts_orders")
    destination = models.ForeignKey(
        Warehouse, models.PROTECT, null=True, blank=True, related_name="parts_orders", verbose_name=_("for warehouse")
    )
    external_reference = models.CharField(_("customer's reference"), max_length=80, blank=True)
    requested_on = models.DateField(_("requested for"))
    complete_delivery_only = models.BooleanField(_("complete delivery only"), default=False)
    on_hold = models.BooleanField(_("on hold"), default=False)
    hold_event = models.ForeignKey(
        OrderEvent, models.PROTECT, null=True, blank=True, editable=False, related_name="+", db_index=False
    )
    is_test = models.BooleanField(_("test or training"), default=False)
    messages_stopped_at = models.DateTimeField(
        _("messages stopped at"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("The customer wants no messages about this order since then."),
    )
    history = HistoricalRecords(
        excluded_fields=[
            "status",
            "progress",
            "revision",
            "hold_event",
            "version",
            "chain_hash",
            "status_since",
            "messages_stopped_at",
        ]
    )

    objects = PartsOrderQuerySet.as_manager()

    class Meta(Chained.Meta):
        abstract = False
        ordering = ("-id",)
        verbose_name = _("parts order")
        verbose_name_plural = _("parts orders")
        permissions = [
            ("place_partsorder", "Can place a parts order"),
            ("hold_partsorder", "Can hold and release a parts order"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=Purpose.values), name="parts_order_kind_known"),
            models.CheckConstraint(condition=Q(status__in=LineStatus.values), name="parts_order_status_known"),
            models.UniqueConstraint(fields=["reference"], name="parts_order_reference_unique"),
            models.CheckConstraint(
                condition=Q(kind__in=["service", "emergency"], customer__isnull=False)
                | Q(kind__in=["stock", "transfer"], destination__isnull=False),
                name="parts_order_has_someone_to_go_to",
            ),
            models.CheckConstraint(condition=Q(progress__range=(0, 1)), name="parts_order_progress_is_a_share"),
        ]
        indexes = [
            models.Index(fields=["customer", "-id"], name="parts_order_by_customer"),
            models.Index(fields=["status", "-id"], name="parts_order_by_status"),
            models.Index(
                fields=["customer", "id"], condition=Q(status__in=LINE_OPEN), name="parts_order_open_of_customer"
            ),
            models.Index(fields=["service_order"], condition=Q(status="back_ordered"), name="parts_order_short_of_job"),
            models.Index(
                fields=["status_since", "id"],
                condition=Q(status__in=LINE_OPEN, service_order__isnull=True, is_test=False),
                name="parts_order_long_in_status",
            ),
            models.Index(Key("reference"), name="parts_order_by_key"),
            models.Index(
                Key("external_reference"), condition=~Q(external_reference=""), name="parts_order_by_their_key"
            ),
        ]

    @property
    def hold_reason(self) -> str:
        """Why it is on hold, from the vault; empty where it is not, or where what was written has been erased."""
        text = getattr(self.hold_event, "text", None)
        return text.text if text else ""


class OrderLine(ConcurrentTransitionMixin, Chained):
    """A line, or a part of one: a line that had to be split keeps its quantity and becomes the parent of child lines.

    A tree is one level deep, children's quantities add up to the parent's, and a parent's status and progress are
    derived. Only leaves hold stock or wait; a back order always belongs to a child.
    """

    subject_kind = SubjectKind.LINE.value
    lock_path = "order"

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    order = models.ForeignKey(PartsOrder, models.PROTECT, related_name="lines", db_index=False)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children", db_index=False)
    position = models.PositiveIntegerField(_("position"))
    child_number = models.PositiveIntegerField(_("split"), default=0)
    part = models.ForeignKey(Part, models.PROTECT, related_name="order_lines")
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=3)
    status = FSMField(_("status"), max_length=20, choices=LineStatus, default="open", protected=True)
    is_split = models.BooleanField(_("split"), default=False, editable=False)
    progress = models.DecimalField(_("shipped share"), max_digits=5, decimal_places=4, default=0, editable=False)
    warehouse = models.ForeignKey(
        Warehouse, models.PROTECT, null=True, blank=True, related_name="order_lines", db_index=False
    )
    requested_on = models.DateField(_("requested for"))
    first_promised_on = models.DateField(_("first promised"), null=True, blank=True)
    promised_on = models.DateField(_("promised"), null=True, blank=True)
    minimum_fill = models.DecimalField(
        _("minimum fill"),
        max_digits=14,
        decimal_places=3,
        default=0,
        db_default=0,
        editable=False,
        help_text=_("The smallest part delivery that is accepted whenever it is short."),
    )
    kept_back = models.BooleanField(
        _("kept back"),
        default=False,
        db_default=False,
        editable=False,
        help_text=_("Taken back from release: no rule releases it before a person does, or lets it go."),
    )

    objects = OrderLineQuerySet.as_manager()

    class Meta(Chained.Meta):
        abstract = False
        ordering = ("order", "position", "child_number", "id")
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        permissions = [
            ("move_orderline", "Can move an order line along its flow"),
            ("ship_orderline", "Can ship order lines"),
            ("cancel_orderline", "Can cancel order lines"),
            ("override_orderline", "Can override an order line's status"),
            ("promise_orderline", "Can promise a date"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["order", "position", "child_number"], name="order_line_position_unique"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="order_line_quantity_positive"),
            models.CheckConstraint(condition=Q(status__in=LineStatus.values), name="order_line_status_known"),
            models.CheckConstraint(condition=Q(progress__range=(0, 1)), name="order_line_progress_is_a_share"),
            models.CheckConstraint(condition=Q(minimum_fill__gte=0), name="order_line_minimum_fill_not_negative"),
            models.CheckConstraint(
                condition=Q(parent__isnull=True, child_number=0)
                | Q(parent__isnull=False, child_number__gt=0, is_split=False),
                name="order_line_tree_is_one_level_deep",
            ),
            models.CheckConstraint(
                condition=Q(first_promised_on__isnull=True, promised_on__isnull=True)
                | Q(first_promised_on__isnull=False, promised_on__isnull=False),
                name="order_line_first_promise_is_kept",
            ),
        ]
        indexes = [
            models.Index(fields=["parent"], condition=Q(parent__isnull=False), name="order_line_children"),
            models.Index(
                fields=["status", "status_since", "id"],
                include=["order", "part", "warehouse"],
                condition=Q(is_split=False) & ~Q(status__in=LINE_CLOSED),
                name="order_line_open_leaves",
            ),
            models.Index(
                fields=["promised_on", "id"],
                condition=Q(status="back_ordered", promised_on__isnull=False),
                name="order_line_promised_waits",
            ),
        ]

    @transition(field=status, source=_sources("reserved"), target="reserved")
    def to_reserved(self) -> None:
        """Stock is held for it."""

    @transition(field=status, source=_sources("back_ordered"), target="back_ordered")
    def to_back_ordered(self) -> None:
        """It waits for stock that we do not have."""

    @transition(field=status, source=_sources("released"), target="released")
    def to_released(self) -> None:
        """The warehouse may pick it."""

    @transition(field=status, source=_sources("picking"), target="picking")
    def to_picking(self) -> None:
        """It is being taken from the shelf."""

    @transition(field=status, source=_sources("awaiting_kitting"), target="awaiting_kitting")
    def to_awaiting_kitting(self) -> None:
        """It waits for the rest of its kit."""

    @transition(field=status, source=_sources("packed"), target="packed")
    def to_packed(self) -> None:
        """It is in its box."""

    @transition(field=status, source=_sources("shipped"), target="shipped")
    def to_shipped(self) -> None:
        """It has left the warehouse."""

    @transition(field=status, source=_sources("delivered"), target="delivered")
    def to_delivered(self) -> None:
        """The receiver has it."""

    @transition(field=status, source=_sources("returned"), target="returned")
    def to_returned(self) -> None:
        """It came back."""

    @transition(field=status, source=_sources("cancelled"), target="cancelled")
    def to_cancelled(self) -> None:
        """Nobody wants it any more."""


class Shipment(models.Model):
    """Goods that left one warehouse for one order together."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    reference = models.CharField(_("reference"), max_length=40, unique=True)
    order = models.ForeignKey(PartsOrder, models.PROTECT, related_name="shipments")
    warehouse = models.ForeignKey(Warehouse, models.PROTECT, related_name="shipments")
    carrier = models.CharField(_("carrier"), max_length=60, blank=True)
    tracking_number = models.CharField(_("tracking number"), max_length=80, blank=True)
    shipped_at = models.DateTimeField(_("shipped at"))
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)

    class Meta:
        ordering = ("-shipped_at", "id")
        verbose_name = _("shipment")
        verbose_name_plural = _("shipments")
        constraints = [
            models.CheckConstraint(
                condition=Q(delivered_at__isnull=True) | Q(delivered_at__gte=F("shipped_at")),
                name="shipment_arrives_after_it_left",
            ),
        ]
        indexes = [
            models.Index(Key("reference"), name="shipment_by_key"),
            models.Index(Key("tracking_number"), condition=~Q(tracking_number=""), name="shipment_by_tracking_key"),
        ]

    def __str__(self) -> str:
        return self.reference


class ShipmentLine(models.Model):
    """What a shipment carries of a line. A line leaves a second time only after somebody overrode its first leaving."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    shipment = models.ForeignKey(Shipment, models.PROTECT, related_name="lines")
    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="shipment_lines")
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=3)

    class Meta:
        ordering = ("shipment", "id")
        verbose_name = _("shipment line")
        verbose_name_plural = _("shipment lines")
        constraints = [models.CheckConstraint(condition=Q(quantity__gt=0), name="shipment_line_quantity_positive")]

    def __str__(self) -> str:
        return f"{self.shipment_id} {self.line_id}"


class ShippedSerial(models.Model):
    """A serial number that was read off a unit when it left. Which unit of its line it is, nobody needs to know.

    `is_gone` until the unit is known to be back: a unit that is gone cannot leave again.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    shipment_line = models.ForeignKey(ShipmentLine, models.PROTECT, related_name="serials", db_index=False)
    part = models.ForeignKey(Part, models.PROTECT, related_name="shipped_serials", verbose_name=_("part"))
    serial = models.CharField(_("serial number"), max_length=80)
    is_gone = models.BooleanField(_("gone"), default=True)

    class Meta:
        ordering = ("shipment_line", "id")
        verbose_name = _("shipped serial number")
        verbose_name_plural = _("shipped serial numbers")
        constraints = [
            models.UniqueConstraint(fields=["shipment_line", "serial"], name="shipped_serial_unique_per_line"),
            models.UniqueConstraint(
                F("part"), Key("serial"), condition=Q(is_gone=True), name="shipped_serial_gone_once"
            ),
            models.CheckConstraint(condition=~Q(serial=""), name="shipped_serial_not_empty"),
        ]
        indexes = [models.Index(Key("serial"), name="shipped_serial_by_key")]

    def __str__(self) -> str:
        return self.serial

"""A back order and the supply it is pegged to."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import ConcurrentTransitionMixin, FSMField, transition

from backorders.querysets import BackOrderQuerySet
from backorders.statuses import BACK_ORDER_STEPS, BACK_ORDER_WAITING, BackOrderStatus
from orders.models import Customer, OrderLine
from orders.models.chained import Chained
from orders.statuses import SubjectKind
from parts.keys import new_key
from parts.models import Part, PurchaseOrderLine, Region, Warehouse


def _sources(target: str) -> list[str]:
    return [status for status, targets in BACK_ORDER_STEPS.items() if target in targets]


class BackOrder(ConcurrentTransitionMixin, Chained):
    """Exactly the missing quantity of one child line, and its place in the queue of its part.

    `rank` does not change as time passes (see backorders.priority); the queue of a part is its waiting rows by
    (-rank, id). `rank_terms` keeps the terms the rank was added up from. `quantity` is what is still missing,
    `opened_quantity` what was missing at first. `customer`, `region` and `is_test` are those of its order, which never
    change: kept here, so that the whole queue is counted without its lines and orders.
    """

    subject_kind = SubjectKind.BACK_ORDER.value
    lock_path = "line__order"

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    line = models.OneToOneField(OrderLine, models.PROTECT, related_name="back_order")
    part = models.ForeignKey(Part, models.PROTECT, related_name="back_orders", db_index=False)
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="back_orders", db_index=False
    )
    region = models.ForeignKey(Region, models.PROTECT, related_name="back_orders", db_index=False, editable=False)
    is_test = models.BooleanField(_("test or training"), default=False, editable=False)
    excluded_warehouse = models.ForeignKey(
        Warehouse,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        help_text=_("A transfer is not served from the warehouse it goes to."),
    )
    status = FSMField(_("status"), max_length=20, choices=BackOrderStatus, default="open", protected=True)
    quantity = models.DecimalField(_("missing"), max_digits=14, decimal_places=3)
    opened_quantity = models.DecimalField(_("missing at first"), max_digits=14, decimal_places=3)
    minimum_fill = models.DecimalField(
        _("minimum fill"),
        max_digits=14,
        decimal_places=3,
        default=0,
        help_text=_("The smallest part delivery it accepts."),
    )
    on_hold = models.BooleanField(_("on hold"), default=False)
    pinned_at = models.DateTimeField(
        _("pinned at"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Put before all that are not pinned, until it is unpinned; the ledger says who did it and why."),
    )
    rank = models.DecimalField(_("rank"), max_digits=18, decimal_places=6)
    rank_facts = models.JSONField(_("what the rank is made from"), default=dict)
    opened_at = models.DateTimeField(_("opened at"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    expected_on = models.DateField(_("expected"), null=True, blank=True)

    objects = BackOrderQuerySet.as_manager()

    class Meta(Chained.Meta):
        abstract = False
        ordering = ("part", "-rank", "id")
        verbose_name = _("back order")
        verbose_name_plural = _("back orders")
        permissions = [
            ("move_backorder", "Can move a back order along its flow"),
            ("override_backorder", "Can override a back order's status"),
            ("promise_backorder", "Can promise a date"),
            ("allocate_backorder", "Can run an allocation"),
            ("pin_backorder", "Can pin a back order to the head of its queue"),
            ("source_backorder", "Can choose another source for a back order"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="back_order_reference_unique"),
            models.CheckConstraint(condition=Q(status__in=BackOrderStatus.values), name="back_order_status_known"),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, opened_quantity__gte=F("quantity")), name="back_order_quantities"
            ),
            models.CheckConstraint(
                condition=Q(minimum_fill__gte=0, minimum_fill__lte=F("opened_quantity")), name="back_order_minimum_fill"
            ),
            models.CheckConstraint(
                condition=Q(status__in=BACK_ORDER_WAITING, closed_at__isnull=True)
                | (~Q(status__in=BACK_ORDER_WAITING) & Q(closed_at__isnull=False)),
                name="back_order_closed_with_time",
            ),
        ]
        indexes = [
            models.Index(
                F("part"),
                F("rank").desc(),
                F("id"),
                condition=Q(status__in=BACK_ORDER_WAITING),
                name="back_order_queue",
            ),
            models.Index(
                F("rank").desc(), F("id"), condition=Q(status__in=BACK_ORDER_WAITING), name="back_order_all_by_rank"
            ),
            models.Index(fields=["customer", "-id"], name="back_order_by_customer"),
            models.Index(
                fields=["opened_at", "id"],
                include=["part", "customer", "region", "is_test", "quantity"],
                condition=Q(status__in=BACK_ORDER_WAITING),
                name="back_order_by_age",
            ),
            models.Index(
                fields=["expected_on", "id"],
                condition=Q(status__in=BACK_ORDER_WAITING, expected_on__isnull=False),
                name="back_order_by_expected_day",
            ),
        ]

    @transition(field=status, source=_sources("open"), target="open")
    def to_open(self) -> None:
        """Back in the queue."""

    @transition(field=status, source=_sources("sourcing"), target="sourcing")
    def to_sourcing(self) -> None:
        """Somebody looks for another source."""

    @transition(field=status, source=_sources("supply_confirmed"), target="supply_confirmed")
    def to_supply_confirmed(self) -> None:
        """A supplier has confirmed the quantity."""

    @transition(field=status, source=_sources("allocated"), target="allocated")
    def to_allocated(self) -> None:
        """All of it is reserved."""

    @transition(field=status, source=_sources("fulfilled"), target="fulfilled")
    def to_fulfilled(self) -> None:
        """It was shipped."""

    @transition(field=status, source=_sources("substituted"), target="substituted")
    def to_substituted(self) -> None:
        """Another part took its place."""

    @transition(field=status, source=_sources("cancelled"), target="cancelled")
    def to_cancelled(self) -> None:
        """Nobody waits for it any more."""


class Peg(models.Model):
    """How much of an incoming purchase order line covers how much of a back order; rebuilt whenever either changes.

    `expected_on` is the day to count on: the supplier's, and none where they gave none or it has passed.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    back_order = models.ForeignKey(BackOrder, models.CASCADE, related_name="pegs", db_index=False)
    purchase_order_line = models.ForeignKey(PurchaseOrderLine, models.CASCADE, related_name="pegs")
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=3)
    expected_on = models.DateField(_("expected"), null=True, blank=True)

    class Meta:
        ordering = ("back_order", "id")
        verbose_name = _("peg")
        verbose_name_plural = _("pegs")
        constraints = [
            models.UniqueConstraint(fields=["back_order", "purchase_order_line"], name="peg_unique"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="peg_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.back_order_id} from {self.purchase_order_line_id}"


class DueQueue(models.Model):
    """A part whose queue has to be dated anew, since new weights changed its order.

    Written with the new ranks and gone when the queue is dated: one row for each time, so that nobody waits for
    anybody, and what a change wants while the queue is being dated is not lost.
    """

    # Without a constraint: it would lock the part at the end of a change that holds the policy, and meet whoever holds
    # the part (a new level is added) and asks for the policy. The back orders that the row is about keep their part.
    part = models.ForeignKey(Part, models.CASCADE, related_name="+", db_constraint=False)

    class Meta:
        ordering = ("id",)
        default_permissions = ()
        verbose_name = _("queue to be dated")
        verbose_name_plural = _("queues to be dated")

    def __str__(self) -> str:
        return str(self.part_id)

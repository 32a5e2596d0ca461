"""Who got what, from which movement, and why."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from backorders.models.queue import BackOrder
from backorders.statuses import Outcome
from orders.models import OrderLine
from parts.keys import new_key
from parts.labels import plain
from parts.models import DeliveryLine, Part, StockMovement
from parts.sentences import sentence


class AllocationPolicy(models.Model):
    """The weights of a rank, one row that a parts manager edits. See backorders.priority for the formula."""

    name = models.CharField(_("name"), max_length=40, primary_key=True, default="default")
    emergency = models.DecimalField(_("machine down"), max_digits=9, decimal_places=3, default=1000)
    service = models.DecimalField(_("field service"), max_digits=9, decimal_places=3, default=200)
    stock = models.DecimalField(_("stock order"), max_digits=9, decimal_places=3, default=0)
    transfer = models.DecimalField(_("internal transfer"), max_digits=9, decimal_places=3, default=-200)
    downtime = models.DecimalField(
        _("downtime cost"), max_digits=9, decimal_places=3, default=50, help_text=_("Points per tenfold cost per hour.")
    )
    platinum = models.DecimalField(_("platinum"), max_digits=9, decimal_places=3, default=300)
    gold = models.DecimalField(_("gold"), max_digits=9, decimal_places=3, default=200)
    silver = models.DecimalField(_("silver"), max_digits=9, decimal_places=3, default=100)
    bronze = models.DecimalField(_("bronze"), max_digits=9, decimal_places=3, default=0)
    criticality_a = models.DecimalField(_("criticality A"), max_digits=9, decimal_places=3, default=150)
    criticality_b = models.DecimalField(_("criticality B"), max_digits=9, decimal_places=3, default=50)
    criticality_c = models.DecimalField(_("criticality C"), max_digits=9, decimal_places=3, default=0)
    contract = models.DecimalField(
        _("contract"),
        max_digits=9,
        decimal_places=3,
        default=1,
        help_text=_("Times the points of the service contract."),
    )
    ageing_per_day = models.DecimalField(
        _("ageing per day"),
        max_digits=9,
        decimal_places=3,
        default=10,
        help_text=_("Points gained per day of waiting."),
    )
    revision = models.PositiveIntegerField(default=1, editable=False)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("allocation policy")
        verbose_name_plural = _("allocation policies")
        constraints = [
            models.CheckConstraint(condition=Q(ageing_per_day__gte=0), name="allocation_policy_ageing_not_negative"),
        ]

    def __str__(self) -> str:
        return self.name


class AllocationRun(models.Model):
    """One pass over the queue of one or more parts: what was free, what was given, where it stopped."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    cause = models.CharField(_("cause"), max_length=40)
    actor = models.CharField(_("by"), max_length=80)
    source = models.CharField(_("source"), max_length=40)
    policy_revision = models.PositiveIntegerField(_("policy revision"))
    ran_at = models.DateTimeField(_("ran at"))
    recorded_at = models.DateTimeField(_("recorded at"), db_default=Now())
    parts = models.JSONField(
        _("parts"),
        default=list,
        help_text=_("Per part: free before, given, left, and the last rank that got something."),
    )

    class Meta:
        ordering = ("-id",)
        verbose_name = _("allocation run")
        verbose_name_plural = _("allocation runs")

    def __str__(self) -> str:
        return f"{self.cause} {self.ran_at:%Y-%m-%d %H:%M:%S.%f}"


class AllocationDecision(models.Model):
    """Why a back order got, kept or lost a quantity in a run; enough to replay it. Append-only."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    run = models.ForeignKey(AllocationRun, models.PROTECT, related_name="decisions", db_index=False)
    back_order = models.ForeignKey(BackOrder, models.PROTECT, related_name="decisions", db_index=False)
    part = models.ForeignKey(Part, models.PROTECT, related_name="+", db_index=False)
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome)
    rule = models.CharField(_("rule"), max_length=40)
    rank = models.DecimalField(_("rank"), max_digits=18, decimal_places=6)
    asked = models.DecimalField(_("asked"), max_digits=14, decimal_places=3)
    given = models.DecimalField(_("given"), max_digits=14, decimal_places=3)
    free_before = models.DecimalField(_("free before its turn"), max_digits=14, decimal_places=3)
    place = models.PositiveIntegerField(_("place among those asked"))

    class Meta:
        ordering = ("run", "place", "id")
        verbose_name = _("allocation decision")
        verbose_name_plural = _("allocation decisions")
        indexes = [
            models.Index(fields=["back_order", "id"], name="decision_by_back_order"),
            models.Index(fields=["run", "place"], name="decision_by_run"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="decision_outcome_known"),
        ]

    def __str__(self) -> str:
        said = sentence(
            "{outcome} {given} of {asked}",
            outcome=self.get_outcome_display(),
            given=plain(self.given),
            asked=plain(self.asked),
        )
        return str(said)


class Allocation(models.Model):
    """A quantity given to a back order: the movement that reserved it, the line that holds it, its delivery line.

    What one movement reserved and several delivery lines brought is an allocation for each of them.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    back_order = models.ForeignKey(BackOrder, models.PROTECT, related_name="allocations")
    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="allocations")
    movement = models.ForeignKey(StockMovement, models.PROTECT, related_name="allocations")
    delivery_line = models.ForeignKey(DeliveryLine, models.PROTECT, null=True, blank=True, related_name="allocations")
    decision = models.ForeignKey(AllocationDecision, models.PROTECT, related_name="allocations")
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=3)
    allocated_at = models.DateTimeField(_("allocated at"))

    class Meta:
        ordering = ("-id",)
        verbose_name = _("allocation")
        verbose_name_plural = _("allocations")
        constraints = [models.CheckConstraint(condition=Q(quantity__gt=0), name="allocation_quantity_positive")]

    def __str__(self) -> str:
        return f"{self.quantity} to {self.back_order_id}"

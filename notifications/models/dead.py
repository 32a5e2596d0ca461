"""What could not be told: a list for people who see to it, the costliest silence first."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from notifications.models.people import Recipient
from notifications.statuses import Channel, DeadCause, DeadState
from orders.models import Customer, OrderEvent
from orders.statuses import Tier
from parts.keys import new_key
from parts.models import Region


class DeadLetter(models.Model):
    """What one reader could not be told of one order over a channel, nor over any other that its rules name.

    One is open for each reader, channel and thread; whatever else cannot be told joins it. Its business impact is that
    of its order, brought up to date by the clock (`actions.dead.weigh`); `rank` is the impact as one text, so that the
    list is in the order of an index: machine down, tier, the contract's deadline, the cost of an hour, how long the
    order is open. Once it is settled it stays as it is: the database refuses to change it.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    recipient = models.ForeignKey(Recipient, models.PROTECT, related_name="dead_letters", db_index=False)
    channel = models.CharField(pgettext_lazy("channel", "by"), max_length=10, choices=Channel)
    thread_kind = models.CharField(_("about a"), max_length=16)
    thread_id = models.UUIDField(_("about"))
    reference = models.CharField(_("reference"), max_length=40, blank=True)
    region = models.ForeignKey(Region, models.PROTECT, null=True, related_name="+", db_index=False)
    event = models.ForeignKey(OrderEvent, models.PROTECT, related_name="+", db_index=False)
    cause = models.CharField(_("cause"), max_length=12, choices=DeadCause)
    error = models.CharField(_("last answer"), max_length=500, blank=True)
    news_count = models.PositiveIntegerField(_("news"))
    since = models.DateTimeField(_("untold since"))
    found_at = models.DateTimeField(_("found at"))

    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="+", db_index=False)
    machine_down = models.BooleanField(_("machine is down"), default=False)
    tier = models.CharField(_("tier"), max_length=10, choices=Tier, blank=True)
    due_at = models.DateTimeField(_("due by the contract"), null=True)
    hourly_cost = models.DecimalField(_("downtime cost per hour"), max_digits=12, decimal_places=2, default=0)
    open_since = models.DateTimeField(_("order open since"))
    rank = models.CharField(max_length=80, editable=False, db_collation="C")

    state = models.CharField(_("state"), max_length=10, choices=DeadState, default=DeadState.OPEN)
    settled_by = models.CharField(_("settled by"), max_length=80, blank=True)
    settled_at = models.DateTimeField(_("settled at"), null=True)
    why = models.CharField(_("why"), max_length=300, blank=True)
    told_whom = models.CharField(_("who was told"), max_length=120, blank=True)
    told_at = models.DateTimeField(_("told at"), null=True)
    goes_as = models.ForeignKey(
        "notifications.Notice", models.PROTECT, null=True, related_name="+", verbose_name=_("sent again as")
    )

    class Meta:
        ordering = ("rank",)
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")
        permissions = [("tell_deadletter", "Can say that a reader was told by telephone")]
        constraints = [
            models.UniqueConstraint(
                fields=["recipient", "channel", "thread_id"],
                condition=Q(state="open"),
                name="dead_letter_one_open_per_thread",
            ),
            models.CheckConstraint(condition=Q(state__in=DeadState.values), name="dead_letter_state_known"),
            models.CheckConstraint(condition=Q(cause__in=DeadCause.values), name="dead_letter_cause_known"),
            models.CheckConstraint(condition=Q(channel__in=Channel.values), name="dead_letter_channel_known"),
            models.CheckConstraint(
                condition=Q(state="open", settled_at__isnull=True, settled_by="", why="")
                | (~Q(state="open") & Q(settled_at__isnull=False) & ~Q(settled_by="") & ~Q(why="")),
                name="dead_letter_settled_by_somebody_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(state="told", told_at__isnull=False) & ~Q(told_whom="")
                | (~Q(state="told") & Q(told_at__isnull=True, told_whom="")),
                name="dead_letter_told_to_somebody",
            ),
        ]
        indexes = [
            models.Index(fields=["rank"], condition=Q(state="open"), name="dead_letter_by_impact"),
            models.Index(fields=["cause", "rank"], condition=Q(state="open"), name="dead_letter_by_cause"),
            models.Index(fields=["region", "rank"], condition=Q(state="open"), name="dead_letter_by_region"),
            models.Index(
                fields=["thread_id", "found_at", "id"],
                condition=Q(state="open", machine_down=True),
                name="dead_letter_machine_down",
            ),
            models.Index(fields=["-settled_at", "-id"], condition=~Q(state="open"), name="dead_letter_settled"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.channel}"

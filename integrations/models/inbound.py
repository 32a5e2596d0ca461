"""What others sent us: each message as it came, and what became of it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from integrations.models.systems import ExternalSystem, Interface
from integrations.statuses import MessageStatus, Way
from parts.keys import new_key


class InboundMessage(models.Model):
    """One message, stored as it came before anything is made of it. Its system and key are known once.

    It is `received` until it is settled: accepted, rejected (it says what cannot be), parked (it waits for a decision,
    or for what it speaks of), or dead (it could not be worked on). `waits_for` says what a parked one waits for;
    `facts` what became of each fact in it, in their order; `problems` what stood in the way, as kept sentences.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    system = models.ForeignKey(
        ExternalSystem, models.PROTECT, related_name="messages", verbose_name=_("external system")
    )
    interface = models.ForeignKey(Interface, models.PROTECT, related_name="messages", verbose_name=_("interface"))
    key = models.CharField(_("key"), max_length=200)
    way = models.CharField(_("came by"), max_length=8, choices=Way)
    content_type = models.CharField(_("kind of content"), max_length=100, blank=True)
    body = models.BinaryField(_("as it came"))
    fingerprint = models.BinaryField(_("SHA-256 of it"), max_length=32)
    received_at = models.DateTimeField(_("received at"))
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    status = models.CharField(_("status"), max_length=8, choices=MessageStatus, default=MessageStatus.RECEIVED)
    cause = models.CharField(_("cause"), max_length=60, blank=True)
    problems = models.JSONField(_("what stands in the way"), default=list, blank=True)
    facts = models.JSONField(_("what became of it"), default=list, blank=True)
    waits_for = models.CharField(_("waits for"), max_length=240, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("next attempt"), null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)
    repeats = models.PositiveIntegerField(_("repeats"), default=0)
    repeated_at = models.DateTimeField(_("last repeated at"), null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = pgettext_lazy("of a machine", "message")
        verbose_name_plural = pgettext_lazy("of machines", "messages")
        permissions = [
            ("send_inboundmessage", "Can send messages as an external system"),
            ("replay_inboundmessage", "Can edit, replay and discard messages of external systems"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["system", "key"], name="inbound_message_known_once"),
            models.CheckConstraint(condition=Q(status__in=MessageStatus.values), name="inbound_message_status_known"),
            models.CheckConstraint(condition=Q(way__in=Way.values), name="inbound_message_way_known"),
            models.CheckConstraint(
                condition=Q(status="received", settled_at__isnull=True)
                | ~Q(status="received") & Q(settled_at__isnull=False),
                name="inbound_message_settled_with_its_time",
            ),
            models.CheckConstraint(
                condition=Q(status="received") | Q(claimed_until__isnull=True),
                name="inbound_message_claimed_while_received",
            ),
            models.CheckConstraint(
                condition=Q(status="parked") & ~Q(waits_for="") | ~Q(status="parked") & Q(waits_for=""),
                name="inbound_message_parked_says_what_for",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["received", "accepted"]) | ~Q(cause=""),
                name="inbound_message_not_accepted_says_why",
            ),
        ]
        indexes = [
            models.Index(fields=["received_at", "id"], condition=Q(status="received"), name="inbound_message_to_work"),
            models.Index(fields=["due_at"], condition=Q(status="parked", due_at__isnull=False), name="inbound_parked"),
            models.Index(fields=["waits_for"], condition=Q(status="parked"), name="inbound_message_waits_for"),
            models.Index(
                fields=["status", "id"],
                condition=Q(status__in=["rejected", "parked", "dead"]),
                name="inbound_message_needs_somebody",
            ),
            models.Index(fields=["interface", "received_at"], name="inbound_message_of_interface"),
        ]

    def __str__(self) -> str:
        return f"{self.system} {self.key}"


class InboundDeed(models.Model):
    """What a person did with a message that was not accepted: replayed, edited, discarded; who, when and why.

    `body_before` is what stood there before an edit, so that what came is never lost.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    message = models.ForeignKey(InboundMessage, models.CASCADE, related_name="deeds", verbose_name=_("message"))
    deed = models.CharField(_("deed"), max_length=16)
    by = models.CharField(_("by"), max_length=80)
    at = models.DateTimeField(_("at"))
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    body_before = models.BinaryField(_("as it was before"), null=True, blank=True)

    class Meta:
        ordering = ("at", "id")
        verbose_name = _("deed on a message")
        verbose_name_plural = _("deeds on messages")

    def __str__(self) -> str:
        return f"{self.message} {self.deed}"

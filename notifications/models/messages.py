"""What somebody is to hear (a message), and what they get (a notice, which may say several messages at once)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest, Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from notifications.models.dead import DeadLetter
from notifications.models.people import Recipient
from notifications.models.rules import Rule
from notifications.models.templates import TemplateVersion
from notifications.models.windows import MaintenanceWindow
from notifications.statuses import LOST, SETTLED, Audience, Channel, DeadCause, NoticeState, Trigger, Unheard
from orders.models import OrderEvent
from parts.keys import new_key
from parts.models import Region

#: It will not go out as it is.
ENDED = ["dead", "dropped", "discarded", "replayed", "told"]


class Notice(models.Model):
    """What one reader gets over one channel about one order (its thread), said in one go.

    Until it is handed over, whatever else happens to the order joins it: the database allows one open notice of a
    thread to a reader and channel. So a burst, an outage or a maintenance window ends in one notice that says where
    things stand when it goes out. What joined while it was being sent gets a notice of its own (`actions.sending`).
    A digest is a notice whose thread is its reader.

    `claimed_until` belongs to whoever sends it; one that was not heard of by then may have been handed over or not.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    recipient = models.ForeignKey(Recipient, models.PROTECT, related_name="notices", db_index=False)
    channel = models.CharField(pgettext_lazy("channel", "by"), max_length=10, choices=Channel)
    thread_kind = models.CharField(_("about a"), max_length=16)
    thread_id = models.UUIDField(_("about"))
    reference = models.CharField(_("reference"), max_length=40, blank=True)
    region = models.ForeignKey(Region, models.PROTECT, null=True, related_name="+", db_index=False)
    sources = ArrayField(models.CharField(max_length=40), verbose_name=_("sources"), default=list)
    messages_count = models.PositiveIntegerField(_("news"), default=0)
    is_urgent = models.BooleanField(_("urgent"), default=False)
    target_seconds = models.PositiveIntegerField(_("in time within seconds"), default=120)
    state = models.CharField(_("state"), max_length=10, choices=NoticeState, default=NoticeState.WAITING)
    due_at = models.DateTimeField(_("due"))
    caused_at = models.DateTimeField(_("first event recorded at"))
    held_until = models.DateTimeField(
        _("held until"),
        null=True,
        blank=True,
        help_text=_("By the quiet hours or the digest of its reader, or by a maintenance window."),
    )
    measured_from = models.GeneratedField(
        verbose_name=_("might go since"),
        expression=Greatest("caused_at", "held_until"),
        output_field=models.DateTimeField(),
        db_persist=True,
    )
    created_at = models.DateTimeField(_("written at"), db_default=Now())
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)
    handed_over_at = models.DateTimeField(_("handed over at"), null=True, blank=True)
    delivered_at = models.DateTimeField(pgettext_lazy("notice", "delivered at"), null=True, blank=True)
    opened_at = models.DateTimeField(pgettext_lazy("notice", "opened at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("given up at"), null=True, blank=True)
    fell_back = models.BooleanField(
        _("went by another channel"), default=False, help_text=_("It could not be sent; its news went another way.")
    )

    address = models.CharField(_("address"), max_length=320, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    template_version = models.ForeignKey(
        TemplateVersion, models.PROTECT, null=True, blank=True, related_name="notices", db_index=False
    )
    subject = models.CharField(pgettext_lazy("notice", "subject"), max_length=250, blank=True)
    text = models.TextField(_("text"), blank=True)
    html = models.TextField(_("HTML"), blank=True)
    provider_id = models.CharField(_("the provider's number"), max_length=200, blank=True)
    error = models.CharField(_("what went wrong"), max_length=500, blank=True)
    cause = models.CharField(_("cause"), max_length=12, choices=DeadCause, blank=True, db_default="")
    dead_letter = models.ForeignKey(
        DeadLetter, models.PROTECT, null=True, blank=True, related_name="notices", db_index=False
    )
    held_by = models.ForeignKey(
        MaintenanceWindow, models.PROTECT, null=True, blank=True, related_name="notices", db_index=False
    )

    class Meta:
        ordering = ("-id",)
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        permissions = [
            ("replay_notice", "Can send again what could not be sent, or discard it"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["recipient", "channel", "thread_id"],
                condition=Q(state__in=["waiting", "sending"]),
                name="notice_one_open_per_thread",
            ),
            models.CheckConstraint(condition=Q(state__in=NoticeState.values), name="notice_state_known"),
            models.CheckConstraint(condition=Q(channel__in=Channel.values), name="notice_channel_known"),
            models.CheckConstraint(
                condition=Q(state="sending", claimed_until__isnull=False)
                | (~Q(state="sending") & Q(claimed_until__isnull=True)),
                name="notice_claimed_while_it_is_sent",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["sent", "delivered"], handed_over_at__isnull=False)
                | (~Q(state__in=["sent", "delivered"]) & Q(handed_over_at__isnull=True, delivered_at__isnull=True)),
                name="notice_handed_over_with_its_time",
            ),
            models.CheckConstraint(
                condition=Q(state__in=ENDED, ended_at__isnull=False) | (~Q(state__in=ENDED) & Q(ended_at__isnull=True)),
                name="notice_given_up_with_its_time",
            ),
        ]
        indexes = [
            models.Index(
                F("channel"),
                F("is_urgent").desc(),
                F("due_at"),
                F("id"),
                condition=Q(state="waiting"),
                name="notice_due",
            ),
            models.Index(fields=["channel", "claimed_until"], condition=Q(state="sending"), name="notice_claimed"),
            models.Index(fields=["recipient", "channel", "-id"], name="notice_of_reader"),
            models.Index(fields=["thread_id", "-id"], name="notice_of_thread"),
            models.Index(
                fields=["recipient", "-id"],
                condition=Q(channel="inbox", opened_at__isnull=True, handed_over_at__isnull=False),
                name="notice_unread",
            ),
            models.Index(fields=["provider_id"], condition=~Q(provider_id=""), name="notice_by_provider"),
            models.Index(
                fields=["id"],
                condition=Q(state="dead", fell_back=False, dead_letter__isnull=True, messages_count__gt=0),
                name="notice_dead_to_be_listed",
            ),
            models.Index(fields=["dead_letter"], condition=Q(dead_letter__isnull=False), name="notice_of_dead_letter"),
            models.Index(fields=["held_by", "state"], condition=Q(held_by__isnull=False), name="notice_held_by_window"),
            models.Index(
                fields=["handed_over_at", "id"], condition=Q(handed_over_at__isnull=False), name="notice_handed_over"
            ),
            models.Index(fields=["measured_from", "id"], condition=Q(state__in=SETTLED), name="notice_measured"),
            models.Index(fields=["ended_at"], condition=Q(state__in=LOST), name="notice_lost"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.channel}"


class Message(models.Model):
    """That one reader is to hear of one event over one channel: at most once, whatever is tried again.

    `rule` in its `rule_revision` chose it; `notice` says it. Without a notice nobody is told, and `unheard` says why.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    event = models.ForeignKey(OrderEvent, models.PROTECT, related_name="messages", db_index=False)
    alert_level = models.PositiveSmallIntegerField(
        _("level of the alert"), default=0, help_text=_("0: of the event itself; others: of an alert that it caused.")
    )
    alert = models.ForeignKey(
        "notifications.Alert", models.PROTECT, null=True, blank=True, related_name="messages", db_index=False
    )
    rule = models.ForeignKey(Rule, models.PROTECT, related_name="messages", db_index=False)
    rule_revision = models.PositiveIntegerField(_("revision of the rule"))
    audience = models.CharField(_("as"), max_length=20, choices=Audience)
    recipient = models.ForeignKey(Recipient, models.PROTECT, related_name="messages", db_index=False)
    channel = models.CharField(pgettext_lazy("channel", "by"), max_length=10, choices=Channel)
    notice = models.ForeignKey(Notice, models.PROTECT, null=True, blank=True, related_name="messages")
    unheard = models.CharField(_("not told because"), max_length=12, choices=Unheard, blank=True)
    dead_letter = models.ForeignKey(
        DeadLetter, models.PROTECT, null=True, blank=True, related_name="messages", db_index=False
    )
    written_at = models.DateTimeField(_("written at"), db_default=Now())

    class Meta:
        ordering = ("-id",)
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.UniqueConstraint(
                fields=["event", "recipient", "channel"],
                condition=Q(alert__isnull=True),
                name="message_once_per_event_reader_and_channel",
            ),
            models.UniqueConstraint(
                fields=["alert", "alert_level", "recipient", "channel"],
                condition=Q(alert__isnull=False),
                name="message_once_per_alert_level_reader_and_channel",
            ),
            models.CheckConstraint(
                condition=Q(notice__isnull=False, unheard="") | Q(notice__isnull=True, unheard__in=Unheard.values),
                name="message_is_told_or_says_why_not",
            ),
            models.CheckConstraint(
                condition=Q(alert__isnull=True, alert_level=0) | Q(alert__isnull=False, alert_level__gt=0),
                name="message_of_an_event_or_of_an_alert",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(unheard="no_address", dead_letter__isnull=True),
                name="message_without_an_address",
            ),
            models.Index(fields=["dead_letter"], condition=Q(dead_letter__isnull=False), name="message_of_dead_letter"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} {self.channel}"


class Attempt(models.Model):
    """One try to hand a notice over."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    notice = models.ForeignKey(Notice, models.PROTECT, related_name="tries")
    number = models.PositiveSmallIntegerField(_("number"))
    started_at = models.DateTimeField(_("started at"))
    ended_at = models.DateTimeField(_("ended at"))
    succeeded = models.BooleanField(_("handed over"))
    provider_id = models.CharField(_("the provider's number"), max_length=200, blank=True)
    error = models.CharField(_("what went wrong"), max_length=500, blank=True)

    class Meta:
        ordering = ("notice", "number", "id")
        verbose_name = _("attempt to send")
        verbose_name_plural = _("attempts to send")
        constraints = [
            models.UniqueConstraint(fields=["notice", "number"], name="attempt_number_unique"),
            models.CheckConstraint(condition=Q(ended_at__gte=F("started_at")), name="attempt_ends_after_it_began"),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id} {self.number}"


class Alert(models.Model):
    """A time ran out: once for each stay (`event` began it). Who acknowledges it stops its escalation.

    `due_at` is when the time ran out, or when it does where the alert warns of it. `level` 1 is the rule's own; each
    escalation level that was told since makes it one more. It belongs to an order's thread, as notices do.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    rule = models.ForeignKey(Rule, models.PROTECT, related_name="alerts", db_index=False)
    event = models.ForeignKey(OrderEvent, models.PROTECT, related_name="alerts", db_index=False)
    subject_kind = models.CharField(_("about a"), max_length=16)
    subject_id = models.UUIDField(_("about"))
    reference = models.CharField(_("reference"), max_length=40)
    trigger = models.CharField(_("time that ran out"), max_length=40, choices=Trigger)
    thread_kind = models.CharField(_("order"), max_length=16)
    thread_id = models.UUIDField(_("order"))
    region = models.ForeignKey(Region, models.PROTECT, related_name="+", db_index=False)
    due_at = models.DateTimeField(_("ran out at"))
    raised_at = models.DateTimeField(_("raised at"))
    level = models.PositiveSmallIntegerField(pgettext_lazy("alert", "level"), default=1)
    acknowledged_by = models.CharField(_("acknowledged by"), max_length=80, blank=True)
    acknowledged_at = models.DateTimeField(_("acknowledged at"), null=True, blank=True)
    resolved_at = models.DateTimeField(_("over since"), null=True, blank=True)

    class Meta:
        ordering = ("-raised_at", "-id")
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        permissions = [("acknowledge_alert", "Can acknowledge alerts")]
        constraints = [
            models.UniqueConstraint(fields=["rule", "subject_id", "event", "due_at"], name="alert_once_per_stay"),
            models.CheckConstraint(
                condition=Q(acknowledged_at__isnull=True, acknowledged_by="")
                | (Q(acknowledged_at__isnull=False) & ~Q(acknowledged_by="")),
                name="alert_acknowledged_by_somebody",
            ),
            models.CheckConstraint(condition=Q(trigger__in=Trigger.values), name="alert_trigger_known"),
            models.CheckConstraint(condition=Q(level__gt=0), name="alert_level_from_one"),
        ]
        indexes = [
            models.Index(fields=["raised_at", "id"], condition=Q(resolved_at__isnull=True), name="alert_standing"),
            models.Index(
                fields=["trigger", "raised_at", "id"],
                condition=Q(resolved_at__isnull=True),
                name="alert_standing_by_kind",
            ),
            models.Index(
                fields=["region", "raised_at", "id"],
                condition=Q(resolved_at__isnull=True),
                name="alert_standing_by_region",
            ),
            models.Index(
                fields=["rule", "level", "raised_at"],
                condition=Q(resolved_at__isnull=True, acknowledged_at__isnull=True),
                name="alert_to_escalate",
            ),
            models.Index(fields=["subject_id"], condition=Q(resolved_at__isnull=True), name="alert_of_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.raised_at:%Y-%m-%d %H:%M}"

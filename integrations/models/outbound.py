"""Whom we tell what happens here: each listener, what it was told, and each attempt to tell it."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from simple_history.models import HistoricalRecords

from integrations.models.systems import CODE, ExternalSystem
from integrations.statuses import DeliveryState, OffBecause, Road, SubscriberState
from orders.models import OrderEvent
from parts.keys import new_key

#: How it goes with a subscriber; changes with every batch and is no business of its history.
_COURSE = (
    "tokens",
    "tokens_at",
    "claimed_at",
    "failures",
    "failing_since",
    "failing_because",
    "paused_until",
    "pace_ms",
    "last_taken_at",
    "told_off_at",
)


class Subscriber(models.Model):
    """Who listens: one address of a partner or of a system of ours, and which events it wants.

    It is told what its `account` may see, while that account may be told at all. `failing_since` is when the first of
    the failures was that nothing has succeeded after; `paused_until` when one delivery tries whether it works again.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    code = models.CharField(_("code"), max_length=40, unique=True, help_text=_("Part of the history: dealer-portal."))
    name = models.CharField(_("name"), max_length=120)
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="subscribers",
        verbose_name=_("account"),
        help_text=_("It is told what this account may see."),
    )
    system = models.ForeignKey(
        ExternalSystem,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="subscribers",
        verbose_name=_("external system"),
    )
    road = models.CharField(_("told by"), max_length=8, choices=Road, default=Road.WEBHOOK)
    address = models.CharField(_("address"), max_length=500)
    event_types = ArrayField(
        models.CharField(max_length=60),
        verbose_name=_("events"),
        default=list,
        blank=True,
        help_text=_("Empty: all that the account may see."),
    )
    schema_version = models.PositiveSmallIntegerField(_("version of the form"), default=1)
    newest_only = models.BooleanField(
        _("only the newest"),
        default=False,
        help_text=_("Of several that wait about one order, only the latest is told."),
    )
    per_second = models.PositiveSmallIntegerField(_("at most each second"), default=50)
    burst = models.PositiveSmallIntegerField(_("at once at most"), default=100)
    contact = models.EmailField(
        _("contact"), blank=True, help_text=_("Who is written to when it is switched off because it fails.")
    )
    state = models.CharField(_("state"), max_length=8, choices=SubscriberState, default=SubscriberState.ACTIVE)
    off_because = models.CharField(_("off because"), max_length=8, choices=OffBecause, blank=True)
    off_since = models.DateTimeField(_("off since"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"))

    tokens = models.FloatField(default=0, editable=False)
    tokens_at = models.DateTimeField(null=True, editable=False)
    claimed_at = models.DateTimeField(null=True, editable=False)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    failing_since = models.DateTimeField(_("failing since"), null=True, editable=False)
    failing_because = models.CharField(_("failing because"), max_length=300, blank=True, editable=False)
    paused_until = models.DateTimeField(_("left alone until"), null=True, editable=False)
    pace_ms = models.PositiveIntegerField(_("answers after (ms)"), default=0, editable=False)
    last_taken_at = models.DateTimeField(_("last taken"), null=True, editable=False)
    told_off_at = models.DateTimeField(null=True, editable=False)
    history = HistoricalRecords(excluded_fields=_COURSE)

    class Meta:
        ordering = ("code",)
        verbose_name = _("subscriber")
        verbose_name_plural = _("subscribers")
        permissions = [
            ("own_subscriber", "Can be told of events, and set up where its own go"),
            ("replay_outbounddelivery", "Can tell subscribers events again"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(code__regex=CODE), name="subscriber_code_is_plain"),
            models.CheckConstraint(condition=Q(road__in=Road.values), name="subscriber_road_known"),
            models.CheckConstraint(condition=Q(state__in=SubscriberState.values), name="subscriber_state_known"),
            models.CheckConstraint(
                condition=Q(off_because__in=["", *OffBecause.values]), name="subscriber_off_reason_known"
            ),
            models.CheckConstraint(
                condition=Q(state="active", off_because="", off_since__isnull=True)
                | Q(state="off", off_since__isnull=False) & ~Q(off_because=""),
                name="subscriber_off_says_why_and_since",
            ),
            models.CheckConstraint(
                condition=Q(per_second__gte=1, per_second__lte=10_000, burst__gte=1, burst__lte=10_000),
                name="subscriber_rate_within_bounds",
            ),
            models.CheckConstraint(
                condition=Q(failures=0, failing_since__isnull=True) | Q(failures__gt=0, failing_since__isnull=False),
                name="subscriber_failing_since_its_first_failure",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class SigningSecret(models.Model):
    """What a subscriber's messages are signed with, sealed. Two are alive while one takes the place of the other."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    subscriber = models.ForeignKey(
        Subscriber, models.CASCADE, related_name="secrets", verbose_name=_("subscriber"), db_index=False
    )
    sealed = models.BinaryField(_("sealed"), editable=False)
    begins_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        ordering = ("subscriber", "begins_at", "id")
        verbose_name = _("signing secret")
        verbose_name_plural = _("signing secrets")
        constraints = [
            models.UniqueConstraint(
                fields=["subscriber"], condition=Q(ends_at__isnull=True), name="signing_secret_one_present"
            ),
            models.UniqueConstraint(
                fields=["subscriber"], condition=Q(ends_at__isnull=False), name="signing_secret_one_former"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber} {self.begins_at:%Y-%m-%d}"


class OutboundDelivery(models.Model):
    """One event to be told to one subscriber; its key is that of the message, however often it is told.

    `body` is what was told first, so that a repeat is the same. `due_at` is also when a claim on it lapses. An attempt
    belongs to the round that began after `round_began` attempts. What is without an event is a test.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    subscriber = models.ForeignKey(
        Subscriber, models.PROTECT, related_name="deliveries", verbose_name=_("subscriber"), db_index=False
    )
    event = models.ForeignKey(
        OrderEvent,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("event"),
        db_index=False,
    )
    kind = models.CharField(_("kind"), max_length=60)
    topic = models.CharField(max_length=60, editable=False)
    reference = models.CharField(_("reference"), max_length=40, blank=True)
    subject_id = models.UUIDField(null=True, blank=True, editable=False)
    version = models.PositiveIntegerField(_("version"), default=0)
    state = models.CharField(_("state"), max_length=10, choices=DeliveryState, default=DeliveryState.WAITING)
    error = models.CharField(_("what was wrong"), max_length=300, blank=True)
    due_at = models.DateTimeField(_("next attempt"))
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    round_began = models.PositiveSmallIntegerField(default=0, editable=False)
    body = models.BinaryField(_("what was told"), null=True, blank=True)
    caused_at = models.DateTimeField(_("happened at"))
    created_at = models.DateTimeField(_("written at"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = pgettext_lazy("of a machine", "outgoing message")
        verbose_name_plural = pgettext_lazy("of machines", "outgoing messages")
        constraints = [
            models.UniqueConstraint(fields=["subscriber", "event"], name="outbound_delivery_once"),
            models.CheckConstraint(condition=Q(state__in=DeliveryState.values), name="outbound_delivery_state_known"),
            models.CheckConstraint(
                condition=Q(state="waiting", ended_at__isnull=True) | ~Q(state="waiting") & Q(ended_at__isnull=False),
                name="outbound_delivery_ended_with_its_time",
            ),
            models.CheckConstraint(
                condition=Q(state="waiting") | Q(claimed_until__isnull=True), name="outbound_delivery_claimed_waiting"
            ),
            models.CheckConstraint(
                condition=Q(round_began__lte=models.F("attempts")), name="outbound_delivery_rounds_within_attempts"
            ),
        ]
        indexes = [
            models.Index(
                fields=["subscriber", "due_at", "id"], condition=Q(state="waiting"), name="outbound_delivery_due"
            ),
            models.Index(
                fields=["subscriber", "subject_id"], condition=Q(state="waiting"), name="outbound_delivery_waiting_of"
            ),
            models.Index(
                fields=["subscriber", "caused_at"], condition=Q(state="waiting"), name="outbound_delivery_oldest"
            ),
            models.Index(fields=["subscriber", "-id"], name="outbound_delivery_list"),
            models.Index(
                fields=["subscriber", "-id"],
                condition=Q(state__in=["dead", "cancelled"]),
                name="outbound_delivery_not_told",
            ),
            models.Index(fields=["ended_at"], condition=Q(ended_at__isnull=False), name="outbound_delivery_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber} {self.kind} {self.reference}".strip()


class DeliveryAttempt(models.Model):
    """One attempt to tell it: what was asked and what was answered. No secret is in either."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    delivery = models.ForeignKey(
        OutboundDelivery, models.CASCADE, related_name="tries", verbose_name=_("delivery"), db_index=False
    )
    number = models.PositiveSmallIntegerField(_("attempt"))
    at = models.DateTimeField(_("at"))
    milliseconds = models.PositiveIntegerField(_("took (ms)"))
    status = models.PositiveSmallIntegerField(_("status"), null=True, blank=True)
    error = models.CharField(_("what was wrong"), max_length=300, blank=True)
    request_headers = models.JSONField(_("headers of the request"), default=dict)
    answer = models.TextField(_("beginning of the answer"), blank=True)

    class Meta:
        ordering = ("delivery", "number")
        verbose_name = pgettext_lazy("of a machine", "attempt")
        verbose_name_plural = pgettext_lazy("of machines", "attempts")
        constraints = [
            models.UniqueConstraint(fields=["delivery", "number"], name="delivery_attempt_numbered"),
            models.CheckConstraint(
                condition=Q(status__isnull=False) | ~Q(error=""), name="delivery_attempt_answered_or_wrong"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delivery} {self.number}"

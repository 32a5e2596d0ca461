"""Who reads: people of the house and contacts of customers, where they are reached and what they wish."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from notifications.querysets import AddressQuerySet
from notifications.statuses import ADDRESSED, AddressState, Channel, Kind, OffReason
from orders.models import Customer, PartsOrder, ServiceOrder
from parts.keys import new_key
from parts.zones import known_zone


class Recipient(models.Model):
    """A reader: a person of the house, or a contact of a customer.

    A customer's main contact follows the customer's own email and phone; further ones are entered by people.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="recipient",
        verbose_name=_("person"),
    )
    customer = models.ForeignKey(
        Customer, models.CASCADE, null=True, blank=True, related_name="contacts", verbose_name=_("customer")
    )
    is_main = models.BooleanField(_("main contact"), default=False, editable=False)
    name = models.CharField(_("name"), max_length=120, blank=True)
    language = models.CharField(
        _("language"), max_length=10, blank=True, help_text=_("Empty: the customer's; English for people of the house.")
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        validators=[known_zone],
        help_text=_("Empty: the customer's, or UTC."),
    )
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)
    muted_until = models.DateTimeField(_("muted until"), null=True, blank=True)
    digest_hour = models.PositiveSmallIntegerField(_("hour of the daily digest"), default=7)
    regions = ArrayField(
        models.UUIDField(), verbose_name=_("only of regions"), default=list, blank=True, help_text=_("Empty: all.")
    )
    unwanted_kinds = ArrayField(
        models.CharField(max_length=10, choices=Kind),
        verbose_name=_("does not want to hear of"),
        default=list,
        blank=True,
        help_text=_("Only contacts of customers choose; what cannot be muted comes all the same."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ("id",)
        verbose_name = _("reader of messages")
        verbose_name_plural = _("readers of messages")
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, customer__isnull=True, is_main=False)
                | Q(user__isnull=True, customer__isnull=False),
                name="recipient_of_the_house_or_of_a_customer",
            ),
            models.UniqueConstraint(fields=["customer"], condition=Q(is_main=True), name="recipient_one_main_contact"),
            models.CheckConstraint(condition=Q(digest_hour__lte=23), name="recipient_digest_hour_of_a_day"),
            models.CheckConstraint(
                condition=Q(unwanted_kinds__contained_by=Kind.values), name="recipient_unwanted_kinds_known"
            ),
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="recipient_quiet_from_and_until",
            ),
        ]

    def __str__(self) -> str:
        return self.name or str(self.pk)

    def clean(self) -> None:
        """Say at their field what the database would refuse."""
        if (self.quiet_from is None) != (self.quiet_until is None):
            raise ValidationError({"quiet_until": _("Quiet hours have a beginning and an end.")})

    def is_muted(self, at: datetime) -> bool:
        """Whether the reader wants nothing at a moment but what cannot be muted."""
        return self.muted_until is not None and at < self.muted_until


class Address(models.Model):
    """Where a reader is reached over a channel. Only a confirmed one that the reader wants is written to."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    recipient = models.ForeignKey(Recipient, models.CASCADE, related_name="addresses", db_index=False)
    channel = models.CharField(
        _("channel"), max_length=10, choices=[(value, Channel(value).label) for value in ADDRESSED]
    )
    value = models.CharField(_("address"), max_length=320)
    state = models.CharField(_("state"), max_length=12, choices=AddressState, default=AddressState.UNCONFIRMED)
    is_wanted = models.BooleanField(_("wanted"), default=True)
    follows_master_data = models.BooleanField(_("follows the master data"), default=False, editable=False)
    confirmation_hash = models.BinaryField(max_length=32, null=True, editable=False)
    confirmation_asked_at = models.DateTimeField(_("confirmation asked at"), null=True, blank=True, editable=False)
    allowance_hash = models.BinaryField(max_length=32, null=True, editable=False)
    allowance_asked_at = models.DateTimeField(
        _("old address asked at"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Whoever reads at an address that is confirmed allows a new one that was named by a link."),
    )
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, blank=True, editable=False)
    off_at = models.DateTimeField(_("off since"), null=True, blank=True, editable=False)
    off_reason = models.CharField(_("off because"), max_length=12, choices=OffReason, blank=True, editable=False)
    history = HistoricalRecords(excluded_fields=["confirmation_hash", "allowance_hash"])
    objects = AddressQuerySet.as_manager()

    class Meta:
        ordering = ("recipient", "channel", "id")
        verbose_name = _("address")
        verbose_name_plural = _("addresses")
        constraints = [
            models.UniqueConstraint(
                fields=["recipient", "channel"],
                condition=Q(state="confirmed") & ~Q(channel="push"),  # of phones there may be several
                name="address_one_per_channel",
            ),
            models.UniqueConstraint(
                fields=["recipient", "channel"], condition=Q(state="unconfirmed"), name="address_one_asked_per_channel"
            ),
            models.UniqueConstraint(
                fields=["confirmation_hash"],
                condition=Q(confirmation_hash__isnull=False),
                name="address_confirmation_unique",
            ),
            models.UniqueConstraint(
                fields=["allowance_hash"], condition=Q(allowance_hash__isnull=False), name="address_allowance_unique"
            ),
            models.CheckConstraint(
                condition=Q(allowance_hash__isnull=True) | Q(state="unconfirmed", confirmation_hash__isnull=True),
                name="address_is_allowed_before_it_is_asked",
            ),
            models.CheckConstraint(condition=Q(channel__in=ADDRESSED), name="address_channel_known"),
            models.CheckConstraint(condition=~Q(value=""), name="address_says_where"),
            models.CheckConstraint(
                condition=Q(state="unconfirmed", off_at__isnull=True, off_reason="")
                | Q(state="confirmed", confirmed_at__isnull=False, off_at__isnull=True, off_reason="")
                | Q(state="off", off_at__isnull=False, off_reason__in=OffReason.values),
                name="address_state_with_its_time",
            ),
        ]
        indexes = [
            models.Index(fields=["recipient"], name="address_by_recipient"),
            models.Index(fields=["channel", "value"], name="address_by_value"),
        ]

    def __str__(self) -> str:
        return self.value


class Watch(models.Model):
    """A reader who wants to hear of an order, or of all of a customer's."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    recipient = models.ForeignKey(Recipient, models.CASCADE, related_name="watches", db_index=False)
    service_order = models.ForeignKey(
        ServiceOrder, models.CASCADE, null=True, blank=True, related_name="watches", verbose_name=_("service order")
    )
    parts_order = models.ForeignKey(
        PartsOrder, models.CASCADE, null=True, blank=True, related_name="watches", verbose_name=_("parts order")
    )
    customer = models.ForeignKey(
        Customer, models.CASCADE, null=True, blank=True, related_name="watches", verbose_name=_("customer")
    )
    created_at = models.DateTimeField(_("since"))

    class Meta:
        ordering = ("-id",)
        verbose_name = _("watch")
        verbose_name_plural = _("watches")
        constraints = [
            models.CheckConstraint(
                condition=Q(service_order__isnull=False, parts_order__isnull=True, customer__isnull=True)
                | Q(service_order__isnull=True, parts_order__isnull=False, customer__isnull=True)
                | Q(service_order__isnull=True, parts_order__isnull=True, customer__isnull=False),
                name="watch_of_one_thing",
            ),
            models.UniqueConstraint(
                fields=["recipient", "service_order"],
                condition=Q(service_order__isnull=False),
                name="watch_of_a_job_once",
            ),
            models.UniqueConstraint(
                fields=["recipient", "parts_order"],
                condition=Q(parts_order__isnull=False),
                name="watch_of_an_order_once",
            ),
            models.UniqueConstraint(
                fields=["recipient", "customer"], condition=Q(customer__isnull=False), name="watch_of_a_customer_once"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

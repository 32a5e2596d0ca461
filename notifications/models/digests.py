"""Digests: what a person wants to be told each day without asking, and what came of it on each of those days."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from simple_history.models import HistoricalRecords

from notifications.models.messages import Notice
from notifications.models.people import Recipient
from notifications.statuses import Channel, DigestOutcome
from parts.keys import new_key
from parts.zones import known_zone

#: The ways a digest goes: others have no room for fifty lines.
DIGEST_CHANNELS = (Channel.EMAIL, Channel.INBOX)
#: Days of the week as ISO 8601 counts them: Monday is 1.
EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)


def every_day() -> list[int]:
    """Return all days of the week."""
    return list(EVERY_DAY)


class DigestSubscription(models.Model):
    """A person's digest of the orders that stay in one status for more than some days.

    `filters` is what the address of the board would say of the orders that are meant. `next_at` is when it comes next
    by its hour, days and zone; none while it is stopped.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    reader = models.ForeignKey(Recipient, models.CASCADE, related_name="digests", db_index=False)
    name = models.CharField(_("name"), max_length=80)
    filters = models.CharField(_("filters"), max_length=600, blank=True)
    days = models.PositiveSmallIntegerField(_("more than days in one status"), default=3)
    hour = models.PositiveSmallIntegerField(_("hour"), default=7)
    weekdays = ArrayField(models.PositiveSmallIntegerField(), verbose_name=_("on"), default=every_day)
    time_zone = models.CharField(
        _("time zone"), max_length=64, blank=True, validators=[known_zone], help_text=_("Empty: that of its reader.")
    )
    language = models.CharField(_("language"), max_length=10, blank=True, help_text=_("Empty: that of its reader."))
    channel = models.CharField(
        pgettext_lazy("channel", "by"),
        max_length=10,
        choices=[(one.value, one.label) for one in DIGEST_CHANNELS],
        default=Channel.EMAIL,
    )
    says_nothing = models.BooleanField(_("also when there is nothing to say"), default=False)
    is_active = models.BooleanField(_("on"), default=True)
    next_at = models.DateTimeField(_("comes next"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("since"))
    history = HistoricalRecords(excluded_fields=["next_at"])

    class Meta:
        ordering = ("name", "id")
        verbose_name = _("digest of stuck orders")
        verbose_name_plural = _("digests of stuck orders")
        constraints = [
            models.UniqueConstraint(fields=["reader", "name"], name="digest_name_unique_per_reader"),
            models.CheckConstraint(condition=~Q(name=""), name="digest_has_a_name"),
            models.CheckConstraint(condition=Q(hour__lte=23), name="digest_hour_of_a_day"),
            models.CheckConstraint(condition=Q(days__gte=1, days__lte=365), name="digest_after_days"),
            models.CheckConstraint(
                condition=Q(weekdays__contained_by=list(EVERY_DAY)) & ~Q(weekdays=[]), name="digest_on_days_of_a_week"
            ),
            models.CheckConstraint(
                condition=Q(channel__in=[one.value for one in DIGEST_CHANNELS]), name="digest_channel_known"
            ),
            models.CheckConstraint(
                condition=Q(is_active=True, next_at__isnull=False) | Q(is_active=False, next_at__isnull=True),
                name="digest_comes_next_while_it_is_on",
            ),
        ]
        indexes = [models.Index(fields=["next_at", "id"], condition=Q(is_active=True), name="digest_due")]

    def __str__(self) -> str:
        return self.name


class DigestIssue(models.Model):
    """One day's issue of a digest: at most one for each local date, whatever happens to clocks, zones and senders.

    `asked` is what the digest asked for then, so that it can be proved later why somebody got it; `found` how many
    orders that were, where anybody counted.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    subscription = models.ForeignKey(DigestSubscription, models.CASCADE, related_name="issues", db_index=False)
    local_date = models.DateField(_("day"))
    due_at = models.DateTimeField(_("due"))
    written_at = models.DateTimeField(_("written at"))
    outcome = models.CharField(_("came of it"), max_length=12, choices=DigestOutcome)
    found = models.PositiveIntegerField(_("orders"), null=True, blank=True)
    asked = models.JSONField(_("asked for"), default=dict)
    notice = models.ForeignKey(Notice, models.PROTECT, null=True, blank=True, related_name="digest_issues")

    class Meta:
        ordering = ("-local_date", "-id")
        verbose_name = _("issue of a digest")
        verbose_name_plural = _("issues of digests")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["subscription", "local_date"], name="digest_once_per_local_date"),
            models.CheckConstraint(
                condition=Q(outcome=DigestOutcome.TOLD, notice__isnull=False)
                | (Q(outcome__in=DigestOutcome.values, notice__isnull=True) & ~Q(outcome=DigestOutcome.TOLD)),
                name="digest_issue_told_by_a_notice",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscription_id} {self.local_date}"

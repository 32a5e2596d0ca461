"""When nothing goes out: maintenance windows; and how each channel is to be used."""

from datetime import timedelta

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from simple_history.models import HistoricalRecords

from notifications.statuses import Channel, WhenStale
from parts.keys import new_key
from parts.models import Region

#: Nothing is held for longer: whoever needs more makes another window, with a reason of its own.
LONGEST = timedelta(days=14)


class MaintenanceWindow(models.Model):
    """A time in which notices are held: of events from one system, of one region, over one channel, or all of them.

    What waited goes out merged when it ends. Urgent notices are held too: only who may silence makes a window. What
    cannot be muted is not silenced by it. Where the channel itself is down, both go by another one (`diverting`), and
    are held only where there is none, because trying would fail.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    name = models.CharField(_("name"), max_length=120)
    reason = models.CharField(_("reason"), max_length=300)
    starts_at = models.DateTimeField(pgettext_lazy("time", "from"))
    ends_at = models.DateTimeField(_("until"))
    source = models.CharField(
        _("system"), max_length=40, blank=True, help_text=_("Events that come from it. Empty: all systems.")
    )
    region = models.ForeignKey(
        Region,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("region"),
        help_text=_("Empty: all regions."),
    )
    channel = models.CharField(
        _("channel"), max_length=10, choices=Channel, blank=True, help_text=_("Empty: all channels.")
    )
    channel_is_down = models.BooleanField(
        _("the channel itself is down"),
        default=False,
        help_text=_("Then what cannot be muted, or is urgent, goes by another channel where there is one."),
    )
    when_stale = models.CharField(
        _("if it is old news by then"),
        max_length=10,
        choices=WhenStale,
        blank=True,
        help_text=_("Empty: as each rule says."),
    )
    made_by = models.CharField(_("made by"), max_length=80, editable=False)
    ended_by = models.CharField(_("ended early by"), max_length=80, blank=True, editable=False)
    cancelled_by = models.CharField(_("cancelled by"), max_length=80, blank=True, editable=False)
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True, blank=True, editable=False)
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    history = HistoricalRecords()

    class Meta:
        ordering = ("-starts_at", "id")
        verbose_name = _("maintenance window")
        verbose_name_plural = _("maintenance windows")
        permissions = [("silence", "Can hold back messages by maintenance windows")]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="window_ends_after_it_starts"),
            models.CheckConstraint(
                condition=Q(channel="") | Q(channel__in=Channel.values), name="window_channel_known"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="window_has_a_reason"),
            models.CheckConstraint(condition=Q(ends_at__lte=F("starts_at") + LONGEST), name="window_not_too_long"),
            models.CheckConstraint(
                condition=Q(channel_is_down=False) | ~Q(channel=""), name="window_names_the_channel_that_is_down"
            ),
            models.CheckConstraint(
                condition=Q(when_stale="") | Q(when_stale__in=WhenStale.values), name="window_when_stale_known"
            ),
            models.CheckConstraint(
                condition=Q(cancelled_at__isnull=True, cancelled_by="")
                | (Q(cancelled_at__isnull=False) & ~Q(cancelled_by="")),
                name="window_cancelled_by_somebody",
            ),
        ]
        indexes = [models.Index(fields=["ends_at", "starts_at"], name="window_by_end")]

    def __str__(self) -> str:
        return self.name


class ChannelSetting(models.Model):
    """How a channel is used: how much it bears, how often it is tried again, and whether it is on."""

    channel = models.CharField(_("channel"), max_length=10, choices=Channel, primary_key=True)
    is_on = models.BooleanField(_("on"), default=True)
    per_second = models.PositiveIntegerField(_("at most per second"), default=20)
    per_day = models.PositiveIntegerField(_("at most per day"), null=True, blank=True)
    gap_seconds = models.PositiveIntegerField(
        _("seconds between two about one order"),
        default=60,
        help_text=_("What happens sooner joins the next notice to the same reader."),
    )
    most_attempts = models.PositiveSmallIntegerField(_("attempts"), default=6)
    first_pause_seconds = models.PositiveIntegerField(_("seconds before the second attempt"), default=30)
    longest_pause_seconds = models.PositiveIntegerField(_("longest pause in seconds"), default=14_400)
    resend_in_doubt = models.BooleanField(
        _("send again when in doubt"),
        default=True,
        help_text=_("When a sender was killed and nobody knows whether the notice went out."),
    )
    #: The bucket of tokens behind `per_second`, and the day's count; changed under this row's lock.
    tokens = models.FloatField(default=0, editable=False)
    tokens_at = models.DateTimeField(null=True, editable=False)
    day = models.DateField(null=True, editable=False)
    sent_on_day = models.PositiveIntegerField(default=0, editable=False)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True, editable=False)
    failing_because = models.CharField(_("because"), max_length=500, blank=True, editable=False)
    #: A channel that fails again and again is left alone until then; one notice tries whether it works again.
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    trial_at = models.DateTimeField(_("tried again at"), null=True, blank=True, editable=False)
    history = HistoricalRecords(
        excluded_fields=[
            "tokens",
            "tokens_at",
            "day",
            "sent_on_day",
            "failing_since",
            "failing_because",
            "failures",
            "trial_at",
        ]
    )

    class Meta:
        ordering = ("channel",)
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        constraints = [
            models.CheckConstraint(condition=Q(channel__in=Channel.values), name="channel_setting_known"),
            models.CheckConstraint(
                condition=Q(per_second__gt=0, most_attempts__gt=0, first_pause_seconds__gt=0)
                & Q(longest_pause_seconds__gte=F("first_pause_seconds")),
                name="channel_setting_sensible",
            ),
        ]

    def __str__(self) -> str:
        return self.get_channel_display()

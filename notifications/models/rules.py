"""Who is told of what, over which channel and when: data that people edit."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from simple_history.models import HistoricalRecords

from notifications.statuses import Audience, Channel, Timing, Trigger, WhenStale
from orders.statuses import Tier
from parts.keys import new_key
from parts.statuses import Criticality, Purpose


def _several(label: Any, help_text: Any = "", choices: type[models.TextChoices] | None = None) -> Any:
    """Return a field of several values; none means any."""
    base = models.CharField(max_length=60, choices=choices.choices if choices else None)
    return ArrayField(base, verbose_name=label, default=list, blank=True, help_text=help_text or _("Empty: any."))


class Rule(models.Model):
    """An event, or a time that ran out, under conditions → an audience, a channel and a time.

    A rule speaks only of what was recorded since it was switched on (`active_since`). `revision` grows with every
    change, so that a message can prove by which wording of its rule it was chosen; the history keeps each of them.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    code = models.SlugField(_("code"), max_length=60, unique=True, help_text=_("Names the rule for ever."))
    name = models.CharField(_("name"), max_length=120)
    is_active = models.BooleanField(_("on"), default=False, editable=False)
    active_since = models.DateTimeField(_("on since"), null=True, blank=True, editable=False)

    kinds = _several(_("events"), _("Kinds of events; none where a time that runs out is meant."))
    trigger = models.CharField(_("or a time that ran out"), max_length=40, choices=Trigger, blank=True)
    threshold_hours = models.PositiveIntegerField(
        _("after hours"),
        null=True,
        blank=True,
        help_text=_("How long it waits, or how long before it is due. Only for a time that runs out."),
    )

    to_statuses = _several(_("new status"))
    criticalities = _several(_("criticality of the part"), choices=Criticality)
    order_kinds = _several(_("kind of order"), _("Empty: any, jobs without parts too."), choices=Purpose)
    tiers = _several(_("customer's tier"), choices=Tier)
    regions = ArrayField(models.UUIDField(), verbose_name=_("regions"), default=list, blank=True)
    public_only = models.BooleanField(
        _("only what the customer may see"), default=False, help_text=_("Such as public notes.")
    )

    audience = models.CharField(_("who is told"), max_length=20, choices=Audience)
    channel = models.CharField(pgettext_lazy("channel", "by"), max_length=10, choices=Channel)
    fallbacks = _several(_("if that fails"), _("Other channels, the first that works is taken."), choices=Channel)
    timing = models.CharField(_("when"), max_length=10, choices=Timing, default=Timing.AT_ONCE)
    delay_minutes = models.PositiveIntegerField(_("after minutes"), default=0)
    template = models.ForeignKey(
        "notifications.Template", models.PROTECT, related_name="rules", verbose_name=_("wording")
    )
    importance = models.PositiveSmallIntegerField(
        _("importance"),
        default=50,
        help_text=_("Of several news in one notice, the most important one is its subject."),
    )
    is_urgent = models.BooleanField(
        _("urgent"), default=False, help_text=_("Goes out in the reader's quiet hours too, and before others.")
    )
    cannot_be_muted = models.BooleanField(
        _("cannot be muted"), default=False, help_text=_("For safety and for what the law asks to be told.")
    )
    when_stale = models.CharField(_("if it is old news"), max_length=10, choices=WhenStale, default=WhenStale.TELL)
    target_seconds = models.PositiveIntegerField(
        _("in time within seconds"), default=120, help_text=_("From the event until it is handed over.")
    )
    revision = models.PositiveIntegerField(default=1, editable=False)
    history = HistoricalRecords()

    class Meta:
        ordering = ("name", "id")
        verbose_name = _("message rule")
        verbose_name_plural = _("message rules")
        permissions = [("switch_rule", "Can switch message rules on and off")]
        constraints = [
            models.CheckConstraint(condition=Q(audience__in=Audience.values), name="rule_audience_known"),
            models.CheckConstraint(condition=Q(channel__in=Channel.values), name="rule_channel_known"),
            models.CheckConstraint(condition=Q(fallbacks__contained_by=Channel.values), name="rule_fallbacks_known"),
            models.CheckConstraint(condition=Q(timing__in=Timing.values), name="rule_timing_known"),
            models.CheckConstraint(condition=Q(when_stale__in=WhenStale.values), name="rule_when_stale_known"),
            models.CheckConstraint(
                condition=Q(trigger="", threshold_hours__isnull=True) & ~Q(kinds=[])
                | Q(kinds=[], threshold_hours__isnull=False, trigger__in=Trigger.values),
                name="rule_of_events_or_of_a_time",
            ),
            models.CheckConstraint(
                condition=Q(is_active=False) | Q(active_since__isnull=False), name="rule_is_on_since"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class EscalationLevel(models.Model):
    """Who is told next of an alert that nobody acknowledged."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    rule = models.ForeignKey(Rule, models.CASCADE, related_name="levels", verbose_name=_("rule"))
    level = models.PositiveSmallIntegerField(pgettext_lazy("alert", "level"))
    after_minutes = models.PositiveIntegerField(_("after minutes"), help_text=_("Since the alert was raised."))
    audience = models.CharField(_("who is told"), max_length=20, choices=Audience)
    channel = models.CharField(pgettext_lazy("channel", "by"), max_length=10, choices=Channel)
    history = HistoricalRecords()

    class Meta:
        ordering = ("rule", "level", "id")
        verbose_name = _("escalation level")
        verbose_name_plural = _("escalation levels")
        constraints = [
            models.UniqueConstraint(fields=["rule", "level"], name="escalation_level_unique"),
            models.CheckConstraint(condition=Q(level__gt=0, after_minutes__gt=0), name="escalation_level_later"),
            models.CheckConstraint(condition=Q(audience__in=Audience.values), name="escalation_audience_known"),
            models.CheckConstraint(condition=Q(channel__in=Channel.values), name="escalation_channel_known"),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.level}"

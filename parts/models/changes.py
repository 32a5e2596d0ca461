"""Changes of controlled parts: asked for by one person, approved or refused by another."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from parts.keys import new_key
from parts.models.catalogue import Part
from parts.statuses import ChangeStatus


class PartChange(models.Model):
    """What somebody wants changed of a controlled part. `changes`: field → what it was and what it is to be, as text;
    `entries`: its numbers in other systems and its relations, each as it was and as it is to be (`parts.entries`).

    `decided_by` is another person than the one who asked: a constraint sees to it. What was applied stands in the
    part's history under the one who approved it.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    part = models.ForeignKey(Part, models.PROTECT, related_name="changes")
    changes = models.JSONField(_("changes"), default=dict)
    entries = models.JSONField(_("numbers and relations"), default=list)
    reason = models.CharField(_("reason"), max_length=300)
    status = models.CharField(_("status"), max_length=10, choices=ChangeStatus, default=ChangeStatus.WAITING)
    source = models.CharField(_("source"), max_length=40)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="part_changes_asked_for",
        verbose_name=_("asked for by"),
    )
    requested_at = models.DateTimeField(_("asked for at"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="part_changes_decided_on",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    refusal = models.CharField(_("why it was refused"), max_length=300, blank=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("change of a controlled part")
        verbose_name_plural = _("changes of controlled parts")
        permissions = [("approve_partchange", "Can approve changes of controlled parts")]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=ChangeStatus.values), name="part_change_status_known"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | Q(requested_by__isnull=True) | ~Q(decided_by=F("requested_by")),
                name="part_change_decided_by_another",
            ),
            models.CheckConstraint(
                condition=Q(status="waiting", decided_by__isnull=True, decided_at__isnull=True)
                | Q(status="withdrawn", decided_by__isnull=True, decided_at__isnull=False)
                | Q(status__in=["applied", "refused"], decided_by__isnull=False, decided_at__isnull=False),
                name="part_change_decided_with_who_and_when",
            ),
            models.CheckConstraint(
                condition=~Q(status="refused") | ~Q(refusal=""), name="part_change_refused_with_a_reason"
            ),
            models.CheckConstraint(condition=~Q(changes={}, entries=[]), name="part_change_changes_something"),
            models.UniqueConstraint(
                fields=["part"], condition=Q(status="waiting"), name="part_change_one_waiting_per_part"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.part}: {', '.join([*self.changes, *(entry['what'] for entry in self.entries)])}"

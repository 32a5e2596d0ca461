"""What the codes of others mean here: data, each with its source or with whoever decided."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from integrations.models.systems import ExternalSystem
from integrations.statuses import Certainty, CodeSubject, Effect
from parts.keys import new_key


class StatusCode(models.Model):
    """One code of a list (a standard's, or a system's own) and what it means, from a day on.

    A row of one system stands above that of the list, one that a person decided above what was shipped, one of a
    release above that of all releases, and a newer one above an older one, each from its `effective_from` on.
    `is_certain` rows are acted upon; what nobody has confirmed yet parks the messages that use it.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    system = models.ForeignKey(
        ExternalSystem,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="status_codes",
        verbose_name=_("external system"),
        help_text=_("Empty: whoever uses this list."),
    )
    code_list = models.CharField(_("list"), max_length=40, help_text=_("x12-368, sap-wbstk, or the system's own."))
    release = models.CharField(_("release"), max_length=20, blank=True, help_text=_("Empty: every release."))
    code = models.CharField(_("code"), max_length=40)
    says = models.CharField(_("what the list says"), max_length=200, blank=True)
    subject = models.CharField(_("about"), max_length=20, choices=CodeSubject, default=CodeSubject.LINE)
    status = models.CharField(_("our status"), max_length=20, blank=True)
    effect = models.CharField(_("effect"), max_length=16, choices=Effect, default=Effect.STATUS)
    certainty = models.CharField(_("certainty"), max_length=10, choices=Certainty, default=Certainty.TO_CHECK)
    effective_from = models.DateField(_("in force from"))
    effective_until = models.DateField(_("in force until"), null=True, blank=True, help_text=_("The first day after."))
    source = models.CharField(_("source"), max_length=300, blank=True, help_text=_("Where the meaning was read."))
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True, editable=False)
    history = HistoricalRecords()

    class Meta:
        ordering = ("code_list", "release", "code", "-effective_from")
        verbose_name = _("status code")
        verbose_name_plural = _("status codes")
        permissions = [("decide_statuscode", "Can decide what a status code of others means")]
        constraints = [
            # Two, for PostgreSQL 14 knows no NULLS NOT DISTINCT.
            models.UniqueConstraint(
                fields=["code_list", "release", "code", "effective_from"],
                condition=Q(system__isnull=True),
                name="status_code_unique_in_its_list",
            ),
            models.UniqueConstraint(
                fields=["system", "code_list", "release", "code", "effective_from"],
                condition=Q(system__isnull=False),
                name="status_code_unique_of_a_system",
            ),
            models.CheckConstraint(condition=Q(effect__in=Effect.values), name="status_code_effect_known"),
            models.CheckConstraint(condition=Q(certainty__in=Certainty.values), name="status_code_certainty_known"),
            models.CheckConstraint(condition=Q(subject__in=CodeSubject.values), name="status_code_subject_known"),
            models.CheckConstraint(
                condition=~Q(effect="status") | ~Q(status=""), name="status_code_that_moves_names_a_status"
            ),
            models.CheckConstraint(
                condition=~Q(certainty="read") | ~Q(source=""), name="status_code_that_was_read_names_its_source"
            ),
            models.CheckConstraint(
                condition=~Q(certainty="decided")
                | Q(decided_by__isnull=False, decided_at__isnull=False) & ~Q(reason=""),
                name="status_code_that_was_decided_says_by_whom_and_why",
            ),
            models.CheckConstraint(
                condition=Q(effective_until__isnull=True) | Q(effective_until__gt=models.F("effective_from")),
                name="status_code_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code_list} {self.release} {self.code}".replace("  ", " ")

    @property
    def is_certain(self) -> bool:
        """Whether messages may be acted upon by it."""
        return self.certainty != Certainty.TO_CHECK

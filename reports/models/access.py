"""Who was given which role and right, and from whom it was taken: written by the database itself."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class AccessKind(models.TextChoices):
    ROLE = "role", _("Role of a person")
    ROLE_RIGHT = "role_right", _("Right of a role")
    OWN_RIGHT = "own_right", _("Right of a person alone")
    ACCOUNT = "account", _("Account")
    ROLE_NAME = "role_name", _("Name of a role")


class AccessChange(models.Model):
    """One thing that somebody was given or that was taken. Triggers write it, whatever changed the rights.

    `actor` is who did it, as `reports.actions.access.changing_rights` was told, else the account of the database.
    People and roles are named by key, since either may be gone; `role` is what the role was called then.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("at"))
    transaction_id = models.BigIntegerField(_("transaction"))
    actor = models.CharField(_("by"), max_length=80)
    source = models.CharField(_("source"), max_length=40)
    what = models.CharField(_("what"), max_length=10, choices=AccessKind)
    is_given = models.BooleanField(_("given"))
    person_id = models.IntegerField(_("person"), null=True)
    role_id = models.IntegerField(_("role's key"), null=True)
    role = models.CharField(_("role"), max_length=150, blank=True)
    permission = models.CharField(_("right"), max_length=220, blank=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("change of rights")
        verbose_name_plural = _("changes of rights")
        constraints = [
            models.CheckConstraint(condition=Q(what__in=AccessKind.values), name="access_change_kind_known"),
            models.CheckConstraint(
                condition=Q(person_id__isnull=False) | Q(role_id__isnull=False), name="access_change_is_of_somebody"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.pk}"

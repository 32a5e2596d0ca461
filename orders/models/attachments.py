"""Files that people add to a job: photos, reports, delivery notes."""

import secrets
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orders.models.service_orders import ServiceOrder
from orders.statuses import Visibility
from parts.keys import new_key

#: Where files are kept in the store.
FOLDER = "attachments"


def random_path(_attachment: Any, _name: str) -> str:
    """Return where a file is kept: a name of chance, which tells nothing and cannot be guessed."""
    name = secrets.token_hex(20)
    return f"{FOLDER}/{name[:2]}/{name[2:]}"


class Attachment(models.Model):
    """A file on a job. `content_type` is what its bytes are, whatever its name said; `sha256` is of the bytes kept.

    A removed one keeps its row and loses its file: what was there, whose it was and who took it away stays known.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    service_order = models.ForeignKey(ServiceOrder, models.PROTECT, related_name="attachments")
    name = models.CharField(_("name"), max_length=200)
    content_type = models.CharField(_("content type"), max_length=100)
    size = models.PositiveIntegerField(_("size in bytes"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    file = models.FileField(_("file"), upload_to=random_path, max_length=120, blank=True)
    visibility = models.CharField(_("visible to"), max_length=8, choices=Visibility, default=Visibility.INTERNAL)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="attachments",
        verbose_name=_("added by"),
    )
    added_at = models.DateTimeField(_("added at"))
    removed_at = models.DateTimeField(_("removed at"), null=True, blank=True)

    class Meta:
        ordering = ("service_order", "-id")
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        constraints = [
            models.CheckConstraint(condition=Q(visibility__in=Visibility.values), name="attachment_visibility_known"),
            models.CheckConstraint(condition=Q(size__gt=0), name="attachment_not_empty"),
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="attachment_digest_is_sha256"),
            models.CheckConstraint(
                condition=Q(removed_at__isnull=True) & ~Q(file="") | Q(removed_at__isnull=False, file=""),
                name="attachment_removed_has_no_file",
            ),
        ]
        indexes = [models.Index(fields=["file"], condition=~Q(file=""), name="attachment_by_file")]

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"

"""Third floor, machines: what they asked of us and how we answered."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from parts.keys import new_key


class IdempotentRequest(models.Model):
    """A mutating call by its client's key, and the answer it got: the same call again gets the same answer.

    The row is inserted, the work done and the answer stored in one transaction (docs/adr/0002), so a committed row
    always has its answer, and a call that broke off has left nothing.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    client = models.CharField(_("client"), max_length=80)
    key = models.CharField(_("key"), max_length=255)
    fingerprint = models.BinaryField(_("fingerprint of method, path and body"), max_length=32)
    status = models.PositiveSmallIntegerField(_("status"), null=True)
    headers = models.JSONField(_("headers"), default=dict)
    body = models.BinaryField(_("body"), default=b"")
    created_at = models.DateTimeField(_("at"))

    class Meta:
        ordering = ("-id",)
        verbose_name = _("idempotent request")
        verbose_name_plural = _("idempotent requests")
        constraints = [
            models.UniqueConstraint(fields=["client", "key"], name="idempotent_request_unique_per_client"),
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotent_request_by_age")]

    def __str__(self) -> str:
        return f"{self.client} {self.key}"

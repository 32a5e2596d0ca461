"""Fields that every subject of the ledger has."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class Chained(models.Model):
    """A row whose every change is an event.

    `version` is the optimistic lock, the ETag, the sequence number for consumers and the position in the hash chain;
    `chain_hash` is the hash of the newest event; `status_since` is when the present status began (the source's clock).
    """

    reference = models.CharField(_("reference"), max_length=40, editable=False)
    version = models.PositiveIntegerField(_("version"), default=0, editable=False)
    chain_hash = models.BinaryField(max_length=32, default=b"", editable=False)
    status_since = models.DateTimeField(_("status since"), editable=False)
    created_at = models.DateTimeField(_("created at"), editable=False)

    #: What the ledger calls such a subject (orders.statuses.SubjectKind).
    subject_kind: ClassVar[str]
    #: The way from here to the row whose lock allows to write this one; "pk" where that is the row itself.
    lock_path: ClassVar[str] = "pk"

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.reference

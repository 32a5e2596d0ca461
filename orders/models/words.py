"""The words in which a customer reads a status: one table for every face."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from orders.statuses import SubjectKind
from parts.keys import new_key

#: What has a status that customers read. A parts order stands where its lines stand, in the same words.
WORDED = (SubjectKind.SERVICE_ORDER.value, SubjectKind.LINE.value)


class CustomerWord(models.Model):
    """What a customer reads for a status in a language, and what happens next. Empty: what Backline says by itself.

    Every status has its row (`orders.actions.wording.write_rows`); `orders.wording` reads them.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    subject = models.CharField(_("of a"), max_length=16, choices=[(kind, SubjectKind(kind).label) for kind in WORDED])
    status = models.CharField(_("status"), max_length=20)
    language = models.CharField(_("language"), max_length=10)
    word = models.CharField(
        _("word for customers"), max_length=60, blank=True, help_text=_("Empty: the product's own word.")
    )
    next_step = models.CharField(
        _("what happens next"), max_length=200, blank=True, help_text=_("Empty: the product's own sentence.")
    )
    history = HistoricalRecords()

    class Meta:
        ordering = ("subject", "status", "language", "id")
        verbose_name = _("word for customers")
        verbose_name_plural = _("words for customers")
        constraints = [
            models.UniqueConstraint(fields=["subject", "status", "language"], name="customer_word_unique"),
            models.CheckConstraint(condition=Q(subject__in=WORDED), name="customer_word_subject_known"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.status} ({self.language})"

    @property
    def language_name(self) -> str:
        """The language's name, in the reader's."""
        return str(dict(settings.LANGUAGES).get(self.language, self.language))

"""The words in which a customer reads a status: one table for every face, each wording from its day on."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from orders.statuses import SubjectKind
from parts.keys import new_key

#: What has a status that customers read. A parts order stands where its lines stand, in the same words.
WORDED = (SubjectKind.SERVICE_ORDER.value, SubjectKind.LINE.value)
#: Why a row is there that nobody of the house wrote.
SHIPPED = "shipped"
_SUBJECTS = [(kind, SubjectKind(kind).label) for kind in WORDED]


class CustomerWord(models.Model):
    """What a customer reads for a status in a language, and what happens next, from a moment on.

    It is in force until the next one begins: there is no end that could overlap with another beginning or leave a gap.
    What was published stays as it is (the database refuses to change it), so that it can be proved for ever which words
    were in force. One that has not begun may be withdrawn.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    subject = models.CharField(_("of a"), max_length=16, choices=_SUBJECTS)
    status = models.CharField(_("status"), max_length=20)
    language = models.CharField(_("language"), max_length=10)
    word = models.CharField(_("word for customers"), max_length=60)
    next_step = models.CharField(_("what happens next"), max_length=200)
    effective_from = models.DateTimeField(_("in force from"))
    why = models.CharField(_("why"), max_length=300)
    published_by = models.CharField(_("published by"), max_length=80)
    published_at = models.DateTimeField(_("published at"))
    withdrawn_by = models.CharField(_("withdrawn by"), max_length=80, blank=True)
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True)

    class Meta:
        ordering = ("subject", "status", "language", "-effective_from", "-id")
        verbose_name = _("word for customers")
        verbose_name_plural = _("words for customers")
        permissions = [("publish_customerword", "Can publish and withdraw words for customers")]
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "language", "status", "effective_from"],
                condition=Q(withdrawn_at__isnull=True),
                name="customer_word_one_from_a_moment",
            ),
            models.CheckConstraint(condition=Q(subject__in=WORDED), name="customer_word_subject_known"),
            models.CheckConstraint(condition=~Q(word="") & ~Q(next_step=""), name="customer_word_says_something"),
            models.CheckConstraint(condition=~Q(why=""), name="customer_word_published_with_why"),
            models.CheckConstraint(
                condition=Q(effective_from__gte=F("published_at")) | Q(why=SHIPPED),
                name="customer_word_changes_no_past",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, withdrawn_by="")
                | (Q(withdrawn_at__lt=F("effective_from")) & ~Q(withdrawn_by="")),
                name="customer_word_withdrawn_before_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.status} ({self.language})"

    @property
    def code(self) -> str:
        """What names the status in addresses."""
        return f"{self.subject}-{self.status}"

    @property
    def language_name(self) -> str:
        """The language's name, in the reader's."""
        return str(dict(settings.LANGUAGES).get(self.language, self.language))


class CustomerWordDraft(models.Model):
    """Words for a status in all languages that nobody reads yet: one draft of a status."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    subject = models.CharField(_("of a"), max_length=16, choices=_SUBJECTS)
    status = models.CharField(_("status"), max_length=20)
    words = models.JSONField(_("words"), help_text=_("Language → word and next_step."))
    effective_from = models.DateTimeField(_("in force from"), null=True, blank=True)
    why = models.CharField(_("why"), max_length=300, blank=True)
    written_by = models.CharField(_("written by"), max_length=80)
    written_at = models.DateTimeField(_("written at"))

    class Meta:
        ordering = ("subject", "status", "id")
        verbose_name = _("draft of words for customers")
        verbose_name_plural = _("drafts of words for customers")
        constraints = [
            models.UniqueConstraint(fields=["subject", "status"], name="customer_word_one_draft"),
            models.CheckConstraint(condition=Q(subject__in=WORDED), name="customer_word_draft_subject_known"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.status}"

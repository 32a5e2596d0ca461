"""What a notice says: wordings in versions, each in several languages."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from simple_history.models import HistoricalRecords

from parts.keys import new_key


class Template(models.Model):
    """A wording by its purpose, such as an order's news for its customer. Its versions hold the words."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    code = models.SlugField(_("code"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    for_customers = models.BooleanField(
        _("for customers"), default=False, help_text=_("It may say only what a customer may know.")
    )
    history = HistoricalRecords()

    class Meta:
        ordering = ("name", "id")
        verbose_name = _("wording of messages")
        verbose_name_plural = _("wordings of messages")

    def __str__(self) -> str:
        return self.name


class TemplateVersion(models.Model):
    """One version of a wording in one language. Once published it stays as it is; the newest published one is used.

    Rolling back publishes an older version's words as a new one.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    template = models.ForeignKey(Template, models.PROTECT, related_name="versions", db_index=False)
    language = models.CharField(_("language"), max_length=10)
    number = models.PositiveIntegerField(_("version"))
    subject = models.CharField(pgettext_lazy("notice", "subject"), max_length=400)
    text = models.TextField(_("plain text"))
    html = models.TextField(_("HTML"), blank=True, help_text=_("Empty: made from the plain text."))
    sms = models.TextField(_("SMS"), help_text=_("Also for chat and push."))
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("written by")
    )
    written_at = models.DateTimeField(_("written at"))
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("published by"),
    )
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)
    why = models.CharField(_("why"), max_length=300, blank=True)

    class Meta:
        ordering = ("template", "language", "-number")
        verbose_name = _("version of a wording")
        verbose_name_plural = _("versions of wordings")
        permissions = [("publish_templateversion", "Can publish wordings of messages")]
        constraints = [
            models.UniqueConstraint(fields=["template", "language", "number"], name="template_version_number_unique"),
            models.UniqueConstraint(
                fields=["template", "language"], condition=Q(published_at__isnull=True), name="template_one_draft"
            ),
            models.CheckConstraint(
                condition=Q(published_at__isnull=True) | ~Q(why=""), name="template_version_published_with_why"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.template_id} {self.language} {self.number}"

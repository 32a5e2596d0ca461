"""What readers say of a message: whether it was clear, and what was not."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from notifications.models.messages import Notice
from parts.keys import new_key


class Feedback(models.Model):
    """The answer of a notice's reader to "was this clear?": one of each notice, the last one given."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    notice = models.OneToOneField(Notice, models.PROTECT, related_name="feedback")
    is_clear = models.BooleanField(pgettext_lazy("message", "clear"))
    comment = models.CharField(_("comment"), max_length=1000, blank=True)
    answered_at = models.DateTimeField(_("answered at"))

    class Meta:
        ordering = ("-answered_at", "-id")
        verbose_name = _("feedback on a message")
        verbose_name_plural = _("feedback on messages")
        indexes = [models.Index(fields=["-answered_at", "-id"], name="feedback_latest")]

    def __str__(self) -> str:
        return f"{self.notice_id} {self.is_clear}"

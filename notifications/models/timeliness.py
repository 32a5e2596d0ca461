"""How soon people were told, added up day by day."""

from uuid import UUID

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from notifications.statuses import Channel
from parts.models import Region

#: Stands for none where a key may not be null.
_NONE = Value(UUID(int=0), output_field=models.UUIDField())


class DailyTimeliness(models.Model):
    """The notices of one day of UTC, over one channel, about one region's orders (none: about no order).

    `spans` counts how long each leg of their way took: leg → step → notices; `notifications.timeliness` says how long a
    step is. Written only by `actions.timeliness`, whole days at a time; it can be made again from the notices.
    """

    id = models.BigAutoField(primary_key=True)
    day = models.DateField(_("day"))
    channel = models.CharField(pgettext_lazy("channel", "by"), max_length=10, choices=Channel)
    region = models.ForeignKey(Region, models.DO_NOTHING, null=True, db_index=False, db_constraint=False)
    notices = models.BigIntegerField(_("notices"))
    in_time = models.BigIntegerField(_("in time"))
    spans = models.JSONField(_("how long they took"), default=dict)
    added_up_at = models.DateTimeField(_("added up at"))

    class Meta:
        ordering = ("day", "channel", "id")
        verbose_name = _("daily timeliness of messages")
        verbose_name_plural = _("daily timeliness of messages")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint("day", "channel", Coalesce("region", _NONE), name="timeliness_counted_once"),
            models.CheckConstraint(
                condition=Q(notices__gt=0, in_time__gte=0, in_time__lte=F("notices")), name="timeliness_counts"
            ),
        ]
        indexes = [models.Index(fields=["-added_up_at"], name="timeliness_added_up")]

    def __str__(self) -> str:
        return f"{self.day} {self.channel}"

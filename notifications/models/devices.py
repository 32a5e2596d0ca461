"""The phones that are told."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from notifications.models.people import Address
from parts.keys import new_key


class PushDevice(models.Model):
    """A browser that wants to be told (Push API): where its push service takes messages, and what only it can read.

    Its address names it for people and says whether it is still written to.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    address = models.OneToOneField(Address, models.CASCADE, related_name="device", verbose_name=_("address"))
    endpoint = models.CharField(_("push service"), max_length=1000, unique=True)
    p256dh = models.CharField(max_length=100, editable=False)
    auth = models.CharField(max_length=40, editable=False)
    created_at = models.DateTimeField(_("since"))

    class Meta:
        ordering = ("-created_at", "id")
        verbose_name = _("phone that is told")
        verbose_name_plural = _("phones that are told")

    def __str__(self) -> str:
        return str(self.address)

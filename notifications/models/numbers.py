"""What people say by SMS of whether they want SMS."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from notifications.statuses import LiftedBecause, SmsMeant
from parts.keys import new_key


class StoppedNumber(models.Model):
    """A number to which no SMS goes, whoever's it is: somebody answered STOP there, and not START since."""

    number = models.CharField(_("number"), max_length=16, primary_key=True)
    stopped_at = models.DateTimeField(_("since"))

    class Meta:
        ordering = ("-stopped_at",)
        verbose_name = _("number that wants no SMS")
        verbose_name_plural = _("numbers that want no SMS")
        default_permissions = ("view",)
        permissions = [("lift_stoppednumber", "Can let SMS go to a number again that had stopped them")]
        constraints = [
            models.CheckConstraint(condition=Q(number__regex=r"^\+[1-9][0-9]{6,14}$"), name="stopped_number_e164"),
        ]

    def __str__(self) -> str:
        return self.number


class LiftedStop(models.Model):
    """That somebody of the house let a number be asked again which had stopped all SMS, and why."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    number = models.CharField(_("number"), max_length=16)
    stopped_at = models.DateTimeField(_("stopped since"))
    lifted_at = models.DateTimeField(_("lifted at"))
    actor = models.CharField(_("by"), max_length=80)
    because = models.CharField(_("because"), max_length=10, choices=LiftedBecause)
    reason = models.CharField(_("reason"), max_length=300)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("stop of SMS that was lifted")
        verbose_name_plural = _("stops of SMS that were lifted")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=Q(because__in=LiftedBecause.values), name="lifted_stop_because_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="lifted_stop_has_a_reason"),
        ]
        indexes = [models.Index(fields=["number", "-id"], name="lifted_stop_of_number")]

    def __str__(self) -> str:
        return self.number


class ReceivedSms(models.Model):
    """An SMS that came, by its provider's number: it is taken once, however often it is reported.

    What somebody wrote is not kept here; where it belongs to an order it stands there.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    provider_id = models.CharField(_("the provider's number"), max_length=64, unique=True)
    number = models.CharField(_("number"), max_length=16)
    meant = models.CharField(_("meant"), max_length=8, choices=SmsMeant)
    received_at = models.DateTimeField(_("received at"))

    class Meta:
        ordering = ("-id",)
        verbose_name = _("SMS that came")
        verbose_name_plural = _("SMS that came")
        constraints = [
            models.CheckConstraint(condition=Q(meant__in=SmsMeant.values), name="received_sms_meant_known"),
        ]
        indexes = [models.Index(fields=["number", "-id"], name="received_sms_of_number")]

    def __str__(self) -> str:
        return f"{self.number} {self.meant}"

"""The systems that we speak with, and each interface between one of them and us."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from integrations.formats import plain_csv
from integrations.statuses import Direction, SystemKind
from parts.keys import new_key
from parts.models import Region, Supplier
from parts.zones import known_zone

#: What an address or a topic may carry.
CODE = r"^[a-z][a-z0-9-]*$"


class ExternalSystem(models.Model):
    """An ERP, a WMS, a carrier's system, a supplier: whoever tells us facts or hears ours.

    What it sends is done in the name of its `account`, with that account's rights, whichever way it came.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    code = models.CharField(
        _("code"), max_length=40, unique=True, help_text=_("Part of addresses and of the history: wms-north.")
    )
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=16, choices=SystemKind)
    account = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="external_system",
        verbose_name=_("account"),
        help_text=_("In whose name it acts. An account of its own, without a password."),
    )
    region = models.ForeignKey(
        Region,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("region"),
        help_text=_("Empty: all regions."),
    )
    supplier = models.ForeignKey(
        Supplier,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("supplier"),
        help_text=_("It speaks for this supplier, of purchase orders with it and no other. Empty: of all."),
    )
    numbers_of = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("uses the numbers of"),
        help_text=_("The system whose numbers it uses beside its own: a warehouse those of the ERP's deliveries."),
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="UTC",
        validators=[known_zone],
        help_text=_("Of times that it sends without one: Europe/Berlin."),
    )
    is_active = models.BooleanField(
        _("connected"), default=True, help_text=_("What a disconnected system sends is refused.")
    )
    owner = models.CharField(_("owner"), max_length=120, blank=True, help_text=_("The team that answers for it."))
    contacts = models.TextField(_("whom to call"), blank=True, help_text=_("In the order in which to call them."))
    history = HistoricalRecords()

    class Meta:
        ordering = ("code",)
        verbose_name = _("external system")
        verbose_name_plural = _("external systems")
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=SystemKind.values), name="external_system_kind_known"),
            models.CheckConstraint(condition=Q(code__regex=CODE), name="external_system_code_is_plain"),
        ]

    def __str__(self) -> str:
        return self.code

    def clean(self) -> None:
        """Refuse to act in a person's name: an account that signs in is somebody's. Raises ValidationError."""
        account = self.account
        if account and (account.has_usable_password() or account.last_login or account.is_superuser):
            raise ValidationError({"account": _("Take an account of its own, without a password, that nobody uses.")})


class Interface(models.Model):
    """One kind of message between a system and us: in which form, in which version, how often, and who answers for it.

    `format` names a form of `integrations.formats`; `code_list` the list of status codes (of a standard, or the
    system's own) in which its messages speak where they do not say so themselves.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    system = models.ForeignKey(
        ExternalSystem, models.PROTECT, related_name="interfaces", verbose_name=_("external system")
    )
    code = models.CharField(_("code"), max_length=40, help_text=_("Unique within its system: shipments."))
    name = models.CharField(_("name"), max_length=120)
    direction = models.CharField(_("direction"), max_length=3, choices=Direction, default=Direction.IN)
    format = models.CharField(_("form"), max_length=40)
    version = models.CharField(_("version"), max_length=20, default="1")
    code_list = models.CharField(_("list of status codes"), max_length=40, blank=True)
    release = models.CharField(_("release of the list"), max_length=20, blank=True)
    fields = models.JSONField(
        _("field map"),
        default=dict,
        blank=True,
        help_text=_("Of plain CSV: which column is what, with the version of this map."),
    )
    is_active = models.BooleanField(_("in use"), default=True)
    owner = models.CharField(_("owner"), max_length=120, blank=True)
    contacts = models.TextField(_("whom to call"), blank=True)
    frequency = models.CharField(
        _("how often"), max_length=120, blank=True, help_text=_("A time table, or the event that causes it.")
    )
    fresh_for = models.DurationField(
        _("fresh for"),
        null=True,
        blank=True,
        help_text=_("When nothing has come for longer, somebody should look. Empty: it comes when there is news."),
    )
    when_down = models.TextField(_("when the source is down"), blank=True)
    waits_for_hours = models.PositiveIntegerField(
        _("hours to wait for what is missing"),
        default=72,
        help_text=_("A message may come before what it speaks of. After this time it is refused."),
    )
    history = HistoricalRecords()

    class Meta:
        ordering = ("system", "code")
        verbose_name = _("interface")
        verbose_name_plural = _("interfaces")
        constraints = [
            models.UniqueConstraint(fields=["system", "code"], name="interface_unique_in_its_system"),
            models.CheckConstraint(condition=Q(direction__in=Direction.values), name="interface_direction_known"),
            models.CheckConstraint(condition=Q(code__regex=CODE), name="interface_code_is_plain"),
        ]

    def __str__(self) -> str:
        return f"{self.system} {self.code}"

    def clean(self) -> None:
        """Refuse a field map that no row could be read by. Raises ValidationError."""
        if self.format == plain_csv.FORM.code and (faults := plain_csv.faults_of(self.fields)):
            raise ValidationError({"fields": [str(fault) for fault in faults]})


class NumberElsewhere(models.Model):
    """What a system calls something of ours: its delivery 80001234, item 10, is our line PO-000017/2.

    Two of its numbers may mean the same row of ours, one number never two.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    system = models.ForeignKey(
        ExternalSystem, models.PROTECT, related_name="numbers", verbose_name=_("external system")
    )
    kind = models.CharField(_("kind of number"), max_length=40, help_text=_("delivery_item, work_order …"))
    number = models.CharField(_("number"), max_length=120)
    subject_kind = models.CharField(_("of our"), max_length=20)
    subject_id = models.UUIDField(_("key"))
    known_since = models.DateTimeField(_("known since"))

    class Meta:
        ordering = ("system", "kind", "number")
        verbose_name = _("number elsewhere")
        verbose_name_plural = _("numbers elsewhere")
        constraints = [
            models.UniqueConstraint(fields=["system", "kind", "number"], name="number_elsewhere_means_one"),
        ]
        indexes = [models.Index(fields=["subject_id"], name="number_elsewhere_of")]

    def __str__(self) -> str:
        return f"{self.system} {self.kind} {self.number}"

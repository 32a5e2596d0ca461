"""The customer's link: who may look at one order without signing in, and until when."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from orders.models.customers import Customer
from orders.models.parts_orders import PartsOrder
from orders.models.service_orders import ServiceOrder
from orders.querysets import TrackingLinkQuerySet
from parts.keys import new_key


class TrackingLink(models.Model):
    """A link to one order. Of its token only the hash is kept: nobody, the database's owner included, can read it back.

    It opens the order as long as it is of the customer it was made for, and the link neither expired nor was revoked.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    token_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    service_order = models.ForeignKey(
        ServiceOrder,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="tracking_links",
        verbose_name=_("service order"),
    )
    parts_order = models.ForeignKey(
        PartsOrder,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="tracking_links",
        verbose_name=_("parts order"),
    )
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="tracking_links", verbose_name=_("customer"))
    requester = models.CharField(
        _("made for"), max_length=120, blank=True, help_text=_("Who gets it, such as a name or an address.")
    )
    created_by = models.CharField(_("made by"), max_length=80)
    created_at = models.DateTimeField(_("made at"))
    expires_at = models.DateTimeField(_("works until"))
    revoked_by = models.CharField(_("revoked by"), max_length=80, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    last_seen_at = models.DateTimeField(_("last opened"), null=True, blank=True)

    objects = TrackingLinkQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name = _("customer's link")
        verbose_name_plural = _("customers' links")
        permissions = [
            ("issue_trackinglink", "Can make a customer's link"),
            ("revoke_trackinglink", "Can revoke a customer's link"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(service_order__isnull=False, parts_order__isnull=True)
                | Q(service_order__isnull=True, parts_order__isnull=False),
                name="tracking_link_is_to_one_order",
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="tracking_link_expires"),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by="") | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
                name="tracking_link_revoked_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order.reference} ({self.id})"

    @property
    def order(self) -> ServiceOrder | PartsOrder:
        """The order that it opens."""
        order = self.service_order or self.parts_order
        assert order is not None
        return order

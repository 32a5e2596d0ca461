"""What belongs to the people at the desk: their saved views, and the rules by which they see special stock."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from orders.models.customers import Customer
from parts.keys import new_key
from parts.models import Warehouse
from parts.statuses import SpecialStock


class SavedView(models.Model):
    """A person's own name for the filters of a page."""

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_views", db_index=False)
    page = models.CharField(_("page"), max_length=20)
    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(_("filters"), max_length=600)
    created_at = models.DateTimeField(_("saved at"))

    class Meta:
        ordering = ("name", "id")
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        constraints = [
            models.UniqueConstraint(fields=["person", "page", "name"], name="saved_view_name_unique_per_person"),
            models.CheckConstraint(condition=~Q(name=""), name="saved_view_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name


class StockVisibilityRule(models.Model):
    """Lets people see special stock who may not see all of it; what no rule covers is not shown to them.

    A rule of a customer covers only what is looked at for an order of that customer.
    """

    id = models.UUIDField(primary_key=True, default=new_key, editable=False)
    stock = models.CharField(_("stock"), max_length=10, choices=SpecialStock)
    warehouse = models.ForeignKey(
        Warehouse,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="visibility_rules",
        verbose_name=_("warehouse"),
        help_text=_("Empty: in every warehouse."),
    )
    customer = models.ForeignKey(
        Customer,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="visibility_rules",
        verbose_name=_("for orders of"),
        help_text=_("Empty: whoever it is for. Otherwise it is seen only while an order of this customer is served."),
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="visibility_rules",
        verbose_name=_("seen by"),
        help_text=_("Empty: by everybody who may see stock."),
    )
    note = models.CharField(_("why"), max_length=200, blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ("stock", "warehouse", "customer", "person", "id")
        verbose_name = _("stock visibility rule")
        verbose_name_plural = _("stock visibility rules")
        constraints = [
            models.CheckConstraint(condition=Q(stock__in=SpecialStock.values), name="stock_visibility_rule_known"),
        ]

    def __str__(self) -> str:
        return self.get_stock_display()

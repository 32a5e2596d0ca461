"""Suppliers, what is on order from them, and what they delivered; with the forms to order and to book."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import (
    ChoicesDropdownFilter,
    RangeDateFilter,
    RangeDateTimeFilter,
)
from unfold.decorators import display

from parts.actions.supply.purchase_orders import (
    Confirmation,
    PurchaseLine,
    cancel_purchase_order_line,
    confirm_purchase_order_lines,
    place_purchase_order,
)
from parts.admin.deeds import Chosen, Deed, DeedForm, Done
from parts.admin.filters import ChosenFilter
from parts.admin.importing import import_deed
from parts.admin.offices import BySerial, Edited, Shown
from parts.admin.receiving import BOOK, DELIVER
from parts.admin.rows import RowsForm
from parts.labels import status_label, written
from parts.models import (
    Delivery,
    DeliveryLine,
    DeliverySerial,
    PurchaseOrder,
    PurchaseOrderLine,
    Supplier,
    SupplierPart,
)
from parts.rules import ZERO


@admin.register(Supplier)
class SupplierOffice(Edited):
    list_display = ("code", "name", "is_active")
    list_filter = ("is_active",)
    search_fields = ("code", "name")
    ordering = ("code",)


@admin.register(SupplierPart)
class SupplierPartOffice(Edited):
    list_display = (
        "part",
        "supplier",
        "supplier_number",
        "lead_time_days",
        "minimum_quantity",
        "order_multiple",
        "unit_cost",
        "is_preferred",
    )
    list_filter = (("supplier", ChosenFilter), ("part", ChosenFilter), "is_preferred")
    list_select_related = ("part", "supplier")
    search_fields = ("part__number", "supplier__code", "supplier_number")
    autocomplete_fields = ("part", "supplier")
    ordering = ("-id",)

    def title_of(self, subject: Any) -> str:
        """Say part and supplier, not their keys."""
        return f"{subject.part} · {subject.supplier}"


# --- Ordering --------------------------------------------------------------------------------------------------------


class OrderForm(RowsForm):
    """A new purchase order: from whom, to where, and its lines."""

    supplier = Chosen(PurchaseOrder._meta.get_field("supplier"), label=_("Supplier"))
    warehouse = Chosen(PurchaseOrder._meta.get_field("warehouse"), label=_("Deliver to"))
    number = forms.CharField(
        label=_("Number"), required=False, max_length=40, help_text=_("Left empty: the next number of ours.")
    )

    def columns(self) -> dict[str, forms.Field]:
        """Ask for the part, how many, what one costs and when it comes."""
        return {
            "part": Chosen(PurchaseOrderLine._meta.get_field("part"), label=_("Part"), required=False),
            "quantity": forms.DecimalField(label=_("Quantity"), required=False),
            "cost": forms.DecimalField(label=_("Unit cost"), required=False),
            "expected": forms.DateField(label=_("Expected"), required=False),
        }

    def line(self, row: dict[str, Any]) -> PurchaseLine:
        """Order it."""
        return PurchaseLine(row["part"].pk, row["quantity"], row["cost"] or ZERO, row["expected"])


def _order(subject: None, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    placed = place_purchase_order(
        supplier_id=cleaned["supplier"].pk,
        warehouse_id=cleaned["warehouse"].pk,
        number=cleaned["number"] or None,
        lines=cleaned["lines"],
        ordered_at=told["at"],
        **told,
    )
    return Done(_g("%(number)s placed.") % {"number": placed.number}, PurchaseOrder.objects.get(pk=placed.id))


# --- What is on order -------------------------------------------------------------------------------------------------


class ConfirmForm(DeedForm):
    """When a line will come."""

    expected_on = forms.DateField(label=_("The supplier now says"))

    def shape(self) -> None:
        """Begin with the present date."""
        self.fields["expected_on"].initial = self.subject.expected_on


def _confirm(subject: PurchaseOrderLine, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    confirm_purchase_order_lines(confirmations=[Confirmation(subject.pk, cleaned["expected_on"])], **told)
    return Done(_g("Noted; the back orders that wait for it show the new date. No promise was moved."))


class CancelForm(DeedForm):
    """How much of a line does not come any more."""

    quantity = forms.DecimalField(
        label=_("Quantity"), required=False, help_text=_("Left empty: all that is still to come.")
    )


def _cancel(subject: PurchaseOrderLine, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    done = cancel_purchase_order_line(line_id=subject.pk, quantity=cleaned["quantity"], **told)
    return Done(_g("%(quantity)s cancelled.") % {"quantity": written(done.cancelled)})


# --- Pages -----------------------------------------------------------------------------------------------------------


@admin.register(PurchaseOrder)
class PurchaseOrderOffice(Shown):
    list_display = ("number", "supplier", "warehouse", "state", "lines_ordered", "ordered_at")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("supplier", ChosenFilter),
        ("warehouse", ChosenFilter),
        ("ordered_at", RangeDateTimeFilter),
    )
    list_select_related = ("supplier", "warehouse")
    search_fields = ("number", "supplier__code", "supplier__name")
    ordering = ("-id",)
    readonly_fields = ("state",)
    fields = ("number", "supplier", "warehouse", "state", "ordered_at", "created_at")
    panel_template = "admin/parts/purchaseorder/panel.html"
    deeds = (
        Deed(
            slug="place",
            title=_("Place a purchase order"),
            permission="parts.manage_purchase_orders",
            form=OrderForm,
            act=_order,
            icon="add_shopping_cart",
            on_list=True,
            template="admin/parts/purchaseorder/place.html",
        ),
        import_deed("purchase-orders", _("Import purchase orders"), "parts.manage_purchase_orders"),
        DELIVER,
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[PurchaseOrder]:
        """Count the lines along."""
        return super().get_queryset(request).annotate(line_count=Count("lines"))

    def panel(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Show its lines and what came of them."""
        lines = (
            PurchaseOrderLine.objects.filter(purchase_order=subject).with_open_quantity().select_related("part__unit")
        )
        return {
            "lines": list(lines.select_related("part__unit").order_by("position", "id")),
            "deliveries": list(
                Delivery.objects.filter(lines__purchase_order_line__purchase_order=subject)
                .distinct()
                .order_by("-id")[:20]
            ),
        }

    @display(description=_("status"), ordering="status")
    def state(self, order: PurchaseOrder) -> SafeString:
        """The status, coloured."""
        return status_label(order.status, order.get_status_display())

    @display(description=_("lines"))
    def lines_ordered(self, order: Any) -> int:
        """How many lines it has."""
        return order.line_count


@admin.register(PurchaseOrderLine)
class PurchaseOrderLineOffice(Shown):
    list_display = (
        "order",
        "part",
        "quantity",
        "received",
        "cancelled",
        "expected_on",
        "first_confirmed_on",
        "is_open",
    )
    list_display_links = ("order",)
    list_filter = (
        "is_open",
        ("part", ChosenFilter),
        ("purchase_order__supplier", ChosenFilter),
        ("expected_on", RangeDateFilter),
    )
    list_select_related = ("purchase_order", "part")
    search_fields = ("purchase_order__number", "part__number")
    ordering = ("-id",)
    deeds = (
        Deed(
            slug="confirm",
            title=_("Note the supplier's date"),
            permission="parts.manage_purchase_orders",
            form=ConfirmForm,
            act=_confirm,
            offered=lambda line: line.is_open,
            icon="event",
        ),
        Deed(
            slug="cancel",
            title=_("Cancel what is still to come"),
            permission="parts.manage_purchase_orders",
            form=CancelForm,
            act=_cancel,
            offered=lambda line: line.is_open,
            icon="block",
            danger=True,
        ),
    )

    def title_of(self, subject: Any) -> str:
        """Say order, position and part."""
        return f"{subject.purchase_order} / {subject.position} · {subject.part}"

    @display(description=_("purchase order"))
    def order(self, line: PurchaseOrderLine) -> str:
        """Number and position."""
        return f"{line.purchase_order.number} / {line.position}"


@admin.register(Delivery)
class DeliveryOffice(Shown):
    list_display = ("note_number", "supplier", "warehouse", "received_at", "by", "source")
    list_filter = (
        ("supplier", ChosenFilter),
        ("warehouse", ChosenFilter),
        ("received_at", RangeDateTimeFilter),
    )
    list_select_related = ("supplier", "warehouse")
    search_fields = ("note_number", "supplier__code")
    ordering = ("-id",)
    panel_template = "admin/parts/delivery/panel.html"
    deeds = (BOOK,)

    def panel(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Show its lines."""
        rows = DeliveryLine.objects.filter(delivery=subject).prefetch_related("serials")
        return {
            "lines": list(rows.select_related("part__unit", "purchase_order_line__purchase_order").order_by("position"))
        }


@admin.register(DeliveryLine)
class DeliveryLineOffice(Shown):
    list_display = ("note", "part", "quantity", "unfit_quantity", "open_before", "condition")
    list_filter = (("part", ChosenFilter), ("delivery__supplier", ChosenFilter))
    list_select_related = ("delivery", "part")
    search_fields = ("delivery__note_number", "part__number")
    ordering = ("-id",)

    def title_of(self, subject: Any) -> str:
        """Say note, position and part."""
        return f"{subject.delivery.note_number} / {subject.position} · {subject.part}"

    @display(description=_("delivery note"))
    def note(self, line: DeliveryLine) -> str:
        """Number and position."""
        return f"{line.delivery.note_number} / {line.position}"


@admin.register(DeliverySerial)
class DeliverySerialOffice(BySerial, Shown):
    list_display = ("serial", "part", "note", "received_at")
    list_select_related = ("line__part", "line__delivery")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeliverySerial]:
        """Read the line along: a serial number is told by it."""
        return super().get_queryset(request).select_related("line__part", "line__delivery")

    @display(description=_("part"))
    def part(self, row: DeliverySerial) -> str:
        """What it is."""
        return row.line.part.number

    @display(description=_("delivery note"))
    def note(self, row: DeliverySerial) -> str:
        """With which note it came."""
        return row.line.delivery.note_number

    @display(description=_("received at"))
    def received_at(self, row: DeliverySerial) -> Any:
        """When it came."""
        return row.line.delivery.received_at

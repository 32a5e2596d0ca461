"""Parts orders with their lines, and what was shipped of them."""

from __future__ import annotations

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import (
    ChoicesDropdownFilter,
    RangeDateFilter,
    RangeDateTimeFilter,
)
from unfold.decorators import display

from orders.actions import lines, parts_orders, placing
from orders.admin.chained import ByReference, Standing, noting
from orders.admin.timeline import timeline_panel
from orders.asking import ShipAsked
from orders.boxes import carried_with_serials
from orders.models import OrderLine, PartsOrder, Shipment, ShipmentLine
from orders.searching import customers_named
from orders.statuses import LINE_OPEN, LINE_STEPS
from parts.admin.deeds import Chosen, Deed, DeedForm, Done, ReasonForm
from parts.admin.filters import ChosenFilter
from parts.admin.offices import Edited, Shown
from parts.admin.rows import RowsForm
from parts.errors import Refused
from parts.statuses import Purpose

_noting = partial(noting, key="order_id")


def lines_of(order: PartsOrder) -> QuerySet[Any]:
    """Return the lines of an order as its page shows them: parents before their children, with all four dates.

    The back order of a line belongs to the floor above; only its date and key are read here, by name.
    """
    return (
        OrderLine.objects.filter(order=order)
        .select_related("part__unit", "warehouse")
        .annotate(
            expected_on=F("back_order__expected_on"),
            back_order_key=F("back_order__pk"),
            back_order_reference=F("back_order__reference"),
        )
        .order_by("position", "child_number", "id")
    )


class PlaceForm(RowsForm):
    """A new order: for whom, until when, and its lines."""

    kind = forms.ChoiceField(label=_("Kind"), choices=Purpose.choices, initial=Purpose.SERVICE)
    customer = Chosen(PartsOrder._meta.get_field("customer"), label=_("Customer"), required=False)
    service_order = Chosen(PartsOrder._meta.get_field("service_order"), label=_("Service order"), required=False)
    destination = Chosen(
        PartsOrder._meta.get_field("destination"),
        label=_("For warehouse"),
        required=False,
        help_text=_("For replenishment and transfers."),
    )
    requested_on = forms.DateField(label=_("Requested for"))
    external_reference = forms.CharField(label=_("Customer's reference"), required=False, max_length=80)
    complete_delivery_only = forms.BooleanField(label=_("Complete delivery only"), required=False)
    is_test = forms.BooleanField(label=_("Test or training"), required=False)
    note = forms.CharField(label=_("Note"), required=False, max_length=2000, widget=forms.Textarea)

    def shape(self) -> None:
        """Begin with today."""
        super().shape()
        self.fields["requested_on"].initial = timezone.now().date()

    def columns(self) -> dict[str, forms.Field]:
        """Ask for the part and how many."""
        return {
            "part": Chosen(OrderLine._meta.get_field("part"), label=_("Part"), required=False),
            "quantity": forms.DecimalField(label=_("Quantity"), required=False),
        }

    def line(self, row: dict[str, Any]) -> placing.Wanted:
        """Want it."""
        return placing.Wanted(quantity=row["quantity"], part_id=row["part"].pk)


def _place(subject: None, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    keys: dict[str, Any] = {
        f"{name}_id": cleaned[name].pk if cleaned[name] else None
        for name in ("customer", "service_order", "destination")
    }
    facts = {
        name: cleaned[name]
        for name in ("kind", "requested_on", "external_reference", "complete_delivery_only", "is_test", "note", "lines")
    }
    placed = placing.place(**keys, **facts, **told)
    short = sum(1 for line in placed.lines for leaf in (line.children or (line,)) if leaf.back_order)
    says = _g("%(reference)s placed; everything is reserved.")
    if short:
        says = ngettext(
            "%(reference)s placed; %(count)s line is back-ordered.",
            "%(reference)s placed; %(count)s lines are back-ordered.",
            short,
        )
    order = PartsOrder.objects.get(pk=placed.id)
    return Done(says % {"reference": placed.reference, "count": short}, order)


class ShipForm(ShipAsked, DeedForm):
    """How much of each line leaves, and with whom."""

    def refuse(self, refusal: Refused) -> None:
        """Show what is wrong with a line at the fields of that line."""
        super().refuse(self.at_its_line(refusal))


def _ship(subject: PartsOrder, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    facts = {name: cleaned[name] for name in ("items", "carrier", "tracking_number", "walk")}
    shipped = lines.ship(order_id=subject.pk, **facts, **told)
    return Done(_g("Shipped: %(references)s.") % {"references": ", ".join(shipment.reference for shipment in shipped)})


def _is_open(order: PartsOrder) -> bool:
    return order.status in LINE_OPEN


#: What the page of an order shows and nobody edits.
SET_WHEN_PLACED = (
    "kind",
    "customer",
    "service_order",
    "destination",
    "region",
    "requested_on",
    "complete_delivery_only",
    "is_test",
    "hold_reason",
    "version",
    "created_at",
)


@admin.register(PartsOrder)
class PartsOrderOffice(ByReference, Standing, Edited):
    list_display = (
        "reference",
        "kind",
        "state",
        "shipped_share",
        "customer",
        "service_order",
        "destination",
        "requested_on",
        "on_hold",
    )
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("customer", ChosenFilter),
        ("destination", ChosenFilter),
        "on_hold",
        "is_test",
        ("requested_on", RangeDateFilter),
    )
    list_select_related = ("customer", "service_order", "destination")
    search_fields = ("reference", "external_reference", "customer__code", "customer__name")
    search_help_text = _("Reference or customer")
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("external_reference",)}),
        (_("Set when it was placed"), {"fields": SET_WHEN_PLACED}),
    )
    readonly_fields = SET_WHEN_PLACED
    panel_template = "admin/orders/partsorder/panel.html"
    deeds = (
        Deed(
            slug="place",
            title=_("Place a parts order"),
            permission="orders.place_partsorder",
            form=PlaceForm,
            act=_place,
            icon="add_shopping_cart",
            intro=_("What is there is reserved at once; what is short is back-ordered in the same moment."),
            on_list=True,
            template="admin/orders/partsorder/place.html",
        ),
        Deed(
            slug="ship",
            title=_("Ship"),
            permission="orders.ship_orderline",
            form=ShipForm,
            act=_ship,
            offered=_is_open,
            icon="local_shipping",
            intro=_("Enter how much of each line leaves now."),
            template="admin/orders/partsorder/ship.html",
        ),
        Deed(
            slug="hold",
            title=_("Hold"),
            permission="orders.hold_partsorder",
            form=ReasonForm,
            act=_noting(
                parts_orders.hold,
                names=("reason",),
                says=_("Held: nothing of it is picked or shipped until it is let go."),
            ),
            offered=lambda order: _is_open(order) and not order.on_hold,
            icon="pause",
        ),
        Deed(
            slug="let-go",
            title=_("Let go"),
            permission="orders.hold_partsorder",
            act=_noting(parts_orders.let_go, says=_("It goes on.")),
            offered=lambda order: order.on_hold,
            icon="play_arrow",
            inline=True,
        ),
        Deed(
            slug="cancel",
            title=_("Cancel"),
            permission="orders.cancel_orderline",
            form=ReasonForm,
            act=_noting(
                parts_orders.cancel,
                names=("reason", "expected_version"),
                says=_("Cancelled; what it held is free for others."),
            ),
            offered=lambda order: _is_open(order) and "cancelled" in LINE_STEPS[order.status],
            icon="block",
            intro=_("Everything that has not left is cancelled. What it held serves those who wait."),
            danger=True,
        ),
    )

    def meant_by(self, term: str) -> Q:
        """Find by the customer, or by their own reference."""
        theirs = ~Q(external_reference="") & Q(external_reference__key_begins=term)
        return theirs | Q(customer__in=customers_named(term))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: an order is placed by its deed."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: an order is cancelled."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[PartsOrder]:
        """Read along what its page names."""
        return super().get_queryset(request).select_related("customer", "service_order", "destination", "region")

    def panel(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Show its lines with four dates, its shipments and its timeline."""
        rows = list(lines_of(subject))
        return {
            "lines": rows,
            "today": timezone.now().date(),
            "shipments": list(Shipment.objects.filter(order=subject).select_related("warehouse").order_by("-id")[:20]),
            **timeline_panel([subject.pk, *(line.pk for line in rows)], of=subject.pk),
        }

    @display(description=_("shipped"), ordering="progress")
    def shipped_share(self, order: PartsOrder) -> str:
        """Which share of its quantity has left."""
        return f"{order.progress:.0%}"


@admin.register(Shipment)
class ShipmentOffice(Shown):
    list_display = ("reference", "order", "warehouse", "carrier", "tracking_number", "shipped_at", "delivered_at")
    list_filter = (("warehouse", ChosenFilter), ("shipped_at", RangeDateTimeFilter))
    list_select_related = ("order", "warehouse")
    search_fields = ("reference", "order__reference", "tracking_number")
    ordering = ("-id",)
    panel_template = "admin/orders/shipment/panel.html"

    def panel(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Show what was in it."""
        rows = carried_with_serials().filter(shipment=subject).select_related("line__part__unit")
        return {"lines": list(rows.order_by("line__position", "id"))}


@admin.register(ShipmentLine)
class ShipmentLineOffice(Shown):
    list_display = ("shipment", "line", "part", "quantity")
    list_filter = (("shipment__warehouse", ChosenFilter),)
    list_select_related = ("shipment", "line__part")
    search_fields = ("shipment__reference", "line__reference", "line__part__number")
    ordering = ("-id",)

    def title_of(self, subject: Any) -> str:
        """Say shipment and line."""
        return f"{subject.shipment} · {subject.line}"

    @display(description=_("part"))
    def part(self, row: ShipmentLine) -> str:
        """The part's number."""
        return row.line.part.number

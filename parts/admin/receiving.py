"""Booking a delivery: for one or more purchase orders, from the keyboard or a scanner."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from parts.actions.supply.deliveries import DeliveryItem, receive_delivery
from parts.admin.deeds import Chosen, Deed, DeedForm, Done
from parts.expected import codes_of, expected_deliveries, open_lines
from parts.labels import plain
from parts.lookups import key_of, serials_in
from parts.models import Delivery, PurchaseOrder, PurchaseOrderLine
from parts.rules import ZERO
from parts.statuses import PurchaseOrderStatus

#: Rows for what came and is on none of the orders.
ROWS_BESIDE = 3


def _keys(texts: list[str]) -> list[UUID]:
    """Return the keys among texts of an address; what is none was never on our page."""
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


class DeliveryForm(DeedForm):
    """What came: what is still open of each line is filled in. Enter leads to the next line, and never books.

    It is for the purchase order whose page it stands on, or for those named in the address (`?orders=…`).
    """

    scan = forms.CharField(label=_("Part number, typed or scanned"), required=False, max_length=120)
    note_number = forms.CharField(label=_("Delivery note"), max_length=60)
    received_at = forms.DateTimeField(label=_("Received at"))
    more_is_right = forms.BooleanField(label=_("More came than was ordered: that is right"), required=False)

    @property
    def is_preview(self) -> bool:
        """The button beside the scanned number only looks for its line."""
        return "find" in self.data

    @cached_property
    def orders(self) -> list[PurchaseOrder]:
        """The purchase orders that it is for: of one supplier, to one warehouse."""
        if self.subject is not None:
            return [self.subject]
        # What is sent twice finds its orders closed by the first time, and is to be told that all is well.
        statuses = [PurchaseOrderStatus.ORDERED, *([PurchaseOrderStatus.CLOSED] if self.is_bound else [])]
        named = PurchaseOrder.objects.filter(pk__in=_keys(self.asked.getlist("orders")), status__in=statuses)
        found = list(named.select_related("supplier", "warehouse").order_by("number"))
        ends = {(order.supplier_id, order.warehouse_id) for order in found}
        return found if len(ends) == 1 else []

    def shape(self) -> None:
        """Add a row per open line, and a few for what nobody ordered."""
        self.fields["received_at"].initial = timezone.now().replace(second=0, microsecond=0)
        self.fields["scan"].widget.attrs |= {"autocomplete": "off", "autofocus": True, "data-scan": "lines"}
        sent = _keys([name.removeprefix("quantity_") for name in self.data if name.startswith("quantity_")])
        self.lines = open_lines([order.pk for order in self.orders], also=sent)
        supplier = self.orders[0].supplier_id if self.orders else None
        self.codes = codes_of({line.part_id for line in self.lines}, supplier) if self.lines else {}
        for line in self.lines:
            self._add_row(line)
        for place in range(ROWS_BESIDE):
            part = Chosen(PurchaseOrderLine._meta.get_field("part"), label=_("Part"), required=False)
            self.fields[f"part_{place}"] = part
            self.fields[f"beside_{place}"] = _quantity(_("Came"), 3, None)
            self.fields[f"beside_unfit_{place}"] = _quantity(_("Of it damaged or wrong"), 3, None)
        if self.is_bound and self.is_preview:
            for field in self.fields.values():
                field.required = False

    def _add_row(self, line: Any) -> None:
        places, key, part = line.part.unit.decimals, line.pk.hex, line.part
        attrs = {"data-codes": " ".join(self.codes.get(line.part_id, [])), "data-line": True}
        if line.pk == self.found:
            attrs["autofocus"] = True
            self.fields["scan"].widget.attrs.pop("autofocus", None)
        label, unfit = _g("%(part)s: came") % {"part": part}, _g("%(part)s: damaged or wrong") % {"part": part}
        self.fields[f"quantity_{key}"] = _quantity(label, places, line.open_quantity, attrs)
        self.fields[f"unfit_{key}"] = _quantity(unfit, places, ZERO)
        self.fields[f"serials_{key}"] = forms.CharField(
            label=_g("%(part)s: serial numbers") % {"part": part}, required=False, max_length=4000
        )

    @cached_property
    def found(self) -> UUID | None:
        """The first line of the scanned part; None where nothing was looked for, or nothing fits."""
        scanned = key_of(str(self.data.get("scan", ""))) if self.is_preview else ""
        return next((line.pk for line in self.lines if scanned in self.codes.get(line.part_id, [])), None)

    @property
    def finds_nothing(self) -> bool:
        """Whether a number was looked for that is on none of the orders."""
        return self.is_bound and self.is_preview and bool(self.data.get("scan")) and self.found is None

    def heads(self) -> list[forms.BoundField]:
        """Give the fields above the rows."""
        return [self["note_number"], self["received_at"]]

    def rows(self) -> Iterator[tuple[Any, forms.BoundField, forms.BoundField, forms.BoundField]]:
        """Give each line with its fields."""
        for line in self.lines:
            key = line.pk.hex
            yield line, self[f"quantity_{key}"], self[f"unfit_{key}"], self[f"serials_{key}"]

    def rows_beside(self) -> Iterator[list[forms.BoundField]]:
        """Give the rows for what nobody ordered."""
        for place in range(ROWS_BESIDE):
            yield [self[f"{name}_{place}"] for name in ("part", "beside", "beside_unfit")]

    def clean(self) -> dict[str, Any]:
        """Turn the filled rows into what was delivered."""
        cleaned = super().clean() or {}
        if self.is_preview:
            return cleaned
        if not self.orders:
            self.add_error(None, _g("Choose the purchase orders that it is for."))
            return cleaned
        cleaned["order"] = self.orders[0]
        cleaned["items"] = [*self._ordered(cleaned), *self._beside(cleaned)]
        if not cleaned["items"] and not self.errors:
            self.add_error(None, _g("Nothing was delivered: enter what came."))
        return cleaned

    def _is_booked(self, cleaned: dict[str, Any]) -> bool:
        """Whether the note is booked: then the action tells whether this is the same again."""
        note, supplier = cleaned.get("note_number", ""), self.orders[0].supplier_id
        return Delivery.objects.filter(supplier=supplier, note_number=note).exists()

    def _ordered(self, cleaned: dict[str, Any]) -> Iterator[DeliveryItem]:
        may_be_more = cleaned.get("more_is_right") or self._is_booked(cleaned)
        for line in self.lines:
            key = line.pk.hex
            quantity, serials = cleaned.get(f"quantity_{key}"), serials_in(cleaned.get(f"serials_{key}", ""))
            if not quantity:
                if serials or cleaned.get(f"unfit_{key}"):
                    self.add_error(f"quantity_{key}", _g("Say how much came."))
                continue
            if twice := next((serial for serial in serials if serials.count(serial) > 1), ""):
                self.add_error(f"serials_{key}", _g("%(serial)s stands here twice.") % {"serial": twice})
            if quantity > line.open_quantity and not may_be_more:
                more = _g("%(more)s more than ordered. If that is right, say so below.")
                self.add_error(f"quantity_{key}", more % {"more": plain(quantity - line.open_quantity)})
            yield DeliveryItem(
                line.part_id,
                quantity,
                cleaned.get(f"unfit_{key}") or ZERO,
                purchase_order_line_id=line.pk,
                serials=serials,
            )

    def _beside(self, cleaned: dict[str, Any]) -> Iterator[DeliveryItem]:
        for place in range(ROWS_BESIDE):
            part, quantity = cleaned.get(f"part_{place}"), cleaned.get(f"beside_{place}")
            if part and quantity:
                yield DeliveryItem(part.pk, quantity, cleaned.get(f"beside_unfit_{place}") or ZERO)
            elif part or quantity:
                self.add_error(f"part_{place}", _g("A line needs a part and a quantity."))


def _quantity(
    label: Any, places: int, start: Decimal | None, attrs: dict[str, Any] | None = None
) -> forms.DecimalField:
    step = {"step": plain(Decimal(1).scaleb(-places)), "min": "0", "inputmode": "decimal"}
    return forms.DecimalField(
        label=label,
        required=False,
        min_value=ZERO,
        decimal_places=places,
        initial=plain(start),
        widget=forms.NumberInput(attrs=step | (attrs or {})),
    )


def _book(subject: PurchaseOrder | None, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    order = cleaned["order"]
    booked = receive_delivery(
        supplier_id=order.supplier_id,
        warehouse_id=order.warehouse_id,
        note_number=cleaned["note_number"],
        lines=cleaned["items"],
        received_at=cleaned["received_at"],
        **told,
    )
    says = (
        _g("Delivery %(note)s was booked before; nothing was changed now.")
        if booked.replayed
        else _g("Delivery %(note)s booked. What to do with it stands below.")
    )
    return Done(says % {"note": booked.note_number}, Delivery.objects.get(pk=booked.delivery_id))


def _choices(subject: PurchaseOrder | None, form: DeedForm, told: dict[str, Any]) -> dict[str, Any]:
    """Return the purchase orders to choose from: all that are due, or those that may have come along with this one."""
    assert isinstance(form, DeliveryForm)
    if form.orders and subject is None:
        return {}
    search = form.asked.get("q", "")
    if subject is None:
        return {"search": search, "expected": expected_deliveries(search), "named": form.asked.getlist("orders")}
    along = PurchaseOrder.objects.filter(
        supplier=subject.supplier_id, warehouse=subject.warehouse_id, status=PurchaseOrderStatus.ORDERED
    )
    return {"along": list(along.exclude(pk=subject.pk).order_by("number", "id")[:20])}


_DELIVER: dict[str, Any] = {
    "title": _("Book a delivery"),
    "permission": "parts.receive_delivery",
    "form": DeliveryForm,
    "act": _book,
    "icon": "local_shipping",
    "intro": _(
        "What is still open is filled in; correct what differs. Once it is booked, whoever waits longest and most "
        "urgently has the parts, and the next page says what goes where."
    ),
    "template": "admin/parts/delivery/book.html",
    "context": _choices,
}
DELIVER = Deed(slug="deliver", offered=lambda order: order.status == "ordered", **_DELIVER)
BOOK = Deed(slug="book", on_list=True, **_DELIVER)

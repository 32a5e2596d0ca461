"""What is expected from suppliers, as the one at the dock looks at it: by order, and by every number of a part."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Min, Q

from parts.lookups import key_of
from parts.models import Part, PartNumber, PurchaseOrder, PurchaseOrderLine, SupplierPart
from parts.statuses import PurchaseOrderStatus

#: How many purchase orders are offered; who misses one, searches for it.
MOST_OFFERED = 60


@dataclass(frozen=True, slots=True)
class Expected:
    """The purchase orders of one supplier that go to one warehouse: what one delivery can be for."""

    supplier: str
    warehouse: str
    orders: Sequence[PurchaseOrder]


def expected_deliveries(search: str = "") -> list[Expected]:
    """Return what is still to come, what is due first first; with a search, what its number, supplier or part fits.

    Each order has `open_lines` and `next_on`. One query, and three more for a search.
    """
    orders = PurchaseOrder.objects.filter(status=PurchaseOrderStatus.ORDERED)
    if term := search.strip():
        parts = parts_by_code(term)
        orders = orders.filter(
            Q(number__istartswith=term)
            | Q(supplier__code__istartswith=term)
            | Q(supplier__name__icontains=term)
            | Q(pk__in=PurchaseOrderLine.objects.filter(is_open=True, part__in=parts).values("purchase_order"))
        )
    waits = Q(lines__is_open=True)
    orders = orders.annotate(open_lines=Count("lines", filter=waits), next_on=Min("lines__expected_on", filter=waits))
    found = list(
        orders.select_related("supplier", "warehouse").order_by(F("next_on").asc(nulls_last=True), "id")[:MOST_OFFERED]
    )
    first: dict[tuple[UUID, UUID], date] = {}
    for order in found:
        first.setdefault((order.supplier_id, order.warehouse_id), getattr(order, "next_on", None) or date.max)
    found.sort(key=lambda order: (first[order.supplier_id, order.warehouse_id], order.supplier_id, order.warehouse_id))
    together = groupby(found, key=lambda order: (order.supplier_id, order.warehouse_id))
    groups = [list(group) for _, group in together]
    return [Expected(group[0].supplier.full_name, str(group[0].warehouse), group) for group in groups]


def open_lines(order_ids: Collection[UUID], also: Collection[UUID] = ()) -> list[Any]:
    """Return the lines of these orders that wait for something (and those named), with `open_quantity`. One query."""
    lines = PurchaseOrderLine.objects.filter(Q(is_open=True) | Q(pk__in=also), purchase_order__in=order_ids)
    lines = lines.with_open_quantity()
    return list(
        lines.select_related("part__unit", "purchase_order").order_by("purchase_order__number", "position", "id")
    )


def codes_of(part_ids: Collection[UUID], supplier_id: UUID | None) -> dict[UUID, list[str]]:
    """Return by which keys (see `parts.lookups`) each part may stand on a label: ours, other systems', the supplier's.

    Three queries.
    """
    codes: defaultdict[UUID, set[str]] = defaultdict(set)
    numbers: Sequence[tuple[UUID, str]] = [
        *Part.objects.filter(pk__in=part_ids).values_list("pk", "number"),
        *PartNumber.objects.filter(part__in=part_ids).values_list("part", "number"),
        *SupplierPart.objects.filter(part__in=part_ids, supplier=supplier_id).values_list("part", "supplier_number"),
    ]
    for part_id, number in numbers:
        if key := key_of(number):
            codes[part_id].add(key)
    return {part_id: sorted(keys) for part_id, keys in codes.items()}


def parts_by_code(code: str) -> set[UUID]:
    """Return the parts that go by a number in any system. Three queries."""
    return {
        *Part.objects.filter(number__key_is=code).values_list("pk", flat=True),
        *PartNumber.objects.filter(number__key_is=code).values_list("part", flat=True),
        *SupplierPart.objects.filter(supplier_number__key_is=code).values_list("part", flat=True),
    }

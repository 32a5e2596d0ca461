"""Parts orders and lines as JSON that PostgreSQL writes: a page with all its lines is one statement.

`orders.api.shapes` describes the same documents for the API's schema; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet, TextField
from django.db.models.expressions import RawSQL

from orders.statuses import LINE_SHIPPED
from orders.wording import LINE, SERVICE_ORDER, WORDS, word_of, words_parameters
from parts.masking import FOR_STAFF


def _object(members: Mapping[str, str]) -> str:
    return "json_build_object(" + ", ".join(f"'{name}', {value}" for name, value in members.items()) + ")"


#: The back order of a child line; only children have one.
_BACK_ORDER = """(
    SELECT json_build_object(
        'id', back_order.id, 'reference', back_order.reference, 'status', back_order.status,
        'quantity', back_order.quantity::text, 'expected_on', back_order.expected_on
    )
    FROM backorders_backorder AS back_order
    WHERE back_order.line_id = {line}.id
)"""


#: What was read off the units of a line when they left; of one that has not left, nothing is looked up.
_SERIALS = f"""CASE WHEN {{line}}.status IN ({", ".join(f"'{status}'" for status in LINE_SHIPPED)}) THEN (
    SELECT coalesce(json_agg(shipped.serial ORDER BY shipped.id), '[]')
    FROM orders_shipmentline AS item
    JOIN orders_shippedserial AS shipped ON shipped.shipment_line_id = item.id
    WHERE item.line_id = {{line}}.id
) ELSE '[]'::json END"""


def _line(
    line: str, *, back_order: str, part: str = "part.number", warehouse: str = "warehouse.code"
) -> dict[str, str]:
    return {
        "id": f"{line}.id",
        "reference": f"{line}.reference",
        "version": f"{line}.version",
        "position": f"{line}.position",
        "part": f"{line}.part_id",
        "part_number": part,
        "quantity": f"{line}.quantity::text",
        "status": f"{line}.status",
        "customer_status": word_of(f"{line}.status"),
        "status_since": f"{line}.status_since",
        "progress": f"{line}.progress::text",
        "warehouse": f"{line}.warehouse_id",
        "warehouse_code": warehouse,
        "requested_on": f"{line}.requested_on",
        "first_promised_on": f"{line}.first_promised_on",
        "promised_on": f"{line}.promised_on",
        "kept_back": f"{line}.kept_back",
        "serials": _SERIALS.format(line=line),
        "back_order": back_order,
    }


_CHILDREN = f"""(
    SELECT coalesce(json_agg({_object(_line("child", back_order=_BACK_ORDER.format(line="child")))}
        ORDER BY child.child_number), '[]')
    FROM orders_orderline AS child
    JOIN parts_part AS part ON part.id = child.part_id
    LEFT JOIN parts_warehouse AS warehouse ON warehouse.id = child.warehouse_id
    WHERE child.parent_id = {{line}}.id
)"""


def _family(line: str) -> str:
    return f"CASE WHEN {line}.is_split THEN {_CHILDREN.format(line=line)} ELSE '[]'::json END"


_LINES = f"""(
    SELECT coalesce(json_agg({_object(_line("line", back_order="NULL") | {"children": _family("line")})}
        ORDER BY line.position), '[]')
    FROM orders_orderline AS line
    JOIN parts_part AS part ON part.id = line.part_id
    LEFT JOIN parts_warehouse AS warehouse ON warehouse.id = line.warehouse_id
    WHERE line.order_id = orders_partsorder.id AND line.parent_id IS NULL
)"""

#: Lies in the vault; nothing is left of it where it was erased.
_HOLD_REASON = "coalesce((SELECT text FROM orders_eventtext WHERE event_id = orders_partsorder.hold_event_id), '')"

_MEMBERS_OF_ORDER = {
    "id": "orders_partsorder.id",
    "reference": "orders_partsorder.reference",
    "version": "orders_partsorder.version",
    "kind": "orders_partsorder.kind",
    "status": "orders_partsorder.status",
    "customer_status": word_of("orders_partsorder.status"),
    "status_since": "orders_partsorder.status_since",
    "progress": "orders_partsorder.progress::text",
    "customer": "orders_partsorder.customer_id",
    "customer_code": "(SELECT code FROM orders_customer WHERE id = orders_partsorder.customer_id)",
    "service_order": "orders_partsorder.service_order_id",
    "region": "(SELECT code FROM parts_region WHERE id = orders_partsorder.region_id)",
    "destination": "orders_partsorder.destination_id",
    "external_reference": "orders_partsorder.external_reference",
    "requested_on": "orders_partsorder.requested_on",
    "complete_delivery_only": "orders_partsorder.complete_delivery_only",
    "on_hold": "orders_partsorder.on_hold",
    "hold_reason": _HOLD_REASON,
    "is_test": "orders_partsorder.is_test",
    "created_at": "orders_partsorder.created_at",
    "lines": _LINES,
}
_ORDER = _object(_MEMBERS_OF_ORDER)
#: What our people say among themselves is not for those the order is for.
_ORDER_FOR_OTHERS = _object(_MEMBERS_OF_ORDER | dict.fromkeys(FOR_STAFF["parts_order"], "NULL"))

_LINE = _object(
    {"order": "orders_orderline.order_id", "parent": "orders_orderline.parent_id"}
    | _line(
        "orders_orderline",
        part="(SELECT number FROM parts_part WHERE id = orders_orderline.part_id)",
        warehouse="(SELECT code FROM parts_warehouse WHERE id = orders_orderline.warehouse_id)",
        back_order="CASE WHEN orders_orderline.parent_id IS NOT NULL THEN "
        + _BACK_ORDER.format(line="orders_orderline")
        + " END",
    )
    | {"children": _family("orders_orderline")}
)


def orders_as_documents(queryset: QuerySet[Any], *, for_staff: bool = True) -> QuerySet[Any, dict[str, Any]]:
    """Return rows of `id`, `version` and `document` (JSON text) of parts orders with their lines.

    What customers read is in the language spoken now; why an order is held, others than staff do not read.
    """
    return _as_documents(queryset, _ORDER if for_staff else _ORDER_FOR_OTHERS)


def lines_as_documents(queryset: QuerySet[Any]) -> QuerySet[Any, dict[str, Any]]:
    """Return rows of `id`, `version` and `document` (JSON text) of lines, a split one with its children."""
    return _as_documents(queryset, _LINE)


def with_customer_status(queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Return service orders with `customer_status`, what customers read, in the language spoken now."""
    word = RawSQL(word_of("orders_serviceorder.status"), words_parameters(SERVICE_ORDER), TextField())
    return queryset.annotate(customer_status=word)


def _as_documents(queryset: QuerySet[Any], document: str) -> QuerySet[Any, dict[str, Any]]:
    words = words_parameters(LINE) * document.count(WORDS)
    written = RawSQL(f"({document})::text", words, TextField())
    return queryset.annotate(document=written).values("id", "version", "document")

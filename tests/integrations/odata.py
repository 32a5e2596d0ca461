"""Outbound deliveries as OData returns them, for tests; nothing of them is anybody's data."""

from __future__ import annotations

from typing import Any


def item(number: str, quantity: Any, **more: Any) -> dict[str, Any]:
    return {
        "DeliveryDocumentItem": number,
        "Material": "4711",
        "Batch": "",
        "ActualDeliveryQuantity": quantity,
        "GoodsMovementStatus": "C",
        "HigherLvlItmOfBatSpltItm": "000000",
        **more,
    }


def delivery(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A delivery that left on 22 November 2026 at 8:58 by the sender's clock, as version 2 writes it."""
    return {
        "__metadata": {"type": "API_OUTBOUND_DELIVERY_SRV.A_OutbDeliveryHeaderType"},
        "DeliveryDocument": "80001234",
        "BillOfLading": "JD014",
        "OverallGoodsMovementStatus": "C",
        "OverallPickingStatus": "C",
        "ActualGoodsMovementDate": "/Date(1795305600000)/",
        "ActualGoodsMovementTime": "PT08H58M00S",
        "LastChangeDate": "/Date(1795305600000)/",
        "to_DeliveryDocumentItem": {"results": list(items)},
        **more,
    }

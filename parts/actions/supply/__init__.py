"""Every change of supply, by its verb: what is ordered from suppliers, and what they deliver."""

from parts.actions.supply.answers import Answer, Answered, take_answers
from parts.actions.supply.deliveries import BookedDelivery, BookedLine, DeliveryItem, receive_delivery
from parts.actions.supply.purchase_orders import (
    CancelledLine,
    Confirmation,
    ConfirmedLine,
    NewPurchaseOrder,
    PlacedPurchaseOrder,
    PurchaseLine,
    cancel_purchase_order_line,
    confirm_purchase_order_lines,
    place_purchase_order,
    place_purchase_orders,
)

__all__ = [
    "Answer",
    "Answered",
    "BookedDelivery",
    "BookedLine",
    "CancelledLine",
    "Confirmation",
    "ConfirmedLine",
    "DeliveryItem",
    "NewPurchaseOrder",
    "PlacedPurchaseOrder",
    "PurchaseLine",
    "cancel_purchase_order_line",
    "confirm_purchase_order_lines",
    "place_purchase_order",
    "place_purchase_orders",
    "receive_delivery",
    "take_answers",
]

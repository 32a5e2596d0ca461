"""Floor 1's nouns: customers, jobs, parts orders and the ledger."""

from orders.models.attachments import Attachment
from orders.models.customers import Customer, CustomerAccess, Equipment, ServiceContract
from orders.models.desk import SavedView, StockVisibilityRule
from orders.models.ledger import EventCursor, EventText, LedgerAnchor, OrderEvent
from orders.models.overrides import ConsentRule, Override, OverrideRequest
from orders.models.parts_orders import OrderLine, PartsOrder, Shipment, ShipmentLine, ShippedSerial
from orders.models.service_orders import DiagnosticNote, LabourEntry, ReturnShipment, ServiceOrder
from orders.models.tracking import TrackingLink
from orders.models.words import CustomerWord, CustomerWordDraft

__all__ = [
    "Attachment",
    "ConsentRule",
    "Customer",
    "CustomerAccess",
    "CustomerWord",
    "CustomerWordDraft",
    "DiagnosticNote",
    "Equipment",
    "EventCursor",
    "EventText",
    "LabourEntry",
    "LedgerAnchor",
    "OrderEvent",
    "OrderLine",
    "Override",
    "OverrideRequest",
    "PartsOrder",
    "ReturnShipment",
    "SavedView",
    "ServiceContract",
    "ServiceOrder",
    "Shipment",
    "ShipmentLine",
    "ShippedSerial",
    "StockVisibilityRule",
    "TrackingLink",
]

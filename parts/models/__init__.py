"""The ground floor's nouns: catalogue, stock and supply."""

from parts.models.catalogue import Category, Part, PartNumber, PartRelation, UnitOfMeasure
from parts.models.changes import PartChange
from parts.models.counting import StockCount, StockCountLine
from parts.models.stock import Region, Reservation, StockCorrection, StockLevel, StockMovement, StockTransfer, Warehouse
from parts.models.supply import (
    Delivery,
    DeliveryLine,
    DeliverySerial,
    PurchaseOrder,
    PurchaseOrderLine,
    Supplier,
    SupplierPart,
)

__all__ = [
    "Category",
    "Delivery",
    "DeliveryLine",
    "DeliverySerial",
    "Part",
    "PartChange",
    "PartNumber",
    "PartRelation",
    "PurchaseOrder",
    "PurchaseOrderLine",
    "Region",
    "Reservation",
    "StockCorrection",
    "StockCount",
    "StockCountLine",
    "StockLevel",
    "StockMovement",
    "StockTransfer",
    "Supplier",
    "SupplierPart",
    "UnitOfMeasure",
    "Warehouse",
]

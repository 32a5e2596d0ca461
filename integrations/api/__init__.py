"""The doors for machines."""

from integrations.api.inbound import InboundViewSet
from integrations.api.snapshots import InventorySnapshotViewSet
from integrations.api.status_updates import StatusUpdateViewSet

__all__ = ["InboundViewSet", "InventorySnapshotViewSet", "StatusUpdateViewSet"]

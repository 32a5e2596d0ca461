"""The doors for machines."""

from integrations.api.inbound import InboundViewSet
from integrations.api.snapshots import InventorySnapshotViewSet
from integrations.api.status_updates import StatusUpdateViewSet
from integrations.api.subscribers import OutboundDeliveryViewSet, SubscriberViewSet

__all__ = [
    "InboundViewSet",
    "InventorySnapshotViewSet",
    "OutboundDeliveryViewSet",
    "StatusUpdateViewSet",
    "SubscriberViewSet",
]

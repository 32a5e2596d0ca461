"""Floor 1's resources."""

from orders.api.lines import OrderLineViewSet
from orders.api.parts_orders import PartsOrderViewSet
from orders.api.service_orders import ServiceOrderViewSet
from orders.api.status_updates import StatusUpdateViewSet

__all__ = ["OrderLineViewSet", "PartsOrderViewSet", "ServiceOrderViewSet", "StatusUpdateViewSet"]

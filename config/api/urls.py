"""The API's addresses."""

from __future__ import annotations

from typing import Any

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from backorders.api import AvailabilityViewSet, BackOrderViewSet
from config.api.event_schemas import event_schema
from config.api.router import Router
from integrations.api import (
    InboundViewSet,
    InventorySnapshotViewSet,
    OutboundDeliveryViewSet,
    StatusUpdateViewSet,
    SubscriberViewSet,
)
from orders.api import OrderLineViewSet, PartsOrderViewSet, ServiceOrderViewSet
from parts.api import DeliveryViewSet, PartViewSet, PurchaseOrderViewSet, StockMovementViewSet
from parts.errors import NotFound
from parts.sentences import sentence

router = Router()
router.register("service-orders", ServiceOrderViewSet)
router.register("parts-orders", PartsOrderViewSet, key_required=["create"])
router.register("lines", OrderLineViewSet)
router.register("back-orders", BackOrderViewSet)
router.register("parts", PartViewSet)
router.register("availability", AvailabilityViewSet)
router.register("stock-movements", StockMovementViewSet)
router.register("purchase-orders", PurchaseOrderViewSet)
router.register("deliveries", DeliveryViewSet, key_required=["create"])
router.register("subscribers", SubscriberViewSet)
router.register("outbound-deliveries", OutboundDeliveryViewSet)
router.register("status-updates", StatusUpdateViewSet, key_required=["create"])


class SchemaView(SpectacularAPIView):
    content_negotiation_class = DefaultContentNegotiation
    permission_classes = [AllowAny]


class DocsView(SpectacularSwaggerSplitView):
    content_negotiation_class = DefaultContentNegotiation
    permission_classes = [AllowAny]


class UnknownAddress(APIView):
    """What lies at no known address says so in the API's own words."""

    permission_classes = [AllowAny]
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse whatever is asked. Raises NotFound."""
        raise NotFound(sentence("There is no such address. Addresses end with a slash; /api/v1/docs/ lists them."))


urlpatterns = [
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", DocsView.as_view(url_name="api:schema"), name="docs"),
    # Not through the router: what is kept here is kept whatever comes of it, and knows repeats by keys of its own.
    path("inbound/<slug:system>/", InboundViewSet.as_view({"get": "list", "post": "create"}), name="inbound-list"),
    re_path(
        rf"^inbound/(?P<system>[-a-z0-9]+)/(?P<pk>{InboundViewSet.lookup_value_regex})/$",
        InboundViewSet.as_view({"get": "retrieve"}),
        name="inbound-detail",
    ),
    path(
        "snapshots/<slug:system>/",
        InventorySnapshotViewSet.as_view({"get": "list", "post": "create"}),
        name="snapshots-list",
    ),
    re_path(
        rf"^snapshots/(?P<system>[-a-z0-9]+)/(?P<pk>{InventorySnapshotViewSet.lookup_value_regex})/$",
        InventorySnapshotViewSet.as_view({"get": "retrieve"}),
        name="snapshots-detail",
    ),
    path("event-schemas/<str:name>", event_schema, name="event-schema"),
    path("", include(router.urls)),
    re_path("", UnknownAddress.as_view()),
]

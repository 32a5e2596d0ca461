"""The addresses at which staff makes and revokes customers' links: /links/."""

from django.urls import path

from config.tracking import staff

app_name = "links"

urlpatterns = [
    path("service-orders/<uuid:order_id>/", staff.links, {"kind": "service_order"}, name="of_service_order"),
    path("parts-orders/<uuid:order_id>/", staff.links, {"kind": "parts_order"}, name="of_parts_order"),
    path("<uuid:link_id>/revoke/", staff.revoke, name="revoke"),
]

"""The addresses of the desk."""

from django.urls import path

from config.desk import attachments, orders

app_name = "desk"

urlpatterns = [
    path("orders/<str:reference>/", orders.service_order, name="service-order"),
    path("parts-orders/<str:reference>/", orders.parts_order, name="parts-order"),
    path("files/<uuid:key>/", attachments.file, name="file"),
]

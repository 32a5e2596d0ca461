"""The addresses of the auditor's pages."""

from django.urls import path

from config.audit import history

app_name = "audit"

urlpatterns = [
    path("", history.history, name="history"),
    path("chains/<uuid:key>/", history.subject, name="chain"),
]

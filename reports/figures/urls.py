"""The addresses of the figures."""

from django.urls import path

from reports.figures import views

app_name = "figures"

urlpatterns = [
    path("", views.figures, name="figures"),
    path("<slug:name>/", views.figure, name="figure"),
]

"""The addresses of the figures: all of them on one page, and one for each."""

from django.urls import path

from reports.figures import views
from reports.figures.definitions import ALL
from reports.figures.standing import STANDING

app_name = "figures"

urlpatterns = [
    path("", views.figures, name="figures"),
    path("figures.csv", views.figures_csv, name="csv"),
    *(path(f"{name}/", views.figure, {"name": name}, name=name) for name in (*ALL, *STANDING)),
]

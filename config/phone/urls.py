"""Addresses of the technician's phone."""

from django.urls import path

from config.phone.views import jobs, receiving, shell, telling, van

app_name = "phone"
urlpatterns = [
    path("", jobs.day, name="day"),
    path("jobs/<uuid:pk>/", jobs.job, name="job"),
    path("deliveries/", receiving.deliveries, name="deliveries"),
    path("van/", van.van, name="van"),
    path("waiting/", shell.waiting, name="waiting"),
    path("offline/", shell.offline, name="offline"),
    path("token/", shell.token, name="token"),
    path("tell-me/", telling.tell_me, name="tell-me"),
    path("tell-me-no-more/", telling.tell_me_no_more, name="tell-me-no-more"),
    path("manifest.webmanifest", shell.manifest, name="manifest"),
    path("sw.js", shell.worker, name="worker"),
]

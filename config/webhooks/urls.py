"""The addresses of partners' webhooks."""

from django.urls import path

from config.webhooks import views

app_name = "webhooks"

urlpatterns = [
    path("", views.listed, name="list"),
    path("new/", views.new, name="new"),
    path("<uuid:key>/", views.shown, name="one"),
    path("<uuid:key>/change/", views.change, name="change"),
    path("<uuid:key>/secret/", views.replace_secret, name="secret"),
    path("<uuid:key>/test/", views.send_test, name="test"),
    path("<uuid:key>/off/", views.switch_off, name="off"),
    path("<uuid:key>/on/", views.switch_on, name="on"),
    path("<uuid:key>/replay/", views.replay_since, name="replay"),
    path("<uuid:key>/deliveries/<uuid:delivery>/", views.delivery, name="delivery"),
    path("<uuid:key>/deliveries/<uuid:delivery>/again/", views.again, name="again"),
]

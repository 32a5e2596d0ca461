"""The addresses of customers' links: /track/<token>/."""

from django.urls import path

from config.tracking import told, views

app_name = "tracking"

urlpatterns = [
    path("<str:token>/", views.page, name="page"),
    path("<str:token>/reschedule/", views.reschedule, name="reschedule"),
    path("<str:token>/message/", views.message, name="message"),
    path("<str:token>/messages/", views.want_messages, name="want_messages"),
    path("<str:token>/told/", told.told, name="told"),
    path("<str:token>/told/address/", told.name_address, name="told_address"),
    path("<str:token>/one-click/", views.one_click, name="one_click"),
]

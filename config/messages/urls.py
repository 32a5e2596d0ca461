"""The addresses of messages: /messages/."""

from django.urls import path

from config.messages import alerts, inbox, mailbox, wordings

app_name = "messages"

urlpatterns = [
    path("", inbox.inbox, name="inbox"),
    path("alerts/", alerts.alerts, name="alerts"),
    path("alerts/<uuid:key>/acknowledge/", alerts.acknowledge, name="acknowledge"),
    path("count/", inbox.count, name="count"),
    path("read-all/", inbox.read_all, name="read-all"),
    path("notices/<uuid:key>/", inbox.notice, name="notice"),
    path("notices/<uuid:key>/read/", inbox.read, name="read"),
    path("notices/<uuid:key>/go/", inbox.go, name="go"),
    path("mailbox/", mailbox.mailbox, name="mailbox"),
    path("mailbox/<uuid:key>/", mailbox.letter, name="letter"),
    path("mailbox/<uuid:key>/email/", mailbox.email, name="letter-email"),
    path("wordings/", wordings.wordings, name="wordings"),
    path("wordings/<slug:code>/", wordings.wording, name="wording"),
    path("wordings/<slug:code>/email/", wordings.email, name="wording-email"),
    path("wordings/<slug:code>/versions/", wordings.versions, name="wording-versions"),
]

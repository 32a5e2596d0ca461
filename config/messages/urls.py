"""The addresses of messages: /messages/."""

from django.urls import path

from config.messages import (
    alerts,
    allowing,
    clear,
    confirming,
    digests,
    hooks,
    inbox,
    mailbox,
    preferences,
    status_words,
    watching,
    wordings,
)

app_name = "messages"

urlpatterns = [
    path("", inbox.inbox, name="inbox"),
    path("alerts/", alerts.alerts, name="alerts"),
    path("alerts/<uuid:key>/acknowledge/", alerts.acknowledge, name="acknowledge"),
    path("count/", inbox.count, name="count"),
    path("read-all/", inbox.read_all, name="read-all"),
    path("digests/", digests.digests, name="digests"),
    path("digests/new/", digests.new, name="digest-new"),
    path("digests/<uuid:key>/", digests.digest, name="digest"),
    path("digests/<uuid:key>/switch/", digests.switch, name="digest-switch"),
    path("digests/<uuid:key>/delete/", digests.delete, name="digest-delete"),
    path("notices/<uuid:key>/", inbox.notice, name="notice"),
    path("notices/<uuid:key>/read/", inbox.read, name="read"),
    path("notices/<uuid:key>/go/", inbox.go, name="go"),
    path("watch/service-orders/<uuid:key>/", watching.service_order, name="watch-service-order"),
    path("watch/parts-orders/<uuid:key>/", watching.parts_order, name="watch-parts-order"),
    path("preferences/", preferences.preferences, name="preferences"),
    path("preferences/addresses/", preferences.name_address, name="name-address"),
    path("preferences/addresses/<uuid:key>/remove/", preferences.remove_address, name="remove-address"),
    path("allow/<str:token>/", allowing.allow, name="allow"),
    path("confirm/<str:token>/", confirming.confirm, name="confirm"),
    path("mailbox/", mailbox.mailbox, name="mailbox"),
    path("mailbox/<uuid:key>/", mailbox.letter, name="letter"),
    path("mailbox/<uuid:key>/email/", mailbox.email, name="letter-email"),
    path("clear/<str:token>/", clear.clear, name="clear"),
    path("clarity/", clear.report, name="clarity"),
    path("words/", status_words.status_words, name="status-words"),
    path("words/<uuid:key>/again/", status_words.use_again, name="use-words-again"),
    path("words/<uuid:key>/withdraw/", status_words.withdraw, name="withdraw-words"),
    path("words/<slug:code>/", status_words.status_word, name="status-word"),
    path("hooks/email/<slug:provider>/<slug:kind>/", hooks.email, name="email-hook"),
    path("hooks/sms/", hooks.sms, name="sms-hook"),
    path("wordings/", wordings.wordings, name="wordings"),
    path("wordings/<slug:code>/", wordings.wording, name="wording"),
    path("wordings/<slug:code>/email/", wordings.email, name="wording-email"),
    path("wordings/<slug:code>/versions/", wordings.versions, name="wording-versions"),
]

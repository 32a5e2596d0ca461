"""What other systems sent: what was not accepted, why, and what can be done about it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter

from integrations.actions import settling
from integrations.admin.codes import code_questions
from integrations.models import InboundMessage
from orders.errors import word_of
from parts.admin.deeds import Deed, DeedForm, Done
from parts.admin.offices import Shown
from parts.sentences import from_kept

#: So much of a message is shown; the rest is behind a link of the API.
MOST_SHOWN = 20_000


class WhyForm(DeedForm):
    """Asks why."""

    reason = forms.CharField(label=_("Reason"), max_length=settling.LONGEST_REASON)


class CorrectForm(WhyForm):
    """The message as it is to be read."""

    body = forms.CharField(label=_("Message"), strip=False, widget=forms.Textarea)

    def shape(self) -> None:
        """Begin with what stands there."""
        self.fields["body"].initial = text_of(self.subject)
        self.order_fields(["body", "reason"])


def text_of(message: InboundMessage) -> str:
    """Return a message as text; what is no UTF-8 is shown as such."""
    return bytes(message.body).decode("utf-8", "replace")


def _replay(subject: InboundMessage, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    settling.replay(messages=[subject.pk], by=told["by"], at=told["at"])
    return Done(_g("It is worked on again."))


def _correct(subject: InboundMessage, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    body = cleaned["body"].encode()
    settling.edit(message=subject.pk, body=body, by=told["by"], at=told["at"], reason=cleaned["reason"])
    return Done(_g("It is worked on again."))


def _discard(subject: InboundMessage, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    settling.discard(messages=[subject.pk], by=told["by"], at=told["at"], reason=cleaned["reason"])
    return Done(_g("Nothing more is to come of it."))


def _needs_somebody(message: InboundMessage) -> bool:
    return message.status in settling.NEEDS_SOMEBODY


@admin.register(InboundMessage)
class InboundMessageOffice(Shown):
    """Messages as they came, and what became of them."""

    list_display = ("received_at", "system", "interface", "key", "status", "cause", "attempts", "repeats")
    list_filter = (("status", ChoicesDropdownFilter), ("received_at", RangeDateTimeFilter))
    list_select_related = ("system", "interface__system")
    search_fields = ("key",)
    ordering = ("-id",)
    panel_template = "admin/integrations/inboundmessage/panel.html"
    fields = (
        "system",
        "interface",
        "key",
        "way",
        "content_type",
        "received_at",
        "sent_at",
        "status",
        "cause",
        "waits_for",
        "due_at",
        "attempts",
        "settled_at",
        "repeats",
        "repeated_at",
    )
    deeds = (
        Deed(
            slug="replay",
            title=_("Work on it again"),
            permission="integrations.replay_inboundmessage",
            act=_replay,
            offered=_needs_somebody,
            icon="replay",
            inline=True,
        ),
        Deed(
            slug="correct",
            title=_("Correct it"),
            permission="integrations.replay_inboundmessage",
            form=CorrectForm,
            act=_correct,
            offered=_needs_somebody,
            icon="edit",
            intro=_("What came is kept. What you write here is read in its place."),
        ),
        Deed(
            slug="discard",
            title=_("Discard it"),
            permission="integrations.replay_inboundmessage",
            form=WhyForm,
            act=_discard,
            offered=_needs_somebody,
            icon="delete",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboundMessage]:
        """Leave the bodies where they are: a list shows none."""
        rows = super().get_queryset(request)
        match = request.resolver_match
        return rows.defer("body") if match and (match.url_name or "").endswith("_changelist") else rows

    def panel(self, request: HttpRequest, subject: InboundMessage) -> dict[str, Any]:
        """Return what came, what stands in its way and what was done about it."""
        text = text_of(subject)
        return {
            "text": text[:MOST_SHOWN],
            "is_cut": len(text) > MOST_SHOWN,
            "problems": [(kept.get("fact"), str(from_kept(kept["detail"]))) for kept in subject.problems],
            "outcomes": [(fact["outcome"], fact["reference"], word_of(fact["status"])) for fact in subject.facts],
            "questions": code_questions(subject),
            "may_decide": request.user.has_perm("integrations.decide_statuscode"),
            "done": list(subject.deeds.order_by("at", "id")[:50]),
        }

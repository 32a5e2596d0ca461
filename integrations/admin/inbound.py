"""What other systems sent: what was not accepted, why, and what can be done about it; and what their codes mean."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter

from integrations.actions import deciding, settling
from integrations.actions.deciding import EFFECTS, STATUSES, Decision
from integrations.facts import Code
from integrations.models import ExternalSystem, InboundMessage, StatusCode
from integrations.statuses import CodeSubject, Effect
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
            "decide": _decision_on(subject) if request.user.has_perm("integrations.decide_statuscode") else "",
            "done": list(subject.deeds.order_by("at", "id")[:50]),
        }


def _decision_on(message: InboundMessage) -> str:
    """Return where the code is decided on that a message waits for; nothing where it waits for something else."""
    kind, _colon, rest = message.waits_for.partition(":")
    if kind != "code":
        return ""
    code_list, _colon, code = rest.partition(":")
    asked = urlencode({"code_list": code_list, "code": code})
    return f"{reverse('admin:integrations_statuscode_decide-any')}?{asked}"


class DecideForm(DeedForm):
    """What a code means."""

    system = forms.ModelChoiceField(
        label=_("Only of this system"),
        queryset=ExternalSystem.objects.order_by("code"),
        required=False,
        empty_label=_("Whoever uses this list"),
    )
    code_list = forms.CharField(label=_("List"), max_length=40)
    release = forms.CharField(label=_("Release"), max_length=20, required=False, help_text=_("Empty: every release."))
    code = forms.CharField(label=_("Code"), max_length=40)
    says = forms.CharField(label=_("What the list says"), max_length=200, required=False)
    effect = forms.ChoiceField(label=_("Effect"), choices=[(name, Effect(name).label) for name in EFFECTS])
    meaning = forms.ChoiceField(label=_("Our status"), required=False)
    effective_from = forms.DateField(label=_("In force from"), widget=forms.DateInput)
    effective_until = forms.DateField(label=_("In force until"), required=False, help_text=_("The first day after."))
    reason = forms.CharField(label=_("Reason"), max_length=300)

    def shape(self) -> None:
        """Begin with the code that was asked about, or with the row."""
        labels = dict(CodeSubject.choices)
        meanings = [
            (labels[subject], [(f"{subject}:{status}", word_of(status)) for status in statuses])
            for subject, statuses in STATUSES.items()
        ]
        cast(forms.ChoiceField, self.fields["meaning"]).choices = [("", _("None")), *meanings]
        self.fields["effective_from"].initial = timezone.localdate()
        for name in ("system", "code_list", "release", "code", "says", "effect"):
            begin = getattr(self.subject, name, None) or self.asked.get(name, "")
            if begin:
                self.fields[name].initial = begin
        if self.subject is not None and self.subject.status:
            self.fields["meaning"].initial = f"{self.subject.subject}:{self.subject.status}"


def _decide(subject: StatusCode | None, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    about, _colon, status = cleaned["meaning"].partition(":")
    decision = Decision(
        subject=about or CodeSubject.LINE.value,
        status=status,
        effect=cleaned["effect"],
        effective_from=cleaned["effective_from"],
        effective_until=cleaned["effective_until"],
        reason=cleaned["reason"],
    )
    system = cleaned["system"]
    row = deciding.decide(
        code=Code(cleaned["code_list"], cleaned["release"], cleaned["code"]),
        system_id=system.pk if system else None,
        decision=decision,
        by=told["by"],
        at=told["at"],
        says=cleaned["says"],
    )
    return Done(_g("Decided. What waited for it is worked on again."), row)


_DECIDE: dict[str, Any] = {
    "title": _("Decide what a code means"),
    "permission": "integrations.decide_statuscode",
    "form": DecideForm,
    "act": _decide,
    "icon": "gavel",
    "intro": _("It holds from its day on. Messages that wait for it are worked on again at once."),
}


@admin.register(StatusCode)
class StatusCodeOffice(Shown):
    """What the codes of others mean, from when on, and how we know."""

    list_display = (
        "code_list",
        "release",
        "code",
        "says",
        "subject",
        "status",
        "effect",
        "certainty",
        "effective_from",
        "system",
    )
    list_filter = (("certainty", ChoicesDropdownFilter), ("effect", ChoicesDropdownFilter))
    list_select_related = ("system",)
    search_fields = ("code_list", "code", "says")
    ordering = ("code_list", "release", "code", "-effective_from", "id")
    deeds = (Deed(slug="decide", **_DECIDE), Deed(slug="decide-any", on_list=True, **_DECIDE))

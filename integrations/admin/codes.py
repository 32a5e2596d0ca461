"""What the codes of others mean: the lists, what waits for a decision, and the decision, with what could be meant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.db.models import Count, Min, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from integrations.actions import deciding
from integrations.actions.deciding import EFFECTS, STATUSES, Decision
from integrations.code_book import chosen
from integrations.facts import Code
from integrations.models import ExternalSystem, InboundMessage, StatusCode
from integrations.statuses import CodeSubject, Effect, MessageStatus, SupplyAnswer
from integrations.suggestions import Suggestion, suggestions_for
from orders.errors import word_of
from parts.admin.deeds import Deed, DeedForm, Done
from parts.admin.offices import Shown

#: So many codes of one message are answered with suggestions, and so many that wait are listed.
MOST_QUESTIONS, MOST_WAITING = 5, 20
_ASKS = {"code_unknown", "code_to_check", "codes_conflict"}


@dataclass(frozen=True, slots=True)
class Offered:
    """A suggestion as a page shows it: what it would mean, and where it is taken over."""

    suggestion: Suggestion
    meaning: str
    take: str


@dataclass(frozen=True, slots=True)
class Question:
    """A code that waits for a decision, with what could be meant."""

    code: Code
    decide: str
    offered: list[Offered] = field(default_factory=list)
    #: Codes that contradict each other: the row that says what each means, and that in words.
    against: list[tuple[StatusCode, str]] = field(default_factory=list)


def code_questions(message: InboundMessage) -> list[Question]:
    """Return the codes that stand in a message's way, each once. Two or three queries for each, at most five."""
    questions: dict[Code, Question] = {}
    for kept in message.problems:
        extra = kept.get("extra", {})
        if kept.get("code") not in _ASKS or len(questions) == MOST_QUESTIONS:
            continue
        code = Code(extra["code_list"], extra["release"], extra["read"])
        if code not in questions:
            questions[code] = _question(code, _contradicting(message, extra.get("codes", {}), code.release))
    return list(questions.values())


def _question(code: Code, against: list[tuple[StatusCode, str]]) -> Question:
    suggestions = suggestions_for(code)
    offered = [Offered(one, meaning_of(one.row), _address(code, one.row)) for one in suggestions]
    return Question(code, _address(code), offered, against)


def _contradicting(message: InboundMessage, codes: dict[str, str], release: str) -> list[tuple[StatusCode, str]]:
    """Return the rows by which codes contradict each other, as they hold today, and what each means."""
    named = {tuple(name.rsplit(" ", 1)) for name in codes}
    if not named:
        return []
    rows = StatusCode.objects.filter(
        Q(system__isnull=True) | Q(system=message.system_id),
        code_list__in={name[0] for name in named},
        code__in={name[-1] for name in named},
    )
    by_name: dict[tuple[str, ...], list[StatusCode]] = {}
    for row in rows:
        by_name.setdefault((row.code_list, row.code), []).append(row)
    today = timezone.localdate()
    held = [chosen(by_name.get(name, ()), release, today) for name in sorted(named)]
    return [(row, meaning_of(row)) for row in held if row is not None]


def meaning_of(row: StatusCode) -> str:
    """Return what a row means, in words: our status, or what else it does."""
    if row.effect != Effect.STATUS:
        return str(Effect(row.effect).label)
    return _word(row.subject, row.status)


def _word(subject: str, status: str) -> str:
    """Return what a status of ours, or a supplier's answer, is called."""
    if subject == CodeSubject.PURCHASE_ORDER_LINE and status in SupplyAnswer.values:
        return str(SupplyAnswer(status).label)
    return str(word_of(status))


def _address(code: Code, row: StatusCode | None = None) -> str:
    """Return where a code is decided on, the form filled in as a suggestion has it."""
    asked = {"code_list": code.code_list, "code": code.code}
    if row is not None:
        effect = row.effect if row.effect in EFFECTS else Effect.INFORMATION.value
        asked |= {"effect": effect, "says": row.says}
        if effect == Effect.STATUS:
            asked["meaning"] = f"{row.subject}:{row.status}"
    return f"{reverse('admin:integrations_statuscode_decide-any')}?{urlencode(asked)}"


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
            (labels[subject], [(f"{subject}:{status}", _word(subject, status)) for status in statuses])
            for subject, statuses in STATUSES.items()
        ]
        cast(forms.ChoiceField, self.fields["meaning"]).choices = [("", _("None")), *meanings]
        self.fields["effective_from"].initial = timezone.localdate()
        for name in ("system", "code_list", "release", "code", "says", "effect", "meaning"):
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


def _context(subject: StatusCode | None, form: DeedForm, told: dict[str, Any]) -> dict[str, Any]:
    """Return what could be meant, beside the form that asks."""
    given = {name: str(form[name].value() or "") for name in ("code_list", "release", "code", "says")}
    if not given["code"]:
        return {"offered": []}
    code = Code(given["code_list"], given["release"], given["code"])
    suggestions = suggestions_for(code, given["says"])
    return {"offered": [Offered(one, meaning_of(one.row), _address(code, one.row)) for one in suggestions]}


_DECIDE: dict[str, Any] = {
    "title": _("Decide what a code means"),
    "permission": "integrations.decide_statuscode",
    "form": DecideForm,
    "act": _decide,
    "icon": "gavel",
    "template": "admin/integrations/statuscode/decide.html",
    "context": _context,
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
    panel_template = "admin/integrations/statuscode/panel.html"
    overview_template = "admin/integrations/statuscode/overview.html"
    deeds = (Deed(slug="decide", **_DECIDE), Deed(slug="decide-any", on_list=True, **_DECIDE))

    def panel(self, request: HttpRequest, subject: StatusCode) -> dict[str, Any]:
        """Return every row that speaks of the same code, side by side, and what waits for it."""
        rows = list(
            StatusCode.objects.filter(code_list=subject.code_list, code=subject.code)
            .select_related("system", "decided_by")
            .order_by("system", "release", "-effective_from", "id")[:50]
        )
        waiting = InboundMessage.objects.filter(
            status=MessageStatus.PARKED, waits_for=Code(subject.code_list, subject.release, subject.code).key
        )
        holds = _holding(rows)
        return {
            "rows": [(row, meaning_of(row), row.pk in holds) for row in rows],
            "differ": len({(row.effect, row.status) for row in rows}) > 1,
            "waiting": waiting[:100].count(),
        }

    def overview(self, request: HttpRequest) -> dict[str, Any]:
        """Return the codes that messages wait for, those of most messages first."""
        rows = (
            InboundMessage.objects.filter(status=MessageStatus.PARKED, waits_for__startswith="code:")
            .order_by()
            .values("waits_for")
            .annotate(count=Count("id"), since=Min("received_at"))
            .order_by("-count", "waits_for")[:MOST_WAITING]
        )
        return {
            "waiting": [(*_asked_for(row["waits_for"]), row["count"], row["since"]) for row in rows],
            "may_decide": request.user.has_perm("integrations.decide_statuscode"),
        }


def _asked_for(waits_for: str) -> tuple[Code, str]:
    """Return the code that a message waits for, and where it is decided on."""
    _kind, _colon, rest = waits_for.partition(":")
    code_list, _colon, code = rest.partition(":")
    asked = Code(code_list, "", code)
    return asked, _address(asked)


def _holding(rows: Iterable[StatusCode]) -> set[Any]:
    """Return the keys of the rows that hold today: one for each system and release that speaks of a code."""
    rows = list(rows)
    today = timezone.localdate()
    held = set()
    for system in {None, *(row.system_id for row in rows)}:
        own = [row for row in rows if row.system_id in (None, system)]
        for release in {"", *(row.release for row in rows)}:
            row = chosen(own, release, today)
            if row is not None:
                held.add(row.pk)
    return held

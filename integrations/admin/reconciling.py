"""Logs of other systems beside what came in: what is missing on which side, and what people decided about it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from integrations.actions import reconciling
from integrations.actions.reconciling import Repaired
from integrations.admin.inbound import MOST_SHOWN
from integrations.models import Interface, Reconciliation, ReconciliationItem
from integrations.statuses import Direction, ItemKind, ItemStatus, ReconciliationStatus
from parts.admin.deeds import Deed, DeedForm, Done
from parts.admin.offices import Shown
from parts.labels import names_of


class AskForm(DeedForm):
    """A log, of which interface and period."""

    interface = forms.ModelChoiceField(
        label=_("Interface"),
        queryset=Interface.objects.filter(is_active=True, direction=Direction.IN)
        .select_related("system")
        .order_by("system__code", "code"),
    )
    begins = forms.DateTimeField(label=_("From"))
    ends = forms.DateTimeField(label=_("Until"))
    file = forms.FileField(label=_("Log: all messages that it sent then, in the form of the interface"))
    repairs_at_once = forms.BooleanField(
        label=_("Take in what is missing, and work again on what was not accepted, without asking"), required=False
    )

    def shape(self) -> None:
        """Begin with yesterday."""
        today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        self.fields["begins"].initial, self.fields["ends"].initial = today - timedelta(days=1), today


class WhyForm(DeedForm):
    """Asks why."""

    reason = forms.CharField(label=_("Reason"), max_length=reconciling.LONGEST_REASON)


def _ask(subject: None, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    file = cleaned["file"]
    asked = reconciling.ask(
        interface=cleaned["interface"],
        file=file,
        name=file.name,
        begins=cleaned["begins"],
        ends=cleaned["ends"],
        by=told["by"],
        at=told["at"],
        repairs_at_once=cleaned["repairs_at_once"],
    )
    return Done(_g("Received. It is compared within a minute or two."), asked)


def _in_words(repaired: Repaired) -> str:
    said = _g("Accepted: %(accepted)s.") % {"accepted": repaired.accepted}
    if repaired.others:
        said += " " + _g("Still to come, or not accepted: %(others)s; their messages say why.") % {
            "others": repaired.others
        }
    return said


def _repair_all(subject: Reconciliation, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    done = reconciling.repair_all(reconciliation=subject, by=told["by"], at=told["at"], reason=cleaned["reason"])
    return Done(_in_words(done), subject)


def _repair(subject: ReconciliationItem, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    done = reconciling.repair(items=[subject.pk], by=told["by"], at=told["at"], reason=cleaned["reason"])
    return Done(_in_words(done))


def _explain(subject: ReconciliationItem, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    reconciling.explain(items=[subject.pk], by=told["by"], at=told["at"], reason=cleaned["reason"])
    return Done(_g("It stays as it is."))


def _is_open(row: ReconciliationItem) -> bool:
    return row.status == ItemStatus.OPEN


@admin.register(Reconciliation)
class ReconciliationOffice(Shown):
    """Logs that were compared."""

    list_display = (
        "asked_at",
        "interface",
        "begins",
        "ends",
        "status",
        "logged",
        "matched",
        "missing_here",
        "missing_there",
        "different",
        "unworked",
    )
    list_filter = (("status", ChoicesDropdownFilter),)
    list_select_related = ("interface__system",)
    search_fields = ("interface__system__code", "interface__code", "file_name")
    ordering = ("-asked_at", "-id")
    panel_template = "admin/integrations/reconciliation/panel.html"
    fields = (("interface", "status"), ("begins", "ends"), ("file_name", "repairs_at_once"), ("asker", "asked_at"))
    deeds = (
        Deed(
            slug="ask",
            title=_("Reconcile a log"),
            permission="integrations.reconcile",
            form=AskForm,
            act=_ask,
            icon="compare_arrows",
            on_list=True,
            intro=_("What the other system says it sent is compared with what is here, message by message."),
        ),
        Deed(
            slug="repair",
            title=_("Take in what is missing"),
            permission="integrations.reconcile",
            form=WhyForm,
            act=_repair_all,
            offered=lambda row: row.status == ReconciliationStatus.COMPARED and bool(row.missing_here + row.unworked),
            icon="healing",
            intro=_(
                "What is missing here is taken in, and what was not accepted is worked on again. Each message has its"
                " effect once and finds its place by its own time. What differs is left for you to decide."
            ),
        ),
    )

    @display(description=_("asked for by"))
    def asker(self, row: Reconciliation) -> str:
        """Who asked for it, by name."""
        return names_of([row.asked_by])[row.asked_by]

    def panel(self, request: HttpRequest, subject: Reconciliation) -> dict[str, Any]:
        """Return what was found, and the first of what is still to be decided."""
        kinds = [(kind.value, kind.label, getattr(subject, kind.value)) for kind in ItemKind]
        rows = subject.items.filter(status=ItemStatus.OPEN).select_related("message__system").order_by("id")
        return {"kinds": kinds, "open": list(rows.defer("theirs", "message__body")[:50])}


@admin.register(ReconciliationItem)
class ReconciliationItemOffice(Shown):
    """Messages on which a log and we do not agree."""

    list_display = ("key", "kind", "status", "outcome", "reconciliation", "decided_at")
    list_filter = (("status", ChoicesDropdownFilter), ("kind", ChoicesDropdownFilter))
    list_select_related = ("reconciliation__interface__system",)
    search_fields = ("key",)
    ordering = ("-id",)
    panel_template = "admin/integrations/reconciliationitem/panel.html"
    fields = (
        ("reconciliation", "key"),
        ("kind", "status"),
        ("outcome", "message"),
        ("decider", "decided_at"),
        "reason",
    )
    deeds = (
        Deed(
            slug="repair",
            title=_("Let it have its effect"),
            permission="integrations.reconcile",
            form=WhyForm,
            act=_repair,
            offered=lambda row: _is_open(row) and row.kind != ItemKind.MISSING_THERE,
            icon="healing",
            intro=_("What the log says is taken in as if it had come. A message that differs is taken in beside ours."),
        ),
        Deed(
            slug="explain",
            title=_("Leave it as it is"),
            permission="integrations.reconcile",
            form=WhyForm,
            act=_explain,
            offered=_is_open,
            icon="block",
        ),
    )

    @display(description=_("decided by"))
    def decider(self, row: ReconciliationItem) -> str:
        """Who decided, by name."""
        return names_of([row.decided_by])[row.decided_by] if row.decided_by else "–"

    def panel(self, request: HttpRequest, subject: ReconciliationItem) -> dict[str, Any]:
        """Return both sides, as text."""
        message = subject.message
        ours = bytes(message.body).decode("utf-8", "replace") if message else ""
        theirs = bytes(subject.theirs).decode("utf-8", "replace") if subject.theirs is not None else ""
        return {"ours": ours[:MOST_SHOWN], "theirs": theirs[:MOST_SHOWN]}

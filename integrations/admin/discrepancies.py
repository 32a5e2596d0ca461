"""Discrepancy cases: mine, overdue, by kind; opened from the pages of what they are about, and settled here."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.contrib.auth.models import Group, User
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter
from unfold.decorators import display

from integrations.actions import cases
from integrations.admin.sides import sides_of
from integrations.models import CountTolerance, Discrepancy, EscalationStep
from integrations.statuses import CaseStatus, DiscrepancyKind, Resolution
from orders.admin.chained import ByReference, Standing, noting
from orders.admin.timeline import timeline_panel
from orders.models import OrderLine, ServiceOrder
from parts.admin.deeds import Deed, DeedForm, Done, ReasonForm
from parts.admin.offices import Edited, Guest, Shown, bring
from parts.labels import full_name, mark, moment_label, role_word
from parts.models import Delivery, StockLevel

#: How many cases the page of what they are about shows.
MOST_SHOWN = 10
#: How a case names what it is about, and the kind that people mostly open there.
ABOUT: dict[type[Model], tuple[str, str]] = {
    ServiceOrder: ("service_order_id", DiscrepancyKind.MESSAGE_STATUS.value),
    OrderLine: ("line_id", DiscrepancyKind.SCAN_ORDER.value),
    StockLevel: ("level_id", DiscrepancyKind.COUNT_LEVEL.value),
    Delivery: ("delivery_id", DiscrepancyKind.SCAN_ORDER.value),
}


class OpenForm(DeedForm):
    """What contradicts what."""

    kind = forms.ChoiceField(label=_("Kind"), choices=DiscrepancyKind.choices)
    expected = forms.CharField(label=_("What was expected"), max_length=200)
    found = forms.CharField(label=_("What was found instead"), max_length=200)
    note = forms.CharField(label=_("Note"), required=False, max_length=2000, widget=forms.Textarea)

    def shape(self) -> None:
        """Begin with what is mostly opened on such a page."""
        self.fields["kind"].initial = ABOUT[type(self.subject)][1]


def _open(subject: Model, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    what = cases.Contradiction(
        cleaned["kind"], cleaned["expected"], cleaned["found"], {ABOUT[type(subject)][0]: subject.pk}
    )
    row = cases.open_case(what=what, note=cleaned["note"], **told)
    says = _g("%(reference)s opened; %(role)s answers for it.")
    return Done(says % {"reference": row.reference, "role": role_word(row.role) or _g("nobody yet")}, row)


OPEN = Deed(
    slug="open-case",
    title=_("Open a case"),
    permission="integrations.open_discrepancy",
    form=OpenForm,
    act=_open,
    icon="rule",
    intro=_("Something says otherwise than this page. It gets a number, somebody who answers for it, and a time."),
)


def _cases_of(request: HttpRequest, subject: Any) -> list[Discrepancy]:
    rows = Discrepancy.objects.filter(**{ABOUT[type(subject)][0]: subject.pk})
    return list(rows.select_related("owner").order_by("status", "-id")[:MOST_SHOWN])


for _model in ABOUT:
    bring(
        _model,
        deeds=(OPEN,),
        guests=(
            Guest("admin/integrations/discrepancy/of.html", _cases_of, permission="integrations.view_discrepancy"),
        ),
    )


# --- Settling --------------------------------------------------------------------------------------------------------


class AssignForm(DeedForm):
    """Who settles it."""

    present: ClassVar[tuple[str, ...]] = ("owner",)
    owner = forms.ModelChoiceField(
        label=_("Owner"), queryset=User.objects.none(), required=False, empty_label=_("Nobody")
    )

    def shape(self) -> None:
        """Offer who may work on cases."""
        cast(forms.ModelChoiceField, self.fields["owner"]).queryset = cases.workers().order_by("username")


def _assign(subject: Discrepancy, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    person: User | None = cleaned["owner"]
    version = cleaned["expected_version"]
    cases.assign(case_id=subject.pk, owner_id=person.pk if person else None, expected_version=version, **told)
    return Done(_g("Given to %(person)s.") % {"person": person} if person else _g("Nobody has it now."))


def _take(subject: Discrepancy, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    cases.assign(case_id=subject.pk, owner_id=told["by"].user_id, only_free=True, **told)
    return Done(_g("It is yours."))


class CaseNoteForm(DeedForm):
    """What somebody should know."""

    text = forms.CharField(label=_("Note"), max_length=4000, widget=forms.Textarea)


class ResolveForm(DeedForm):
    """What was wrong, and what was done."""

    resolution = forms.ChoiceField(label=_("What was wrong"), choices=[("", _("Choose…")), *Resolution.choices])
    text = forms.CharField(label=_("What was done"), max_length=4000, widget=forms.Textarea)


def _is_open(row: Any) -> bool:
    return row.status == CaseStatus.OPEN


class WhoseFilter(SimpleListFilter):
    """`?whose=mine`: the reader's own, their role's, or nobody's."""

    title = _("whose")
    parameter_name = "whose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Say what there is."""
        return [("mine", _("Mine")), ("role", _("My role's")), ("nobody", _("Nobody's"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep them."""
        if self.value() == "mine":
            return queryset.filter(owner=request.user)
        if self.value() == "role":
            return queryset.filter(role__in=request.user.groups.values("name"))
        return queryset.filter(owner__isnull=True) if self.value() == "nobody" else queryset


class OverdueFilter(SimpleListFilter):
    """`?overdue=yes`: open, and past its time."""

    title = _("overdue")
    parameter_name = "overdue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Only the ones that are."""
        return [("yes", _("Overdue"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep them."""
        return queryset.filter(status=CaseStatus.OPEN, due_at__lt=timezone.now()) if self.value() else queryset


#: What the timeline's values are called.
_WORDS = {**dict(CaseStatus.choices), **dict(DiscrepancyKind.choices), **dict(Resolution.choices)}


@admin.register(Discrepancy)
class DiscrepancyOffice(ByReference, Standing, Shown):
    list_display = ("reference", "kind", "state", "about", "differs", "whose", "due")
    list_filter = (
        WhoseFilter,
        OverdueFilter,
        ("kind", ChoicesDropdownFilter),
        ("status", ChoicesDropdownFilter),
        ("created_at", RangeDateTimeFilter),
    )
    search_fields = ("reference", "line__reference", "service_order__reference", "level__part__number")
    ordering = ("status", "due_at", "id")
    fields = ("reference", "kind", "wanted", "seen", "owner", "answers", "step", "due_at", "created_at", "resolved_at")
    panel_template = "admin/integrations/discrepancy/panel.html"
    overview_template = "admin/integrations/discrepancy/overview.html"
    deeds = (
        Deed(
            slug="take",
            title=_("Take the case"),
            permission="integrations.work_discrepancy",
            act=_take,
            offered=lambda row: _is_open(row) and row.owner_id is None,
            icon="pan_tool",
            inline=True,
        ),
        Deed(
            slug="assign",
            title=_("Assign"),
            permission="integrations.work_discrepancy",
            form=AssignForm,
            act=_assign,
            offered=_is_open,
            icon="person_add",
        ),
        Deed(
            slug="note",
            title=_("Note"),
            permission="integrations.work_discrepancy",
            form=CaseNoteForm,
            act=noting(cases.add_note, key="case_id", names=("text",), says=_("Noted.")),
            icon="edit_note",
        ),
        Deed(
            slug="resolve",
            title=_("Resolve"),
            permission="integrations.work_discrepancy",
            form=ResolveForm,
            act=noting(
                cases.resolve,
                key="case_id",
                names=("resolution", "text", "expected_version"),
                says=_("Resolved."),
            ),
            offered=_is_open,
            icon="task_alt",
        ),
        Deed(
            slug="reopen",
            title=_("Open it again"),
            permission="integrations.work_discrepancy",
            form=ReasonForm,
            act=noting(cases.reopen, key="case_id", names=("reason", "expected_version"), says=_("It is open again.")),
            offered=lambda row: not _is_open(row),
            icon="undo",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Discrepancy]:
        """Read what it is about along."""
        rows = super().get_queryset(request)
        rows = rows.select_related("owner", "service_order", "line", "level__part", "level__warehouse", "delivery")
        rows = rows.select_related("purchase_order_line__purchase_order", "purchase_order_line__part")
        return rows.select_related("count_line__count__warehouse", "correction")

    def overview(self, request: HttpRequest) -> dict[str, Any]:
        """Offer the lists that somebody begins the day with."""
        now = timezone.now()
        mine = Discrepancy.objects.filter(status=CaseStatus.OPEN, owner=request.user.pk)
        overdue = Discrepancy.objects.filter(status=CaseStatus.OPEN, due_at__lt=now)
        return {"mine": mine[:100].count(), "overdue": overdue[:100].count(), "kinds": DiscrepancyKind.choices}

    def title_of(self, subject: Any) -> str:
        """Say number and kind."""
        return f"{subject.reference} · {subject.get_kind_display()}"

    def panel(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Show what contradicts what, where it stands, and what was done."""
        return {
            "sides": sides_of(subject),
            "about": _links_to(subject),
            "is_overdue": _is_open(subject) and subject.due_at < timezone.now(),
            "steps": list(EscalationStep.objects.filter(kind=subject.kind).order_by("position")),
            **timeline_panel([subject.pk], words=_WORDS, of=subject.pk),
        }

    @display(description=_("expected"), ordering="expected")
    def wanted(self, row: Discrepancy) -> str:
        """What was expected."""
        return row.expected_said

    @display(description=_("found"), ordering="found")
    def seen(self, row: Discrepancy) -> str:
        """What was found."""
        return row.found_said

    @display(description=_("expected, and found"))
    def differs(self, row: Discrepancy) -> SafeString:
        """The two that contradict each other, one under the other."""
        return format_html('{} <span class="desk-under">{}</span>', row.expected_said, row.found_said)

    @display(description=_("answers for it"), ordering="role")
    def whose(self, row: Discrepancy) -> SafeString | str:
        """The person who has it, and the role that answers for it."""
        role = role_word(row.role)
        return format_html('{} <span class="desk-under">{}</span>', full_name(row.owner), role) if row.owner else role

    @display(description=_("answers for it"), ordering="role")
    def answers(self, row: Discrepancy) -> str:
        """The role that answers for it."""
        return role_word(row.role)

    @display(description=_("about"))
    def about(self, row: Discrepancy) -> str:
        """What it is about, in a word."""
        return _word(next(iter(_subjects(row))))

    @display(description=_("due"), ordering="due_at")
    def due(self, row: Discrepancy) -> SafeString | str:
        """Until when, marked where that has passed."""
        shown = moment_label(row.due_at)
        if not _is_open(row) or row.due_at >= timezone.now():
            return shown
        return format_html(
            '{} <span class="desk-under">{}</span>', shown, mark("danger", "triangle-alert", _g("overdue"))
        )


def _subjects(row: Discrepancy) -> list[Any]:
    ordered = row.purchase_order_line
    things = (row.line, row.service_order, row.level, row.delivery, ordered.purchase_order if ordered else None)
    return [found for found in things if found is not None]


def _word(subject: Any) -> str:
    if isinstance(subject, StockLevel):
        return f"{subject.part} · {subject.warehouse}"
    return str(subject)


def _links_to(row: Discrepancy) -> list[tuple[str, str]]:
    return [
        (_word(found), reverse(f"admin:{found._meta.app_label}_{found._meta.model_name}_change", args=[found.pk]))
        for found in _subjects(row)
    ]


# --- Rules as data ---------------------------------------------------------------------------------------------------


def _roles() -> list[tuple[str, str]]:
    return [(name, role_word(name)) for name in Group.objects.order_by("name").values_list("name", flat=True)]


@admin.register(EscalationStep)
class EscalationStepOffice(Edited):
    list_display = ("kind", "position", "answers", "hours")
    list_filter = (("kind", ChoicesDropdownFilter),)
    search_fields = ("role",)
    ordering = ("kind", "position")

    @display(description=_("role"), ordering="role")
    def answers(self, step: EscalationStep) -> str:
        """The role that answers for it."""
        return role_word(step.role)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the roles that there are."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "role":
            return forms.ChoiceField(label=field.label, choices=_roles)
        return field


@admin.register(CountTolerance)
class CountToleranceOffice(Edited):
    list_display = ("criticality", "share", "value")
    search_fields = ("criticality",)
    ordering = ("criticality",)

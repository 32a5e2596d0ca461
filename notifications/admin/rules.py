"""Rules of messages: what each does in words, edited with choices from data, switched and copied on record."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from notifications import rule_words, trial
from notifications.actions import rules
from notifications.clocks import OF_LINES
from notifications.models import EscalationLevel, Rule
from notifications.statuses import Audience, Channel, Timing
from orders import event_words
from orders.statuses import Tier
from parts.admin.deeds import Deed, DeedForm, Done, ReasonForm
from parts.admin.offices import Edited, ReasonedForm
from parts.models import Region
from parts.statuses import Criticality, Purpose


def _several(label: Any, help_text: Any = "") -> Any:
    return forms.MultipleChoiceField(
        label=label,
        required=False,
        help_text=help_text or _("None chosen: any."),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )


class RuleForm(ReasonedForm):
    """A rule with choices from data in place of raw lists."""

    kinds = _several(_("events"), _("None where a time that runs out is meant."))
    to_statuses = _several(_("new status"))
    criticalities = _several(_("criticality of the part"))
    order_kinds = _several(_("kind of order"), _("None chosen: any, jobs without parts too."))
    tiers = _several(_("customer's tier"))
    regions = _several(_("regions"))
    fallbacks = _several(_("if that fails"), _("Other channels, the first that works is taken."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = sorted((kind, rule_words.kind_word(kind)) for kind in event_words.TITLES)
        choices: dict[str, Any] = {
            "kinds": kinds,
            "to_statuses": sorted(rule_words.status_words().items(), key=lambda pair: pair[1]),
            "criticalities": Criticality.choices,
            "order_kinds": Purpose.choices,
            "tiers": Tier.choices,
            "regions": [(str(key), name) for key, name in Region.objects.order_by("code").values_list("pk", "name")],
            "fallbacks": Channel.choices,
        }
        for name, offered in choices.items():
            field = self.fields.get(name)
            if isinstance(field, forms.MultipleChoiceField):
                present = [str(each) for each in getattr(self.instance, name)]
                known = {str(value) for value, _label in offered}
                field.choices = [*offered, *((value, value) for value in present if value not in known)]
                field.initial = self.initial[name] = present
                field.label = capfirst(str(field.label))

    def clean_regions(self) -> list[UUID]:
        """Return the keys of the regions."""
        return [UUID(key) for key in self.cleaned_data["regions"]]

    def clean(self) -> dict[str, Any]:
        """Say what contradicts itself, at the field where it can be put right."""
        said = super().clean() or {}
        trigger, kinds = said.get("trigger"), said.get("kinds")
        if trigger and kinds:
            self.add_error("kinds", _("A rule speaks of events or of a time that ran out, not of both."))
        elif not trigger and not kinds:
            self.add_error("kinds", _("Choose an event, or a time that ran out."))
        if trigger and said.get("threshold_hours") is None:
            self.add_error("threshold_hours", _("Say after how many hours; 0 for at once."))
        if not trigger and said.get("threshold_hours") is not None:
            self.add_error("threshold_hours", _("Events have no hours to wait for: leave it empty."))
        if trigger and trigger not in OF_LINES and (said.get("criticalities") or said.get("order_kinds")):
            self.add_error("trigger", _("This time runs out for jobs, which have no part and no kind of parts order."))
        template = said.get("template")
        if template and said.get("audience") == Audience.CUSTOMER and not template.for_customers:
            self.add_error("template", _("Customers may not read this wording: choose one for customers."))
        if said.get("channel") in (said.get("fallbacks") or []):
            self.add_error("fallbacks", _("It is the first channel already."))
        if Channel.INBOX in (said.get("channel"), *(said.get("fallbacks") or [])) and (
            said.get("audience") == Audience.CUSTOMER
        ):
            self.add_error("channel", _("The inbox is in the house: customers have none."))
        if said.get("delay_minutes") and said.get("timing") != Timing.DELAYED:
            self.add_error("delay_minutes", _("Only what goes out after a while is delayed."))
        return said


class EscalationLevels(TabularInline):
    model = EscalationLevel
    extra = 0
    fields = ("level", "after_minutes", "audience", "channel")
    ordering = ("level",)


class CopyForm(DeedForm):
    """What the copy is called."""

    name = forms.CharField(label=_("Name"), max_length=120)


class TrialForm(DeedForm):
    """How far back it is tried."""

    days = forms.IntegerField(label=_("Days back"), min_value=1, max_value=90, initial=30)

    @property
    def is_preview(self) -> bool:
        """A trial only shows."""
        return True


def _trial(subject: Rule, form: DeedForm, told: dict[str, Any]) -> dict[str, Any]:
    if not (form.is_bound and form.is_valid()):
        return {}
    found = trial.tried(subject, at=told["at"], days=form.cleaned_data["days"])
    return {"trial": found, "most": max((count for _day, count in found.days), default=1)}


def _nothing(subject: Rule, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    return Done("")


def _switch(on: bool) -> Any:
    def act(subject: Rule, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
        rules.switch(rule_id=subject.pk, on=on, reason=cleaned["reason"], by=told["by"], at=told["at"])
        return Done(_g("The rule is on: it speaks of what happens from now on.") if on else _g("The rule is off."))

    return act


def _copy(subject: Rule, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    made = rules.copy(rule_id=subject.pk, name=cleaned["name"], by=told["by"], at=told["at"])
    return Done(_g("Copied. The copy is off until somebody switches it on."), made)


@admin.register(Rule)
class RuleOffice(Edited):
    list_display = ("called", "audience_word", "does", "is_on", "revision")
    list_display_links = ("called",)
    list_filter = (
        ("audience", ChoicesDropdownFilter),
        ("channel", ChoicesDropdownFilter),
        ("trigger", ChoicesDropdownFilter),
        "is_active",
    )
    search_fields = ("name", "code")
    search_help_text = _("Name or code")
    ordering = ("audience", "-importance", "code")
    inlines = (EscalationLevels,)
    readonly_fields = ("is_active", "active_since", "revision")
    fieldsets = (
        (None, {"fields": ("name", "code", ("is_active", "active_since", "revision"))}),
        (_("Of what"), {"fields": ("kinds", "public_only", "trigger", "threshold_hours")}),
        (_("Only"), {"fields": ("to_statuses", "criticalities", "order_kinds", "tiers", "regions")}),
        (_("To whom"), {"fields": ("audience", "channel", "fallbacks", "template")}),
        (
            _("When"),
            {
                "fields": (
                    ("timing", "delay_minutes"),
                    ("importance", "target_seconds"),
                    ("is_urgent", "cannot_be_muted"),
                    "when_stale",
                )
            },
        ),
    )
    deeds = (
        Deed(
            slug="try",
            title=_("Try it"),
            permission="notifications.change_rule",
            form=TrialForm,
            act=_nothing,
            icon="science",
            intro=_("Shows who would have got what in the last days. Nothing is sent and nothing is written."),
            template="admin/notifications/trial.html",
            context=_trial,
        ),
        Deed(
            slug="on",
            title=_("Switch on"),
            permission="notifications.switch_rule",
            form=ReasonForm,
            act=_switch(True),
            offered=lambda rule: not rule.is_active,
            icon="toggle_on",
            intro=_("It speaks of what is recorded from then on, never of what was before. Try it first."),
        ),
        Deed(
            slug="off",
            title=_("Switch off"),
            permission="notifications.switch_rule",
            form=ReasonForm,
            act=_switch(False),
            offered=lambda rule: rule.is_active,
            icon="toggle_off",
            intro=_("Nobody is told by it any more. Its alerts that stand end with it."),
        ),
        Deed(
            slug="copy",
            title=_("Copy"),
            permission="notifications.add_rule",
            form=CopyForm,
            act=_copy,
            icon="content_copy",
            intro=_("All of it with its levels, under another name, switched off."),
        ),
    )

    _regions: Mapping[UUID, str] = MappingProxyType({})

    def title_of(self, subject: Any) -> str:
        """Call a shipped rule in the reader's language."""
        return _g(subject.name)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rule]:
        """Keep the names of the regions for the sentences of this list."""
        self._regions = dict(Region.objects.values_list("pk", "name"))
        return super().get_queryset(request)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm[Any]]:
        """Offer choices from data, where it may be edited."""
        may = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        if may:
            kwargs["form"] = RuleForm
        return super().get_form(request, obj, change=change, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: messages prove by it why they were sent. It is switched off instead."""
        return False

    def panel(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Say in words what it does."""
        return {"does": self.does(subject)}

    panel_template = "admin/notifications/rule.html"

    @display(description=_("who is told"), ordering="audience")
    def audience_word(self, rule: Any) -> str:
        """The audience in words."""
        return str(rule.get_audience_display())

    @display(description=_("name"), ordering="name")
    def called(self, rule: Any) -> str:
        """The name; of a shipped rule, in the reader's language."""
        return _g(rule.name)

    @display(description=_("what it does"))
    def does(self, rule: Any) -> str:
        """The rule in one sentence."""
        return rule_words.sentence_of(rule, self._regions)

    @display(description=_("on"), boolean=True, ordering="is_active")
    def is_on(self, rule: Any) -> bool:
        """Whether it speaks."""
        return bool(rule.is_active)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write what changed as a new revision."""
        if change and set(form.changed_data) - {"change_reason"}:
            obj.revision = Rule.objects.select_for_update(no_key=True).get(pk=obj.pk).revision + 1
            form.changed_data.append("revision")
        super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Write the levels; the rule is another by them."""
        super().save_formset(request, form, formset, change)
        instance: Model = form.instance
        if change and formset.has_changed() and "revision" not in form.changed_data:
            rules.revise(rule_id=instance.pk)

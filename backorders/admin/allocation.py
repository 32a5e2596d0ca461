"""Runs, decisions and what was given: looked at, never touched."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest
from django.utils.formats import localize
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter
from unfold.decorators import display

from backorders.explaining import rule_word
from backorders.models import Allocation, AllocationDecision, AllocationRun
from backorders.statuses import cause_word
from parts.admin.filters import ChosenFilter
from parts.admin.offices import Shown
from parts.labels import plain, status_label
from parts.models import Part

#: How many decisions and parts the page of a run shows.
MOST_SHOWN = 200


@admin.register(AllocationRun)
class AllocationRunOffice(Shown):
    list_display = ("ran_at", "set_off_by", "by", "source", "policy_revision", "parts_seen")
    list_filter = (("ran_at", RangeDateTimeFilter),)
    search_fields = ("cause", "actor", "source")
    ordering = ("-id",)
    fields = ("set_off_by", "by", "source", "policy_revision", "ran_at", "recorded_at")
    panel_template = "admin/backorders/allocationrun/panel.html"

    def title_of(self, subject: Any) -> str:
        """Say what set it off, and when."""
        return f"{capfirst(cause_word(subject.cause))} · {localize(localtime(subject.ran_at))}"

    def panel(self, request: HttpRequest, subject: Any) -> dict[str, Any]:
        """Show who got what in it, and how much of each part there was."""
        rows = AllocationDecision.objects.filter(run=subject).select_related("back_order", "part")
        numbers = dict(Part.objects.filter(pk__in=[row["part"] for row in subject.parts]).values_list("pk", "number"))
        return {
            "decisions": [(row, rule_word(row.rule)) for row in rows.order_by("place", "id")[:MOST_SHOWN]],
            "parts": [
                {
                    "key": row["part"],
                    "number": numbers.get(UUID(row["part"]), row["part"]),
                    **{name: Decimal(row[name]) for name in ("free", "given", "left")},
                }
                for row in subject.parts[:MOST_SHOWN]
            ],
        }

    @display(description=_("cause"), ordering="cause")
    def set_off_by(self, run: AllocationRun) -> str:
        """The cause, in words."""
        return cause_word(run.cause)

    @display(description=_("parts"))
    def parts_seen(self, run: AllocationRun) -> int:
        """How many parts it went through."""
        return len(run.parts)


@admin.register(AllocationDecision)
class AllocationDecisionOffice(Shown):
    list_display = ("back_order", "part", "decided", "by_rule", "place", "asked", "free_before", "given", "ran_at")
    list_filter = (
        ("outcome", ChoicesDropdownFilter),
        ("part", ChosenFilter),
        ("run__ran_at", RangeDateTimeFilter),
    )
    list_select_related = ("back_order", "part", "run")
    search_fields = ("back_order__reference", "part__number")
    ordering = ("-id",)

    @display(description=_("outcome"), ordering="outcome")
    def decided(self, decision: AllocationDecision) -> SafeString:
        """The outcome, coloured."""
        return status_label(decision.outcome, decision.get_outcome_display())

    @display(description=_("rule"), ordering="rule")
    def by_rule(self, decision: AllocationDecision) -> str:
        """The rule, in words."""
        return rule_word(decision.rule)

    @display(description=_("ran at"))
    def ran_at(self, decision: AllocationDecision) -> Any:
        """When its run was."""
        return decision.run.ran_at


@admin.register(Allocation)
class AllocationOffice(Shown):
    list_display = ("back_order", "line", "part", "amount", "note", "allocated_at")
    list_filter = (("back_order__part", ChosenFilter), ("allocated_at", RangeDateTimeFilter))
    list_select_related = ("back_order__part", "line", "delivery_line__delivery")
    search_fields = ("back_order__reference", "line__reference", "delivery_line__delivery__note_number")
    ordering = ("-id",)

    def title_of(self, subject: Any) -> str:
        """Say how much to whom."""
        return f"{plain(subject.quantity)} → {subject.back_order}"

    @display(description=_("part"))
    def part(self, row: Allocation) -> str:
        """The part's number."""
        return row.back_order.part.number

    @display(description=_("quantity"), ordering="quantity")
    def amount(self, row: Allocation) -> str:
        """How much."""
        return plain(row.quantity)

    @display(description=_("delivery note"))
    def note(self, row: Allocation) -> str:
        """The delivery that it came with."""
        return row.delivery_line.delivery.note_number if row.delivery_line else ""

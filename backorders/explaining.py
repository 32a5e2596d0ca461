"""Why a back order got, kept or did not get what it did, in figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Min, Q, Sum
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backorders.models import AllocationDecision, AllocationPolicy, BackOrder
from backorders.priority import Facts, terms
from backorders.querysets import IS_OVERDUE
from backorders.statuses import BACK_ORDER_WAITING, Outcome, cause_word
from parts.errors import NotFound
from parts.models import StockLevel
from parts.sentences import sentence

#: What each rule of a decision means to a person.
RULES = {
    "whole": gettext_lazy("All of it was there when its turn came."),
    "part": gettext_lazy("Less than it needs was left when its turn came; it got that."),
    "minimum_fill": gettext_lazy("Less was left than the smallest part delivery it accepts."),
    "on_hold": gettext_lazy("It is on hold."),
    "own_warehouse": gettext_lazy("All that was left lies in the warehouse it is meant to fill."),
}
#: The same in a column of a table.
RULE_WORDS = {
    "whole": gettext_lazy("all of it"),
    "part": gettext_lazy("what was left"),
    "minimum_fill": gettext_lazy("too little was left"),
    "on_hold": gettext_lazy("on hold"),
    "own_warehouse": gettext_lazy("lies in its own warehouse"),
}


def rule_word(rule: str) -> str:
    """Return what a rule of a decision is called in a column."""
    return str(RULE_WORDS.get(rule, rule))


@dataclass(frozen=True, slots=True)
class Turn:
    """One decision about a back order: when, for what cause, and what it got of what was there."""

    at: datetime
    cause: str
    outcome: str
    rule: str
    says: str
    place: int
    asked: Decimal
    free_before: Decimal
    given: Decimal
    delivery_note: str

    @property
    def cause_word(self) -> str:
        """What set its run off, in words."""
        return cause_word(self.cause)

    @property
    def outcome_word(self) -> str:
        """What it did, in words."""
        return str(Outcome(self.outcome).label)


@dataclass(frozen=True, slots=True)
class Ahead:
    """A back order of the same part that stands before this one."""

    id: UUID
    reference: str
    rank: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Supply:
    """A purchase order line that this back order is pegged to.

    `overdue` tells that the day the supplier named has passed; there is no day to expect it on until they name another.
    """

    purchase_order: str
    quantity: Decimal
    expected_on: date | None
    overdue: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that decides about a back order, as it stands now. Quantities are in the part's unit.

    `rank_terms` add up to `rank` (unless the weights changed and the row has left the queue). `place` is None and
    `ahead` empty once it waits no more. `summary` says it in one sentence.
    """

    back_order_id: UUID
    reference: str
    status: str
    summary: str
    missing: Decimal
    rank: Decimal
    rank_terms: dict[str, Decimal]
    place: int | None
    quantity_ahead: Decimal
    ahead: tuple[Ahead, ...]
    free_now: Decimal
    minimum_fill: Decimal
    on_hold: bool
    expected_on: date | None
    supply: tuple[Supply, ...]
    turns: tuple[Turn, ...]

    @property
    def supply_is_overdue(self) -> bool:
        """No day is expected, because the day of supply that it counts on has passed."""
        return self.expected_on is None and any(each.overdue for each in self.supply)


def explain(back_order_id: UUID, most_ahead: int = 10) -> Explanation:
    """Explain a back order. A constant number of queries. Raises NotFound."""
    row = BackOrder.objects.select_related("part", "line").filter(pk=back_order_id).first()
    if row is None:
        raise NotFound(sentence("There is no such back order."), id=str(back_order_id))
    waits = row.status in BACK_ORDER_WAITING
    before = BackOrder.objects.waiting().filter(
        Q(rank__gt=row.rank) | Q(rank=row.rank, id__lt=row.id), part_id=row.part_id
    )
    totals = before.aggregate(count=Count("id"), quantity=Sum("quantity")) if waits else {}
    ahead = before.by_rank().values_list("id", "reference", "rank", "quantity")[:most_ahead] if waits else []
    free = StockLevel.objects.free().filter(part_id=row.part_id).aggregate(total=Sum("available"))["total"]
    supply = _supply(row) if waits else ()
    turns = _turns(row.id)
    place = (totals["count"] or 0) + 1 if waits else None
    policy = AllocationPolicy.objects.get(pk="default")
    return Explanation(
        back_order_id=row.id,
        reference=row.reference,
        status=row.status,
        summary=_summary(row, place, turns, free or Decimal(0), supply),
        missing=row.quantity if waits else Decimal(0),
        rank=row.rank,
        rank_terms=terms(Facts.from_json(row.rank_facts), row.opened_at, policy, pinned=row.pinned_at is not None),
        place=place,
        quantity_ahead=totals.get("quantity") or Decimal(0),
        ahead=tuple(Ahead(*values) for values in ahead),
        free_now=free or Decimal(0),
        minimum_fill=row.minimum_fill,
        on_hold=row.on_hold,
        expected_on=row.expected_on,
        supply=supply,
        turns=turns,
    )


def _supply(row: Any) -> tuple[Supply, ...]:
    pegs = row.pegs.annotate(overdue=IS_OVERDUE).order_by(F("expected_on").asc(nulls_last=True), "id")
    number = "purchase_order_line__purchase_order__number"
    return tuple(Supply(*values) for values in pegs.values_list(number, "quantity", "expected_on", "overdue"))


def _turns(back_order_id: UUID) -> tuple[Turn, ...]:
    rows = (
        AllocationDecision.objects.filter(back_order_id=back_order_id)
        .annotate(note=Min("allocations__delivery_line__delivery__note_number"))
        .order_by("-id")
        .values_list("run__ran_at", "run__cause", "outcome", "rule", "place", "asked", "free_before", "given", "note")[
            :50
        ]
    )
    return tuple(
        Turn(at, cause, outcome, rule, str(RULES.get(rule, rule)), place, asked, free_before, given, note or "")
        for at, cause, outcome, rule, place, asked, free_before, given, note in rows
    )


def _summary(row: Any, place: int | None, turns: tuple[Turn, ...], free: Decimal, supply: tuple[Supply, ...]) -> str:
    if place is None:
        if turns and turns[0].given:
            got = {"quantity": _plain(turns[0].given), "cause": turns[0].cause_word}
            return f"{row.get_status_display()}. " + _("It got %(quantity)s: %(cause)s.") % got
        return f"{row.get_status_display()}."
    said = [_("Waits for %(quantity)s.") % {"quantity": _plain(row.quantity)}, _ahead(place), _when(row, supply)]
    if free and not row.on_hold:  # what is free although it waits is not for it: say why
        rule = "minimum_fill" if free < row.minimum_fill else "own_warehouse"
        said += [_("%(quantity)s are free.") % {"quantity": _plain(free)}, str(RULES[rule])]
    elif row.on_hold:
        said.append(_("It is on hold and gets nothing until it is let go."))
    if turns:
        said.append(_("Last time: %(rule)s") % {"rule": turns[0].says})
    return " ".join(said)


def _ahead(place: int) -> str:
    if place == 1:
        return _("It is next in the queue.")
    return ngettext(
        "%(count)s stands before it in the queue.", "%(count)s stand before it in the queue.", place - 1
    ) % {"count": place - 1}


def _when(row: Any, supply: tuple[Supply, ...]) -> str:
    if row.expected_on:
        return _("Supply is expected on %(day)s.") % {"day": date_format(row.expected_on, "SHORT_DATE_FORMAT")}
    if any(each.overdue for each in supply):
        return _("Its supply is overdue, and there is no new date.")
    return _("No supply with a date is ordered for it.")


def _plain(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"

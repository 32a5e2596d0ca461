"""An order as somebody types it: every text as it was typed, what was found for it, and what is wrong where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from backorders.availability import Availability, availability
from config.desk.placing_paste import Pasted, read_day, read_quantity
from orders.actions.placing import MOST_LINES, SERVICE_KINDS, Wanted
from orders.visibility import Sight
from parts.keys import new_key
from parts.models import Part, Warehouse
from parts.resolving import StandIn, parts_called, stand_ins
from parts.statuses import Purpose

#: How many empty rows the page offers.
ROWS = 5
#: How many parts that go by the same number are shown.
MOST_MEANT = 6
#: The kind that follows from the job: emergency where its machine is down.
AS_THE_JOB = "by_job"


# --- The head --------------------------------------------------------------------------------------------------------


class HeadForm(forms.Form):
    """What an order says of itself, beside its lines and whom it is for."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[(AS_THE_JOB, _("By the job: emergency or service")), *Purpose.choices],
    )
    requested_on = forms.DateField(
        label=_("Needed by"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    destination = forms.ModelChoiceField(
        queryset=Warehouse.objects.none(),
        label=_("For warehouse"),
        required=False,
        help_text=_("Only for replenishment and transfers; then nobody else is needed."),
    )
    external_reference = forms.CharField(label=_("Customer's reference"), required=False, max_length=80)
    note = forms.CharField(label=_("Note"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))
    complete_delivery_only = forms.BooleanField(
        label=_("Complete delivery only"),
        required=False,
        help_text=_("Nothing leaves before all of it is there, and no line takes less than it is short of."),
    )
    is_test = forms.BooleanField(label=_("Test or training"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        warehouses: Any = self.fields["destination"]
        warehouses.queryset = Warehouse.objects.order_by("code")
        self.fields["key"].initial = new_key()
        self.fields["requested_on"].initial = timezone.localdate()


# --- The lines -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Offer:
    """A part that may take another's place: what there is of it, and how much of it would be needed."""

    stand_in: StandIn
    quantity: Decimal | None
    stock: Availability | None

    @property
    def is_enough(self) -> bool:
        """Whether there is enough of it now."""
        return self.stock is not None and self.quantity is not None and self.stock.promisable >= self.quantity


@dataclass(slots=True)
class Row:
    """A line as it is typed (`part`, `quantity`, `least`, `needed_on`), what was found for it, and what is wrong.

    `least` is the smallest part delivery that is accepted where it is short; empty: any.
    """

    number: int
    part: str = ""
    quantity: str = ""
    needed_on: str = ""
    least: str = ""
    found: Part | None = None
    amount: Decimal | None = None
    minimum: Decimal = Decimal(0)
    day: date | None = None
    meant: list[Part] = field(default_factory=list)
    stock: Availability | None = None
    offers: list[Offer] = field(default_factory=list)
    errors: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed into it."""
        return not (self.part.strip() or self.quantity.strip())

    @property
    def missing(self) -> Decimal | None:
        """How much of it is not there now, by what is free; None where that cannot be said."""
        if self.stock is None or self.amount is None or self.amount <= 0:
            return None
        return max(self.amount - self.stock.promisable, Decimal(0))

    def say(self, name: str, text: str) -> None:
        """Note what is wrong with one of its fields."""
        self.errors.setdefault(name, []).append(text)


def typed_rows(data: Mapping[str, Any]) -> list[Row]:
    """Return the lines of a form as they were typed, in their order; at most one more than may be ordered."""
    numbers = sorted({int(name[5:]) for name in data if name.startswith("part-") and name[5:].isdecimal()})
    return [
        Row(
            number,
            part=str(data.get(f"part-{number}", ""))[:200],
            quantity=str(data.get(f"quantity-{number}", ""))[:40],
            needed_on=str(data.get(f"needed_on-{number}", ""))[:20],
            least=str(data.get(f"least-{number}", ""))[:40],
        )
        for number in numbers[: MOST_LINES + ROWS]
    ]


def with_pasted(rows: list[Row], pasted: Iterable[Pasted]) -> list[Row]:
    """Put pasted rows behind those that are filled."""
    filled = [row for row in rows if not row.is_empty]
    filled += [Row(0, one.part, one.quantity, one.needed_on, one.least) for one in pasted]
    return renumbered(filled)


def renumbered(rows: list[Row]) -> list[Row]:
    """Number the rows from 0 on."""
    for number, row in enumerate(rows):
        row.number = number
    return rows


def with_empty(rows: list[Row], most: int = ROWS) -> list[Row]:
    """Make sure that some empty rows stand at the end."""
    empty = sum(1 for row in rows if row.is_empty)
    first = rows[-1].number + 1 if rows else 0
    return rows + [Row(first + index) for index in range(max(most - empty, 0))]


def resolve(rows: Iterable[Row]) -> None:
    """Find the parts, quantities and days of the rows that are filled; say at each what is wrong with it."""
    filled = [row for row in rows if not row.is_empty]
    called = parts_called({row.part.strip() for row in filled if row.part.strip()})
    for row in filled:
        _resolve_part(row, called.get(row.part.strip(), []))
        row.amount = read_quantity(row.quantity)
        if row.amount is None:
            row.say("quantity", _g("Enter a quantity.") if not row.quantity.strip() else _g("This is not a quantity."))
        elif row.amount <= 0:
            row.say("quantity", _g("Order more than nothing."))
        _resolve_least(row)
        if row.needed_on.strip():
            row.day = read_day(row.needed_on)
            if row.day is None:
                row.say("needed_on", _g("This is not a day; write it as 2026-03-31."))


def _resolve_least(row: Row) -> None:
    if not row.least.strip():
        return
    least = read_quantity(row.least)
    if least is None or least < 0:
        row.say("least", _g("This is not a quantity."))
    elif row.amount is not None and least > row.amount:
        row.say("least", _g("More than is ordered: at most %(quantity)s.") % {"quantity": written(row.amount)})
    else:
        row.minimum = least


def _resolve_part(row: Row, parts: list[Part]) -> None:
    active = [part for part in parts if part.is_active]
    if len(active) == 1:
        row.found = active[0]
    elif len(active) > 1:
        row.meant = active[:MOST_MEANT]
        row.say("part", _g("Several parts go by this number: choose one."))
    elif parts:
        row.meant = [
            each.part
            for found in stand_ins([part.pk for part in parts], on=timezone.localdate()).values()
            for each in found
        ]
        row.say("part", _g("%(part)s can no longer be ordered.") % {"part": parts[0].number})
    elif not row.part.strip():
        row.say("part", _g("Which part?"))
    else:
        row.say("part", _g("No part goes by this number. Type a part of its number or name to choose one."))


def look_up_stock(rows: Iterable[Row], sight: Sight, *, model: str = "") -> None:
    """Read what there is of each row's part, and of what may stand in for it where that is not enough."""
    known = [row for row in rows if row.found is not None]
    today = timezone.localdate()
    by_part = _stock({row.found.pk for row in known if row.found}, sight, today)
    for row in known:
        row.stock = by_part.get(row.found.pk) if row.found else None
    short = {row.found.pk for row in known if row.found and row.missing}
    offers = stand_ins(short, on=today, equipment_model=model) if short else {}
    others = _stock({each.part.pk for found in offers.values() for each in found}, sight, today)
    for row in known:
        if row.found and row.missing:
            row.offers = [_offer(row, each, others) for each in offers.get(row.found.pk, [])]


def _stock(part_ids: set[UUID], sight: Sight, today: date) -> dict[UUID, Availability]:
    found = availability(sight=sight, part_ids=sorted(part_ids), today=today) if part_ids else []
    return {each.part: each for each in found}


def _offer(row: Row, stand_in: StandIn, stock: Mapping[UUID, Availability]) -> Offer:
    quantity = row.amount * stand_in.factor if row.amount is not None else None
    if quantity is not None:
        quantity = quantity.quantize(Decimal(1).scaleb(-stand_in.part.unit.decimals), rounding="ROUND_UP")
    return Offer(stand_in, quantity, stock.get(stand_in.part.pk))


def wanted(rows: Iterable[Row]) -> list[Wanted]:
    """Return what the filled rows ask for; all of them must have been resolved without a fault."""
    return [
        Wanted(quantity=row.amount, part_id=row.found.pk, requested_on=row.day, minimum_fill=row.minimum)
        for row in rows
        if row.found is not None and row.amount is not None
    ]


def kind_of(chosen: str, *, machine_down: bool) -> str:
    """Return the kind of an order: as chosen, or as the job has it."""
    if chosen not in ("", AS_THE_JOB):
        return chosen
    return Purpose.EMERGENCY.value if machine_down else Purpose.SERVICE.value


def for_a_customer(kind: str) -> bool:
    """Tell whether an order of this kind is for a customer."""
    return kind in SERVICE_KINDS


def written(quantity: Decimal) -> str:
    """Return a quantity as the reader would type it."""
    return number_format(quantity.normalize() if quantity % 1 else quantity.quantize(Decimal(1)), use_l10n=True)

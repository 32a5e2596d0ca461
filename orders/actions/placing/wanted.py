"""What is wanted: the lines and the header of a new order, and what can be wrong with them at first sight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from orders.actions.holding import SOFT_KINDS
from orders.rules import LONGEST_NOTE, day_faults, text_faults
from parts.errors import Invalid
from parts.sentences import Says, sentence
from parts.statuses import Purpose

MOST_LINES = 500
#: From this quantity on a line is taken for a slip of the finger; it keeps sums far from what a column holds.
TOO_MANY = 10**9
#: Demand that may take back what softer demand holds.
SERVICE_KINDS = (Purpose.SERVICE.value, Purpose.EMERGENCY.value)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One line of a new order: the part by key or number, and the quantity in the part's unit.

    `minimum_fill` is the smallest partial quantity the customer accepts once the line is short (0: any).
    """

    quantity: Decimal
    part_id: UUID | None = None
    part_number: str = ""
    requested_on: date | None = None
    minimum_fill: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Header:
    """What an order says of itself, beside its lines."""

    kind: str
    requested_on: date
    customer_id: UUID | None
    service_order_id: UUID | None
    destination_id: UUID | None
    complete_delivery_only: bool
    external_reference: str
    is_test: bool
    note: str


def check_form(header: Header, lines: Sequence[Wanted]) -> None:
    """Raise Invalid for what can be seen to be wrong without reading anything, naming every such field."""
    fields = text_faults(external_reference=(header.external_reference, 80), note=(header.note, LONGEST_NOTE))
    if header.kind not in Purpose.values:
        fields["kind"] = [sentence("Must be one of {allowed}.", allowed=list(Purpose.values))]
    elif header.kind in SERVICE_KINDS and header.customer_id is None and header.service_order_id is None:
        fields["customer"] = [sentence("Name the customer or the service order this is for.")]
    elif header.kind in SOFT_KINDS and header.destination_id is None:
        fields["destination"] = [sentence("Name the warehouse this is for.")]
    fields |= day_faults(requested_on=header.requested_on)
    fields |= day_faults(**{f"lines.{index}.requested_on": line.requested_on for index, line in enumerate(lines)})
    if not lines:
        fields["lines"] = [sentence("An order needs at least one line.")]
    elif len(lines) > MOST_LINES:
        fields["lines"] = [sentence("At most {most} lines; split the order.", most=MOST_LINES)]
    refuse_if_any(fields)


def refuse_if_any(fields: dict[str, list[Says]]) -> None:
    """Raise Invalid where a field has a fault."""
    if fields:
        raise Invalid(sentence("The order cannot be placed as it is."), fields)

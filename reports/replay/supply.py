"""What suppliers do in a day, and what is ordered from them in the evening."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import connection

from parts.actions.supply import (
    Confirmation,
    DeliveryItem,
    NewPurchaseOrder,
    PurchaseLine,
    cancel_purchase_order_line,
    confirm_purchase_order_lines,
    place_purchase_orders,
    receive_delivery,
)
from parts.models import PurchaseOrderLine
from reports.replay import sql
from reports.replay.course import course, expected_on
from reports.replay.day import Stage, told_at
from reports.replay.demand import Demand
from reports.replay.plan import moment
from reports.replay.replenishment import RunningDemand, order_quantity, reorder_levels
from reports.replay.world import purchase_cost


@dataclass(frozen=True, slots=True)
class Sent:
    """A purchase order line that was sent; `number` and `position` name it in every run."""

    id: UUID
    number: str
    position: int
    part: str
    quantity: int
    ordered_on: date


@dataclass(frozen=True, slots=True)
class Arrival:
    """A piece of a purchase order line that comes in on a day."""

    sent: Sent
    quantity: int
    unfit: int


class Supply:
    """The suppliers. It knows what they are going to do on which day, and works that out again after a restart."""

    def __init__(self, stage: Stage, demand: Demand) -> None:
        self._stage = stage
        self._running = RunningDemand(demand, stage.world.estimates)
        self._confirmations: defaultdict[date, list[Confirmation]] = defaultdict(list)
        self._arrivals: defaultdict[date, list[Arrival]] = defaultdict(list)
        self._given_up: defaultdict[date, list[Sent]] = defaultdict(list)
        self._by_weekday: defaultdict[int, list[str]] = defaultdict(list)
        for number, plan in stage.world.parts.items():
            self._by_weekday[stage.world.suppliers[plan.supplier].weekday].append(number)

    def restore(self, lived_until: date) -> None:
        """Work out what is still to come of everything that was ordered."""
        rows = PurchaseOrderLine.objects.order_by("purchase_order__number", "position").values_list(
            "id", "purchase_order__number", "position", "part__number", "quantity", "purchase_order__ordered_at"
        )
        for key, number, position, part, quantity, ordered_at in rows.iterator():
            self._await(Sent(key, number, position, part, int(quantity), ordered_at.date()), after=lived_until)

    def is_quiet_after(self, day: date) -> bool:
        """Tell whether nothing that was ordered is still to come."""
        return not any(due > day for due in (*self._arrivals, *self._given_up))

    def _await(self, sent: Sent, *, after: date) -> None:
        expected = self._expected_on(sent.part, sent.ordered_on)
        fate = course(self._stage.dice, sent.number, sent.position, sent.quantity, sent.ordered_on, expected)
        if fate.confirmed_on > after:
            self._confirmations[fate.confirmed_on].append(Confirmation(sent.id, fate.expected_on))
        for said_on, new_date in fate.notices:
            if said_on > after:
                self._confirmations[said_on].append(Confirmation(sent.id, new_date))
        for piece in fate.pieces:
            if piece.day > after:
                self._arrivals[piece.day].append(Arrival(sent, piece.quantity, piece.unfit))
        if fate.given_up_on and fate.given_up_on > after:
            self._given_up[fate.given_up_on].append(sent)

    def _expected_on(self, part: str, ordered_on: date) -> date:
        plan = self._stage.world.parts[part]
        return expected_on(ordered_on, plan.lead_days, self._stage.world.suppliers[plan.supplier].weekday)

    def hear_suppliers(self, day: date) -> None:
        """Note the dates that suppliers give and move, and take back what they cannot deliver."""
        if confirmations := self._confirmations.pop(day, None):
            confirm_purchase_order_lines(confirmations=confirmations, **told_at(day, 6))
        for sent in self._given_up.get(day, ()):
            cancel_purchase_order_line(line_id=sent.id, **told_at(day, 6, 30))

    def receive(self, day: date) -> int:
        """Book what comes in: one delivery per supplier and warehouse; return how many deliveries that were."""
        parts = self._stage.world.parts
        notes: defaultdict[tuple[str, str], list[Arrival]] = defaultdict(list)
        for arrival in self._arrivals.pop(day, ()):
            plan = parts[arrival.sent.part]
            notes[plan.supplier, plan.home].append(arrival)
        for supplier, home in sorted(notes):
            receive_delivery(
                supplier_id=self._stage.world.key("supplier", supplier),
                warehouse_id=self._stage.world.key("warehouse", home),
                note_number=f"DN-{supplier}-{home}-{day:%Y%m%d}",
                lines=[self._item(arrival) for arrival in notes[supplier, home]],
                received_at=moment(day, 7),
                **told_at(day, 7),
            )
        return len(notes)

    def _item(self, arrival: Arrival) -> DeliveryItem:
        return DeliveryItem(
            part_id=self._stage.world.key("part", arrival.sent.part),
            quantity=Decimal(arrival.quantity),
            unfit_quantity=Decimal(arrival.unfit),
            purchase_order_line_id=arrival.sent.id,
        )

    def replenish(self, day: date, *, is_running_out: bool) -> int:
        """Order what is below its reorder point (see `replenishment`); return how many lines were ordered.

        Once the demand is over, only what somebody waits for is ordered.
        """
        regular = set(self._by_weekday[day.weekday()])
        asked_for = {line.part for order in self._stage.plan.orders.get(day, ()) for line in order.lines}
        given_up = {sent.part for sent in self._given_up.pop(day, ())}
        wanted = self._wanted(day, regular | asked_for | given_up, regular, is_running_out)
        by_order: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for part in sorted(wanted):
            plan = self._stage.world.parts[part]
            by_order[plan.supplier, plan.home].append(part)
        orders = [self._order(day, *heading, parts, wanted) for heading, parts in sorted(by_order.items())]
        placed = place_purchase_orders(orders=orders, **told_at(day, 18))
        for (_, parts), order in zip(sorted(by_order.items()), placed, strict=True):
            for position, (part, line_id) in enumerate(zip(parts, order.line_ids, strict=True), start=1):
                self._await(Sent(line_id, order.number, position, part, wanted[part], day), after=day)
        return len(wanted)

    def _wanted(
        self, day: date, reviewed: Collection[str], regular: Collection[str], is_running_out: bool
    ) -> dict[str, int]:
        """Return how much is to be ordered, per part."""
        world, rates = self._stage.world, self._running.rates(day)
        by_key = {world.key("part", part): part for part in reviewed}
        with connection.cursor() as cursor:
            cursor.execute(sql.POSITIONS, {"part_ids": list(by_key)})
            rows = cursor.fetchall()
        wanted = {}
        for key, available, on_order, back_ordered in rows:
            part, position = by_key[key], available + on_order - back_ordered
            plan = world.parts[part]
            point, up_to = reorder_levels(rates[part], plan.lead_days, plan.ved_class)
            if is_running_out:
                point, up_to = -1, 0
            elif part not in regular:
                point = -1
            if position <= point:
                wanted[part] = order_quantity(position, up_to, plan.minimum, plan.multiple)
        return wanted

    def _order(self, day: date, supplier: str, home: str, parts: list[str], wanted: dict[str, int]) -> NewPurchaseOrder:
        world = self._stage.world
        return NewPurchaseOrder(
            supplier_id=world.key("supplier", supplier),
            warehouse_id=world.key("warehouse", home),
            number=f"PO-{day:%Y%m%d}-{supplier}-{home}",
            ordered_at=moment(day, 18),
            lines=[
                PurchaseLine(
                    part_id=world.key("part", part),
                    quantity=Decimal(wanted[part]),
                    unit_cost=purchase_cost(world.parts[part]),
                    expected_on=self._expected_on(part, day),
                )
                for part in parts
            ],
        )

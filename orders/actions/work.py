"""One piece of work on order lines: what happens to lines, to their stock and to the queue, done in the one order.

An action opens a `LineWork` (which locks stock, where it will be touched, and then the orders), lets it step lines, and
finishes it: lines and events are written first, then stock, then the floor above is told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q

from orders import sql
from orders.actions import serials
from orders.actions.parts_rule import jobs_last
from orders.actions.waiting import hand_over_stock, send_to_queue
from orders.ledger import Cause, Ledger
from orders.models import OrderLine, PartsOrder, Shipment, ShipmentLine
from orders.rules import is_kept_back, steps_back
from orders.signals import Withdrawn, line_withdrawn
from orders.statuses import LINE_HOLDS_STOCK
from orders.trees import Line, Trees, lock_trees
from parts.actions import stock
from parts.actions.announcing import announce_freed
from parts.keys import new_key
from parts.signals import FreedStock
from parts.statuses import FOR_OUR_STOCK

#: What the timeline says of a line that was taken back.
KEPT_BACK = "kept back until a person releases it or lets it go"


class LineWork:
    """Steps of lines that are written together. Must be used inside a transaction."""

    def __init__(
        self,
        cause: Cause,
        *,
        line_ids: Collection[UUID] = (),
        order_ids: Collection[UUID] = (),
        touches_stock: bool,
        frees_stock: bool = False,
        delivers: bool = False,
    ) -> None:
        """Lock what the work touches: stock first (if it does), then the orders.

        Who frees stock gives it to other orders in the same transaction, and locks these while it holds its own. So it
        takes the stock of every part of its orders before, and so does who works on several orders at once: the two
        then meet at the stock, where neither holds an order yet. Who delivers something to one of our own warehouses
        frees it there, and may add the level that it goes to.
        """
        several = len(line_ids) + len(order_ids) > 1
        adding = delivers and _for_our_stock(line_ids, order_ids)
        if touches_stock or frees_stock or several or adding:
            whole_orders = frees_stock or several or adding
            stock.lock_stock_of_parts(_parts_of(line_ids, order_ids, whole_orders=whole_orders), adding=adding)
        self.cause = cause
        self.ledger = Ledger(cause)
        self.trees: Trees = lock_trees(order_ids=order_ids, line_ids=line_ids)
        self.picked: list[Line] = []
        self.issued: list[Line] = []
        self.landed: list[Line] = []
        self.arrivals: list[stock.Arrival] = []
        self.reversals: list[stock.Reversal] = []
        self.given_back: list[Line] = []
        self.withdrawn: list[Withdrawn] = []
        self.short: list[Line] = []
        self.carrier = self.tracking_number = ""
        #: By line, with whom and under which number it leaves, where that is not the same for all.
        self.carried: Mapping[UUID, tuple[str, str]] = {}
        #: By line, what was read off its units as they leave.
        self.serials: Mapping[UUID, Sequence[str]] = {}
        self.shipments: list[Shipment] = []

    def step(self, line: Line, to: str, **facts: Any) -> None:
        """Take one step of a line and note what it means for stock and queue. Raises TransitionRefused."""
        before = line.status
        if steps_back(before, to):
            facts["data"] = {**facts.get("data", {}), "rule": KEPT_BACK}
        if to == "shipped" and line.id in self.serials:
            facts["data"] = {**facts.get("data", {}), "serials": list(self.serials[line.id])}
        line.move(self.ledger, to, **facts)
        line.kept_back = is_kept_back(line.kept_back, before, to)
        self.note_effects(line, before)

    def note_effects(self, line: Line, before: str) -> None:
        """Note what a line's way from `before` to its present status means for stock and queue."""
        after = line.status
        if after == "picking":
            self.picked.append(line)
        elif after == "shipped":
            if before in LINE_HOLDS_STOCK:
                self.issued.append(line)
            self._withdraw(line, Decimal(0), "fulfilled")
        elif after == "delivered":
            self.note_arrival(line)
        elif after == "returned":
            self.landed.append(line)
        elif after == "cancelled":
            if before in LINE_HOLDS_STOCK:
                self.given_back.append(line)
            self._withdraw(line, Decimal(0), "cancelled")
        elif after == "back_ordered":
            if before in LINE_HOLDS_STOCK:
                self.given_back.append(line)
            self.short.append(line)

    def note_arrival(self, line: Line) -> None:
        """Note that a line was delivered: what one of our own warehouses ordered is in its stock from now on."""
        self.landed.append(line)
        tree = line.tree
        if tree.order_kind in FOR_OUR_STOCK and tree.destination_id is not None:
            self.arrivals.append(stock.Arrival(_keys_of(line), line.part_id, tree.destination_id, line.quantity))

    def undo_arrival(self, line: Line, quantity: Decimal, unfit: Decimal = Decimal(0)) -> None:
        """Note that a quantity of a delivered line, so many of it unfit, does not lie where it was delivered to."""
        if line.tree.order_kind in FOR_OUR_STOCK:
            self.reversals.append(stock.Reversal(_keys_of(line), line.part_id, quantity, unfit))

    def take_out(self, line: Line, quantity: Decimal, **facts: Any) -> Line:
        """Split `quantity` off a leaf (all of it: the leaf itself); tell the queue what the rest waits for or holds."""
        if quantity == line.quantity:
            return line
        child = line.split(self.ledger, quantity, **facts)
        rest = line if not line.is_split else next(iter(line.tree.children_of(line)))
        if rest.status == "back_ordered" or rest.status in LINE_HOLDS_STOCK:
            self._withdraw(rest, rest.quantity, "reduced")
        return child

    def _withdraw(self, line: Line, quantity: Decimal, outcome: str) -> None:
        if line.parent is not None:  # only children have back orders
            self.withdrawn.append(Withdrawn(line.id, quantity, outcome))

    def finish(self) -> None:
        """Write it all: lines and events, stock, shipments; then tell the queue what left it, entered it or is free.

        Raises NotEnoughStock where what was delivered is taken back and does not lie there any more.
        """
        with jobs_last(self.cause) as jobs:
            self._finish()
            if self.withdrawn:
                jobs.may_go_on(tree.service_order_id for tree in self.trees)

    def _finish(self) -> None:
        self.trees.write(self.ledger)
        hand_over_stock(self.trees, self.cause)
        facts: dict[str, Any] = {"by": self.cause.by, "source": self.cause.source, "at": self.cause.at}
        if self.picked:
            stock.pick(demand_ids=[line.id for line in self.picked], **facts)
        if self.issued:
            stock.issue(issues=[stock.Issue(line.id, line.quantity) for line in self.issued], **facts)
            self._write_shipments(self.issued)
        if self.landed:
            _note_arrivals(self.landed)
        stock.take_back_arrivals(reversals=self.reversals, **facts)
        if self.withdrawn:
            line_withdrawn.send(sender=LineWork, withdrawals=self.withdrawn, cause=self.cause)
        # All that is free is told at once: who hears it locks the orders it serves, and must not do so in two rounds.
        freed = stock.book_arrivals(arrivals=self.arrivals, **facts, announce=False)
        if self.given_back:
            released = stock.unreserve(demand_ids=[line.id for line in self.given_back], **facts, announce=False)
            freed += [FreedStock(row.part_id, row.level_id, row.quantity, "reservation_cancelled") for row in released]
        announce_freed(LineWork, freed, **facts)
        send_to_queue(self.short, self.cause, serve=True)

    def _write_shipments(self, lines: Sequence[Line]) -> None:
        groups: dict[tuple[UUID, UUID, tuple[str, str]], list[Line]] = defaultdict(list)
        for line in lines:
            if line.warehouse_id is not None:
                carried = self.carried.get(line.id, (self.carrier, self.tracking_number))
                groups[line.tree.id, line.warehouse_id, carried].append(line)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT nextval('orders_shipment_number') FROM generate_series(1, %s::integer)", [len(groups)]
            )
            numbers = [row[0] for row in cursor.fetchall()]
        items = []
        for (order_id, warehouse_id, (carrier, tracking_number)), members in groups.items():
            shipment = Shipment(
                id=new_key(),
                reference=f"SH-{numbers.pop(0):06d}",
                order_id=order_id,
                warehouse_id=warehouse_id,
                carrier=carrier,
                tracking_number=tracking_number,
                shipped_at=max(line.status_since for line in members),
            )
            self.shipments.append(shipment)
            items += [ShipmentLine(shipment=shipment, line_id=line.id, quantity=line.quantity) for line in members]
        Shipment.objects.bulk_create(self.shipments)
        ShipmentLine.objects.bulk_create(items)
        serials.keep(items, {line.id: line.part_id for line in lines}, self.serials)


def _note_arrivals(lines: Sequence[Line]) -> None:
    """Note on the shipments of these lines when they arrived, where nothing of them is still on its way."""
    keys = [key for line in lines for key in _keys_of(line)]
    with connection.cursor() as cursor:
        cursor.execute(sql.NOTE_ARRIVALS, {"line_ids": keys})


def _keys_of(line: Line) -> tuple[UUID, ...]:
    """Return the keys that what happened to a line may be booked on: its own, and that of the one it is a part of."""
    return (line.id,) if line.parent is None else (line.id, line.parent.id)


def _for_our_stock(line_ids: Collection[UUID], order_ids: Collection[UUID]) -> bool:
    """Tell whether one of these orders is for one of our own warehouses. Read without a lock: it never changes."""
    orders = PartsOrder.objects.filter(Q(pk__in=order_ids) | Q(lines__in=line_ids))
    return orders.filter(kind__in=FOR_OUR_STOCK, destination__isnull=False).exists()


def _parts_of(line_ids: Collection[UUID], order_ids: Collection[UUID], *, whole_orders: bool) -> list[UUID]:
    """Return the parts of these lines and orders. Read without a lock: what an order is for never changes."""
    lines = Q(pk__in=line_ids)
    if whole_orders:
        lines = Q(order_id__in=OrderLine.objects.filter(lines).values("order_id"))
    found = OrderLine.objects.filter(lines | Q(order_id__in=order_ids)).values_list("part_id", flat=True)
    return sorted(found.order_by().distinct())

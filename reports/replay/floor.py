"""What warehouses and carriers do in a day: release, pick, pack, ship, deliver, take back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from orders.actions import lines, parts_orders
from orders.actions.reporting import MOST_REPORTS, Report, report_many
from orders.models import OrderLine
from parts.errors import Refused
from parts.statuses import WarehouseMode
from reports.replay.day import Stage, told_at
from reports.replay.plan import moment, working_day

#: Orders that are released in one call at most; more wait for the next evening.
MOST_ORDERS = 5_000
#: Carriers take one to four days; one message in a hundred comes twice.
TRANSIT, TWICE = (1, 4), 0.01
#: Lines that come back, so many days after their delivery, and how many of them with a damaged unit.
RETURNED, RETURN_AFTER, RETURNED_DAMAGED = 0.012, (3, 20), 0.3

_IN_ORDER = ("order_id", "position", "child_number")


class Floor:
    """The warehouses. It remembers which deliveries will come back, and finds that out again after a restart."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._returns: defaultdict[date, list[tuple[UUID, str, Decimal]]] = defaultdict(list)

    def restore(self, lived_until: date) -> None:
        """Find the returns that are still to come from what was delivered in the last weeks."""
        since = moment(lived_until - timedelta(days=RETURN_AFTER[1] + 2), 0)
        delivered = OrderLine.objects.leaves().filter(status="delivered", status_since__gte=since)
        for row in _named(delivered):
            self._expect_return(*row, after=lived_until)

    def has_returns_after(self, day: date) -> bool:
        """Tell whether something will come back later than this day."""
        return any(due > day for due in self._returns)

    def deliver(self, day: date) -> int:
        """Let carriers report what arrived, some of it twice; return how many lines that were."""
        travelling = _named(OrderLine.objects.leaves().filter(status="shipped"))
        arrived = [row for row in travelling if self._arrives_on(row[1], row[3]) <= day]
        reports = []
        for line_id, name, _quantity, _since in arrived:
            report = Report("line", line_id, "delivered", moment(day, 7, 15), message_id=f"{name} delivered")
            reports += [report] * (2 if self._stage.dice.happens(TWICE, name, "twice") else 1)
        for start in range(0, len(reports), MOST_REPORTS):
            chunk = reports[start : start + MOST_REPORTS]
            raise_refused(result.refusal for result in report_many(reports=chunk, **told_at(day, 7, 30)))
        for line_id, name, quantity, _since in arrived:
            self._expect_return(line_id, name, quantity, moment(day, 7, 15), after=day)
        return len(arrived)

    def _arrives_on(self, name: str, shipped_at: datetime) -> date:
        days = self._stage.dice.whole(*TRANSIT, name, "transit")
        return working_day(shipped_at.date() + timedelta(days=days))

    def _expect_return(self, line_id: UUID, name: str, quantity: Decimal, since: datetime, *, after: date) -> None:
        dice = self._stage.dice
        if dice.happens(RETURNED, name, "return"):
            due = working_day(since.date() + timedelta(days=dice.whole(*RETURN_AFTER, name, "return after")))
            if due > after:
                self._returns[due].append((line_id, name, quantity))

    def take_back(self, day: date) -> int:
        """Book what customers send back; return how many lines that were."""
        returned = sorted(self._returns.pop(day, []), key=lambda item: item[1])
        for line_id, name, quantity in returned:
            damaged = self._stage.dice.happens(RETURNED_DAMAGED, name, "damaged")
            lines.return_to_stock(
                line_id=line_id,
                quantity=quantity,
                unfit=Decimal(int(damaged)),
                note="Came back damaged." if damaged else "Not needed.",
                **told_at(day, 7, 45),
            )
        return len(returned)

    def pick_and_pack(self, day: date) -> None:
        """Pick what was released the evening before, and pack it."""
        for status, to, hour in (("released", "picking", 8), ("picking", "packed", 9)):
            _move_all(OrderLine.objects.leaves().filter(status=status, order__on_hold=False), to, told_at(day, hour))

    def ship(self, day: date) -> None:
        """Ship what is packed: by rule where a system confirms each step, else by hand.

        By hand means from a paper warehouse, and all of an order that is only delivered complete and has such a line.
        """
        packed = OrderLine.objects.leaves().filter(status="packed").order_by(*_IN_ORDER)
        digital = packed.filter(warehouse__mode=WarehouseMode.DIGITAL).values_list("order_id", flat=True)
        if order_ids := list(dict.fromkeys(digital)):
            parts_orders.release_ready(order_ids=order_ids, to="shipped", **told_at(day, 9, 30))
        on_paper = packed.filter(warehouse__mode=WarehouseMode.PAPER)
        together = Q(order__complete_delivery_only=True, order__in=on_paper.order_by().values("order"))
        by_hand = packed.filter(together | Q(warehouse__mode=WarehouseMode.PAPER)).values_list("order_id", "id")
        for order_id, rows in groupby(by_hand, key=lambda row: row[0]):
            items = [lines.ShipItem(line_id) for _order_id, line_id in rows]
            try:
                lines.ship(order_id=order_id, items=items, carrier="Depot's own van", **told_at(day, 9, 40))
            except Refused:  # delivered complete only, and the rest is not ready: it goes another day
                continue

    def release(self, day: date) -> None:
        """In the evening, release what is reserved; what stands for a machine that is down leaves at once."""
        urgent = _reserved().filter(order__kind="emergency", warehouse__mode=WarehouseMode.DIGITAL)
        if order_ids := list(dict.fromkeys(urgent.order_by(*_IN_ORDER).values_list("order_id", flat=True))):
            parts_orders.release_ready(order_ids=order_ids, to="shipped", **told_at(day, 17, 20))
        if order_ids := parts_orders.ready_orders(MOST_ORDERS):
            parts_orders.release_ready(order_ids=order_ids, **told_at(day, 17, 30))
        _move_all(_reserved().filter(warehouse__mode=WarehouseMode.PAPER), "released", told_at(day, 17, 40))


def _named(leaves: QuerySet[OrderLine]) -> list[tuple[UUID, str, Decimal, datetime]]:
    """Return (key, a name that every run gives it, quantity, since when it stands there), in one order."""
    rows = leaves.order_by(*_IN_ORDER).values_list("id", *_IN_ORDER, "quantity", "status_since")
    return [
        (key, f"{order}/{position}.{child}", quantity, since) for key, order, position, child, quantity, since in rows
    ]


def _reserved() -> QuerySet[OrderLine]:
    """Return the reserved lines of which nothing else keeps back their order."""
    missing = OrderLine.objects.leaves().filter(order=OuterRef("order"), status__in=["open", "back_ordered"])
    return (
        OrderLine.objects.leaves()
        .filter(status="reserved", order__on_hold=False)
        .exclude(Q(order__complete_delivery_only=True) & Exists(missing))
    )


def _move_all(leaves: QuerySet[OrderLine], to: str, facts: dict[str, Any]) -> None:
    steps = [lines.Step(key, to) for key in leaves.order_by(*_IN_ORDER).values_list("id", flat=True)]
    if steps:
        results: Sequence[object] = lines.move_many(steps=steps, **facts)
        raise_refused(result for result in results if isinstance(result, Refused))


def raise_refused(refusals: Iterable[Refused | None]) -> None:
    """Raise the first refusal: in a replay nothing that the floor does should be refused."""
    for refusal in refusals:
        if refusal is not None:
            raise refusal

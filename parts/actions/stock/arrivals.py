"""Goods that our own warehouses ordered arrive there; and an arrival that was none is taken back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from parts import sql
from parts.actions.announcing import announce_freed
from parts.actions.stock.levels import lock_levels_by_key, read_facts
from parts.actors import Actor
from parts.errors import NotEnoughStock
from parts.models import Reservation, StockMovement
from parts.rules import ZERO, Balance, LevelKey, Problems, quantity_problem
from parts.sentences import sentence
from parts.signals import FreedStock
from parts.statuses import MovementKind, ReservationStatus


@dataclass(frozen=True, slots=True)
class Arrival:
    """Goods of one demand that arrived in the warehouse it was for; `quantity` in the part's unit.

    `demand_ids` are the demand's own key, and after it that of the demand it was split from, if any.
    """

    demand_ids: tuple[UUID, ...]
    part_id: UUID
    warehouse_id: UUID
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Reversal:
    """Goods of one demand that do not lie where they arrived any more; `unfit` is how many of them are not fit.

    `demand_ids` as for an arrival.
    """

    demand_ids: tuple[UUID, ...]
    part_id: UUID
    quantity: Decimal
    unfit: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Arrived:
    """What of one demand's arrivals still lies on one level."""

    demand_id: UUID
    level_id: UUID
    quantity: Decimal


def book_arrivals(
    *, arrivals: Sequence[Arrival], by: Actor, source: str, at: datetime, announce: bool = True
) -> list[FreedStock]:
    """Book goods into the stock of the warehouse they were ordered for, and let whoever waits for them have them.

    They keep the condition and the owner of the goods issue by which they left; what never left our stock is new and
    ours. A level that does not exist is added. The caller holds the demands, and the stock before them
    (`lock_stock_of_parts(adding=True)`). A repeat is another arrival: that each demand arrives once is for whoever
    moves it there. `announce=False` is for a caller who tells of what it frees all at once; the answer is what to tell.
    Raises NotFound and Invalid. A constant number of statements.
    """
    _check([arrival.quantity for arrival in arrivals], source, at)
    if not arrivals:
        return []
    with transaction.atomic():
        terms = _terms_of_issue(arrivals)
        keys = [_key(arrival, terms) for arrival in arrivals]
        levels = lock_levels_by_key(read_facts(keys))
        places = [levels[key] for key in keys]
        sql.stock.BOOK_ARRIVALS.rows(
            document=sql.document(
                levels=[level.as_row() for level in levels.values() if level.is_new],
                movements=[
                    sql.stock.movement(
                        MovementKind.ARRIVAL,
                        level.id,
                        on_hand_change=arrival.quantity,
                        demand_id=arrival.demand_ids[0],
                    )
                    for arrival, level in zip(arrivals, places, strict=True)
                ],
            ),
            at=at,
            actor=by.reference,
            source=source,
        )
        freed = [
            FreedStock(arrival.part_id, level.id, arrival.quantity, "arrival")
            for arrival, level in zip(arrivals, places, strict=True)
        ]
        if announce:
            announce_freed(book_arrivals, freed, by=by, source=source, at=at)
    return freed


def take_back_arrivals(*, reversals: Sequence[Reversal], by: Actor, source: str, at: datetime) -> list[Arrived]:
    """Take goods out of the stock into which their arrival brought them; return what was taken from which level.

    The latest arrival goes first. Of the unfit ones, as many are taken from what is known to be unfit there as there
    is. What never arrived by our books is not taken back either, so that a repeat takes nothing. The caller holds the
    demands, and the stock before them. Raises NotEnoughStock where the goods have been promised or used meanwhile
    (`extra` has that level's figures), and Invalid. A constant number of statements.
    """
    _check([reversal.quantity for reversal in reversals], source, at)
    if not reversals:
        return []
    with transaction.atomic():
        part_ids = sorted({reversal.part_id for reversal in reversals})
        rows = sql.stock.LOCK_LEVELS_OF_PARTS.rows(part_ids=part_ids)
        balances = {row[0]: Balance(*row[5:]) for row in rows}
        there = _still_there(reversals)
        movements, taken = [], []
        for reversal in reversals:
            unfit = reversal.unfit
            for arrived in _shares(reversal, there):
                bad = min(unfit, arrived.quantity, balances[arrived.level_id].unfit)
                balances[arrived.level_id] = _without(balances[arrived.level_id], arrived.quantity, bad)
                unfit -= bad
                taken.append(arrived)
                movements.append(
                    sql.stock.movement(
                        MovementKind.REVERSAL,
                        arrived.level_id,
                        on_hand_change=-arrived.quantity,
                        unfit_change=-bad,
                        demand_id=arrived.demand_id,
                    )
                )
        if movements:
            sql.stock.TAKE_BACK_ARRIVALS.rows(
                document=sql.document(movements=movements), at=at, actor=by.reference, source=source
            )
    return taken


def _check(quantities: Sequence[Decimal], source: str, at: datetime) -> None:
    problems = Problems()
    problems.origin(source, at)
    for place, quantity in enumerate(quantities):
        # The order's action knows the part's unit; here only what the column would round away is refused.
        problems.add(f"{place}.quantity", quantity_problem(quantity, 3))
    problems.raise_if_any()


def _terms_of_issue(arrivals: Sequence[Arrival]) -> dict[UUID, tuple[str, str]]:
    """Return condition and owner of the latest goods issue of each demand that had one."""
    issued = Reservation.objects.filter(
        demand_id__in={key for arrival in arrivals for key in arrival.demand_ids}, status=ReservationStatus.ISSUED
    )
    rows = issued.order_by("id").values_list("demand_id", "level__condition", "level__owner")
    return {demand_id: (condition, owner) for demand_id, condition, owner in rows}


def _key(arrival: Arrival, terms: Mapping[UUID, tuple[str, str]]) -> LevelKey:
    for demand_id in arrival.demand_ids:
        if demand_id in terms:
            condition, owner = terms[demand_id]
            return LevelKey(arrival.part_id, arrival.warehouse_id, condition, owner)
    return LevelKey(arrival.part_id, arrival.warehouse_id)


def _still_there(reversals: Sequence[Reversal]) -> dict[UUID, list[Arrived]]:
    """Return per demand what of its arrivals was not taken back, the latest first."""
    moved = StockMovement.objects.filter(
        demand_id__in={key for reversal in reversals for key in reversal.demand_ids}
    ).newest_first()
    totals: defaultdict[tuple[UUID | None, UUID], Decimal] = defaultdict(lambda: ZERO)
    for demand_id, level_id, change in moved.values_list("demand_id", "level_id", "on_hand_change"):
        totals[demand_id, level_id] += change
    found: defaultdict[UUID, list[Arrived]] = defaultdict(list)
    for (demand_id, level_id), quantity in totals.items():
        if demand_id and quantity > 0:
            found[demand_id].append(Arrived(demand_id, level_id, quantity))
    return found


def _shares(reversal: Reversal, there: dict[UUID, list[Arrived]]) -> Iterator[Arrived]:
    """Spread a reversal over what is there, and note in `there` what is left of it."""
    left = reversal.quantity
    for demand_id in reversal.demand_ids:
        rest = []
        for arrived in there.get(demand_id, []):
            share = min(left, arrived.quantity)
            left -= share
            if share:
                yield Arrived(demand_id, arrived.level_id, share)
            if share < arrived.quantity:
                rest.append(Arrived(demand_id, arrived.level_id, arrived.quantity - share))
        there[demand_id] = rest


def _without(balance: Balance, quantity: Decimal, unfit: Decimal) -> Balance:
    after = balance.changed(-quantity, -unfit)
    if not after.is_possible:
        figures: dict[str, Any] = {
            "on_hand": str(balance.on_hand),
            "reserved": str(balance.reserved),
            "unfit": str(balance.unfit),
        }
        raise NotEnoughStock(
            sentence("What arrived has been promised or used there; it cannot be taken back."), **figures
        )
    return after

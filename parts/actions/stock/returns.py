"""Take shipped goods back into stock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from parts import sql
from parts.actions.announcing import announce_freed
from parts.actions.stock.reservations import Held, lock_reservations
from parts.actors import Actor
from parts.errors import Invalid, MoreThanIssued, NothingReserved
from parts.models import Part, StockMovement
from parts.rules import ZERO, Problems, part_of_it_problem, quantity_problem
from parts.sentences import sentence
from parts.signals import FreedStock
from parts.statuses import MovementKind, ReservationStatus

ISSUED = (ReservationStatus.ISSUED.value,)


@dataclass(frozen=True, slots=True)
class Returned:
    """What came back to one level, from the goods issue of one reservation; `unfit` is part of `quantity`."""

    reservation_id: UUID
    level_id: UUID
    part_id: UUID
    quantity: Decimal
    unfit: Decimal


def return_to_stock(
    *,
    demand_id: UUID,
    quantity: Decimal,
    unfit: Decimal = ZERO,
    by: Actor,
    source: str,
    at: datetime,
) -> list[Returned]:
    """Book goods of a demand back to the level they were issued from, and let whoever waits have what is fit of them.

    Usually one row comes back; where a demand was issued more than once, the latest issue is undone first. Raises
    NothingReserved where nothing was issued for the demand, MoreThanIssued where more would come back than is out, and
    Invalid. A repeat is another return: it is refused only when nothing is left to come back.
    """
    problems = Problems()
    problems.origin(source, at)
    problems.raise_if_any()
    with transaction.atomic():
        sql.stock.LOCK_LEVELS_OF_DEMANDS.rows(demand_ids=[demand_id], statuses=list(ISSUED))
        issued = lock_reservations([demand_id], ISSUED).get(demand_id, [])
        if not issued:
            raise NothingReserved(sentence("Nothing was issued for this."), demand_ids=[str(demand_id)])
        _check_quantities(issued[0].part_id, quantity, unfit)
        returned = _spread(issued, quantity, unfit)
        sql.stock.RETURN_TO_STOCK.rows(
            document=sql.document(
                movements=[
                    sql.stock.movement(
                        MovementKind.RETURN,
                        row.level_id,
                        on_hand_change=row.quantity,
                        unfit_change=row.unfit,
                        reservation_id=row.reservation_id,
                    )
                    for row in returned
                ]
            ),
            at=at,
            actor=by.reference,
            source=source,
        )
        freed = [
            FreedStock(row.part_id, row.level_id, row.quantity - row.unfit, "return")
            for row in returned
            if row.quantity > row.unfit
        ]
        announce_freed(return_to_stock, freed, by=by, source=source, at=at)
    return returned


def _check_quantities(part_id: UUID, quantity: Decimal, unfit: Decimal) -> None:
    decimals = Part.objects.values_list("unit__decimals", flat=True).get(pk=part_id)
    problems = Problems()
    problems.add("quantity", quantity_problem(quantity, decimals))
    problems.add("unfit", part_of_it_problem(unfit, decimals))
    problems.raise_if_any()
    if unfit > quantity:
        raise Invalid(
            sentence("unfit must be part of the quantity."), {"unfit": [sentence("must not be more than the quantity")]}
        )


def _spread(issued: Sequence[Held], quantity: Decimal, unfit: Decimal) -> list[Returned]:
    """Share what comes back out over the issues, latest first, unfit units first. Raises MoreThanIssued."""
    # Read after the lock, by a statement of its own: a return that was under way when we came is counted.
    back = dict(
        StockMovement.objects.filter(kind=MovementKind.RETURN, reservation_id__in=[row.id for row in issued])
        .order_by()
        .values_list("reservation_id")
        .annotate(total=Sum("on_hand_change"))
    )
    out = {row.id: row.quantity - back.get(row.id, ZERO) for row in issued}
    if quantity > sum(out.values()):
        raise MoreThanIssued(
            sentence("More would come back than is out."),
            issued=str(sum(row.quantity for row in issued)),
            returnable=str(sum(out.values())),
        )
    returned = []
    for row in reversed(issued):
        share = min(quantity, out[row.id])
        if share > 0:
            bad = min(unfit, share)
            returned.append(Returned(row.id, row.level_id, row.part_id, share, bad))
            quantity, unfit = quantity - share, unfit - bad
    return returned

"""What happens to a reservation after it was made: given back, picked, issued, split, or passed on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from parts import sql
from parts.actions.announcing import announce_freed
from parts.actors import Actor
from parts.errors import AlreadyReserved, Invalid, NothingReserved, PartialIssue
from parts.keys import new_key
from parts.models import Reservation
from parts.rules import ZERO, Problems, quantity_problem
from parts.sentences import sentence
from parts.signals import FreedStock
from parts.statuses import RESERVATION_LIVE, MovementKind, ReservationStatus, Strength


@dataclass(frozen=True, slots=True)
class Held:
    """A reservation as it was read under its lock; `quantity` in the part's unit."""

    id: UUID
    demand_id: UUID
    level_id: UUID
    part_id: UUID
    status: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Released:
    """A reservation that was given back, and what it held."""

    demand_id: UUID
    reservation_id: UUID
    level_id: UUID
    part_id: UUID
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Issue:
    """Goods of one demand that leave; `quantity` is what the caller believes is reserved, None for whatever is."""

    demand_id: UUID
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Split:
    """A quantity that leaves the reservation of one demand for a reservation of its own, for another demand."""

    demand_id: UUID
    quantity: Decimal
    new_demand_id: UUID


@dataclass(frozen=True, slots=True)
class Move:
    """A reservation that goes from one demand to another, whole."""

    demand_id: UUID
    new_demand_id: UUID


def lock_reservations(
    demand_ids: Collection[UUID], statuses: Collection[str] = RESERVATION_LIVE
) -> dict[UUID, list[Held]]:
    """Lock the levels and reservations of these demands and return the reservations, newest last, per demand."""
    rows = sql.stock.LOCK_RESERVATIONS.rows(demand_ids=list(set(demand_ids)), statuses=list(statuses))
    found: defaultdict[UUID, list[Held]] = defaultdict(list)
    for held in sorted((Held(*row) for row in rows), key=lambda held: held.id):
        found[held.demand_id].append(held)
    return found


def lock_stock_of(demand_ids: Collection[UUID], statuses: Collection[str] = RESERVATION_LIVE) -> None:
    """Lock all levels of the parts that these demands hold: first of all locks, before the demands' orders."""
    sql.stock.LOCK_LEVELS_OF_DEMANDS.rows(demand_ids=list(demand_ids), statuses=list(statuses))


def _live(demand_ids: Collection[UUID]) -> dict[UUID, Held]:
    """Lock the live reservations of these demands. Raises NothingReserved where a demand has none."""
    found = {demand_id: rows[0] for demand_id, rows in lock_reservations(demand_ids).items()}
    if missing := [demand_id for demand_id in dict.fromkeys(demand_ids) if demand_id not in found]:
        raise NothingReserved(sentence("Nothing is reserved for this."), demand_ids=[str(key) for key in missing])
    return found


def unreserve(
    *,
    demand_ids: Sequence[UUID],
    by: Actor,
    source: str,
    at: datetime,
    cause: str = "reservation_cancelled",
    announce: bool = True,
) -> list[Released]:
    """Give back what these demands hold, and let whoever waits for it have it in the same transaction.

    A demand that holds nothing is not in the answer, so a repeat does nothing. `cause` goes into the freed stock.
    `announce=False` is for a caller who takes the freed stock itself in this transaction, and so has the first word.
    """
    _check_origin(source, at)
    if not demand_ids:
        return []
    with transaction.atomic():
        lock_stock_of(demand_ids)
        held = [row for rows in lock_reservations(demand_ids).values() for row in rows]
        if not held:
            return []
        sql.stock.CLOSE_RESERVATIONS.rows(
            document=sql.document(
                movements=[
                    sql.stock.movement(
                        MovementKind.RELEASE, row.level_id, reserved_change=-row.quantity, reservation_id=row.id
                    )
                    for row in held
                ]
            ),
            status=ReservationStatus.RELEASED.value,
            at=at,
            actor=by.reference,
            source=source,
        )
        if announce:
            freed = [FreedStock(row.part_id, row.level_id, row.quantity, cause) for row in held]
            announce_freed(unreserve, freed, by=by, source=source, at=at)
    return [Released(row.demand_id, row.id, row.level_id, row.part_id, row.quantity) for row in held]


def pick(*, demand_ids: Sequence[UUID], by: Actor, source: str, at: datetime) -> list[Held]:
    """Note that what these demands hold was taken from the shelf: nobody takes it back now, and it never lapses.

    Returns the reservations as they are now; one that was picked before stays as it is, so a repeat does nothing.
    Raises NothingReserved where a demand holds nothing.
    """
    _check_origin(source, at)
    if not demand_ids:
        return []
    with transaction.atomic():
        held = _live(demand_ids)
        picked = [row.id for row in held.values() if row.status == ReservationStatus.ACTIVE]
        if picked:
            Reservation.objects.filter(pk__in=picked).update(
                status=ReservationStatus.PICKED, strength=Strength.HARD, expires_at=None
            )
    return [
        Held(row.id, row.demand_id, row.level_id, row.part_id, ReservationStatus.PICKED.value, row.quantity)
        for row in held.values()
    ]


def issue(*, issues: Sequence[Issue], by: Actor, source: str, at: datetime) -> list[Held]:
    """Book the goods issue of what these demands hold: it leaves both what is on hand and what is reserved.

    Returns the reservations as they are now. Raises NothingReserved where a demand holds nothing (a repeat, for
    example), and Refused (`partial_issue`) for another quantity than is reserved: split the reservation first.
    """
    _check_origin(source, at)
    _refuse_twice("issues", [item.demand_id for item in issues])
    if not issues:
        return []
    with transaction.atomic():
        held = _live([item.demand_id for item in issues])
        for item in issues:
            reserved = held[item.demand_id].quantity
            if item.quantity is not None and item.quantity != reserved:
                raise PartialIssue(
                    sentence("A reservation is issued whole; split it first."),
                    demand_id=str(item.demand_id),
                    reserved=str(reserved),
                )
        sql.stock.CLOSE_RESERVATIONS.rows(
            document=sql.document(
                movements=[
                    sql.stock.movement(
                        MovementKind.ISSUE,
                        row.level_id,
                        on_hand_change=-row.quantity,
                        reserved_change=-row.quantity,
                        reservation_id=row.id,
                    )
                    for row in held.values()
                ]
            ),
            status=ReservationStatus.ISSUED.value,
            at=at,
            actor=by.reference,
            source=source,
        )
    return [
        Held(row.id, row.demand_id, row.level_id, row.part_id, ReservationStatus.ISSUED.value, row.quantity)
        for row in held.values()
    ]


def split_reservations(*, splits: Sequence[Split], at: datetime) -> list[Held]:
    """Take quantities out of live reservations into new ones for other demands, on the same terms.

    Level, status, strength, purpose and expiry stay, so do the levels' figures. Returns the new reservations in the
    order of the splits. Raises NothingReserved, AlreadyReserved, and Invalid where nothing would stay behind (that is
    `reassign_reservation`) or a quantity is not above zero.
    """
    _refuse_twice("splits", [split.new_demand_id for split in splits])
    problems = Problems()
    problems.moment("at", at, at)
    for place, split in enumerate(splits):
        # The order's action knows the part's unit; here only what the column would round away is refused.
        problems.add(f"splits.{place}.quantity", quantity_problem(split.quantity, 3))
    problems.raise_if_any()
    if not splits:
        return []
    with transaction.atomic():
        held = _from_and_to([split.demand_id for split in splits], [split.new_demand_id for split in splits])
        taken: defaultdict[UUID, Decimal] = defaultdict(lambda: ZERO)
        made = []
        for place, split in enumerate(splits):
            origin = held[split.demand_id]
            taken[split.demand_id] += split.quantity
            if taken[split.demand_id] >= origin.quantity:
                problems.add(
                    f"splits.{place}.quantity",
                    sentence("must leave some of the {quantity} reserved", quantity=origin.quantity.normalize()),
                )
            made.append(
                Held(new_key(), split.new_demand_id, origin.level_id, origin.part_id, origin.status, split.quantity)
            )
        problems.raise_if_any()
        sql.stock.SPLIT_RESERVATIONS.rows(
            document=sql.document(
                splits=[
                    {
                        "id": new.id,
                        "reservation_id": held[split.demand_id].id,
                        "demand_id": new.demand_id,
                        "quantity": new.quantity,
                    }
                    for split, new in zip(splits, made, strict=True)
                ]
            ),
            at=at,
        )
    return made


def reassign_reservation(*, moves: Sequence[Move]) -> list[Held]:
    """Give live reservations, whole, to other demands; nothing else about them changes.

    Returns the reservations as they are now, in the order of the moves. Raises NothingReserved and AlreadyReserved.
    """
    _refuse_twice("moves", [move.demand_id for move in moves])
    _refuse_twice("moves", [move.new_demand_id for move in moves])
    if not moves:
        return []
    with transaction.atomic():
        held = _from_and_to([move.demand_id for move in moves], [move.new_demand_id for move in moves])
        sql.stock.REASSIGN_RESERVATIONS.rows(
            document=sql.document(
                moves=[{"reservation_id": held[move.demand_id].id, "demand_id": move.new_demand_id} for move in moves]
            )
        )
    origins = [(held[move.demand_id], move.new_demand_id) for move in moves]
    return [Held(row.id, demand_id, row.level_id, row.part_id, row.status, row.quantity) for row, demand_id in origins]


def _from_and_to(demand_ids: Collection[UUID], new_demand_ids: Collection[UUID]) -> dict[UUID, Held]:
    """Lock the live reservations of both; the first all have one, the second none."""
    found = lock_reservations([*demand_ids, *new_demand_ids])
    if missing := [demand_id for demand_id in dict.fromkeys(demand_ids) if demand_id not in found]:
        raise NothingReserved(sentence("Nothing is reserved for this."), demand_ids=[str(key) for key in missing])
    if taken := [demand_id for demand_id in new_demand_ids if demand_id in found]:
        raise AlreadyReserved(
            sentence("Something is reserved for this already."), demand_ids=[str(key) for key in taken]
        )
    return {demand_id: rows[0] for demand_id, rows in found.items()}


def _refuse_twice(field: str, demand_ids: Sequence[UUID]) -> None:
    if len(set(demand_ids)) != len(demand_ids):
        raise Invalid(
            sentence("{field} must not name a demand twice.", field=field),
            {field: [sentence("must not name a demand twice")]},
        )


def _check_origin(source: str, at: datetime) -> None:
    problems = Problems()
    problems.origin(source, at)
    problems.raise_if_any()

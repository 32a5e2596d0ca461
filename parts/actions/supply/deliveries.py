"""Book what a supplier delivered."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from parts import sql
from parts.actions.announcing import announce_freed, announce_supply
from parts.actions.stock.levels import LevelFacts, LockedLevel, lock_levels_by_key, read_facts
from parts.actors import Actor
from parts.errors import DeliveryNoteUsed, NotFound, NotOnOrder
from parts.keys import new_key
from parts.models import Delivery, DeliverySerial, Supplier
from parts.models.stock import OWN
from parts.receiving import Share, WaitingLine, share_out
from parts.rules import ZERO, LevelKey, Problems, number_problem, part_of_it_problem, quantity_problem, text_problem
from parts.sentences import Says, sentence
from parts.signals import FreedStock
from parts.statuses import Condition, MovementKind, PurchaseOrderStatus


@dataclass(frozen=True, slots=True)
class DeliveryItem:
    """One position of a delivery note; `unfit_quantity` is the part of `quantity` that is damaged or wrong.

    Without a purchase order line, the oldest open lines of the supplier for the part and the warehouse are filled.
    `serials` are the numbers read off its units: of some of them, or of all.
    """

    part_id: UUID
    quantity: Decimal
    unfit_quantity: Decimal = ZERO
    purchase_order_line_id: UUID | None = None
    condition: str = Condition.NEW.value
    owner: str = OWN
    serials: tuple[str, ...] = ()

    def key(self, warehouse_id: UUID) -> LevelKey:
        """The level it comes onto."""
        return LevelKey(self.part_id, warehouse_id, self.condition, self.owner)


@dataclass(frozen=True, slots=True)
class BookedLine:
    """One line of a delivery as booked; `open_before` is what its purchase order line still waited for."""

    delivery_line_id: UUID
    position: int
    part_id: UUID
    level_id: UUID
    quantity: Decimal
    unfit_quantity: Decimal
    purchase_order_line_id: UUID | None
    open_before: Decimal | None

    @property
    def over(self) -> Decimal:
        """How much more came than was waited for."""
        return max(ZERO, self.quantity - (self.open_before or ZERO))

    @property
    def still_open(self) -> Decimal:
        """How much of the purchase order line is still to come."""
        return max(ZERO, (self.open_before or ZERO) - self.quantity)


@dataclass(frozen=True, slots=True)
class BookedDelivery:
    """A delivery as it was booked; `replayed` where it had been booked before and nothing was changed now."""

    delivery_id: UUID
    note_number: str
    lines: tuple[BookedLine, ...]
    replayed: bool = False


def receive_delivery(
    *,
    supplier_id: UUID,
    warehouse_id: UUID,
    note_number: str,
    lines: Sequence[DeliveryItem],
    received_at: datetime,
    by: Actor,
    source: str,
    at: datetime,
) -> BookedDelivery:
    """Book a delivery: stock, purchase orders, and whoever waits for the parts, all or nothing.

    More or less than ordered may come; the answer shows it per line. A purchase order closes when none of its lines
    waits for anything. The same note of the same supplier with the same content (whenever received) gives the first
    answer again. Raises Forbidden (`parts.receive_delivery`), Invalid, NotFound, DeliveryNoteUsed (the note is booked
    with other content) and NotOnOrder (a named line is not of this part and supplier, or was never ordered).
    """
    by.require("parts.receive_delivery")
    _check(lines, note_number, received_at, source, at)
    digest = _digest(warehouse_id, lines)
    delivery_id = new_key()
    with transaction.atomic():
        claimed = sql.supply.CLAIM_DELIVERY_NOTE.rows(
            id=delivery_id,
            supplier_id=supplier_id,
            warehouse_id=warehouse_id,
            note_number=note_number,
            received_at=received_at,
            content_digest=digest,
            actor=by.reference,
            source=source,
        )
        if not claimed:
            return _replay(supplier_id, warehouse_id, note_number, digest)
        facts = read_facts([line.key(warehouse_id) for line in lines])
        _check_quantities(lines, warehouse_id, facts)
        levels = lock_levels_by_key(facts)
        waiting = _lock_waiting(lines, supplier_id, warehouse_id)
        _check_named(lines, supplier_id, waiting)
        shares = _share_out(lines, warehouse_id, waiting)
        booked = [
            _booked(position, item, share, levels[item.key(warehouse_id)])
            for position, (item, share) in enumerate(shares, start=1)
        ]
        _write(delivery_id, booked, shares, levels, by=by, source=source, at=at)
        DeliverySerial.objects.bulk_create(_serials(booked, shares))
        _announce(booked, by=by, source=source, at=at)
    return BookedDelivery(delivery_id, note_number, tuple(booked))


def _check(lines: Sequence[DeliveryItem], note_number: str, received_at: datetime, source: str, at: datetime) -> None:
    problems = Problems()
    problems.origin(source, at)
    problems.moment("received_at", received_at, at)
    problems.add("note_number", text_problem(note_number, 60, needed=True))
    if not lines:
        problems.add("lines", sentence("must not be empty"))
    for place, line in enumerate(lines):
        line.key(line.part_id).check(problems, f"lines.{place}.")
        # The part's unit is looked at later; what is no number at all could not even be compared with an earlier note.
        problems.add(f"lines.{place}.quantity", number_problem(line.quantity, 3))
        problems.add(f"lines.{place}.unfit_quantity", number_problem(line.unfit_quantity, 3))
        problems.add(f"lines.{place}.serials", _serials_problem(line.serials))
    seen = [(line.part_id, serial) for line in lines for serial in line.serials]
    if len(set(seen)) != len(seen):
        problems.add("lines", sentence("name a serial number of a part twice"))
    problems.raise_if_any()


def _serials_problem(serials: Sequence[str]) -> Says | None:
    return next((problem for serial in serials if (problem := text_problem(serial, 80, needed=True))), None)


def _check_quantities(lines: Sequence[DeliveryItem], warehouse_id: UUID, facts: Mapping[LevelKey, LevelFacts]) -> None:
    problems = Problems()
    for place, line in enumerate(lines):
        decimals = facts[line.key(warehouse_id)].decimals
        quantity_is_wrong = quantity_problem(line.quantity, decimals)
        unfit_is_wrong = part_of_it_problem(line.unfit_quantity, decimals)
        problems.add(f"lines.{place}.quantity", quantity_is_wrong)
        problems.add(f"lines.{place}.unfit_quantity", unfit_is_wrong)
        if not quantity_is_wrong and not unfit_is_wrong and line.unfit_quantity > line.quantity:
            problems.add(f"lines.{place}.unfit_quantity", sentence("must not be more than the quantity"))
        if not quantity_is_wrong and len(line.serials) > line.quantity:
            problems.add(f"lines.{place}.serials", sentence("must not be more than the quantity"))
    problems.raise_if_any()


def _digest(warehouse_id: UUID, lines: Sequence[DeliveryItem]) -> str:
    """Return a fingerprint of what was delivered where; the order of lines and serials and trailing zeros are nothing.

    Without serial numbers it is what it was before there were any, so that old notes are known again.
    """
    rows = sorted(
        (
            str(line.part_id),
            line.condition,
            line.owner,
            str(line.purchase_order_line_id or ""),
            format(line.quantity.normalize(), "f"),
            format(line.unfit_quantity.normalize(), "f"),
        )
        for line in lines
    )
    serials = sorted([str(line.part_id), serial] for line in lines for serial in line.serials)
    content = {"warehouse": warehouse_id, "lines": rows} | ({"serials": serials} if serials else {})
    return hashlib.sha256(sql.document(**content).encode()).hexdigest()


def _replay(supplier_id: UUID, warehouse_id: UUID, note_number: str, digest: str) -> BookedDelivery:
    """Return the first answer for a note that is booked. Raises DeliveryNoteUsed, and NotFound where none is."""
    delivery = Delivery.objects.filter(supplier_id=supplier_id, note_number=note_number).first()
    if delivery is None:
        if not Supplier.objects.filter(pk=supplier_id).exists():
            raise NotFound(sentence("There is no such supplier."), supplier_id=str(supplier_id))
        raise NotFound(sentence("There is no such warehouse."), warehouse_id=str(warehouse_id))
    if delivery.content_digest != digest:
        raise DeliveryNoteUsed(
            sentence("This delivery note of the supplier is booked with other content."), delivery_id=str(delivery.pk)
        )
    lines = delivery.lines.order_by("position").values_list(
        "id",
        "position",
        "part_id",
        "movements__level_id",
        "quantity",
        "unfit_quantity",
        "purchase_order_line_id",
        "open_before",
    )
    return BookedDelivery(delivery.pk, note_number, tuple(BookedLine(*row) for row in lines), replayed=True)


def _lock_waiting(lines: Sequence[DeliveryItem], supplier_id: UUID, warehouse_id: UUID) -> dict[UUID, WaitingLine]:
    """Lock and read the purchase order lines that are named or may be filled."""
    rows = sql.supply.LOCK_LINES_TO_BOOK.rows(
        line_ids=[line.purchase_order_line_id for line in lines if line.purchase_order_line_id],
        part_ids=list({line.part_id for line in lines if line.purchase_order_line_id is None}),
        supplier_id=supplier_id,
        warehouse_id=warehouse_id,
    )
    return {
        line_id: WaitingLine(
            id=line_id,
            part_id=part_id,
            purchase_order_id=order_id,
            supplier_id=its_supplier_id,
            warehouse_id=its_warehouse_id,
            order_status=status,
            ordered_at=ordered_at,
            position=position,
            open_quantity=max(ZERO, quantity - received - cancelled),
        )
        for (
            line_id,
            part_id,
            quantity,
            received,
            cancelled,
            position,
            order_id,
            its_supplier_id,
            its_warehouse_id,
            status,
            ordered_at,
        ) in rows
    }


def _check_named(lines: Sequence[DeliveryItem], supplier_id: UUID, waiting: Mapping[UUID, WaitingLine]) -> None:
    """Refuse a named purchase order line that this delivery cannot be for."""
    bookable = (PurchaseOrderStatus.ORDERED, PurchaseOrderStatus.CLOSED)
    for line in lines:
        if line.purchase_order_line_id is None:
            continue
        named = waiting.get(line.purchase_order_line_id)
        if named is None or named.supplier_id != supplier_id or named.part_id != line.part_id:
            raise NotOnOrder(
                sentence("The purchase order line is not of this supplier and part."),
                purchase_order_line_id=str(line.purchase_order_line_id),
            )
        if named.order_status not in bookable:
            raise NotOnOrder(
                sentence("The purchase order was cancelled or never sent."),
                purchase_order_line_id=str(named.id),
                status=named.order_status,
            )


def _share_out(
    lines: Sequence[DeliveryItem], warehouse_id: UUID, waiting: Mapping[UUID, WaitingLine]
) -> list[tuple[DeliveryItem, Share]]:
    """Share all items out over the lines that wait; named ones first, so that no other item takes their quantity."""
    by_part: defaultdict[UUID, list[WaitingLine]] = defaultdict(list)
    for candidate in waiting.values():
        if candidate.order_status == PurchaseOrderStatus.ORDERED and candidate.warehouse_id == warehouse_id:
            by_part[candidate.part_id].append(candidate)
    shared: dict[int, list[Share]] = {}
    named_first = sorted(range(len(lines)), key=lambda place: lines[place].purchase_order_line_id is None)
    for place in named_first:
        item = lines[place]
        named = waiting[item.purchase_order_line_id] if item.purchase_order_line_id else None
        shared[place] = share_out(item.quantity, item.unfit_quantity, named=named, waiting=by_part[item.part_id])
    return [(item, share) for place, item in enumerate(lines) for share in shared[place]]


def _booked(position: int, item: DeliveryItem, share: Share, level: LockedLevel) -> BookedLine:
    return BookedLine(
        delivery_line_id=new_key(),
        position=position,
        part_id=item.part_id,
        level_id=level.id,
        quantity=share.quantity,
        unfit_quantity=share.unfit,
        purchase_order_line_id=share.line.id if share.line else None,
        open_before=share.open_before,
    )


def _serials(booked: Sequence[BookedLine], shares: Sequence[tuple[DeliveryItem, Share]]) -> Iterator[DeliverySerial]:
    """Give each line as many serial numbers of its item as it has whole units, in the order they were read."""
    left = {id(item): list(item.serials) for item, _ in shares}
    for line, (item, _) in zip(booked, shares, strict=True):
        serials, count = left[id(item)], int(line.quantity)
        left[id(item)] = serials[count:]
        yield from (DeliverySerial(line_id=line.delivery_line_id, serial=serial) for serial in serials[:count])


def _write(
    delivery_id: UUID,
    booked: Sequence[BookedLine],
    shares: Sequence[tuple[DeliveryItem, Share]],
    levels: Mapping[LevelKey, LockedLevel],
    *,
    by: Actor,
    source: str,
    at: datetime,
) -> None:
    """Write delivery lines, movements, levels and purchase orders in one statement."""
    received: defaultdict[UUID, Decimal] = defaultdict(lambda: ZERO)
    order_of: dict[UUID, UUID] = {}
    for _, share in shares:
        if share.line:
            received[share.line.id] += share.quantity
            order_of[share.line.id] = share.line.purchase_order_id
    sql.supply.BOOK_DELIVERY.rows(
        document=sql.document(
            levels=[level.as_row() for level in levels.values() if level.is_new],
            lines=[
                {
                    "id": line.delivery_line_id,
                    "position": line.position,
                    "part_id": line.part_id,
                    "purchase_order_line_id": line.purchase_order_line_id,
                    "quantity": line.quantity,
                    "unfit_quantity": line.unfit_quantity,
                    "open_before": line.open_before,
                    "condition": item.condition,
                    "owner": item.owner,
                }
                for line, (item, _) in zip(booked, shares, strict=True)
            ],
            movements=[
                sql.stock.movement(
                    MovementKind.RECEIPT,
                    line.level_id,
                    on_hand_change=line.quantity,
                    unfit_change=line.unfit_quantity,
                    delivery_line_id=line.delivery_line_id,
                )
                for line in booked
            ],
            supply=[
                {"line_id": line_id, "purchase_order_id": order_of[line_id], "received": quantity}
                for line_id, quantity in received.items()
            ],
        ),
        delivery_id=delivery_id,
        at=at,
        actor=by.reference,
        source=source,
    )


def _announce(booked: Sequence[BookedLine], *, by: Actor, source: str, at: datetime) -> None:
    """Let whoever waits have the fit units, then let the dates of what is still to come be worked out again."""
    freed = [
        FreedStock(line.part_id, line.level_id, line.quantity - line.unfit_quantity, "delivery", line.delivery_line_id)
        for line in booked
        if line.quantity > line.unfit_quantity
    ]
    announce_freed(receive_delivery, freed, by=by, source=source, at=at)
    part_ids = [line.part_id for line in booked if line.purchase_order_line_id]
    announce_supply(receive_delivery, part_ids, by=by, source=source, at=at)

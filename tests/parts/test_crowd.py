"""Many at once, on the same few levels: nobody waits for ever, and every law holds when they are done."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from threading import Lock, Thread
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction

from parts.actions.reserving import Hold, lock_levels, reserve
from parts.actions.stock import (
    Correction,
    Issue,
    Split,
    correct_stock_many,
    issue,
    pick,
    return_to_stock,
    split_reservations,
    transfer,
    unreserve,
)
from parts.actions.supply import DeliveryItem, NewPurchaseOrder, PurchaseLine, place_purchase_orders, receive_delivery
from parts.errors import Refused
from parts.integrity import LAWS
from parts.keys import new_key
from parts.models import Part, Supplier, Warehouse
from tests.factories.parts import PartFactory, SupplierFactory, WarehouseFactory
from tests.parts.shelf import NOW, TOLD, d

PEOPLE = 4
DEEDS = 250


class Person(Thread):
    """Somebody who does one thing after the other, at random but from a seed, with what everybody shares."""

    def __init__(
        self, seed: int, parts: list[Part], places: list[Warehouse], supplier: Supplier, demands: list[UUID], lock: Lock
    ) -> None:
        super().__init__(daemon=True)
        self.chance = Random(seed)
        self.parts, self.places, self.supplier, self.demands, self.lock = parts, places, supplier, demands, lock
        self.issued: list[UUID] = []
        self.done: dict[str, int] = {}
        self.failures: list[DatabaseError] = []

    def run(self) -> None:
        deeds: list[Callable[[], object]] = [
            self.correct,
            self.transfer,
            self.receive,
            self.order,
            self.hold,
            self.hold,
            self.release,
            self.issue,
            self.split,
            self.bring_back,
        ]
        try:
            for _ in range(DEEDS):
                deed = self.chance.choice(deeds)
                try:
                    deed()
                    self.done[deed.__name__] = self.done.get(deed.__name__, 0) + 1
                except Refused:
                    pass  # too little stock, or somebody was quicker: that is an answer
                except DatabaseError as error:
                    self.failures.append(error)
        finally:
            connection.close()

    def some(self, most: int = 3) -> list[Part]:
        return self.chance.sample(self.parts, self.chance.randint(1, most))

    def some_demands(self) -> list[UUID]:
        with self.lock:
            return self.chance.sample(self.demands, min(3, len(self.demands)))

    def forget(self, demand_ids: list[UUID]) -> None:
        """Ask no more for what is gone; now and then somebody does all the same, and is refused."""
        with self.lock:
            for demand_id in demand_ids:
                if demand_id in self.demands and self.chance.random() < 0.9:
                    self.demands.remove(demand_id)

    def correct(self) -> None:
        corrections = [
            Correction(
                part.pk, self.chance.choice(self.places).pk, "found", on_hand_change=d(self.chance.randint(-2, 5) or 1)
            )
            for part in self.some()
        ]
        correct_stock_many(corrections=corrections, **TOLD)

    def transfer(self) -> None:
        origin, destination = self.chance.sample(self.places, 2)
        part = self.chance.choice(self.parts)
        transfer(part_id=part.pk, from_warehouse_id=origin.pk, to_warehouse_id=destination.pk, quantity=d(1), **TOLD)

    def receive(self) -> None:
        receive_delivery(
            supplier_id=self.supplier.pk,
            warehouse_id=self.chance.choice(self.places).pk,
            note_number=f"DN-{self.chance.randint(1, 30)}",
            lines=[DeliveryItem(part.pk, d(self.chance.randint(1, 4))) for part in self.some()],
            received_at=NOW,
            **TOLD,
        )

    def order(self) -> None:
        lines = [PurchaseLine(part.pk, d(self.chance.randint(1, 6))) for part in self.some()]
        order = NewPurchaseOrder(self.supplier.pk, self.chance.choice(self.places).pk, lines, NOW)
        place_purchase_orders(orders=[order], **TOLD)

    def hold(self) -> None:
        """Do as placing an order does: hold the parts, lock the levels, reserve what is there."""
        part_ids = sorted(part.pk for part in self.some())
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT id FROM parts_part WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE", [part_ids])
            holds = [
                Hold.new(level_id=level.id, demand_id=new_key(), quantity=d(1), purpose="service")
                for level in lock_levels(part_ids=part_ids)
                if level.available >= 1
            ]
            reserve(holds=holds, **TOLD)
        with self.lock:
            self.demands.extend(hold.demand_id for hold in holds)

    def release(self) -> None:
        demands = self.some_demands()
        unreserve(demand_ids=demands, **TOLD)
        self.forget(demands)

    def issue(self) -> None:
        demands = self.some_demands()
        with transaction.atomic():
            pick(demand_ids=demands, **TOLD)
            issue(issues=[Issue(demand_id) for demand_id in demands], **TOLD)
        self.issued.extend(demands)
        self.forget(demands)

    def split(self) -> None:
        split_reservations(splits=[Split(demand_id, d("0.5"), new_key()) for demand_id in self.some_demands()], at=NOW)

    def bring_back(self) -> None:
        if self.issued:
            return_to_stock(demand_id=self.chance.choice(self.issued), quantity=d(1), **TOLD)


@pytest.mark.race
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_demands_are_only_keys")
def test_a_crowd_on_a_few_levels_never_deadlocks_and_breaks_no_law() -> None:
    parts = PartFactory.create_batch(4)
    places = WarehouseFactory.create_batch(3)
    supplier, demands, lock = SupplierFactory.create(), list[UUID](), Lock()
    crowd = [Person(seed, parts, places, supplier, demands, lock) for seed in range(PEOPLE)]

    for person in crowd:
        person.start()
    for person in crowd:
        person.join(120)
        assert not person.is_alive()

    assert [str(failure) for person in crowd for failure in person.failures] == []
    assert {law.name: law.check().breaches for law in LAWS if law.check().total} == {}
    happened = {name for person in crowd for name in person.done}
    assert happened >= {"correct", "transfer", "receive", "order", "hold", "release", "issue", "split", "bring_back"}

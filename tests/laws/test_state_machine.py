"""Anything may happen in any order: after each step, every law holds; what was refused changed nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from backorders.actions.policy import rerank
from orders.models import OrderEvent
from orders.statuses import LineStatus, ServiceOrderStatus
from parts.errors import Refused
from parts.models import StockMovement
from parts.statuses import Purpose
from tests.laws.checking import broken_chains, broken_laws
from tests.laws.world import World

#: How many histories are tried, and how long each is.
HISTORIES = int(os.environ.get("BACKLINE_HISTORIES", "25"))
STEPS = int(os.environ.get("BACKLINE_STEPS", "30"))

NUMBERS = st.integers(0, 40)
THREE = st.integers(0, 2)
QUANTITIES = st.integers(1, 12)
PERHAPS = st.none() | QUANTITIES
LINE_STATUSES = st.sampled_from(LineStatus.values)
HOURS = st.integers(-72, 240)


class History(RuleBasedStateMachine):
    """One history of the world. It is written in a savepoint and never comes true."""

    world: World

    @initialize(first=st.lists(st.tuples(THREE, THREE, QUANTITIES), max_size=4))
    def begin(self, first: list[tuple[int, int, int]]) -> None:
        self.savepoint = transaction.savepoint()
        self.world = World()
        for part, warehouse, eighths in first:
            self.world.deliver(part, warehouse, eighths, 0)

    def teardown(self) -> None:
        if hasattr(self, "savepoint"):
            try:
                assert broken_chains() == []
                connection.check_constraints()
            finally:
                connection.needs_rollback = False
                transaction.savepoint_rollback(self.savepoint)

    def do(self, action: Callable[..., Any], *about: Any, is_alone: bool = False) -> None:
        """Do something (inside no other transaction, where it `is_alone`); if it is refused, it has changed nothing."""
        before = self._written()
        try:
            with nullcontext() if is_alone else transaction.atomic():
                action(*about)
        except Refused:
            assert self._written() == before

    def _written(self) -> tuple[int, int]:
        return OrderEvent.objects.count(), StockMovement.objects.count()

    @invariant()
    def every_law_holds(self) -> None:
        assert broken_laws() == {}

    @invariant()
    def every_rank_is_of_today(self) -> None:
        assert rerank() == 0

    @rule(
        kind=st.sampled_from(Purpose.values),
        wanted=st.lists(st.tuples(THREE, QUANTITIES), min_size=1, max_size=3),
        whose=st.integers(0, 5),
        complete=st.booleans(),
        for_job=st.booleans(),
    )
    def place(self, kind: str, wanted: list[tuple[int, int]], whose: int, complete: bool, for_job: bool) -> None:
        self.do(self.world.place, kind, wanted, whose, complete, for_job)

    @rule(number=NUMBERS, eighths=PERHAPS, parent=st.booleans())
    def cancel(self, number: int, eighths: int | None, parent: bool) -> None:
        self.do(self.world.cancel, number, eighths, parent)

    @rule(number=NUMBERS)
    def cancel_order(self, number: int) -> None:
        self.do(self.world.cancel_order, number)

    @rule(number=NUMBERS)
    def hold_order(self, number: int) -> None:
        self.do(self.world.hold_order, number)

    @rule(part=THREE, warehouse=THREE, eighths=QUANTITIES, unfit=st.integers(0, 3))
    def deliver(self, part: int, warehouse: int, eighths: int, unfit: int) -> None:
        self.do(self.world.deliver, part, warehouse, eighths, unfit)

    @rule(part=THREE, warehouse=THREE, eighths=st.integers(-12, 12))
    def correct(self, part: int, warehouse: int, eighths: int) -> None:
        self.do(self.world.correct, part, warehouse, eighths)

    @rule(part=THREE, warehouse=THREE, to=THREE, eighths=QUANTITIES)
    def move_stock(self, part: int, warehouse: int, to: int, eighths: int) -> None:
        self.do(self.world.move_stock, part, warehouse, to, eighths)

    @rule(part=THREE, warehouse=THREE, eighths=QUANTITIES, in_days=st.integers(1, 40))
    def buy(self, part: int, warehouse: int, eighths: int, in_days: int) -> None:
        self.do(self.world.buy, part, warehouse, eighths, in_days)

    @rule(number=NUMBERS, choice=NUMBERS)
    def step(self, number: int, choice: int) -> None:
        self.do(self.world.step, number, choice)

    @rule(number=NUMBERS, eighths=PERHAPS)
    def ship(self, number: int, eighths: int | None) -> None:
        self.do(self.world.ship, number, eighths)

    @rule(number=NUMBERS, eighths=QUANTITIES, unfit=st.integers(0, 3))
    def return_to_stock(self, number: int, eighths: int, unfit: int) -> None:
        self.do(self.world.return_to_stock, number, eighths, unfit)

    @rule(number=NUMBERS, to=LINE_STATUSES)
    def override(self, number: int, to: str) -> None:
        self.do(self.world.override, number, to)

    @rule(
        reports=st.lists(
            st.tuples(
                st.integers(-4, 40),
                LINE_STATUSES | st.sampled_from(ServiceOrderStatus.values),
                st.integers(-72, 30),
                st.integers(0, 4),
            ),
            min_size=1,
            max_size=4,
        ),
        twice=st.booleans(),
    )
    def report(self, reports: list[tuple[int, str, int, int]], twice: bool) -> None:
        self.do(self.world.report, reports)
        if twice:
            before = self._written()
            results = self.world.report(reports)
            if all(message for _, _, _, message in reports) and not any(result.refusal for result in results):
                assert self._written() == before

    @rule(to=st.sampled_from(["released", "shipped"]))
    def release(self, to: str) -> None:
        self.do(self.world.release, to)

    @rule()
    def expire(self) -> None:
        self.do(self.world.expire)

    @rule(number=NUMBERS, in_days=st.integers(-1, 20))
    def promise(self, number: int, in_days: int) -> None:
        self.do(self.world.promise, number, in_days)

    @rule()
    def allocate(self) -> None:
        before = self._written()
        self.do(self.world.allocate)
        assert self._written() == before  # whatever was free had been given out the moment it became so

    @rule()
    def repeg(self) -> None:
        self.do(self.world.repeg)

    @rule(number=NUMBERS)
    def hold_back_order(self, number: int) -> None:
        self.do(self.world.hold_back_order, number)

    @rule(number=NUMBERS, to=st.sampled_from(["open", "sourcing", "supply_confirmed"]))
    def move_back_order(self, number: int, to: str) -> None:
        self.do(self.world.move_back_order, number, to)

    @rule(number=NUMBERS, to=st.sampled_from(["open", "allocated", "fulfilled", "cancelled"]))
    def override_back_order(self, number: int, to: str) -> None:
        self.do(self.world.override_back_order, number, to)

    @rule(weight=NUMBERS, value=st.integers(0, 2000))
    def weigh(self, weight: int, value: int) -> None:
        self.do(self.world.weigh, weight, value, is_alone=True)

    @rule(to=st.sampled_from(ServiceOrderStatus.values))
    def move_job(self, to: str) -> None:
        self.do(self.world.move_job, to)

    @rule(hours=HOURS)
    def wait(self, hours: int) -> None:
        self.world.wait(hours)


@pytest.mark.law
@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.timeout(0)
def test_whatever_happens_every_law_holds() -> None:
    run_state_machine_as_test(
        History,
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )

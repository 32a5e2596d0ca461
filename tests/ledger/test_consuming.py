"""The consumers do their work once, a failing one does not stop the others, and the whole outlives its database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from backorders.models import Peg
from config import consuming
from config.consumers import CONSUMERS, pegging, releasing
from config.consuming import Consumer, catch_up, consumers_of, pause_after, run
from config.tasks import consume_events
from orders.actions import lines, parts_orders
from orders.cursors import LedgerAhead
from orders.models import EventCursor, OrderEvent
from parts.actions.supply import PurchaseLine, place_purchase_order
from parts.statuses import WarehouseMode
from tests.factories.parts import SupplierFactory
from tests.ledger.horizon import all_is_over, until
from tests.ledger.test_cursors import a_job, append
from tests.orders.desk import NOW, TOLD, Desk, back_order, d, days, kinds, leaf, line
from tests.racing import PATIENCE


def nothing(_events: Sequence[OrderEvent]) -> None:
    """Handle events by doing nothing with them."""


def digital(desk: Desk) -> Desk:
    """Let the desk's warehouse be one that works without people."""
    desk.warehouse.mode = WarehouseMode.DIGITAL
    desk.warehouse.save()
    return desk


def consume() -> int:
    """Let the consumers do all there is to do; return how many events they read."""
    all_is_over()
    return consume_events()


# --- What the consumers do -------------------------------------------------------------------------------------------


def test_what_became_reserved_in_a_digital_warehouse_is_released_with_no_person(committed_desk: Desk) -> None:
    desk = digital(committed_desk)
    desk.put(5)
    placed = desk.place(2)
    assert consume() > 0
    assert kinds(leaf(placed).id) == ["line.placed reserved", "line.status_changed released"]
    event = OrderEvent.objects.get(subject_id=leaf(placed).id, to_status="released")
    assert event.actor == "system:release"


def test_an_order_on_hold_is_released_when_it_is_let_go(committed_desk: Desk) -> None:
    desk = digital(committed_desk)
    desk.put(5)
    placed = desk.place(2)
    parts_orders.hold(order_id=placed.id, reason="Credit", **TOLD)
    consume()
    assert line(leaf(placed).id).status == "reserved"
    parts_orders.let_go(order_id=placed.id, **TOLD)
    consume()
    assert line(leaf(placed).id).status == "released"


def test_an_order_for_complete_delivery_leaves_when_what_it_waited_for_is_cancelled(committed_desk: Desk) -> None:
    desk = digital(committed_desk)
    desk.put(5)
    placed = desk.place(2, 9, complete_delivery_only=True)
    consume()
    assert line(leaf(placed).id).status == "reserved"
    lines.cancel(line_id=leaf(placed, "back_ordered", position=2).id, reason="Enough", **TOLD)
    consume()
    assert line(leaf(placed).id).status == "released"


def test_a_line_that_somebody_called_back_is_not_released_by_that(committed_desk: Desk) -> None:
    desk = digital(committed_desk)
    desk.put(5)
    placed = desk.place(2)
    consume()
    lines.move(line_id=leaf(placed).id, to="reserved", **TOLD)
    consume()
    assert line(leaf(placed).id).status == "reserved"
    lines.let_go(line_id=leaf(placed).id, **TOLD)
    consume()
    assert line(leaf(placed).id).status == "released"


def test_a_new_back_order_is_pegged_to_what_is_on_order(committed_desk: Desk) -> None:
    desk = committed_desk
    place_purchase_order(
        supplier_id=SupplierFactory.create().pk,
        warehouse_id=desk.warehouse.pk,
        lines=[PurchaseLine(desk.part.pk, d(5), expected_on=days(9))],
        ordered_at=NOW,
        **TOLD,
    )
    placed = desk.place(3)
    pegs = Peg.objects.filter(back_order=back_order(leaf(placed, "back_ordered").id))
    before = pegs.count()
    consume()
    assert (before, list(pegs.values_list("quantity", "expected_on"))) == (0, [(d(3), days(9))])


def test_consumers_pass_over_what_is_none_of_their_business(committed_desk: Desk) -> None:
    append(a_job(), times=3)
    all_is_over()
    events = list(OrderEvent.objects.all())
    with_statements = len(connection.queries_log)
    pegging(events)
    releasing(events)
    assert len(connection.queries_log) == with_statements
    assert catch_up(consumers_of(CONSUMERS), seconds=PATIENCE) == 3 * len(CONSUMERS)
    assert consume() == 0


# --- Failures --------------------------------------------------------------------------------------------------------


def test_a_consumer_that_fails_pauses_while_the_others_go_on(
    committed_desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    append(a_job(), times=3)
    all_is_over()
    broken = [True]

    def clumsy(events: Sequence[OrderEvent]) -> None:
        if broken:
            raise ZeroDivisionError

    bad, good = Consumer("clumsy", clumsy), Consumer("steady", nothing)
    assert (bad.step(now=100.0), good.step(now=100.0)) == (0, 3)
    assert (bad.failures, bad.paused_until) == (1, 100.5)
    assert bad.step(now=100.4) == 0
    assert bad.failures == 1, "it was tried again before its pause was over"
    assert bad.step(now=100.5) == 0
    assert (bad.failures, bad.paused_until) == (2, 101.5)
    broken.clear()
    assert bad.step(now=101.5) == 3
    assert bad.failures == 0
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "consumer failed: clumsy"
    ] * 2


def test_pauses_double_up_to_a_minute() -> None:
    assert [pause_after(failures) for failures in (1, 2, 3, 8, 9, 10_000)] == [0.5, 1, 2, 60, 60, 60]


def test_catching_up_ends_in_time_however_much_there_is(committed_desk: Desk) -> None:
    append(a_job(), times=3)
    all_is_over()
    ticks = iter(range(100))
    assert catch_up([Consumer("slow", nothing)], seconds=1, clock=lambda: float(next(ticks))) == 0
    assert catch_up([Consumer("slow", nothing)], seconds=PATIENCE) == 3


def until_read(name: str, count: int) -> None:
    """Wait until a consumer has committed so many events."""
    cursor = EventCursor.objects.filter(name=name, events_read=count)
    until(cursor.exists, f"{name} has read {count} events")


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_lost_connection_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consuming, "POLL", 0.01)
    monkeypatch.setattr(consuming, "FIRST_PAUSE", 0.01)
    seen: list[int] = []
    backend: list[int] = []
    stopping = Event()

    def remember(events: Sequence[OrderEvent]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            backend.append(cursor.fetchone()[0])
        seen.extend(event.version for event in events)

    def consume() -> None:
        try:
            run([Consumer("enduring", remember)], stopping)
        finally:
            connection.close()

    thread = Thread(target=consume, daemon=True)
    thread.start()
    job = a_job()
    append(job)
    until_read("enduring", 1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [backend[0]])
    append(job)
    until_read("enduring", 2)
    stopping.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert seen == [1, 2]
    assert len(set(backend)) == 2


def test_a_wrongly_restored_ledger_is_refused_and_not_waited_for(committed_desk: Desk) -> None:
    EventCursor.objects.create(name="restored", transaction_id=2**40)
    with pytest.raises(LedgerAhead):
        run(consumers_of(CONSUMERS), Event())
    with pytest.raises(LedgerAhead):
        consume_events()


# --- The command -----------------------------------------------------------------------------------------------------


def _environment() -> dict[str, str]:
    """The environment of a process that works on the tests' own database."""
    at = connection.settings_dict
    host = f"//{at['HOST'].lstrip('/')}" if at["HOST"].startswith("/") else f"{at['HOST']}:{at['PORT'] or 5432}"
    url = f"postgres://{at['USER']}:{at['PASSWORD']}@{host}/{at['NAME']}"
    return dict(os.environ) | {"DATABASE_URL": url, "LOG_LEVEL": "INFO"}


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start a command on the tests' own database; whatever happens, nothing of it is left."""
    with subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=Path(settings.BASE_DIR),
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def read_until(process: subprocess.Popen[str], word: str) -> str:
    """Read what a process says up to a line with this word, or to its end; return it all."""
    said = []
    assert process.stdout is not None
    for text in process.stdout:
        said.append(text)
        if word in text:
            break
    return "".join(said)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_consumes_and_ends_cleanly_when_told(committed_desk: Desk, number: signal.Signals) -> None:
    desk = digital(committed_desk)
    desk.put(5)
    placed = desk.place(2)
    all_is_over()
    with started("consume_events") as process:
        read_until(process, "events consumed")
        process.send_signal(number)
        rest = read_until(process, "never said")
        assert process.wait(PATIENCE) == 0
    assert "stopped consuming" in rest
    assert line(leaf(placed).id).status == "released"


def test_the_command_knows_its_consumers() -> None:
    with pytest.raises(CommandError, match="invalid choice: 'nobody'"):
        call_command("consume_events", "--only", "nobody")

"""Texts can be erased; that they were, and why, stays on record, and every chain stays whole."""

from __future__ import annotations

import pytest
from django.db import connection

from orders.actions import lines, parts_orders, service_orders
from orders.actions.erasing import Erased, erase_texts
from orders.documents import orders_as_documents
from orders.errors import ReasonRequired
from orders.ledger import Cause, Ledger
from orders.models import EventText, OrderEvent, PartsOrder
from parts.actors import Actor
from parts.errors import Forbidden, Invalid
from tests.ledger.tampering import codes
from tests.orders.desk import NOBODY, NOW, TOLD, Desk, leaf, only, statements, told

WHY = "Asked for by the customer, case 4711"


def texts() -> set[str]:
    """Return what the vault holds."""
    return set(EventText.objects.values_list("text", flat=True))


def test_the_texts_of_a_subject_go_and_the_erasure_is_on_record(desk: Desk) -> None:
    job, other = desk.job(), desk.job()
    service_orders.add_note(service_order_id=job.pk, text="Mrs Weber, 0170 1234", **TOLD)
    service_orders.add_note(service_order_id=job.pk, text="Her dog bites", **TOLD)
    service_orders.add_note(service_order_id=other.pk, text="Gate code 1234", **TOLD)

    assert erase_texts(subject_ids=[job.pk], reason=WHY, **TOLD) == Erased(texts=2, subjects=1)

    assert texts() == {"Gate code 1234", WHY}
    last = OrderEvent.objects.filter(subject_id=job.pk).latest("version")
    notes = OrderEvent.objects.filter(subject_id=job.pk, kind="note.added").values_list("pk", flat=True)
    assert (last.kind, last.to_status, last.data) == ("note.erased", "", {"events": sorted(str(key) for key in notes)})


def test_after_an_erasure_every_chain_verifies(committed_desk: Desk) -> None:
    desk = committed_desk
    desk.put(3)
    job, placed = desk.job(), desk.place(5, note="for the quarry")
    service_orders.add_note(service_order_id=job.pk, text="Mrs Weber", **TOLD)
    lines.cancel(line_id=leaf(placed).id, reason="She changed her mind", **TOLD)
    ids = list(OrderEvent.objects.values_list("subject_id", flat=True).distinct())

    done = erase_texts(subject_ids=ids, reason=WHY, **TOLD)

    assert done.texts >= 3
    assert texts() == {WHY}
    assert codes() == set()


def test_the_texts_of_a_back_order_go_too(desk: Desk) -> None:
    placed = desk.place(5)
    waiting = leaf(placed, "back_ordered").back_order
    assert waiting is not None
    lines.cancel(line_id=leaf(placed, "back_ordered").id, reason="Not needed: Mr Roth called", **TOLD)
    ids = OrderEvent.objects.filter(text__isnull=False).values_list("subject_id", flat=True)
    erase_texts(subject_ids=[*ids, waiting.back_order_id], reason=WHY, **TOLD)
    assert texts() == {WHY}


def test_all_that_one_person_wrote_goes_but_not_the_reasons_of_erasures(desk: Desk) -> None:
    clerk = Actor(reference="user:17")
    job = desk.job()
    service_orders.add_note(service_order_id=job.pk, text="By the clerk", **told(by=clerk))
    service_orders.add_note(service_order_id=job.pk, text="By another", **TOLD)
    erase_texts(actors=["user:17"], reason=WHY, **told(by=clerk))
    assert texts() == {"By another", WHY}
    assert erase_texts(actors=["user:17"], reason="Again", **TOLD) == Erased(0, 0)
    assert texts() == {"By another", WHY}


def test_a_reason_goes_where_its_event_is_named(desk: Desk) -> None:
    job = desk.job()
    service_orders.add_note(service_order_id=job.pk, text="Mrs Weber", **TOLD)
    erase_texts(subject_ids=[job.pk], reason="Mrs Weber asked", **TOLD)
    event = OrderEvent.objects.get(kind="note.erased")
    erase_texts(event_ids=[event.pk], reason="A name was in the reason", **TOLD)
    assert texts() == {"A name was in the reason"}


def test_an_action_that_waited_for_the_erasure_still_works(desk: Desk) -> None:
    desk.put(5)
    placed = desk.place(2, note="x")
    erase_texts(subject_ids=[placed.id], reason=WHY, **TOLD)
    parts_orders.hold(order_id=placed.id, reason="Credit", **TOLD)


def test_why_an_order_is_held_stands_nowhere_but_in_the_vault_and_goes_with_it(desk: Desk) -> None:
    placed = desk.place(2)
    parts_orders.hold(order_id=placed.id, reason="Mrs Weber owes us money", **TOLD)
    kept = PartsOrder.objects.get(pk=placed.id)
    assert (kept.on_hold, kept.hold_reason) == (True, "Mrs Weber owes us money")
    assert "Mrs Weber owes us money" in orders_as_documents(PartsOrder.objects.all()).get()["document"]
    assert columns_with("Mrs Weber") == [("orders_eventtext", "text")]

    erase_texts(subject_ids=[placed.id], reason=WHY, **TOLD)

    kept = PartsOrder.objects.get(pk=placed.id)
    assert (kept.on_hold, kept.hold_reason) == (True, "")
    assert columns_with("Mrs Weber") == []
    parts_orders.let_go(order_id=placed.id, **TOLD)


def columns_with(text: str) -> list[tuple[str, str]]:
    """Return every column of text in the database (table, column) that holds some text."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " JOIN information_schema.tables USING (table_schema, table_name)"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND data_type IN"
            " ('text', 'character varying', 'jsonb')"
        )
        found = []
        for table, column in cursor.fetchall():
            cursor.execute(f'SELECT EXISTS (SELECT FROM "{table}" WHERE "{column}"::text LIKE %s)', [f"%{text}%"])
            found += [(table, column)] * cursor.fetchone()[0]
    return found


def test_erasing_needs_its_permission_a_reason_and_a_name(desk: Desk) -> None:
    job = desk.job()
    service_orders.add_note(service_order_id=job.pk, text="Mrs Weber", **TOLD)
    with pytest.raises(Forbidden):
        erase_texts(subject_ids=[job.pk], reason=WHY, **told(by=NOBODY))
    with pytest.raises(ReasonRequired):
        erase_texts(subject_ids=[job.pk], reason=" ", **TOLD)
    with pytest.raises(Invalid):
        erase_texts(reason=WHY, **TOLD)
    assert texts() == {"Mrs Weber"}
    erase_texts(subject_ids=[job.pk], reason=WHY, **told(by=only("orders.erase_eventtext")))
    assert texts() == {WHY}


def test_erasing_takes_as_many_statements_for_twenty_subjects_as_for_two(desk: Desk) -> None:
    counts = []
    for number in (2, 20):
        jobs = [desk.job().pk for _ in range(number)]
        for job in jobs:
            service_orders.add_note(service_order_id=job, text="Mrs Weber", **TOLD)
        with statements() as sent:
            erase_texts(subject_ids=jobs, reason=WHY, **TOLD)
        counts.append(len(sent))
    assert counts[0] == counts[1]


def test_more_texts_can_be_erased_than_a_statement_has_parameters(desk: Desk) -> None:
    job = desk.job()
    busy, ledger = service_orders.lock([job.pk])[job.pk], Ledger(Cause(Actor.system("busy"), "test", NOW))
    for _number in range(66_000):
        ledger.record(busy, "note.added", note="Gate code 1234")
    service_orders.write([busy], ledger)

    assert erase_texts(actors=[Actor.system("busy").reference], reason=WHY, **TOLD) == Erased(texts=66_000, subjects=1)

    assert texts() == {WHY}

"""The history page finds what happened by whatever is known of it, in a fixed number of statements, and proves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.actions import cases
from integrations.actions.cases import Contradiction
from orders.actions import consents, erasing, service_orders
from orders.models import OrderEvent, OverrideRequest, ServiceOrder
from orders.models.ledger import COMMON_KINDS
from parts.actors import Actor
from reports.audit import searching, sql
from reports.audit.searching import Asked, key_at, moment_of, search
from reports.bench.ledger import new_events
from tests.ledger.conftest import committed_desk
from tests.ledger.tampering import tamper
from tests.orders.desk import TOLD, Desk, statements

__all__ = ["committed_desk"]


@pytest.fixture
def desk(db: None) -> Desk:
    return Desk()


def seen(client: Client, query: str = "") -> str:
    answer = client.get(f"/audit/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def rows(page: str) -> int:
    return page.count('<tr id="e-')


@pytest.fixture
def reading(client: Client, auditor: User) -> Client:
    client.force_login(auditor)
    return client


# --- What is found ---------------------------------------------------------------------------------------------------


def test_an_order_is_found_by_any_reference_with_all_that_belongs_to_it(desk: Desk, reading: Client) -> None:
    desk.put(1)
    placed, other = desk.place(3, external_reference="PO 4711"), desk.place(1)
    for text in (placed.reference, placed.reference.lower().replace("-", " "), "po-4711"):
        page = seen(reading, f"?order={text}")
        assert f"{placed.reference}/1" in page
        assert f"B{placed.reference[1:]}" in page
        assert other.reference not in page


def test_whatever_the_ledger_knows_is_found_by_its_reference(desk: Desk, reading: Client) -> None:
    desk.place(3)
    case = cases.open_case(
        what=Contradiction("count_level", "5", "4", {"service_order_id": desk.job("new").pk}), note="", **TOLD
    )
    named = dict(OrderEvent.objects.values_list("subject_kind", "reference"))
    assert {"parts_order", "line", "back_order", "service_order", "case"} <= set(named)
    found = {kind: rows(seen(reading, f"?order={reference}")) for kind, reference in named.items()}
    assert all(found.values()), found
    assert rows(seen(reading, f"?order={case.reference.lower()}")) == found["case"]


def test_a_job_is_found_with_the_cases_about_it_and_its_lines(desk: Desk, reading: Client) -> None:
    job = desk.job("new")
    line = desk.place(1, service_order_id=job.pk).lines[0]
    for about in ({"service_order_id": job.pk}, {"line_id": line.id}):
        case = cases.open_case(what=Contradiction("count_level", "5", "4", about), note="", **TOLD)
        assert case.reference in seen(reading, f"?order={job.reference}")


@pytest.mark.parametrize("day", ["0001-01-01T00:00", "1960-01-01T00:00", "1969-12-31"])
def test_a_beginning_before_all_that_is_kept_finds_all_of_it(desk: Desk, reading: Client, day: str) -> None:
    desk.place(1)
    assert rows(seen(reading, f"?since={day}")) == rows(seen(reading)) > 0
    assert rows(seen(reading, f"?until={day}")) == 0
    assert rows(seen(reading, "?until=9999-12-31T23:59")) == rows(seen(reading))


@pytest.mark.parametrize("name", ["user:²", "user:99999999999999999999", "user:-1", "user:"])
def test_a_person_who_cannot_be_is_nobody(desk: Desk, reading: Client, name: str) -> None:
    desk.place(1)
    assert rows(seen(reading, f"?person={name}")) == 0


def test_a_reference_of_nothing_is_said_to_be_none(desk: Desk, reading: Client) -> None:
    desk.place(1)
    page = seen(reading, "?order=P-999999")
    assert "There is no order, job, line, shipment or case" in page
    assert rows(page) == 0


def overridden(desk: Desk, manager: User) -> OverrideRequest:
    evidence = consents.Evidence("receipt.txt", b"Paid")
    wish = consents.Wish("service_order", desk.job("in_progress").pk, "new", "Never begun", "", evidence)
    return consents.ask(wish=wish, **TOLD | {"by": Actor.user(manager)})


def test_the_file_that_an_override_rests_on_is_a_click_away_for_who_may_open_it(
    desk: Desk, reading: Client, manager: User
) -> None:
    request = overridden(desk, manager)
    address = reverse("admin:orders_overriderequest_evidence", args=[request.pk])
    page = seen(reading, "?overrides=on")
    assert f'href="{address}"' in page
    assert "receipt.txt" in page
    assert f'href="{address}"' in seen(reading, f"chains/{request.service_order_id}/")
    assert reading.get(address).getvalue() == b"Paid"


def test_the_file_of_an_override_is_not_named_to_who_may_not_open_it_nor_once_it_is_erased(
    desk: Desk, reading: Client, manager: User, auditor: User
) -> None:
    request = overridden(desk, manager)
    address = reverse("admin:orders_overriderequest_evidence", args=[request.pk])
    person = User.objects.create_user("reader", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_orderevent"))
    other = Client()
    other.force_login(person)
    page = seen(other, "?overrides=on")
    assert rows(page) == 1
    assert address not in page
    assert "receipt.txt" not in page
    assert request.service_order_id is not None
    erasing.erase_texts(reason="asked for it", subject_ids=[request.service_order_id], **TOLD)
    page = seen(reading, "?overrides=on")
    assert rows(page) == 1
    assert address not in page


def test_a_person_is_found_by_name_and_two_of_one_name_are_asked_for(
    desk: Desk, reading: Client, manager: User, dispatcher: User
) -> None:
    job = desk.job()
    service_orders.add_note(service_order_id=job.pk, text="By hand", **TOLD | {"by": Actor.user(dispatcher)})
    page = seen(reading, "?person=dispatch")
    assert rows(page) == 1
    assert "By hand" in page

    User.objects.filter(pk=manager.pk).update(last_name="Miller")
    User.objects.filter(pk=dispatcher.pk).update(last_name="Miller")
    page = seen(reading, "?person=Miller")
    assert "Whom do you mean?" in page
    assert f"person=user%3A{dispatcher.pk}" in page
    assert rows(page) == 0
    assert rows(seen(reading, f"?person=user:{dispatcher.pk}")) == 1
    assert "There is nobody called" in seen(reading, "?person=Zebedee")


def test_source_kind_subject_and_overrides_narrow_the_list(desk: Desk, reading: Client) -> None:
    job = desk.job()
    service_orders.add_note(service_order_id=job.pk, text="From elsewhere", **TOLD | {"source": "depot-9"})
    service_orders.override(service_order_id=job.pk, to="completed", reason="done by phone", reference="INC-1", **TOLD)
    desk.place(1)
    assert rows(seen(reading, "?source=depot-9")) == 1
    assert rows(seen(reading, "?kind=note.added")) == 1
    assert rows(seen(reading, "?kind=service_order.status_overridden")) == 1
    assert rows(seen(reading, "?about=service_order")) == OrderEvent.objects.filter(subject_id=job.pk).count()
    page = seen(reading, "?overrides=on")
    assert rows(page) == 1
    assert "INC-1" in page
    assert "done by phone" in page
    assert "Nothing like that has happened" in seen(reading, "?overrides=on&source=depot-9")


def test_a_time_is_that_of_recording_and_its_end_is_not_in_it(desk: Desk, reading: Client) -> None:
    job = desk.job()
    at = OrderEvent.objects.get(subject_id=job.pk, version=1).recorded_at
    instant = timedelta(microseconds=1)
    for since, until, count in ((at, at + instant, 1), (at - instant, at, 0), (at + instant, at + instant * 2, 0)):
        found = search(Asked(subjects=(job.pk,), since=since, until=until))
        assert len(found.rows) == count
    nonsense = seen(reading, "?since=2026-02-02T00:00&until=2026-02-01T00:00")
    assert "This is not after the beginning" in nonsense
    assert "Mend what is marked" in seen(reading, "?since=yesterday")


def test_the_time_in_a_key_is_that_of_recording() -> None:
    at = datetime(2026, 3, 3, 9, 30, 0, 250_000, tzinfo=UTC)
    assert moment_of(key_at(at)) == at


def test_pages_follow_each_other_without_gap_or_repetition(desk: Desk, reading: Client) -> None:
    job = desk.job()
    for number in range(7):
        service_orders.add_note(service_order_id=job.pk, text=f"note {number}", **TOLD)
    found, before, pages = [], None, 0
    while True:
        page = search(Asked(kind="note.added"), before=before, size=3)
        found += [row.pk for row in page.rows]
        pages += 1
        before = page.older
        if before is None:
            break
    assert pages == 3
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == 7


def test_what_is_rare_in_combination_is_looked_for_a_stretch_at_a_time(
    desk: Desk, reading: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = desk.job()
    for number in range(9):
        service_orders.add_note(service_order_id=job.pk, text=f"note {number}", **TOLD)
    monkeypatch.setattr(sql, "LOOK_AT", 4)
    asked = Asked(subject_kind="service_order", kind="note.added", until=timezone.now() + timedelta(days=1))
    first = search(asked, size=6)
    assert len(first.rows) == 4
    assert first.looked_back_to is not None
    assert first.older == first.rows[-1].pk
    second = search(asked, before=first.older, size=6)
    third = search(asked, before=second.older, size=6)
    assert len(first.rows + second.rows + third.rows) == 9
    assert third.older is None
    assert third.looked_back_to is None
    page = seen(reading, "?about=back_order")
    assert "Look further back" in page


def test_without_scripts_and_with_them_the_same_rows_come(desk: Desk, reading: Client) -> None:
    desk.place(2)
    whole = seen(reading, "?about=line")
    part = reading.get("/audit/?about=line", headers={"HX-Request": "true", "HX-Target": "history"})
    assert "<html" in whole
    assert "<html" not in part.content.decode()
    assert rows(part.content.decode()) == rows(whole) > 0
    assert part.headers["HX-Push-Url"] == "/audit/?about=line"


@pytest.mark.parametrize(
    "query", ["?before=nonsense", "?kind=nonsense", "?about=nonsense", "?order=%00", "?person=%00"]
)
def test_nonsense_in_the_address_is_no_error(desk: Desk, reading: Client, query: str) -> None:
    desk.place(1)
    assert reading.get(f"/audit/?{query}").status_code in (200, 400)


# --- What each event shows -------------------------------------------------------------------------------------------


def test_an_erased_text_is_said_to_be_erased(desk: Desk, reading: Client) -> None:
    job = desk.job()
    service_orders.add_note(service_order_id=job.pk, text="Call Mrs Smith at home", **TOLD)
    assert "Call Mrs Smith" in seen(reading)
    erasing.erase_texts(reason="asked for it", subject_ids=[job.pk], **TOLD)
    page = seen(reading)
    assert "Call Mrs Smith" not in page
    assert "The text was erased" in page


def test_an_altered_event_is_marked_wherever_it_is_shown(desk: Desk, reading: Client) -> None:
    job = desk.job()
    assert "Altered" not in seen(reading)
    tamper("UPDATE orders_orderevent SET actor = 'user:1' WHERE subject_id = %s", [job.pk])
    assert "Altered" in seen(reading)
    assert "Altered" in reading.get(f"/audit/chains/{job.pk}/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_chain_is_verified_on_the_spot(committed_desk: Desk, reading: Client) -> None:
    job = committed_desk.job("in_progress")
    address = f"/audit/chains/{job.pk}/?verify=1"
    version = ServiceOrder.objects.get(pk=job.pk).version
    assert f"The chain holds: {version} events" in reading.get(address).content.decode()
    part = reading.get(address, headers={"HX-Request": "true", "HX-Target": "verdict"}).content.decode()
    assert "The chain holds" in part
    assert "<html" not in part
    tamper("UPDATE orders_orderevent SET note_commitment = '\\x00' WHERE subject_id = %s AND version = 1", [job.pk])
    page = reading.get(address).content.decode()
    assert "event_altered" in page
    assert "The chain holds" not in page


def test_a_chain_that_does_not_exist_is_not_found(reading: Client) -> None:
    assert reading.get(f"/audit/chains/{key_at(timezone.now())}/").status_code == 404


# --- What it costs, and who may --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query", ["", "?overrides=on", "?person=manager", "?kind=note.added", "?source=test&about=line"]
)
def test_two_events_and_twenty_cost_the_same(desk: Desk, reading: Client, manager: User, query: str) -> None:
    def live(times: int) -> None:
        for _ in range(times):
            job = desk.job()
            told = TOLD | {"by": Actor.user(manager), "source": "test"}
            service_orders.add_note(service_order_id=job.pk, text="x", **told)
            service_orders.override(service_order_id=job.pk, to="completed", reason="r", reference="R", **told)
            desk.place(1)

    def cost() -> int:
        seen(reading, query)  # what is kept from one page to the next is kept now
        with statements() as sent:
            assert rows(seen(reading, query)) > 0
        return len(sent)

    live(2)
    few = cost()
    live(18)
    assert cost() <= few  # a full page need not ask where the search has stopped
    assert few <= 13  # one of them asks for the evidence of overrides


def test_the_history_is_for_those_who_may_read_the_ledger(
    client: Client, technician: User, partner: User, nobody: User, manager: User
) -> None:
    assert client.get("/audit/").status_code == 302
    for person, status in ((technician, 403), (partner, 403), (nobody, 403), (manager, 200)):
        client.force_login(person)
        assert client.get("/audit/").status_code == status
    assert client.post("/audit/").status_code == 405


def test_each_way_into_a_long_ledger_goes_by_its_index(db: None) -> None:
    new_events(40_000, timezone.now(), timedelta(days=400))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE orders_orderevent")
        for asked, index in (
            (Asked(actor="user:17"), "order_event_by_person"),
            (Asked(actor="user:17", kind="line.status_changed"), "order_event_by_person"),
            (Asked(kind="line.status_overridden"), "order_event_rare_kinds"),
            (Asked(overrides=True), "order_event_overrides"),
            (Asked(), "orders_orderevent_pkey"),
            (Asked(actor="system:allocation", source="backline"), "orders_orderevent_pkey"),
        ):
            way, statement = searching._way(asked)
            more = " AND ".join(asked.conditions()) or "true"
            bounds = {"before": searching._LAST_KEY, "since_id": key_at(datetime(2020, 1, 1, tzinfo=UTC))}
            cursor.execute(
                "EXPLAIN " + statement.format(way=way, more=more),
                asked.parameters() | bounds | {"look_at": 50_000, "size": 51},
            )
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert index in plan, f"{asked}\n{plan}"


def test_what_is_common_has_no_place_in_the_index_of_what_is_rare(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'order_event_rare_kinds'")
        (definition,) = cursor.fetchone()
    assert all(f"'{kind}'" in definition for kind in COMMON_KINDS)

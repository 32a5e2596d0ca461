"""The same call with the same key is carried out once, whoever is quicker and whatever breaks in between."""

from __future__ import annotations

import hashlib
import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations import idempotency
from integrations.idempotency import Answer, InFlight, KeyReused, once
from integrations.models import IdempotentRequest
from integrations.tasks import prune_idempotent_requests
from orders.models import PartsOrder
from parts.errors import Refused
from parts.models import Region
from tests.api.world import Caller, World, token_for

CREATED = Answer(201, {"Content-Type": "application/json"}, b"{}")


def _once(work: Any, key: str = "k-1", client: str = "client:1", body: bytes = b"", **more: Any) -> tuple[Answer, bool]:
    facts = {"at": timezone.now(), **more}
    return once(client=client, key=key, fingerprint=hashlib.sha256(body).digest(), work=work, **facts)


# --- Through the door ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_repeat_gets_the_first_answer_word_for_word_and_says_so(world: World, erp: Caller) -> None:
    first = erp.post("parts-orders/", body := world.order(), key="order-1")
    again = erp.post("parts-orders/", body, key="order-1")
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert all(again[name] == first[name] for name in ("ETag", "Location", "Content-Type"))
    assert PartsOrder.objects.count() == 1


@pytest.mark.django_db
def test_a_key_with_another_body_or_address_is_refused(world: World, erp: Caller) -> None:
    erp.post("parts-orders/", world.order(), key="order-1")
    for path, body in [("parts-orders/", world.order(note="other")), ("deliveries/", world.order())]:
        answer = erp.post(path, body, key="order-1")
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert PartsOrder.objects.count() == 1


@pytest.mark.django_db
def test_keys_of_two_clients_of_one_account_are_not_mixed_up(world: World, manager: User) -> None:
    one, two = Caller(token_for(manager)), Caller(token_for(manager))
    first, second = (caller.post("parts-orders/", world.order(), key="1").json()["id"] for caller in (one, two))
    assert first != second


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["parts-orders/", "deliveries/", "status-updates/"])
def test_what_must_not_happen_twice_needs_a_key(world: World, erp: Caller, path: str) -> None:
    answer = erp.post(path, world.order(), key=None)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_required")
    assert not PartsOrder.objects.exists()


@pytest.mark.django_db
def test_other_calls_take_a_key_and_do_without(world: World, erp: Caller) -> None:
    job = world.job()
    assert erp.post(f"service-orders/{job.pk}/move/", {"to": "in_progress"}, key=None).status_code == 200
    for _ in range(2):
        assert erp.post(f"service-orders/{job.pk}/move/", {"to": "new"}, key="back").status_code == 200
    assert erp.post(f"service-orders/{job.pk}/move/", {"to": "new"}, key=None).status_code == 409


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["two words", "x" * 256, "é"])
def test_a_key_must_be_one(world: World, erp: Caller, key: str) -> None:
    answer = erp.post("parts-orders/", world.order(), key=key)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["Idempotency-Key"])


@pytest.mark.django_db
def test_a_refusal_is_an_answer_and_is_repeated_too(world: World, erp: Caller) -> None:
    line = world.placed().lines[0].id
    refused = erp.post(f"lines/{line}/move/", {"to": "packed"}, key="jump")
    assert refused.status_code == 409
    for to in ("released", "picking"):
        assert erp.post(f"lines/{line}/move/", {"to": to}).status_code == 200
    again = erp.post(f"lines/{line}/move/", {"to": "packed"}, key="jump")
    assert (again.content, again["Idempotent-Replayed"]) == (refused.content, "true")
    assert again["Content-Type"] == "application/problem+json"
    assert erp.post(f"lines/{line}/move/", {"to": "packed"}, key="jump-2").status_code == 200


@pytest.mark.django_db
def test_who_may_not_enter_leaves_no_key(world: World) -> None:
    assert Caller("nobody").post("parts-orders/", world.order()).status_code == 401
    assert not IdempotentRequest.objects.exists()


# --- The rule itself -------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_key_costs_two_statements(django_assert_num_queries: Any) -> None:
    with transaction.atomic(), CaptureQueriesContext(connection) as statements:
        _once(lambda: CREATED)
    assert [query["sql"].split("*/")[0].strip("/* ") for query in statements if "SAVEPOINT" not in query["sql"]] == [
        "integrations.claim_key",
        "integrations.keep_answer",
    ]


@pytest.mark.django_db
def test_an_answer_of_500_is_not_kept_and_undoes_the_work() -> None:
    def work(status: int) -> Answer:
        Region.objects.create(code=str(status), name="Somewhere")
        return Answer(status, {}, b"")

    assert _once(lambda: work(503))[0].status == 503
    assert not Region.objects.filter(code="503").exists()
    assert _once(lambda: work(201)) == (Answer(201, {}, b""), False)


@pytest.mark.django_db
def test_a_refusal_after_the_work_has_written_undoes_what_was_written_and_is_kept() -> None:
    def work() -> Answer:
        try:
            with transaction.atomic():
                Region.objects.create(code="X", name="Somewhere")
                raise Refused("No.")
        except Refused:
            return Answer(409, {}, b"no")

    assert _once(work) == (Answer(409, {}, b"no"), False)
    assert not Region.objects.filter(code="X").exists()
    assert _once(work) == (Answer(409, {}, b"no"), True)


@pytest.mark.django_db
def test_work_that_recovers_from_an_error_of_the_database_within_its_own_transaction_goes_on() -> None:
    def work() -> Answer:
        with transaction.atomic():
            try:
                with transaction.atomic():
                    Region.objects.create(code="X" * 99, name="Too long for its column")
            except DatabaseError:
                Region.objects.create(code="X", name="Somewhere")
        return CREATED

    assert _once(work) == (CREATED, False)
    assert Region.objects.filter(code="X").exists()


@pytest.mark.django_db(transaction=True)
def test_a_call_that_breaks_off_leaves_neither_key_nor_work() -> None:
    class Crash(BaseException):
        pass

    def work() -> Answer:
        Region.objects.create(code="X", name="Somewhere")
        raise Crash

    with pytest.raises(Crash):
        _once(work)
    assert not Region.objects.exists()
    assert not IdempotentRequest.objects.exists()
    assert _once(lambda: CREATED) == (CREATED, False)


@pytest.mark.django_db(transaction=True)
def test_a_backend_killed_between_work_and_answer_leaves_nothing_and_the_next_call_begins_anew() -> None:
    def killed() -> Answer:
        Region.objects.create(code="X", name="Somewhere")
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return CREATED

    failed: list[BaseException] = []

    def caller() -> None:
        try:
            _once(killed)
        except DatabaseError as error:
            failed.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=caller)
    thread.start()
    thread.join(20)
    assert failed
    assert not Region.objects.exists()
    assert _once(lambda: CREATED) == (CREATED, False)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_at_once_work_once_and_both_get_the_answer() -> None:
    begun, may_end = threading.Event(), threading.Event()
    worked: list[str] = []
    answers: dict[str, Any] = {}

    def call(name: str) -> None:
        def work() -> Answer:
            worked.append(name)
            begun.set()
            assert may_end.wait(20)
            return Answer(201, {}, name.encode())

        try:
            answers[name] = _once(work)
        finally:
            connection.close()

    first, second = threading.Thread(target=call, args=("first",)), threading.Thread(target=call, args=("second",))
    first.start()
    assert begun.wait(20)
    second.start()
    _wait_until_somebody_waits()
    may_end.set()
    first.join(20)
    second.join(20)
    assert worked == ["first"]
    assert answers == {"first": (Answer(201, {}, b"first"), False), "second": (Answer(201, {}, b"first"), True)}


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_whoever_repeats_while_the_first_still_works_is_told_so_and_the_first_one_ends_well() -> None:
    begun, may_end = threading.Event(), threading.Event()
    answers: list[Any] = []

    def work() -> Answer:
        begun.set()
        assert may_end.wait(20)
        return CREATED

    def call() -> None:
        try:
            answers.append(_once(work))
        finally:
            connection.close()

    thread = threading.Thread(target=call)
    thread.start()
    assert begun.wait(20)
    with pytest.raises(InFlight) as refusal:
        _once(lambda: CREATED, patience=timedelta(milliseconds=50))
    assert (refusal.value.status, refusal.value.extra["retry_after"]) == (409, 1)
    may_end.set()
    thread.join(20)
    assert answers == [(CREATED, False)]
    assert _once(work) == (CREATED, True)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_when_the_first_one_fails_the_one_who_waits_does_the_work() -> None:
    begun, may_end = threading.Event(), threading.Event()
    answers: dict[str, Any] = {}

    def failing() -> Answer:
        begun.set()
        assert may_end.wait(20)
        return Answer(503, {}, b"")

    def call(name: str, work: Any) -> None:
        try:
            answers[name] = _once(work)
        finally:
            connection.close()

    first = threading.Thread(target=call, args=("first", failing))
    second = threading.Thread(target=call, args=("second", lambda: CREATED))
    first.start()
    assert begun.wait(20)
    second.start()
    _wait_until_somebody_waits()
    may_end.set()
    first.join(20)
    second.join(20)
    assert answers == {"first": (Answer(503, {}, b""), False), "second": (CREATED, False)}


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_twenty_repeats_from_many_threads_place_one_order(manager: User) -> None:
    world = World()
    token, body = token_for(manager), world.order()
    ids: list[str] = []

    def call() -> None:
        try:
            for _ in range(5):
                ids.append(Caller(token).post("parts-orders/", body, key="the-one").json()["id"])
        finally:
            connection.close()

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(ids) == 20
    assert len(set(ids)) == 1
    assert PartsOrder.objects.count() == 1


@pytest.mark.django_db
def test_another_fingerprint_is_refused_and_another_client_is_somebody_else() -> None:
    _once(lambda: CREATED)
    with pytest.raises(KeyReused):
        _once(lambda: CREATED, body=b"other")
    assert _once(lambda: CREATED, client="client:2", body=b"other") == (CREATED, False)


@pytest.mark.django_db
def test_an_answer_is_kept_for_48_hours_and_then_the_key_is_free_and_the_row_is_pruned() -> None:
    now = timezone.now()
    _once(lambda: CREATED, at=now)
    other = Answer(200, {}, b"other")
    assert _once(lambda: other, at=now + timedelta(hours=47)) == (CREATED, True)
    assert _once(lambda: other, body=b"other", at=now + timedelta(hours=49)) == (other, False)
    _once(lambda: CREATED, key=uuid.uuid4().hex, at=now)
    assert idempotency.prune(at=now + timedelta(hours=50)) == 1
    assert IdempotentRequest.objects.count() == 1
    assert prune_idempotent_requests() == 0


def _wait_until_somebody_waits() -> None:
    for _ in range(2000):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
        threading.Event().wait(0.005)
    raise AssertionError("nobody waits")

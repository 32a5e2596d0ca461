"""Messages are kept as they came, once; each ends accepted, rejected, parked or dead, and those add up to received."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config.consumers import CONSUMERS
from integrations.actions import deciding, settling, working_off
from integrations.actions.deciding import Decision
from integrations.actions.taking_in import MOST_AT_ONCE, take_in
from integrations.facts import Code, Unreadable
from integrations.inbox import step
from integrations.models import Discrepancy, ExternalSystem, InboundDeed, InboundMessage, NumberElsewhere, StatusCode
from integrations.statuses import Way
from orders.errors import NothingToDo, ReasonRequired
from orders.models import OrderEvent, OrderLine
from parts.actors import Actor
from parts.errors import Forbidden, Invalid
from tests.api.world import World
from tests.integrations.sending import connect, said, send, sender

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> World:
    """Two warehouses with stock, and a warehouse's system that is connected."""
    connect()
    return World()


def _line(world: World, **more: Any) -> OrderLine:
    return OrderLine.objects.select_related("order").get(pk=world.placed(**more).lines[0].id)


def _reference(line: OrderLine) -> str:
    return f"{line.order.reference}/{line.position}"


def _decide(by: User, status: str = "shipped", **fields: Any) -> StatusCode:
    decision = Decision(
        **{
            "subject": "line",
            "status": status,
            "effect": "status",
            "effective_from": timezone.now().date() - timedelta(days=30),
            "reason": "Asked the warehouse.",
            **fields,
        }
    )
    code = Code("wms", "", "GI")
    return deciding.decide(code=code, system_id=None, decision=decision, by=Actor.user(by), at=timezone.now())


def test_a_message_is_kept_as_it_came_and_has_its_effect_in_the_name_of_its_system(world: World) -> None:
    line = _line(world)
    letter = said(_reference(line), note="Left by truck 7")
    body = json.dumps(letter, indent=3).encode()
    [taken] = send(body)
    assert (taken.status, taken.is_repeat) == ("accepted", False)
    line.refresh_from_db()
    assert line.status == "shipped"
    kept = InboundMessage.objects.get(pk=taken.id)
    assert (bytes(kept.body), kept.key, kept.way) == (body, letter["id"], "rest")
    event = OrderEvent.objects.filter(subject_id=line.pk).latest("version")
    assert (event.source, event.actor, event.message_id) == ("wms-north", "client:wms-north", letter["id"])
    assert taken.facts[0]["outcome"] == "moved"


def test_a_repeat_is_answered_as_the_first_one_and_has_no_second_effect(world: World) -> None:
    line = _line(world)
    letter = said(_reference(line))
    [first] = send(letter)
    events = OrderEvent.objects.count()
    [again] = send(letter)
    assert (again.id, again.status, again.facts) == (first.id, first.status, list(first.facts))
    assert again.is_repeat
    assert OrderEvent.objects.count() == events
    assert InboundMessage.objects.get().repeats == 1


def test_what_comes_twice_in_one_call_is_one_message(world: World) -> None:
    letter = said(_reference(_line(world)))
    first, second = send(letter, letter)
    assert (first.id, first.is_repeat, second.id, second.is_repeat) == (second.id, False, first.id, True)
    assert InboundMessage.objects.count() == 1


def test_a_key_that_comes_again_with_another_content_is_kept_beside_the_first_and_rejected(world: World) -> None:
    line = _line(world)
    letter = said(_reference(line), "picking")
    other = {**letter, "status": "shipped"}
    send(letter)
    for turn, results in enumerate((send(other), send(other), send(letter, other)[1:])):
        [taken] = results
        assert (taken.status, taken.cause) == ("rejected", "message_key_reused")
        assert taken.is_repeat is (turn > 0)
    line.refresh_from_db()
    assert line.status == "picking"
    assert InboundMessage.objects.count() == 2


def test_messages_without_a_key_are_known_by_what_they_say(world: World) -> None:
    letter = said(_reference(_line(world)))
    del letter["id"]
    [first], [again] = send(letter), send(letter)
    assert (first.id, again.is_repeat) == (again.id, True)


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b'{"id": "a", "subject": "moon"}', "unreadable"),
        (b'{"id": "a"', "unreadable"),
        (b'[{"id": "a", "facts": []}]', "unreadable"),
        (b'{"id": "a", "subject": "line", "reference": "PO-1/1", "status": "shipped"}', "unreadable"),
        (b'{"id": "a", "time": "yesterday", "subject": "line", "reference": "x", "status": "shipped"}', "unreadable"),
        (
            b'{"id": "a", "time": "2026-11-22T09:00:00Z", "subject": "line", "reference": "x", "status": 7}',
            "unreadable",
        ),
        (
            b'{"id": "a", "time": "2026-11-22T09:00:00Z", "subject": "line", "reference": "x", "colour": "red"}',
            "unreadable",
        ),
        (b"[1]", "unreadable"),
        (b'"text"', "unreadable"),
        (b"\xef\xbb\xbf<xml/>", "unreadable"),
    ],
)
def test_what_cannot_be_read_is_kept_and_rejected_and_says_why(world: World, body: bytes, cause: str) -> None:
    [taken] = send(body)
    assert (taken.status, taken.cause) == ("rejected", cause)
    assert taken.problems[0]["detail"]["text"]
    assert bytes(InboundMessage.objects.get().body) in body


@pytest.mark.parametrize("body", [b"", b"  \n", b"[]", b"[{]", b"[1,", b"\xff\xfe", b"[" * 100_000])
def test_what_is_not_even_messages_is_refused_and_leaves_nothing(world: World, body: bytes) -> None:
    with pytest.raises(Unreadable):
        send(body)
    assert not InboundMessage.objects.exists()


def test_many_in_one_call_each_end_by_themselves_and_add_up(world: World) -> None:
    lines = [_line(world) for _ in range(3)]
    letters = [said(_reference(line)) for line in lines]
    results = send(*letters, said("PO-999999/1"), {"id": "x", "subject": "moon"}, said(_reference(lines[0]), "flown"))
    assert [one.status for one in results] == ["accepted"] * 3 + ["parked", "rejected", "rejected"]
    assert sum(Counter(InboundMessage.objects.values_list("status", flat=True)).values()) == 6
    with pytest.raises(Invalid):
        send(*[said("x") for _ in range(MOST_AT_ONCE + 1)])


def test_the_number_of_statements_does_not_depend_on_how_many_messages_there_are(world: World) -> None:
    def cost(count: int) -> int:
        letters = [said(_reference(_line(world))) for _ in range(count)]
        speaker = sender()
        with CaptureQueriesContext(connection) as queries:
            results = take_in(sender=speaker, body=json.dumps(letters).encode(), way=Way.REST, at=timezone.now())
        assert {one.status for one in results} == {"accepted"}
        return len(queries)

    assert cost(2) == cost(20)


def test_a_code_that_nobody_knows_parks_its_message_until_somebody_decides(world: World, manager: User) -> None:
    line = _line(world)
    [taken] = send(said(_reference(line), code="GI"))
    assert (taken.status, taken.cause) == ("parked", "code_unknown")
    line.refresh_from_db()
    assert line.status == "reserved"
    _decide(manager)
    assert step(timezone.now()) == 1
    line.refresh_from_db()
    message = InboundMessage.objects.get(pk=taken.id)
    assert (line.status, message.status, message.cause) == ("shipped", "accepted", "")


def test_what_nobody_has_confirmed_is_not_acted_upon(world: World) -> None:
    StatusCode.objects.create(code_list="wms", code="GI", status="shipped", effective_from="2020-01-01")
    [taken] = send(said(_reference(_line(world)), code="GI"))
    assert (taken.status, taken.cause, taken.problems[0]["extra"]["suggested"]) == (
        "parked",
        "code_to_check",
        "shipped",
    )


def test_codes_that_contradict_each_other_park_their_message(world: World, manager: User) -> None:
    _decide(manager)
    StatusCode.objects.create(
        code_list="wms", code="BO", status="back_ordered", effective_from="2020-01-01", certainty="read", source="Book"
    )
    StatusCode.objects.create(
        code_list="wms", code="HI", effect="information", effective_from="2020-01-01", certainty="read", source="Book"
    )
    line = _line(world)
    [conflicting] = send(said(_reference(line), codes=["GI", "BO"]))
    [harmless] = send(said(_reference(line), codes=["HI"]))
    [together] = send(said(_reference(line), codes=["HI", "GI"]))
    assert (conflicting.status, conflicting.cause) == ("parked", "codes_conflict")
    assert (harmless.status, harmless.facts[0]["outcome"]) == ("accepted", "noted")
    assert (together.status, together.facts[0]["status"]) == ("accepted", "shipped")


def test_a_meaning_holds_from_its_day_on_and_a_systems_own_stands_above_the_standards(
    world: World, manager: User
) -> None:
    today = timezone.now().date()
    _decide(manager, "picking", effective_from=today - timedelta(days=30))
    _decide(manager, "packed", effective_from=today - timedelta(days=1))
    before, now, own = _line(world), _line(world), _line(world)
    send(said(_reference(before), code="GI", occurred_at=(timezone.now() - timedelta(days=3)).isoformat()))
    send(said(_reference(now), code="GI"))
    system = connect("wms-south")
    StatusCode.objects.create(
        system=system,
        code_list="wms",
        code="GI",
        status="shipped",
        effective_from="2020-01-01",
        certainty="read",
        source="Book",
    )
    send(said(_reference(own), code="GI"), system="wms-south")
    for line, status in ((before, "picking"), (now, "packed"), (own, "shipped")):
        line.refresh_from_db()
        assert line.status == status


def test_only_who_may_decides_and_says_why(world: World, manager: User, dispatcher: User) -> None:
    with pytest.raises(Forbidden):
        _decide(dispatcher)
    with pytest.raises(ReasonRequired):
        _decide(manager, reason=" ")
    for fields in ({"status": "flown"}, {"effect": "magic"}, {"effect": "split"}, {"subject": "moon"}):
        with pytest.raises(Invalid):
            _decide(manager, **fields)
    assert not StatusCode.objects.filter(code_list="wms").exists()


def test_a_message_that_overtakes_its_order_waits_for_it(world: World) -> None:
    prefix, number = _line(world).order.reference.split("-")
    expected = f"{prefix}-{int(number) + 1:06}/1"
    [taken] = send(said(expected, "picking"))
    assert (taken.status, taken.cause) == ("parked", "not_found")
    line = _line(world)
    assert _reference(line) == expected
    CONSUMERS["waking"](list(OrderEvent.objects.filter(subject_id=line.pk)))
    assert working_off.work_off(at=timezone.now()) == 1
    line.refresh_from_db()
    assert (line.status, InboundMessage.objects.get(pk=taken.id).status) == ("picking", "accepted")


def test_a_status_that_cannot_be_reached_yet_waits_and_then_becomes_a_case(world: World) -> None:
    line = _line(world, quantity=5, part=4)
    waiting = OrderLine.objects.select_related("order").get(order=line.order, status="back_ordered", is_split=False)
    [taken] = send(said(f"{_reference(waiting)}.{waiting.child_number}"))
    assert (taken.status, taken.cause) == ("parked", "transition_refused")
    message = InboundMessage.objects.get(pk=taken.id)
    assert message.due_at is not None
    soon = message.due_at + timedelta(seconds=1)
    assert step(soon) == 1
    assert InboundMessage.objects.get(pk=taken.id).status == "parked"
    assert not Discrepancy.objects.exists()
    assert step(soon + timedelta(hours=73)) == 1
    message = InboundMessage.objects.get(pk=taken.id)
    assert (message.status, message.cause) == ("rejected", "transition_refused")
    case = Discrepancy.objects.get()
    assert (case.line_id, case.kind) == (waiting.pk, "message_status")


def test_a_system_is_understood_by_its_own_numbers(world: World) -> None:
    line = _line(world)
    letter = said("", number="80001234/10", number_kind="delivery_item")
    del letter["reference"]
    [taken] = send(letter)
    assert (taken.status, taken.cause) == ("parked", "not_found")
    NumberElsewhere.objects.create(
        system=ExternalSystem.objects.get(code="wms-north"),
        kind="delivery_item",
        number="80001234/10",
        subject_kind="line",
        subject_id=line.pk,
        known_since=timezone.now(),
    )
    working_off.wake(at=timezone.now(), waits_for=["line:delivery_item:80001234/10"])
    step(timezone.now())
    line.refresh_from_db()
    assert line.status == "shipped"


def test_what_was_kept_and_not_worked_on_is_finished_by_a_worker(world: World) -> None:
    line = _line(world)
    [taken] = send(said(_reference(line)), at_once=False)
    assert taken.status == "received"
    assert step(timezone.now()) == 1
    line.refresh_from_db()
    assert line.status == "shipped"
    assert step(timezone.now()) == 0


def test_what_a_killed_process_had_claimed_comes_again_when_its_claim_has_lapsed(world: World) -> None:
    [taken] = send(said(_reference(_line(world))), at_once=False)
    until = timezone.now() + timedelta(minutes=2)
    InboundMessage.objects.filter(pk=taken.id).update(claimed_until=until, attempts=1)
    assert step(timezone.now()) == 0
    assert step(until) == 1
    assert InboundMessage.objects.get().status == "accepted"


def test_what_ended_its_worker_too_often_is_dead_and_can_be_replayed(world: World, manager: User) -> None:
    [taken] = send(said(_reference(_line(world))), at_once=False)
    InboundMessage.objects.update(attempts=working_off.MOST_ATTEMPTS)
    step(timezone.now())
    message = InboundMessage.objects.get()
    assert (message.status, message.cause) == ("dead", "not_worked")
    assert settling.replay(messages=[taken.id], by=Actor.user(manager), at=timezone.now()) == 1
    step(timezone.now())
    assert InboundMessage.objects.get().status == "accepted"
    assert settling.replay(messages=[taken.id], by=Actor.user(manager), at=timezone.now()) == 0
    assert InboundDeed.objects.get().deed == "replayed"


def test_a_rejected_message_is_corrected_by_a_person_and_what_came_is_kept(
    world: World, manager: User, dispatcher: User
) -> None:
    line = _line(world)
    letter = said(_reference(line), "flown")
    [taken] = send(letter)
    right = json.dumps({**letter, "status": "shipped"}).encode()
    now = timezone.now()
    with pytest.raises(Forbidden):
        settling.edit(message=taken.id, body=right, by=Actor.user(dispatcher), at=now, reason="Typing error")
    with pytest.raises(ReasonRequired):
        settling.edit(message=taken.id, body=right, by=Actor.user(manager), at=now, reason="")
    settling.edit(message=taken.id, body=right, by=Actor.user(manager), at=now, reason="Typing error")
    step(timezone.now())
    line.refresh_from_db()
    deed = InboundDeed.objects.get()
    assert deed.body_before is not None
    assert (line.status, json.loads(bytes(deed.body_before)), deed.reason) == ("shipped", letter, "Typing error")
    with pytest.raises(NothingToDo):
        settling.edit(message=taken.id, body=b"{}", by=Actor.user(manager), at=now, reason="Once more")


def test_any_order_and_repetition_of_messages_ends_in_the_same_state(world: World) -> None:
    chance = random.Random(7)
    steps = ("picking", "packed", "shipped", "delivered")
    lines = [_line(world) for _ in range(4)]
    began = timezone.now() - timedelta(minutes=30)
    letters = [
        said(_reference(line), status, occurred_at=(began + timedelta(minutes=number)).isoformat())
        for line in lines
        for number, status in enumerate(steps[: 2 + lines.index(line) % 3])
    ]
    shuffled = letters + chance.sample(letters, 3)
    chance.shuffle(shuffled)
    for first in range(0, len(shuffled), 3):
        send(*shuffled[first : first + 3])
    states = [OrderLine.objects.get(pk=line.pk).status for line in lines]
    assert states == ["packed", "shipped", "delivered", "packed"]
    assert set(InboundMessage.objects.values_list("status", flat=True)) == {"accepted"}
    assert InboundMessage.objects.count() == len(letters)

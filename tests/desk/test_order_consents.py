"""On an order's page: an override is asked for, waits, and is consented to, refused, taken back, or lapses."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from config import roles
from orders.actions import consents
from orders.models import ConsentRule, OrderEvent, OrderLine, OverrideRequest, PartsOrder
from tests.admin.world import World
from tests.desk.orders_words import at, desk_of, do, text
from tests.orders.files import PDF


@pytest.fixture
def world(db: None) -> World:
    ConsentRule.objects.create(name="Shipped by hand", to_status="shipped")
    ConsentRule.objects.create(name="Reopening", subject="service_order", to_status="in_progress")
    return World()


@pytest.fixture(autouse=True)
def _folder(settings: LazySettings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def second(db: None) -> User:
    user = User.objects.create_user("second", first_name="Sonja", last_name="Zweite", is_staff=True)
    roles.give_role(user, roles.MANAGER)
    return user


def wanted(world: World) -> tuple[PartsOrder, OrderLine]:
    order = world.placed(world.part_in_stock(), 1)
    return order, order.lines.get()


FACTS: dict[str, Any] = {"to": "shipped", "reason": "The courier took it along", "reference": "T-77"}


def asked(world: World, person: User, **facts: Any) -> tuple[PartsOrder, OrderLine, OverrideRequest]:
    order, line = wanted(world)
    facts = {**FACTS, "about": line.pk, "expected_version": line.version, **facts}
    assert do(desk_of(person), order, "line-override", **facts).status_code == 302
    return order, line, OverrideRequest.objects.get()


def test_the_desk_asks_with_target_reason_reference_and_file_and_shows_who_asked(
    world: World, manager: User, second: User
) -> None:
    then = timezone.localtime() - timedelta(hours=3)
    order, line, row = asked(
        world,
        manager,
        evidence=SimpleUploadedFile("receipt.pdf", PDF),
        happened_at=then.strftime("%Y-%m-%dT%H:%M"),
    )
    line.refresh_from_db()
    assert (line.status, row.status, row.rule, row.evidence_name) == (
        *("reserved", "waiting"),
        *("Shipped by hand", "receipt.pdf"),
    )
    mine = text(desk_of(manager).get(at(order)))
    assert "Waits for consent" in mine
    assert "another person has to consent" in mine
    assert "Take it back" in mine
    theirs = desk_of(second).get(at(order))
    for said in ("under the rule “Shipped by hand”", "The courier took it along", "T-77", "receipt.pdf"):
        assert said in text(theirs)
    assert "Take it back" not in text(theirs)
    assert "do=consent" in theirs.content.decode()


def test_another_person_consents_on_the_desk_once(world: World, manager: User, second: User) -> None:
    order, line, row = asked(world, manager)
    client = desk_of(second)
    assert "It is done at once, in the name of who asked" in text(
        client.get(at(order), {"do": "consent", "about": str(row.pk)})
    )
    assert do(client, order, "consent", about=row.pk).status_code == 302
    line.refresh_from_db()
    assert line.status == "shipped"
    again = do(client, order, "consent", about=row.pk)
    assert again.status_code == 409
    assert "applied already" in text(again)
    assert OrderEvent.objects.filter(subject_id=line.pk, is_override=True).count() == 1
    shown = text(client.get(at(order)))
    assert "With the consent of Sonja Zweite" in shown
    assert "by Sonja Zweite" in shown


def test_a_button_pressed_twice_asks_once(world: World, manager: User) -> None:
    order, line, _row = asked(world, manager)
    twice = do(desk_of(manager), order, "line-override", about=line.pk, **FACTS)
    assert twice.status_code in (409, 412)
    assert OverrideRequest.objects.count() == 1


def test_own_consent_is_refused_even_by_hand(world: World, manager: User) -> None:
    order, line, row = asked(world, manager)
    assert "do=consent" not in desk_of(manager).get(at(order)).content.decode()
    answer = do(desk_of(manager), order, "consent", about=row.pk)
    assert "Another person" in text(answer)
    line.refresh_from_db()
    assert line.status == "reserved"


def test_who_may_not_consent_sees_it_and_can_do_nothing(world: World, manager: User, dispatcher: User) -> None:
    order, line, row = asked(world, manager)
    client = desk_of(dispatcher)
    shown = client.get(at(order))
    assert "It waits for a person who may consent." in text(shown)
    assert str(row.pk) not in shown.content.decode()
    for deed, facts in (("consent", {}), ("refuse-override", {"reason": "No"})):
        assert do(client, order, deed, about=row.pk, **facts).status_code == 403
    assert do(client, order, "withdraw-override", about=row.pk).status_code == 403
    assert do(client, order, "line-override", about=line.pk, **FACTS).status_code == 403
    assert OverrideRequest.objects.get().status == "waiting"


def test_a_request_of_another_order_is_not_found_on_this_one(world: World, manager: User, second: User) -> None:
    _order, _line, row = asked(world, manager)
    other = world.placed(world.part_in_stock(), 1)
    assert do(desk_of(second), other, "consent", about=row.pk).status_code == 404
    assert OverrideRequest.objects.get().status == "waiting"


def test_refused_taken_back_and_lapsed_are_shown_with_who_and_why(world: World, manager: User, second: User) -> None:
    order, line, row = asked(world, manager)
    client = desk_of(second)
    assert do(client, order, "refuse-override", about=row.pk, reason="").status_code == 422
    do(client, order, "refuse-override", about=row.pk, reason="The receipt is of another order")
    shown = text(client.get(at(order)))
    assert "Refused because: The receipt is of another order" in shown
    assert "by Sonja Zweite" in shown

    line.refresh_from_db()
    do(desk_of(manager), order, "line-override", about=line.pk, **FACTS | {"expected_version": line.version})
    waiting = OverrideRequest.objects.get(status="waiting")
    do(desk_of(manager), order, "withdraw-override", about=waiting.pk)
    assert "Withdrawn" in text(client.get(at(order)))

    line.refresh_from_db()
    do(desk_of(manager), order, "line-override", about=line.pk, **FACTS | {"expected_version": line.version})
    consents.expire_requests(at=timezone.now() + consents.WAITS_FOR + timedelta(hours=1))
    assert "Override asked for, expired" in text(client.get(at(order)))


def test_a_job_is_asked_for_on_its_page_and_its_lines_requests_show_there(
    world: World, manager: User, second: User
) -> None:
    job = world.job("new")
    do(desk_of(manager), job, "override", to="in_progress", reason="It leaks again", reference="T-1")
    row = OverrideRequest.objects.get()
    assert row.status == "waiting"
    do(desk_of(second), job, "consent", about=row.pk)
    job.refresh_from_db()
    assert job.status == "in_progress"


def test_neither_reference_nor_file_is_said_at_the_field_and_nothing_typed_is_lost(world: World, manager: User) -> None:
    order, line = wanted(world)
    answer = do(desk_of(manager), order, "line-override", about=line.pk, **FACTS | {"reference": ""})
    assert answer.status_code == 422
    assert "Give a reference, or a file as evidence." in text(answer)
    assert "The courier took it along" in answer.content.decode()


def test_many_requests_cost_no_more_queries(
    world: World, manager: User, second: User, django_assert_max_num_queries: Any
) -> None:
    part = world.part_in_stock(Decimal(100))
    order = world.placed(part, 1)
    client = desk_of(second)
    client.get(at(order))

    def queries() -> int:
        with django_assert_max_num_queries(200) as counted:
            client.get(at(order))
        return len(counted)

    line = order.lines.get()
    counts = []
    for _ in range(4):
        line.refresh_from_db()
        do(desk_of(manager), order, "line-override", about=line.pk, **FACTS | {"expected_version": line.version})
        counts.append(queries())
        row = OverrideRequest.objects.get(status="waiting")
        do(client, order, "refuse-override", about=row.pk, reason="No")
    assert len(set(counts)) == 1

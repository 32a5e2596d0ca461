"""A link opens one order for its customer, as long as it may; every other link is the same closed door."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from orders.actions import service_orders, tracking
from orders.actions.placing import Wanted, place
from orders.models import OrderEvent, ServiceOrder, TrackingLink
from orders.tracking import digest, links_of
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, NotFound, Refused
from tests.admin.world import World, cause
from tests.factories.orders import CustomerFactory
from tests.factories.parts import PartFactory
from tests.orders.desk import only, statements
from tests.tracking.world import Tracked

pytestmark = pytest.mark.django_db
WRONG = "A" * 32


def test_a_link_opens_its_order_without_signing_in(tracked: Tracked) -> None:
    page = tracked.page()
    assert tracked.job.reference in page
    assert "Press loses pressure" in page
    assert "Appointment planned" in page


def test_a_token_has_192_bits_of_chance_and_only_its_hash_is_kept(tracked: Tracked) -> None:
    tokens = {tracking.issue(service_order_id=tracked.job.pk, **cause()).token for _ in range(20)}
    assert len(tokens) == 20
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{32}", token) for token in tokens)
    kept = TrackingLink.objects.get(pk=tracked.issued.link.pk)
    assert bytes(kept.token_hash) == digest(tracked.issued.token)
    with connection.cursor() as cursor:
        for table in ("orders_trackinglink", "orders_orderevent", "orders_eventtext", "orders_historicalserviceorder"):
            cursor.execute(
                f"SELECT count(*) FROM {table} AS row WHERE row::text LIKE %s", [f"%{tracked.issued.token}%"]
            )
            assert cursor.fetchone() == (0,), table
    assert hashlib.sha256(tracked.issued.token.encode()).digest() != bytes(kept.token_hash), "of links alone"


def _as_seen(token: str) -> tuple[int, str, list[str]]:
    answer = Client().get(f"/track/{token}/")
    shown = {name: value for name, value in answer.headers.items() if name not in ("X-Request-ID", "Content-Length")}
    return answer.status_code, answer.content.decode(), sorted(f"{name}: {value}" for name, value in shown.items())


def test_a_wrong_an_expired_and_a_revoked_link_and_one_to_a_draft_are_the_same_page(tracked: Tracked) -> None:
    wrong = _as_seen(WRONG)
    assert wrong[0] == 404
    assert "does not open anything" in wrong[1]
    for token in ("x", ".", "%00", "é" * 40, "0" * 2000):
        assert _as_seen(token) == wrong

    expired = tracking.issue(service_order_id=tracked.job.pk, **cause())
    TrackingLink.objects.filter(pk=expired.link.pk).update(
        created_at=timezone.now() - timedelta(days=2), expires_at=timezone.now() - timedelta(seconds=1)
    )
    revoked = tracking.issue(service_order_id=tracked.job.pk, **cause())
    tracking.revoke(link_id=revoked.link.pk, **cause())
    assert _as_seen(expired.token) == wrong
    assert _as_seen(revoked.token) == wrong
    service_orders.move(service_order_id=tracked.job.pk, to="draft", **cause())
    assert _as_seen(tracked.issued.token) == wrong


def test_a_closed_link_costs_the_same_statements_whatever_is_wrong_with_it(
    tracked: Tracked, django_assert_num_queries: Any
) -> None:
    tracking.revoke(link_id=tracked.issued.link.pk, **cause())
    for token in (WRONG, tracked.issued.token, "x"):
        with django_assert_num_queries(1):
            Client().get(f"/track/{token}/")


def test_the_page_of_a_link_costs_the_same_for_two_lines_and_events_and_for_twenty(tracked: Tracked) -> None:
    def cost(count: int) -> list[int]:
        job = tracked.world.job()
        wanted = [Wanted(Decimal(2), part_id=PartFactory.create().pk) for _ in range(count)]
        placed = place(
            kind="service", service_order_id=job.pk, requested_on=timezone.now().date(), lines=wanted, **cause()
        )
        for number in range(count):
            service_orders.add_note(service_order_id=job.pk, text=f"Note {number}", public=True, **cause())
        costs = []
        links = (
            tracking.issue(service_order_id=job.pk, **cause()),
            tracking.issue(parts_order_id=placed.id, **cause()),
        )
        for link in links:
            address = f"/track/{link.token}/"
            assert Client().get(address).status_code == 200
            with statements() as sent:
                Client().get(address)
            costs.append(len(sent))
        return costs

    few = cost(2)
    assert cost(20) == few
    assert max(few) <= 8


def test_a_link_follows_its_customer_and_no_other(tracked: Tracked) -> None:
    TrackingLink.objects.filter(pk=tracked.issued.link.pk).update(customer=CustomerFactory.create())
    assert tracked.browser.get(tracked.address).status_code == 404


def test_a_new_link_leaves_the_old_ones_working_and_revoking_one_leaves_the_others(tracked: Tracked) -> None:
    second = tracking.issue(service_order_id=tracked.job.pk, requester="Ms Weber", **cause())
    tracking.revoke(link_id=tracked.issued.link.pk, **cause())
    assert Client().get(tracked.address).status_code == 404
    assert Client().get(f"/track/{second.token}/").status_code == 200
    states = {shown.link.pk: shown.state for shown in links_of(tracked.now(), timezone.now())}
    assert states == {second.link.pk: "working", tracked.issued.link.pk: "revoked"}


def test_revoking_twice_changes_nothing_the_second_time(tracked: Tracked) -> None:
    first = tracking.revoke(link_id=tracked.issued.link.pk, **cause())
    again = tracking.revoke(link_id=tracked.issued.link.pk, **cause())
    assert again.revoked_at == first.revoked_at
    assert tracked.kinds().count("tracking.link_revoked") == 1


def test_the_ledger_says_who_made_and_revoked_a_link_and_not_its_token(tracked: Tracked, dispatcher: User) -> None:
    issued = tracking.issue(service_order_id=tracked.job.pk, **cause(dispatcher))
    tracking.revoke(link_id=issued.link.pk, **cause(dispatcher))
    made, revoked = OrderEvent.objects.filter(subject_id=tracked.job.pk).order_by("-version")[:2][::-1]
    assert (made.kind, revoked.kind) == ("tracking.link_issued", "tracking.link_revoked")
    assert made.actor == revoked.actor == f"user:{dispatcher.pk}"
    assert made.data["link"] == str(issued.link.pk)
    assert made.visibility == "internal"


def test_a_link_is_refused_for_a_draft_for_our_own_warehouse_and_without_the_right(tracked: Tracked) -> None:
    draft = tracked.world.job("draft")
    with pytest.raises(Refused, match="draft"):
        tracking.issue(service_order_id=draft.pk, **cause())
    with pytest.raises(Forbidden):
        tracking.issue(service_order_id=tracked.job.pk, **cause() | {"by": only("orders.change_serviceorder")})
    with pytest.raises(Forbidden):
        tracking.revoke(link_id=tracked.issued.link.pk, **cause() | {"by": only("orders.issue_trackinglink")})
    with pytest.raises(NotFound):
        tracking.issue(service_order_id=CustomerFactory.create().pk, **cause())
    for wrong in ({"days": 0}, {"days": 731}, {"requester": "x" * 121}, {"requester": "\x00"}):
        with pytest.raises(Invalid):
            tracking.issue(service_order_id=tracked.job.pk, **wrong, **cause())
    assert TrackingLink.objects.count() == 1


def test_only_its_holder_acts_by_a_link(tracked: Tracked) -> None:
    other = tracking.issue(service_order_id=tracked.job.pk, **cause()).link
    for by in (Actor.system("test"), tracking.holder(other)):
        with pytest.raises(Forbidden):
            tracking.write_message(
                link_id=tracked.issued.link.pk, text="Hello", key="k", **cause() | {"by": by, "source": "link"}
            )


@pytest.mark.parametrize(
    "change",
    [
        {"service_order": None},
        {"expires_at": timezone.now() - timedelta(days=900)},
        {"revoked_by": "user:1"},
        {"revoked_at": timezone.now()},
    ],
)
def test_the_database_refuses_a_link_that_makes_no_sense(tracked: Tracked, change: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        TrackingLink.objects.update(**change)


def test_opening_is_noted_once_in_a_while(tracked: Tracked) -> None:
    assert tracked.issued.link.last_seen_at is None
    tracked.page()
    first = TrackingLink.objects.get(pk=tracked.issued.link.pk).last_seen_at
    assert first is not None
    tracked.page()
    assert TrackingLink.objects.get(pk=tracked.issued.link.pk).last_seen_at == first


def test_an_address_without_its_last_slash_leads_to_the_page(tracked: Tracked) -> None:
    answer = tracked.browser.get(tracked.address.rstrip("/"), follow=True)
    assert answer.status_code == 200
    assert answer.redirect_chain[-1][0].endswith(tracked.address)


def test_a_parts_order_alone_has_its_own_link(tracked: Tracked) -> None:
    order = tracked.parts_order()
    page = tracked.page()
    assert order.reference in page
    assert tracked.job.reference not in page
    assert "On order, not yet in stock" in page
    assert "Does the day not suit you" not in page


def test_somebody_elses_parts_are_not_on_the_page(tracked: Tracked) -> None:
    foreign = World.__new__(World)
    foreign.__dict__ = {**tracked.world.__dict__, "customer": CustomerFactory.create()}
    order = foreign.placed(foreign.short().part, 1)
    assert order.reference not in tracked.page()
    assert order.lines.all()[0].part.number not in tracked.page()


def test_whoever_is_signed_in_as_staff_is_nobody_on_the_page(tracked: Tracked, manager: User) -> None:
    tracked.browser.force_login(manager)
    page = tracked.page()
    assert "csrf" not in page.lower()
    assert manager.first_name not in page


def test_statements_do_not_grow_with_lines_and_history(tracked: Tracked) -> None:
    tracked.to("in_progress")
    tracked.parts()
    tracked.page()
    with statements() as few:
        tracked.page()
    for _ in range(6):
        tracked.parts()
        service_orders.add_note(service_order_id=tracked.job.pk, text="Note", public=True, **cause())
    with statements() as many:
        tracked.page()
    assert len(few) == len(many)
    assert len(few) <= 6
    assert ServiceOrder.objects.get(pk=tracked.job.pk).status == "awaiting_parts"

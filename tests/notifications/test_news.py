"""A notice lists what is still true when it goes out; people of the house also read who did it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from notifications.models import Notice, Template
from notifications.statuses import Audience, Channel
from orders.actions import lines, service_orders
from orders.models import Customer, OrderLine
from parts.actors import Actor
from tests.notifications.telling import notices, only_rule, sender, tell
from tests.orders.desk import TOLD, Desk, days, leaf, line

SUPPLY = ["back_order.opened", "back_order.status_changed", "line.promise_changed", "line.status_changed"]


def said() -> Notice:
    """Send what waits; return the one notice that is."""
    tell()
    sender(hours=1).step()
    (notice,) = notices()
    return notice


def listed(notice: Notice) -> list[str]:
    """Return the news that a notice lists."""
    return [row.partition(": ")[2] for row in notice.text.splitlines() if row.startswith("– ")]


def promise(line_id: Any, day: int) -> None:
    lines.promise(line_id=line_id, promised_on=days(day), reason="Supplier says so", public=True, **TOLD)


def test_of_several_promises_of_a_line_the_last_is_told(desk: Desk) -> None:
    only_rule(kinds=["line.promise_changed"])
    waiting, other = leaf(desk.place(5), "back_ordered"), leaf(desk.place(7), "back_ordered")
    for day in (3, 9, 6):
        promise(waiting.id, day)
    promise(other.id, 4)
    tell()
    sender(hours=1).step()
    told = {tuple(listed(notice)) for notice in notices()}
    assert len(told) == 2
    assert all(len(news) == 1 for news in told)
    last = OrderLine.objects.get(pk=waiting.id).promised_on
    assert last == days(6)
    assert any(str(last.day) in news[0] for news in told)


def test_what_came_in_and_has_left_since_is_told_as_shipped(desk: Desk) -> None:
    only_rule(kinds=SUPPLY)
    waiting = leaf(desk.place(5), "back_ordered")
    promise(waiting.id, 3)
    desk.put(5)
    assert line(waiting.id).status == "reserved"
    desk.ship(waiting.id)
    news = listed(said())
    assert len(news) == 1
    assert news[0].startswith("On its way")


def test_what_came_in_and_is_still_here_is_told(desk: Desk) -> None:
    only_rule(kinds=SUPPLY)
    leaf(desk.place(5), "back_ordered")
    desk.put(5)
    assert any("It has come in" in news for news in listed(said()))


def test_the_part_of_another_line_that_came_in_is_told_beside_a_shipment(desk: Desk) -> None:
    only_rule(kinds=SUPPLY)
    placed = desk.place(5, 2)
    desk.put(7)
    desk.pack(leaf(placed, "back_ordered").id)
    desk.ship(leaf(placed, "back_ordered").id)
    news = listed(said())
    assert any(row.startswith("On its way") for row in news)
    assert any("It has come in" in row for row in news)


def test_news_are_told_in_the_readers_language(desk: Desk) -> None:
    Customer.objects.filter(pk=desk.customer.pk).update(language="de")
    only_rule(kinds=["line.promise_changed"])
    promise(leaf(desk.place(5), "back_ordered").id, 3)
    assert listed(said())[0].startswith("Zugesagt: ")


@pytest.fixture
def staff_rule(desk: Desk, technician: User) -> User:
    """Technicians hear of each step of their jobs."""
    staff = Template.objects.get(code="staff_news")
    only_rule(audience=Audience.TECHNICIAN, channel=Channel.INBOX, template=staff)
    return technician


def test_people_of_the_house_read_who_did_it_and_customers_do_not(desk: Desk, staff_rule: User) -> None:
    grace = User.objects.create(username="grace", first_name="Grace", last_name="Hopper")
    job = desk.job("new")
    service_orders.assign(service_order_id=job.pk, technician_id=staff_rule.pk, **TOLD)
    tell()
    by = Actor(f"user:{grace.pk}", None, grace.pk)
    service_orders.move(service_order_id=job.pk, to="in_progress", **TOLD | {"by": by})
    tell()
    sender(Channel.INBOX, hours=1).step()
    assert "Grace Hopper" in notices()[-1].text
    only_rule()
    service_orders.move(service_order_id=job.pk, to="new", **TOLD | {"by": by})
    tell()
    sender(hours=1).step()
    customers = [notice for notice in notices(channel=Channel.EMAIL) if notice.text]
    assert customers
    assert all("Grace" not in notice.text for notice in customers)

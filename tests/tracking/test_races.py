"""A link that is used and revoked at once, and a form that is sent twice at once."""

from __future__ import annotations

import pytest

from orders.actions import tracking
from orders.models import OrderEvent
from tests.admin.world import cause
from tests.racing import race
from tests.tracking.world import Tracked, in_days

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def written(tracked: Tracked) -> int:
    """Count what the customer wrote."""
    return OrderEvent.objects.filter(kind="message.received").count()


@pytest.mark.parametrize("alone", [False, True], ids=["job", "parts order"])
def test_who_writes_while_the_link_is_revoked_comes_too_late(alone: bool) -> None:
    tracked = Tracked()
    if alone:
        tracked.parts_order(in_stock=5)
    link = tracked.issued.link
    one, two = race(
        lambda: tracking.revoke(link_id=link.pk, **cause()),
        lambda: tracking.write_message(link_id=link.pk, text="Hello", key="k", **tracked.told()),
    )
    assert one.error is None
    assert isinstance(two.error, tracking.LinkEnded)
    assert written(tracked) == 0


def test_a_message_sent_twice_at_once_is_one() -> None:
    tracked = Tracked()

    def send() -> bool:
        return tracking.write_message(link_id=tracked.issued.link.pk, text="Hello", key="k", **tracked.told())

    one, two = race(send, send)
    assert (one.result, two.result) == (True, False)
    assert written(tracked) == 1


def test_two_days_chosen_at_once_end_with_the_first_and_the_second_is_told() -> None:
    tracked = Tracked()

    def choose(days: int) -> object:
        link = tracked.issued.link.pk
        return tracking.reschedule(link_id=link, scheduled_for=in_days(days), seen=tracked.day, **tracked.told())

    one, two = race(lambda: choose(11), lambda: choose(12))
    assert one.error is None
    assert isinstance(two.error, tracking.PlanChanged)
    assert tracked.now().scheduled_for == in_days(11)

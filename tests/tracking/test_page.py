"""What the page of a link says: where the order stands, what comes next, what was promised, what has happened."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.utils import timezone

from backorders.models import BackOrder
from orders.actions import erasing, jobs, lines, service_orders
from orders.actions.wording import Words, publish
from orders.models import OrderLine, ServiceOrder
from orders.statuses import SERVICE_ORDER_CUSTOMER_WORDS, ServiceOrderStatus
from tests.admin.world import cause
from tests.tracking.world import Tracked, in_days

pytestmark = pytest.mark.django_db


def text_of(page: str) -> str:
    """Return what a person reads of a page."""
    plain = re.sub(r"<(script|style|svg).*?</\1>|<[^>]*>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(plain).split())


def steps(page: str) -> list[str]:
    """Return the steps of a page, each with its state."""
    listed = page[page.index("tracking-steps") : page.index("</ol>", page.index("tracking-steps"))]
    found = re.findall(r'data-state="(\w+)".*?tracking-word">(.*?)</span>', listed, re.DOTALL)
    return [f"{state} {word}" for state, word in found]


def test_the_steps_say_what_is_done_where_it_stands_and_what_comes(tracked: Tracked) -> None:
    assert steps(tracked.page()) == [
        "now Appointment planned",
        "ahead Waiting for a technician",
        "ahead Being worked on",
        "ahead Ready for collection or delivery",
        "ahead Completed",
    ]
    tracked.to("with_manufacturer")
    assert steps(tracked.page()) == [
        "done Appointment planned",
        "done Waiting for a technician",
        "done Being worked on",
        "done Waiting for parts",
        "now At the manufacturer",
        "ahead Ready for collection or delivery",
        "ahead Completed",
    ]
    assert 'aria-current="step"' in tracked.page()


def test_steps_that_were_passed_through_are_not_shown_as_done(tracked: Tracked) -> None:
    tracked.to("in_progress")
    service_orders.fast_forward(service_order_id=tracked.job.pk, to="ready_for_return", **cause())
    page = tracked.page()
    assert "done Waiting for parts" not in steps(page)
    assert "At the manufacturer" not in text_of(page)


def test_a_job_that_goes_on_after_waiting_is_not_shown_to_wait_again(tracked: Tracked) -> None:
    tracked.to("awaiting_parts")
    service_orders.move(service_order_id=tracked.job.pk, to="in_progress", **cause())
    assert steps(tracked.page())[2:4] == ["now Being worked on", "ahead Ready for collection or delivery"]


def test_a_cancelled_job_says_so_and_keeps_its_reason_to_the_house(tracked: Tracked) -> None:
    tracked.to("cancelled")
    page = tracked.page()
    assert steps(page)[-1] == "now Cancelled"
    assert "Secret reason" not in page


@pytest.mark.parametrize("status", [status for status in ServiceOrderStatus.values if status != "draft"])
def test_every_status_has_its_word_and_what_happens_next(status: str) -> None:
    tracked = Tracked()
    tracked.to(status)
    page = tracked.page()
    assert str(SERVICE_ORDER_CUSTOMER_WORDS[status]) in page
    assert "What happens next:" in page


# --- Days -------------------------------------------------------------------------------------------------------------


def test_the_planned_day_is_shown_and_one_that_has_passed_is_overdue(tracked: Tracked) -> None:
    assert "Overdue" not in text_of(tracked.page())
    ServiceOrder.objects.filter(pk=tracked.job.pk).update(scheduled_for=in_days(-2))
    shown = text_of(tracked.page())
    assert "Overdue This day has passed, by 2 days." in shown
    assert "We are late" in shown


def test_a_job_that_is_planned_for_no_day_says_so_and_asks_for_one(tracked: Tracked) -> None:
    assert "No day is planned yet" not in text_of(tracked.page())
    ServiceOrder.objects.filter(pk=tracked.job.pk).update(scheduled_for=None)
    shown = text_of(tracked.page())
    assert "Planned for No day is planned yet." in shown
    assert "Which day suits you?" in shown
    assert tracked.send("reschedule", scheduled_for=in_days(3).isoformat()).status_code == 302
    assert tracked.now().scheduled_for == in_days(3)
    assert "No day is planned yet" not in text_of(tracked.page())


def test_an_estimate_is_called_one_and_one_that_has_passed_is_overdue(tracked: Tracked) -> None:
    tracked.to("in_progress")
    jobs.set_estimated_completion(
        service_order_id=tracked.job.pk, estimated_completion_at=timezone.now() + timedelta(days=3), **cause()
    )
    assert "Probably done on" in text_of(tracked.page())
    ServiceOrder.objects.filter(pk=tracked.job.pk).update(estimated_completion_at=timezone.now() - timedelta(days=3))
    assert "Overdue This day has passed, by 3 days." in text_of(tracked.page())
    tracked.to("completed")
    assert "Overdue" not in text_of(tracked.page())


def test_a_promise_is_shown_with_the_first_one_and_one_that_has_passed_is_overdue(tracked: Tracked) -> None:
    tracked.to("in_progress")
    leaf = tracked.parts().children.get()
    assert "No day is promised yet." in text_of(tracked.page())
    lines.promise(line_id=leaf.pk, promised_on=in_days(5), **cause())
    lines.promise(line_id=leaf.pk, promised_on=in_days(9), reason="Ship is late", **cause())
    shown = text_of(tracked.page())
    assert "Parts promised for" in shown
    assert "first promised for" in shown
    assert "Overdue" not in shown

    OrderLine.objects.filter(pk=leaf.pk).update(promised_on=in_days(-4), first_promised_on=in_days(-8))
    assert "Overdue This day has passed, by 4 days." in text_of(tracked.page())


def test_a_suppliers_date_is_never_shown(tracked: Tracked) -> None:
    tracked.to("in_progress")
    line = tracked.parts()
    BackOrder.objects.filter(part=line.part).update(expected_on=in_days(23))
    day = in_days(23)
    page = tracked.page()
    assert day.isoformat() not in page
    assert "No day is promised yet." in text_of(page)


def test_what_is_shipped_but_not_there_after_its_promise_is_overdue(tracked: Tracked) -> None:
    tracked.to("in_progress")
    line = tracked.parts(2, in_stock=5)
    lines.promise(line_id=line.pk, promised_on=in_days(1), **cause())
    lines.ship(
        order_id=line.order_id,
        items=[lines.ShipItem(line.pk)],
        walk=True,
        carrier="Parcel",
        tracking_number="P7",
        **cause(),
    )
    OrderLine.objects.filter(pk=line.pk).update(promised_on=in_days(-1), first_promised_on=in_days(-1))
    shown = text_of(tracked.page())
    assert "On its way" in shown
    assert "Parcel P7" in shown
    assert "Overdue This day has passed, by 1 day." in shown
    lines.move(line_id=line.pk, to="delivered", **cause())
    assert "Overdue" not in text_of(tracked.page())


def test_a_line_that_comes_in_portions_says_how_much_stands_where(tracked: Tracked) -> None:
    tracked.to("in_progress")
    part = tracked.world.part_in_stock(Decimal(2))
    order = tracked.world.placed(part, 5)
    from orders.actions import tracking

    tracked.issued = tracking.issue(parts_order_id=order.pk, **cause())
    shown = text_of(tracked.page())
    assert re.search(r"2 \S+ Reserved for you", shown)
    assert re.search(r"3 \S+ On order, not yet in stock", shown)


# --- History ----------------------------------------------------------------------------------------------------------


def test_the_history_has_public_steps_and_public_notes_and_nothing_else(tracked: Tracked) -> None:
    tracked.to("new", note="Internal hint")
    service_orders.add_note(service_order_id=tracked.job.pk, text="The bearing is worn", public=True, **cause())
    service_orders.add_note(service_order_id=tracked.job.pk, text="Bill them double", **cause())
    service_orders.override(
        service_order_id=tracked.job.pk, to="in_progress", reason="Boss said so", reference="T-1", **cause()
    )
    jobs.send_equipment(
        service_order_id=tracked.job.pk,
        direction="to_manufacturer",
        carrier="Nordfracht",
        tracking_number="NF1",
        **cause(),
    )
    page = tracked.page()
    for told in ("The bearing is worn", "Being worked on", "Sent to the manufacturer", "Nordfracht"):
        assert told in page
    for kept in (
        "Internal hint",
        "Bill them double",
        "Boss said so",
        "T-1",
        "test",
        "Customer&#x27;s link made",
        "system",
    ):
        assert kept not in text_of(page)


def test_what_was_erased_is_gone_from_the_page(tracked: Tracked) -> None:
    service_orders.add_note(service_order_id=tracked.job.pk, text="Named Mr Smith", public=True, **cause())
    erasing.erase_texts(subject_ids=[tracked.job.pk], reason="Asked for", **cause())
    page = text_of(tracked.page())
    assert "Mr Smith" not in page
    assert "The workshop wrote" not in page


@pytest.mark.parametrize("evil", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7|add:7 }}"])
def test_what_people_write_is_shown_as_they_wrote_it_and_never_run(tracked: Tracked, evil: str) -> None:
    service_orders.add_note(service_order_id=tracked.job.pk, text=evil, public=True, **cause())
    tracked.send("message", text=evil)
    page = tracked.page()
    assert evil not in page or "{{" in evil
    assert text_of(page).count(evil) == 2 if "{{" in evil else unescape(page).count(evil) == 2
    assert "14" not in re.findall(r'class="note">([^<]*)<', page)


# --- Languages and words ----------------------------------------------------------------------------------------------


def test_the_page_is_in_the_customers_language_and_can_be_switched() -> None:
    tracked = Tracked(language="de")
    assert '<html lang="de"' in tracked.page()
    answer = tracked.browser.get(tracked.address, {"language": "es"})
    assert answer.headers["Content-Language"] == "es"
    assert '<html lang="es"' in tracked.page(), "the choice is remembered"
    assert '<html lang="es"' in tracked.page(language="xx"), "an unknown one changes nothing"


@pytest.mark.parametrize(("language", "shown"), [("de-AT", "de"), ("tlh", "en"), ("", "en")])
def test_a_language_that_there_is_not_becomes_the_nearest(language: str, shown: str) -> None:
    assert f'<html lang="{shown}"' in Tracked(language=language).page()


def test_a_changed_word_is_on_the_page_at_once(tracked: Tracked) -> None:
    publish(
        subject="service_order",
        status="scheduled",
        words={"en": Words("We have a date", "See you then.")},
        effective_from=None,
        why="Warmer.",
        **cause(),
    )
    shown = text_of(tracked.page())
    assert "We have a date" in shown
    assert "See you then." in shown
    assert "Appointment planned" not in shown


def test_a_customer_in_another_zone_reads_their_own_days(tracked: Tracked) -> None:
    tracked.customer.time_zone = "Pacific/Kiritimati"
    tracked.customer.save()
    assert "+14" in tracked.page()
    tracked.customer.time_zone = "Nowhere/Land"
    tracked.customer.save()
    assert "UTC" in tracked.page()


def test_the_page_works_without_scripts_and_names_nobody_else(tracked: Tracked) -> None:
    page = tracked.page()
    for inline in (" style=", "<style", "<script>", "onclick", "hx-", "javascript:"):
        assert inline not in page
    addresses: list[Any] = re.findall(r'(?:src|href|action)="([^"]+)"', page)
    assert not [address for address in addresses if "/accounts/" in address], "staff's doors are not for customers"
    assert all(address.startswith(("/", "?", "#")) and not address.startswith("//") for address in addresses)

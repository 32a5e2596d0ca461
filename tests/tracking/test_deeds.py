"""What a customer does by a link: choose another day, write, stop messages. Each once, theirs alone, and in measure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from config.tracking.limits import FORMS_AT_ONCE, WRONG_AT_ONCE, sent_forms
from orders.actions import jobs, tracking
from orders.models import OrderEvent, PartsOrder
from tests.admin.desk import desk_of, page, text
from tests.admin.world import cause
from tests.tracking.world import Tracked, in_days

pytestmark = pytest.mark.django_db


def test_a_customer_chooses_another_day_and_the_workshop_sees_it(tracked: Tracked, dispatcher: User) -> None:
    answer = tracked.send("reschedule", scheduled_for=in_days(12).isoformat())
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{tracked.address}?done=reschedule"
    assert tracked.now().scheduled_for == in_days(12)
    event = OrderEvent.objects.filter(subject_id=tracked.job.pk).latest("version")
    assert (event.kind, event.actor) == ("service_order.rescheduled", f"link:{tracked.issued.link.pk}")
    assert "You chose" in tracked.page(done="reschedule")
    assert "the customer, by their link" in text(desk_of(dispatcher).get(page(tracked.job)))


def test_the_same_day_twice_is_recorded_once(tracked: Tracked) -> None:
    fields = tracked.fields()
    for _ in range(3):
        assert tracked.send("reschedule", fields, scheduled_for=in_days(12).isoformat()).status_code == 302
    assert tracked.kinds().count("service_order.rescheduled") == 2  # the workshop's own and theirs


@pytest.mark.parametrize("days", [-1, 0, 61, 4000])
def test_a_day_out_of_reach_is_refused_in_place_and_nothing_changes(tracked: Tracked, days: int) -> None:
    answer = tracked.send("reschedule", scheduled_for=in_days(days).isoformat())
    assert answer.status_code == 400
    assert "Please choose a day in the range" in text(answer)
    assert in_days(days).isoformat() in text(answer), "what was chosen is not lost"
    assert tracked.now().scheduled_for == tracked.day


def test_a_refusal_is_said_in_the_customers_language() -> None:
    tracked = Tracked("de")
    answer = tracked.send("reschedule", scheduled_for=in_days(61).isoformat())
    assert answer.status_code == 400
    assert "Bitte wählen Sie einen Tag" in text(answer)


@pytest.mark.parametrize("written", ["", "soon", "9999-99-99", "2026-13-01", "x" * 5000])
def test_what_is_no_day_is_refused_in_place(tracked: Tracked, written: str) -> None:
    assert tracked.send("reschedule", scheduled_for=written).status_code == 400
    assert tracked.now().scheduled_for == tracked.day


@pytest.mark.parametrize("status", ["new", "in_progress", "completed"])
def test_a_job_that_is_past_its_planning_is_not_rescheduled(tracked: Tracked, status: str) -> None:
    fields = tracked.fields()
    tracked.to(status)
    assert "Does the day not suit you" not in tracked.page()
    answer = tracked.send("reschedule", fields, scheduled_for=in_days(12).isoformat())
    assert answer.status_code == 409
    assert "can no longer be chosen here" in text(answer)
    assert tracked.now().scheduled_for == tracked.day


def test_a_customer_who_saw_another_day_than_the_present_one_is_told(tracked: Tracked) -> None:
    fields = tracked.fields()
    jobs.reschedule(service_order_id=tracked.job.pk, scheduled_for=in_days(9), **cause())
    answer = tracked.send("reschedule", fields, scheduled_for=in_days(12).isoformat())
    assert answer.status_code == 409
    assert "We have planned another day meanwhile" in text(answer)
    assert tracked.now().scheduled_for == in_days(9)


def test_a_message_lands_on_the_timeline_as_a_public_note_of_the_customer(tracked: Tracked, dispatcher: User) -> None:
    answer = tracked.send("message", text="The gate is closed\r\nuntil nine & <b>")
    assert answer.status_code == 302
    event = OrderEvent.objects.filter(subject_id=tracked.job.pk).latest("version")
    assert (event.kind, event.visibility) == ("message.received", "public")
    assert event.text.text == "The gate is closed\nuntil nine & <b>"
    assert "You wrote" in tracked.page()
    seen = text(desk_of(dispatcher).get(page(tracked.job)))
    assert "Message from the customer" in seen
    assert "until nine &amp; &lt;b&gt;" in seen


def test_a_double_tap_sends_one_message_and_another_text_is_another_message(tracked: Tracked) -> None:
    fields = tracked.fields()
    for _ in range(2):
        assert tracked.send("message", fields, text="Hello").status_code == 302
    assert tracked.kinds().count("message.received") == 1
    tracked.send("message", fields, text="Hello, and please call")
    assert tracked.kinds().count("message.received") == 2


@pytest.mark.parametrize("written", ["", "   \n ", "x" * 2001, "nul \x00 inside"])
def test_a_message_that_cannot_be_kept_is_refused_in_place(tracked: Tracked, written: str) -> None:
    answer = tracked.send("message", text=written)
    assert answer.status_code == 400
    assert "message.received" not in tracked.kinds()


def test_what_was_typed_is_not_lost_when_it_is_refused(tracked: Tracked) -> None:
    answer = tracked.send("message", text="A long story" + "x" * 2000)
    assert "A long story" in text(answer)


def test_messages_are_stopped_and_started_again_each_once(tracked: Tracked) -> None:
    assert tracked.send("messages", wanted="no").headers["Location"].endswith("?done=stopped")
    tracked.send("messages", wanted="no")
    assert tracked.now().messages_stopped_at is not None
    assert "Start messages again" in tracked.page()
    assert tracked.send("messages", wanted="yes").headers["Location"].endswith("?done=started")
    assert tracked.now().messages_stopped_at is None
    assert [kind for kind in tracked.kinds() if kind.startswith("messages.")] == [
        "messages.stopped",
        "messages.started",
    ]
    assert tracked.send("messages", wanted="perhaps").status_code == 400


def test_a_parts_order_takes_messages_and_stops_them_too(tracked: Tracked) -> None:
    order = tracked.parts_order()
    assert tracked.send("message", text="Please pack it well").status_code == 302
    assert tracked.send("messages", wanted="no").status_code == 302
    assert tracked.send("reschedule", scheduled_for=in_days(5).isoformat()).status_code == 409
    kinds = list(OrderEvent.objects.filter(subject_id=order.pk).order_by("version").values_list("kind", flat=True))
    assert kinds[-2:] == ["message.received", "messages.stopped"]
    assert PartsOrder.objects.get(pk=order.pk).messages_stopped_at is not None
    assert "Please pack it well" in tracked.page()


def test_a_repeated_message_after_revoking_and_every_form_of_a_revoked_link_is_the_closed_page(
    tracked: Tracked,
) -> None:
    fields = tracked.fields()
    tracking.revoke(link_id=tracked.issued.link.pk, **cause())
    before = tracked.kinds()
    for what, values in (
        ("reschedule", {"scheduled_for": in_days(5).isoformat()}),
        ("message", {"text": "Hello"}),
        ("messages", {"wanted": "no"}),
    ):
        answer = tracked.send(what, fields, **values)
        assert answer.status_code == 404
        assert "does not open anything" in text(answer)
    assert tracked.kinds() == before


def test_who_revokes_between_opening_and_sending_is_obeyed(tracked: Tracked) -> None:
    by = tracked.told()
    tracking.revoke(link_id=tracked.issued.link.pk, **cause())
    with pytest.raises(tracking.LinkEnded):
        tracking.write_message(link_id=tracked.issued.link.pk, text="Hello", key="k", **by)
    with pytest.raises(tracking.LinkEnded):
        tracking.want_messages(link_id=tracked.issued.link.pk, wanted=False, **by)


# --- Forms from elsewhere ---------------------------------------------------------------------------------------------


def test_a_form_without_this_browsers_cookie_or_with_another_key_does_nothing_and_loses_nothing(
    tracked: Tracked,
) -> None:
    fields = tracked.fields()
    stranger = Client()
    answer = stranger.post(f"{tracked.address}message/", {**fields, "text": "Forged"})
    assert answer.status_code == 403
    assert "Forged" in text(answer), "a person whose cookies were lost sends it again"
    for forged in ("", "0" * 64, "é"):
        assert tracked.send("message", fields | {"form_key": forged}, text="Forged").status_code == 403
    assert "message.received" not in tracked.kinds()


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 302), ("none", 302)]
)
def test_a_browser_that_says_the_form_is_from_elsewhere_is_believed(tracked: Tracked, site: str, status: int) -> None:
    fields = {**tracked.fields(), "text": "Hello"}
    answer = tracked.browser.post(
        f"{tracked.address}message/", fields, headers={"Sec-Fetch-Site": site, "Origin": "null"}
    )
    assert answer.status_code == status


def test_the_cookie_of_one_link_does_not_fit_the_form_of_another(tracked: Tracked) -> None:
    fields = tracked.fields()
    tracked.issued = tracking.issue(service_order_id=tracked.job.pk, **cause())
    assert tracked.send("message", fields, text="Hello").status_code == 403
    assert tracked.send("message", text="Hello").status_code == 302


def test_two_links_open_side_by_side_in_one_browser_both_take_their_forms(tracked: Tracked) -> None:
    first, fields = tracked.address, tracked.fields()
    tracked.issued = tracking.issue(service_order_id=tracked.job.pk, **cause())
    others = tracked.fields()
    assert fields["form_key"] != others["form_key"]
    for address, sent in ((first, fields), (tracked.address, others)):
        answer = tracked.browser.post(f"{address}message/", {**sent, "text": "Hello"})
        assert answer.status_code == 302


def test_forms_are_checked_as_strictly_with_djangos_own_check_switched_on(tracked: Tracked) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.get(tracked.address)
    tracked.browser = strict
    assert tracked.send("message", text="Hello").status_code == 302


@pytest.mark.parametrize("what", ["reschedule", "message", "messages"])
def test_opening_the_address_of_a_form_changes_nothing(tracked: Tracked, what: str) -> None:
    before = tracked.kinds()
    assert tracked.browser.get(f"{tracked.address}{what}/").status_code == 405
    assert tracked.browser.post(tracked.address).status_code == 405
    assert tracked.kinds() == before


# --- Measure ----------------------------------------------------------------------------------------------------------


def test_bursts_of_wrong_links_from_one_address_are_slowed_and_the_right_ones_browser_is_not(tracked: Tracked) -> None:
    tracked.page()
    for number in range(WRONG_AT_ONCE):
        assert Client().get(f"/track/wrong{number}/").status_code == 404
    slowed = Client().get("/track/wrong/")
    assert slowed.status_code == 429
    assert 1 <= int(slowed.headers["Retry-After"]) <= 60
    assert "Try again in" in text(slowed)
    assert Client().get(tracked.address).status_code == 429, "else guessing would go on as quickly as before"
    assert Client(REMOTE_ADDR="198.51.100.7").get(tracked.address).status_code == 200
    assert tracked.browser.get(tracked.address).status_code == 200


def test_whoever_has_one_link_cannot_guess_others_by_it(tracked: Tracked) -> None:
    tracked.page()
    for _ in range(WRONG_AT_ONCE):
        tracked.browser.get("/track/wrong/")
    assert tracked.browser.get("/track/wrong/").status_code == 429


@pytest.mark.parametrize(
    ("behind", "headers", "remote", "counted"),
    [
        (False, {"X-Forwarded-For": "203.0.113.1"}, "198.51.100.7", "198.51.100.7"),
        (True, {"X-Forwarded-For": "1.2.3.4, 203.0.113.1"}, "127.0.0.1", "203.0.113.1"),
        (True, {}, "198.51.100.7", "198.51.100.7"),
        (False, {}, "2001:db8:1:2:aaaa:bbbb:cccc:dddd", "2001:db8:1:2::/64"),
        (False, {}, "::ffff:198.51.100.7", "198.51.100.7"),
        (False, {}, "nonsense", "unknown"),
    ],
)
def test_an_address_is_what_nobody_but_our_proxy_can_choose(
    rf: Any, settings: Any, behind: bool, headers: dict[str, str], remote: str, counted: str
) -> None:
    from config.tracking.privacy import address_of

    settings.BEHIND_PROXY = behind
    assert address_of(rf.get("/", headers=headers, REMOTE_ADDR=remote)) == counted


def test_forms_that_come_too_quickly_are_slowed(tracked: Tracked) -> None:
    fields = tracked.fields()
    for _ in range(FORMS_AT_ONCE):
        tracked.send("messages", fields, wanted="yes")
    slowed = tracked.send("messages", fields, wanted="yes")
    assert slowed.status_code == 429
    assert slowed.headers["Retry-After"]


def test_a_days_measure_is_counted_in_the_ledger(tracked: Tracked, settings: Any) -> None:
    settings.TRACKING_DEEDS_PER_DAY = 2
    for number in range(3):
        sent_forms.empty_all()
        answer = tracked.send("message", text=f"Message {number}")
    assert answer.status_code == 429
    assert "You have sent a lot today" in text(answer)
    assert "Message 2" in text(answer)
    assert tracked.kinds().count("message.received") == 2
    by = tracked.told(later=timedelta(days=1, hours=1))
    assert tracking.write_message(link_id=tracked.issued.link.pk, text="Next day", key="k", **by)

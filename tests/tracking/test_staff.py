"""How staff makes, sees and revokes links: on their own page, on the desk, in the back office."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client

from orders.models import TrackingLink
from tests.admin.desk import deed, desk_of, page, text
from tests.admin.world import cause
from tests.orders.desk import statements
from tests.tracking.world import Tracked

pytestmark = pytest.mark.django_db
MADE = re.compile(r'value="http://testserver(/track/[\w-]{32}/)"')


def of(tracked: Tracked) -> str:
    """Return where the links of the job are."""
    return f"/links/service-orders/{tracked.job.pk}/"


def test_a_dispatcher_makes_a_link_that_is_shown_once(tracked: Tracked, dispatcher: User) -> None:
    desk = desk_of(dispatcher)
    answer = desk.post(of(tracked), {"requester": "Ms <Weber>"})
    [address] = MADE.findall(text(answer))
    assert Client().get(address).status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    again = text(desk.get(of(tracked)))
    assert not MADE.findall(again)
    assert address.split("/")[2] not in again
    assert "Ms &lt;Weber&gt;" in again
    assert "Made by Dispatcher" in again


def test_with_htmx_the_component_alone_comes_back(tracked: Tracked, dispatcher: User) -> None:
    answer = text(desk_of(dispatcher).post(of(tracked), {}, headers={"HX-Request": "true"}))
    assert answer.lstrip().startswith("<section")
    assert MADE.findall(answer)


def test_the_desks_page_has_the_links_and_leads_back_to_itself(tracked: Tracked, dispatcher: User) -> None:
    desk, address = desk_of(dispatcher), f"/desk/orders/{tracked.job.reference}/"
    shown = text(desk.get(address))
    assert "Make a link" in shown
    assert f'name="next" value="{address}"' in shown
    [revoke] = re.findall(r'action="(/links/[0-9a-f-]+/revoke/)"', shown)
    answer = desk.post(revoke, {"next": address})
    assert answer.headers["Location"] == address
    assert tracked.browser.get(tracked.address).status_code == 404
    assert "Revoked" in text(desk.get(address))


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_revoking_leads_nowhere_else(tracked: Tracked, dispatcher: User, elsewhere: str) -> None:
    answer = desk_of(dispatcher).post(f"/links/{tracked.issued.link.pk}/revoke/", {"next": elsewhere})
    assert answer.headers["Location"] == of(tracked)


def test_what_cannot_be_made_is_said_in_place(tracked: Tracked, dispatcher: User) -> None:
    draft = tracked.world.job("draft")
    desk = desk_of(dispatcher)
    assert "A draft is seen by staff only" in text(desk.get(f"/links/service-orders/{draft.pk}/"))
    answer = desk.post(f"/links/service-orders/{draft.pk}/", {})
    assert answer.status_code == 409
    assert "is a draft" in text(answer)
    assert desk.post(of(tracked), {"requester": "x" * 121}).status_code == 400
    assert TrackingLink.objects.count() == 1


def test_who_only_reads_sees_links_and_makes_none(tracked: Tracked, auditor: User, technician: User) -> None:
    shown = text(desk_of(auditor).get(of(tracked)))
    assert "Works" in shown
    assert "Make a link" not in shown
    assert "Revoke" not in shown
    assert desk_of(auditor).post(of(tracked), {}).status_code == 403
    assert desk_of(auditor).post(f"/links/{tracked.issued.link.pk}/revoke/").status_code == 403
    assert desk_of(technician).get(of(tracked)).status_code == 403
    assert Client().get(of(tracked)).status_code == 302
    assert tracked.browser.get(tracked.address).status_code == 200


def test_the_back_office_leads_to_an_orders_links_and_revokes_them(tracked: Tracked, manager: User) -> None:
    desk, link = desk_of(manager), tracked.issued.link
    assert of(tracked) in text(desk.get(page(tracked.job)))
    order = tracked.parts_order()
    assert f"/links/parts-orders/{order.pk}/" in text(desk.get(page(order)))
    listed = text(desk.get("/admin/orders/trackinglink/?state=working"))
    assert tracked.job.reference in listed
    assert order.reference in listed
    assert "Revoke" in text(desk.get(page(link)))
    desk.post(deed(link, "revoke"))
    assert tracked.job.reference in text(desk.get("/admin/orders/trackinglink/?state=revoked"))
    assert TrackingLink.objects.get(pk=link.pk).revoked_by


def test_the_dispatcher_reads_what_the_customer_wrote_beside_the_links(tracked: Tracked, dispatcher: User) -> None:
    tracked.send("message", text="Gate <2>")
    tracked.send("messages", wanted="no")
    shown = text(desk_of(dispatcher).get(f"/desk/orders/{tracked.job.reference}/"))
    assert "Gate &lt;2&gt;" in shown
    assert "Message from the customer" in shown
    assert "the customer, by their link" in unescape(shown)
    assert "Wants no messages" in shown


def test_a_page_costs_the_same_with_one_link_and_with_many(tracked: Tracked, manager: User) -> None:
    from orders.actions import tracking

    desk = desk_of(manager)
    desk.get(of(tracked))
    with statements() as one:
        desk.get(of(tracked))
    for _ in range(5):
        tracking.issue(service_order_id=tracked.job.pk, **cause(manager))
    with statements() as many:
        desk.get(of(tracked))
    assert len(many) <= len(one) + 1  # the names of people, asked for together once there is a person

"""The links that notices carry: a customer's own link to their order, a person's way to the page of theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import salted_hmac

from notifications.actions.feedback import token_of
from notifications.models import Notice
from notifications.standing import JOB, Standing
from orders.actions import tracking
from orders.models import TrackingLink
from orders.tracking import held_by
from parts.actors import Actor

#: Who makes the links that notices carry.
MESSAGES = Actor.system("messages")
#: The kinds of threads that are an order's.
_ORDERS = ("service_order", "parts_order")


@dataclass(frozen=True, slots=True)
class Links:
    """Where a reader clicks."""

    order: str = ""
    stop: str = ""
    feedback: str = ""


NONE = Links()
#: As long as a real token, so that an SMS is counted as it will be.
LIKE_A_LINK = "a-link-as-long-as-that-of-orders"


def examples(notices: Sequence[Notice], standings: Mapping[UUID, Standing]) -> dict[tuple[UUID, UUID], Links]:
    """Return links for notices that nobody is sent: those of people of the house as they are, those of customers as
    long as real ones, leading nowhere."""
    theirs = Links(order=site(reverse("tracking:page", args=[LIKE_A_LINK])))
    return {
        (notice.recipient_id, notice.thread_id): theirs
        if notice.recipient.customer_id
        else Links(order=site(_page(standings[notice.thread_id])))
        for notice in notices
        if notice.thread_id in standings
    }


def of_notices(
    notices: Sequence[Notice], standings: Mapping[UUID, Standing], at: datetime
) -> dict[tuple[UUID, UUID], Links]:
    """Return the links of notices' readers to their orders, by (reader, order).

    A customer gets a link of their own, which keeps its token from one notice to the next; it is made with the first.
    """
    customers = [notice for notice in notices if notice.recipient.customer_id and notice.thread_id in standings]
    found = {
        (notice.recipient_id, notice.thread_id): Links(order=site(_page(standings[notice.thread_id])))
        for notice in notices
        if notice.recipient.customer_id is None and notice.thread_id in standings
    }
    found.update(_of_customers(customers, at))
    return found


def _of_customers(notices: Iterable[Notice], at: datetime) -> dict[tuple[UUID, UUID], Links]:
    wanted = {(notice.recipient_id, notice.thread_id): notice for notice in notices}
    tokens = tracking.tokens_for(
        wanted=[
            tracking.Wanted(notice.thread_kind, notice.thread_id, _requester(notice)) for notice in wanted.values()
        ],
        by=MESSAGES,
        source="backline",
        at=at,
    )
    found = {}
    for place, token in zip(wanted, tokens, strict=True):
        if token:
            page = site(reverse("tracking:page", args=[token]))
            found[place] = Links(order=page, stop=f"{page}#messages")
    return found


def _requester(notice: Notice) -> str:
    """Return how a reader's links are told from those of others."""
    return f"{notice.recipient} ({notice.recipient_id})"[-120:]


def link_of(notice: Notice, at: datetime) -> TrackingLink | None:
    """Return the link that a customer's reader has to the order of a notice; None where it has none that works.

    None is made for it: whoever revoked the last one did so for a reason.
    """
    if notice.recipient.customer_id is None or notice.thread_kind not in _ORDERS:
        return None
    return held_by(_requester(notice), notice.thread_id, MESSAGES.reference, at)


def unsubscribing(stop_link: str) -> dict[str, str]:
    """Return the headers by which a mail program offers to stop messages, by one click where it may (RFC 8058)."""
    page = stop_link.partition("#")[0]
    headers = {"List-Unsubscribe": f"<{page}one-click/>"}
    if page.startswith("https://"):
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def on_the_phone(notice: Notice) -> str:
    """Return where a tap on a phone leads: to the job on the phone page, otherwise to the inbox."""
    if notice.thread_kind == JOB:
        return site(reverse("phone:job", args=[notice.thread_id]))
    return site(reverse("messages:inbox"))


def topic_of(notice: Notice) -> str:
    """Return what tells notices about one order from others, without naming it: 32 letters at most (RFC 8030)."""
    return salted_hmac("backline topic", notice.thread_id.hex, algorithm="sha256").hexdigest()[:24]


def _page(stands: Standing) -> str:
    """Return the page of an order at the desk."""
    name = "desk:service-order" if stands.kind == JOB else "desk:parts-order"
    return reverse(name, args=[stands.reference])


def feedback_of(notice: Notice) -> str:
    """Return where a notice's reader says whether it was clear."""
    return site(feedback_path(notice.pk))


def feedback_path(notice_id: UUID) -> str:
    """Return the same within this installation."""
    return reverse("messages:clear", args=[token_of(notice_id)])


def site(path: str) -> str:
    """Return the whole address of a page of ours."""
    return f"{settings.SITE_URL}{path}"

"""The customer's link: made and revoked by staff, and what a customer does by it.

What is done to a link, and what is done by it, is recorded on its order under the order's lock. So whoever revokes a
link and whoever uses it come one after the other, and nothing is done by a link that was revoked before.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.crypto import salted_hmac

from orders.actions import jobs, service_orders
from orders.actions.work import LineWork
from orders.ledger import Cause, Ledger
from orders.models import OrderEvent, PartsOrder, ServiceOrder, TrackingLink
from orders.rules import check_texts
from orders.statuses import ServiceOrderStatus, SubjectKind
from orders.tracking import MESSAGE, digest, reference_of, reschedule_days, zone_of
from orders.trees import Tree
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, NotFound, Refused
from parts.keys import new_key
from parts.sentences import sentence

SERVICE_ORDER, PARTS_ORDER = SubjectKind.SERVICE_ORDER.value, SubjectKind.PARTS_ORDER.value
#: Random bytes of a token: 192 bits.
TOKEN_BYTES = 24
LONGEST_MESSAGE = 2_000
LONGEST_REQUESTER = 120
_MOST_DAYS = 730
_ISSUED = "tracking.link_issued"
#: A link that is sent to somebody works for so long at least.
_STILL_WORKS = timedelta(days=14)
#: What the holder of a link may do through the actions that its own verbs call.
_HOLDS = frozenset({"orders.change_serviceorder"})


class LinkEnded(Refused):
    """The link does not work: there is none, it has expired, it was revoked, or its order is not for its holder."""

    code = "link_ended"
    status = 404

    def __init__(self) -> None:
        super().__init__(sentence("This link does not work."))


class NotScheduled(Refused):
    """The job is past the point at which its customer may choose another day."""

    code = "not_scheduled"


class PlanChanged(Refused):
    """The planned day is another than the customer saw; `extra['scheduled_for']` is the present one."""

    code = "plan_changed"


class TooMuch(Refused):
    """By this link more was done in a day than one customer needs."""

    code = "too_much"
    status = 429


@dataclass(frozen=True, slots=True)
class Issued:
    """A new link with its token, which is shown now or never."""

    link: TrackingLink
    token: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who is to get a link to which order; `requester` tells one reader from another."""

    kind: str
    order_id: UUID
    requester: str


class _Locked:
    """An order under its lock, on whose timeline something is recorded."""

    def __init__(self, kind: str, order_id: UUID, cause: Cause) -> None:
        """Lock it. Raises NotFound. Must be used inside a transaction."""
        self._work: LineWork | None = None
        self.order: service_orders.Job | Tree
        if kind == SERVICE_ORDER:
            self.ledger = Ledger(cause)
            self.order = service_orders.locked(order_id, None)
        else:
            self._work = LineWork(cause, order_ids=[order_id], touches_stock=False)
            self.ledger = self._work.ledger
            tree = self._work.trees.by_order.get(order_id)
            if tree is None:
                raise NotFound(sentence("There is no such parts order."), id=str(order_id))
            self.order = tree

    def record(self, kind: str, *, note: str = "", public: bool = False, data: Mapping[str, Any] | None = None) -> None:
        """Write one event, at once."""
        self.ledger.record(self.order, kind, note=note, public=public, data=data)
        if self._work is None:
            assert isinstance(self.order, service_orders.Job)
            service_orders.write([self.order], self.ledger)
        else:
            assert isinstance(self.order, Tree)
            self.order.touched = True
            self._work.finish()


# --- What staff does --------------------------------------------------------------------------------------------------


def issue(
    *,
    by: Actor,
    source: str,
    at: datetime,
    service_order_id: UUID | None = None,
    parts_order_id: UUID | None = None,
    requester: str = "",
    days: int | None = None,
    retellable: bool = False,
) -> Issued:
    """Make a link to one order for its customer, for so many days (default: TRACKING_LINK_DAYS).

    Others that were made before keep working until they expire or are revoked. The token of a `retellable` one can be
    told again (`token_of`) by whoever has this installation's secret key, for messages; any other is random. Raises
    Forbidden, NotFound, Invalid, and Refused for a draft, which is seen by staff only, and for an order of one of our
    own warehouses.
    """
    by.require("orders.issue_trackinglink")
    days = settings.TRACKING_LINK_DAYS if days is None else days
    if not 1 <= days <= _MOST_DAYS:
        raise Invalid(
            sentence("The link cannot be made as it is."),
            {"days": [sentence("Between 1 and {most}.", most=_MOST_DAYS)]},
        )
    check_texts(requester=(requester, LONGEST_REQUESTER))
    if (service_order_id is None) == (parts_order_id is None):
        raise Invalid(sentence("A link leads to one order."), {"order": [sentence("Name one.")]})
    kind = SERVICE_ORDER if service_order_id else PARTS_ORDER
    order_id = service_order_id or parts_order_id
    assert order_id is not None
    key = new_key()
    token = token_of(key) if retellable else secrets.token_urlsafe(TOKEN_BYTES)
    with transaction.atomic():
        locked = _Locked(kind, order_id, Cause(by=by, source=source, at=at))
        if locked.order.status == ServiceOrderStatus.DRAFT:
            raise Refused(
                sentence("{reference} is a draft; only staff sees it.", reference=locked.order.reference),
                current=locked.order.status,
            )
        if locked.order.customer_id is None:
            raise Refused(
                sentence(
                    "{reference} is for one of our own warehouses; it has no customer.",
                    reference=locked.order.reference,
                )
            )
        link = TrackingLink(
            id=key,
            token_hash=digest(token),
            service_order_id=service_order_id,
            parts_order_id=parts_order_id,
            customer_id=locked.order.customer_id,
            requester=requester.strip(),
            created_by=by.reference,
            created_at=at,
            expires_at=at + timedelta(days=days),
        )
        link.save(force_insert=True)
        locked.record(_ISSUED, data={"link": str(link.pk), "expires_at": link.expires_at.isoformat()})
    return Issued(link, token)


def token_of(link_id: UUID) -> str:
    """Return the token of a retellable link: 192 bits that nobody can compute without this installation's secret key.

    A changed secret key makes others: the old links keep working, and who is written to next gets a new one.
    """
    mac = salted_hmac("backline retellable link", link_id.hex, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(mac[:TOKEN_BYTES]).decode()


def tokens_for(*, wanted: Sequence[Wanted], by: Actor, source: str, at: datetime) -> list[str]:
    """Return a token for each reader of an order that works for a while yet, the same as the last time if it does.

    Empty for an order that is nobody's to see by a link. Where a link is missing it is made, under its order's lock,
    those to jobs all at once; otherwise one query serves all. Raises Forbidden.
    """
    by.require("orders.issue_trackinglink")
    known = _known_tokens(wanted, by, at)
    missing = [one for one in dict.fromkeys(wanted) if (one.order_id, one.requester) not in known]
    jobs_of = [one for one in missing if one.kind == SERVICE_ORDER]
    if jobs_of:
        known.update(_tokens_for_jobs(jobs_of, by, source, at))
    for one in missing:
        if one.kind != SERVICE_ORDER:
            known[one.order_id, one.requester] = _token_for(one, by, source, at)
    return [known.get((one.order_id, one.requester), "") for one in wanted]


def _known_tokens(wanted: Sequence[Wanted], by: Actor, at: datetime) -> dict[tuple[UUID, str], str]:
    """Return the tokens that readers have and that can be told again, by order and reader. One statement."""
    orders = [one.order_id for one in wanted]
    links = TrackingLink.objects.working(at + _STILL_WORKS).filter(
        Q(service_order__in=orders) | Q(parts_order__in=orders), created_by=by.reference
    )
    return {
        (place, link.requester): token
        for link in links.order_by("id")
        if (place := link.service_order_id or link.parts_order_id)
        and bytes(link.token_hash) == digest(token := token_of(link.pk))
    }


def _tokens_for_jobs(wanted: Sequence[Wanted], by: Actor, source: str, at: datetime) -> dict[tuple[UUID, str], str]:
    """Make the links of readers to jobs, as `issue` does one, under all their locks. Four statements for any number."""
    expires_at = at + timedelta(days=settings.TRACKING_LINK_DAYS)
    links: list[TrackingLink] = []
    with transaction.atomic():
        locked = service_orders.lock(one.order_id for one in wanted)
        known = _known_tokens(wanted, by, at)  # another sender may have made some meanwhile
        ledger = Ledger(Cause(by=by, source=source, at=at))
        for one in wanted:
            job = locked.get(one.order_id)
            if (one.order_id, one.requester) in known or job is None or job.status == ServiceOrderStatus.DRAFT:
                continue
            key = new_key()
            known[one.order_id, one.requester] = token = token_of(key)
            links.append(
                TrackingLink(
                    id=key,
                    token_hash=digest(token),
                    service_order_id=one.order_id,
                    customer_id=job.customer_id,
                    requester=one.requester.strip(),
                    created_by=by.reference,
                    created_at=at,
                    expires_at=expires_at,
                )
            )
            ledger.record(job, _ISSUED, data={"link": str(key), "expires_at": expires_at.isoformat()})
        TrackingLink.objects.bulk_create(links)
        if links:
            service_orders.write([job for job in locked.values() if job.version != job.read_version], ledger)
    return known


def _token_for(one: Wanted, by: Actor, source: str, at: datetime) -> str:
    is_job = one.kind == SERVICE_ORDER
    try:
        issued = issue(
            service_order_id=one.order_id if is_job else None,
            parts_order_id=None if is_job else one.order_id,
            requester=one.requester,
            retellable=True,
            by=by,
            source=source,
            at=at,
        )
        return issued.token
    except Refused:  # a draft, or an order of one of our own warehouses
        return ""


def revoke(*, link_id: UUID, by: Actor, source: str, at: datetime) -> TrackingLink:
    """Make a link work no more, from now on and for ever; a repeat changes nothing. Raises Forbidden, NotFound."""
    by.require("orders.revoke_trackinglink")
    with transaction.atomic():
        link = TrackingLink.objects.filter(pk=link_id).first()
        if link is None:
            raise NotFound(sentence("There is no such link."), id=str(link_id))
        locked = _Locked(*_place(link), Cause(by=by, source=source, at=at))
        link.refresh_from_db()
        if link.revoked_at is None:
            link.revoked_at, link.revoked_by = at, by.reference
            link.save(update_fields=["revoked_at", "revoked_by"])
            locked.record("tracking.link_revoked", data={"link": str(link.pk)})
    return link


# --- What the customer does -------------------------------------------------------------------------------------------


def holder(link: TrackingLink) -> Actor:
    """Return whoever holds a link as the one who acts: by nothing but this link, and in nobody's name."""
    return Actor(reference=reference_of(link.pk), permissions=_HOLDS)


def reschedule(
    *, link_id: UUID, scheduled_for: date, seen: date | None, by: Actor, source: str, at: datetime
) -> service_orders.Moved:
    """Choose another day for a job while it is Scheduled. `seen` is the day that the customer was shown.

    The day that is planned already changes nothing. Raises Forbidden, LinkEnded, Invalid for a day out of reach,
    NotScheduled, PlanChanged where the workshop was quicker, TooMuch.
    """
    with transaction.atomic():
        link, locked = _opened(link_id, by, Cause(by=by, source=source, at=at))
        job = locked.order
        if not isinstance(job, service_orders.Job) or job.status != ServiceOrderStatus.SCHEDULED:
            raise NotScheduled(
                sentence("{reference} is not waiting for its day.", reference=job.reference), current=job.status
            )
        if job.scheduled_for == scheduled_for:
            return service_orders.moved(job)
        first, last = reschedule_days(at.astimezone(zone_of(link.customer)).date())
        if not first <= scheduled_for <= last:
            said = sentence("Choose a day from {first} to {last}.", first=first, last=last)
            raise Invalid(
                sentence("This day cannot be chosen."), {"scheduled_for": [said]}, first=str(first), last=str(last)
            )
        if job.scheduled_for != seen:
            planned = str(job.scheduled_for) if job.scheduled_for else None
            raise PlanChanged(
                sentence("{reference} was planned anew meanwhile.", reference=job.reference), scheduled_for=planned
            )
        _check_measure(job.id, by, at)
        return jobs.reschedule(service_order_id=job.id, scheduled_for=scheduled_for, by=by, source=source, at=at)


def write_message(*, link_id: UUID, text: str, key: str, by: Actor, source: str, at: datetime) -> bool:
    """Put a message to the workshop on the order's timeline, which the customer reads too; return whether it was new.

    `key` is of the form it was written in: the same text by the same form again is the same message. Raises Forbidden,
    LinkEnded, Invalid for an empty or an overlong one, TooMuch.
    """
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise Invalid(sentence("The message is empty."), {"text": [sentence("Write something.")]})
    check_texts(text=(text, LONGEST_MESSAGE))
    message_id = f"{key[:60]}:{hashlib.sha256(text.encode()).hexdigest()[:32]}"
    check_texts(key=(message_id, 120))
    with transaction.atomic():
        _link, locked = _opened(link_id, by, Cause(by=by, source=source, at=at, message_id=message_id))
        if OrderEvent.objects.of_message(source, message_id).of_subjects([locked.order.id]).exists():
            return False
        _check_measure(locked.order.id, by, at)
        locked.record(MESSAGE, note=text, public=True)
    return True


def want_messages(*, link_id: UUID, wanted: bool, by: Actor, source: str, at: datetime) -> bool:
    """Stop messages about an order, or let them come again; return whether that changed anything.

    Raises Forbidden, LinkEnded, TooMuch.
    """
    with transaction.atomic():
        link, locked = _opened(link_id, by, Cause(by=by, source=source, at=at))
        model: type[ServiceOrder] | type[PartsOrder] = ServiceOrder if link.service_order_id else PartsOrder
        stopped = bool(model.objects.filter(pk=locked.order.id, messages_stopped_at__isnull=False).exists())
        if stopped != wanted:
            return False
        _check_measure(locked.order.id, by, at)
        model.objects.filter(pk=locked.order.id).update(messages_stopped_at=None if wanted else at)
        locked.record("messages.started" if wanted else "messages.stopped", public=True)
    return True


def _opened(link_id: UUID, by: Actor, cause: Cause) -> tuple[TrackingLink, _Locked]:
    """Lock the order of a link that works, for whoever holds that very link. Raises Forbidden, LinkEnded."""
    if by.reference != reference_of(link_id):
        raise Forbidden(sentence("Only who holds this link can do this by it."))
    link = TrackingLink.objects.select_related("customer").filter(pk=link_id).first()
    if link is None:
        raise LinkEnded
    locked = _Locked(*_place(link), cause)
    if not TrackingLink.objects.working(cause.at).filter(pk=link_id).exists():  # now that nobody can revoke it
        raise LinkEnded
    return link, locked


def _place(link: TrackingLink) -> tuple[str, UUID]:
    if link.service_order_id:
        return SERVICE_ORDER, link.service_order_id
    assert link.parts_order_id is not None
    return PARTS_ORDER, link.parts_order_id


def _check_measure(order_id: UUID, by: Actor, at: datetime) -> None:
    """Raise TooMuch where a day's measure is full, counted from the ledger: the same for all web processes."""
    said = OrderEvent.objects.of_subjects([order_id]).filter(actor=by.reference, recorded_at__gt=at - timedelta(days=1))
    if said.count() >= settings.TRACKING_DEEDS_PER_DAY:
        raise TooMuch(sentence("Enough for one day."))

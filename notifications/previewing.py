"""How a wording would read, tried on a real order, and a digest now: nothing is written and nothing leaves the house.

The news are the last things that happened to the order; the links look like links and lead nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q
from django.utils import timezone, translation

from backorders.dossiers import subjects_of
from notifications import composing, digest_letters, rendering, standing, stuck
from notifications.digest_letters import Digest
from notifications.links import LIKE_A_LINK, Links, site
from notifications.models import Alert, DigestSubscription, Message, Notice, Recipient, Rule, Template
from notifications.readers import zone_of
from notifications.statuses import Trigger
from orders.models import OrderEvent, PartsOrder, ServiceOrder
from orders.statuses import SubjectKind

#: What of an order's events the preview shows, and how many of them at most.
_TOLD = Q(kind__endswith=".status_changed", passed_through=False) | Q(
    kind__in=["note.added", "line.promise_changed", "back_order.opened", "service_order.rescheduled"]
)
_NEWS = 4


@dataclass(frozen=True, slots=True)
class Preview:
    """A wording in words: as an email, and as an SMS with the number of its segments."""

    order: str
    subject: str
    text: str
    html: str
    sms: str
    segments: int


def order_for(user: User | AnonymousUser, reference: str) -> ServiceOrder | PartsOrder | None:
    """Return the order of this reference that this person may see; without a reference, the job that moved last."""
    jobs = ServiceOrder.objects.visible_to(user).select_related("customer")
    if not reference.strip():
        return jobs.exclude(status="draft").order_by("-id").first()
    wanted = reference.strip().upper()
    orders = PartsOrder.objects.visible_to(user).select_related("customer")
    return jobs.filter(reference=wanted).first() or orders.filter(reference=wanted).first()


def preview(
    *, words: composing.Words, template: Template, language: str, order: ServiceOrder | PartsOrder, user: User
) -> Preview:
    """Return how words would read for the customer of an order, or for this person. Raises rendering.CANNOT_BE_SAID."""
    values = _sample(template, language, order, user)
    customer = order.customer if template.for_customers else None
    zone = zone_of(customer.time_zone if customer else timezone.get_current_timezone_name())
    with translation.override(language), timezone.override(zone):
        email = composing.put(words, values(), is_short=False)
        short = composing.put(words, values(), is_short=True)
    return Preview(
        order=order.reference,
        subject=email.subject,
        text=email.text,
        html=email.html,
        sms=short.text,
        segments=rendering.segments(short.text),
    )


def previews_of_status(
    subject: str, words: Mapping[str, tuple[str, str]], user: User | AnonymousUser
) -> dict[str, Preview]:
    """Return by language how the news of an order would reach its customer, where the order stood in a status of these
    words (the word, and what happens next); nothing where there is no order yet to try them on.

    News of before are left out: what the words do is what is looked at.
    """
    order = _order_in(subject, user)
    if order is None or order.customer is None:
        return {}
    template = Template.objects.get(code="customer_news")
    versions = standing.published({template.pk})
    found = {}
    for language, (word, next_step) in words.items():  # as many as we speak
        version = versions.get((template.pk, language)) or versions[template.pk, "en"]
        values_now = _sample(template, language, order, User())
        with translation.override(language), timezone.override(zone_of(order.customer.time_zone)):
            values = values_now()
            values["order"] |= {"status": word, "next_step": next_step}
            values |= {"news": [], "more": 0, "count": 0}
            email = composing.said_or_shipped(version, template, values, is_short=False)
            short = composing.said_or_shipped(version, template, values, is_short=True)
        segments = rendering.segments(short.text)
        found[language] = Preview(order.reference, email.subject, email.text, email.html, short.text, segments)
    return found


def _order_in(subject: str, user: User | AnonymousUser) -> ServiceOrder | PartsOrder | None:
    """Return an order that speaks in the words of this subject: the job that moved last, or a parts order alone."""
    if subject == SubjectKind.SERVICE_ORDER:
        return order_for(user, "")
    orders = PartsOrder.objects.visible_to(user).filter(customer__isnull=False, service_order=None)
    return orders.select_related("customer").order_by("-id").first()


def _sample(
    template: Template, language: str, order: ServiceOrder | PartsOrder, user: User
) -> Callable[[], dict[str, Any]]:
    """Return what makes the values of a notice about an order that never was, in the language that is spoken then."""
    is_customer = template.for_customers and order.customer_id is not None
    reader = (
        Recipient(customer=order.customer, name=order.customer.name)
        if is_customer and order.customer
        else Recipient(user=user, name=user.get_full_name() or user.get_username())
    )
    notice = Notice(recipient=reader, thread_kind=order.subject_kind, thread_id=order.pk, reference=order.reference)
    messages = _messages(template, order, notice, is_customer=is_customer)
    page = site(f"/track/{LIKE_A_LINK}/" if is_customer else f"/desk/orders/{order.reference}/")
    read = composing.read_for(
        notice,
        messages,
        Links(
            order=page,
            stop=f"{page}#messages" if is_customer else "",
            feedback=site(f"/messages/clear/{LIKE_A_LINK}/"),
        ),
        language,
    )
    return lambda: composing.values_of(notice, messages, messages[-1], language, read)


def _messages(
    template: Template, order: ServiceOrder | PartsOrder, notice: Notice, *, is_customer: bool
) -> Sequence[Message]:
    orders = [order.pk]
    subjects = {order.pk}
    if order.subject_kind == SubjectKind.SERVICE_ORDER:
        orders = list(PartsOrder.objects.filter(service_order=order.pk).values_list("pk", flat=True))
    subjects.update(subjects_of(orders))
    rule = Rule(name=template.name, template=template)
    events = OrderEvent.objects.filter(_TOLD, subject_id__in=subjects).select_related("text")
    if is_customer:
        events = events.exclude(Q(kind="note.added") & ~Q(visibility="public"))
    last = sorted(
        events.order_by("-occurred_at", "-id")[:_NEWS], key=lambda event: (event.occurred_at, event.version)
    ) or list(OrderEvent.objects.filter(subject_id=order.pk).select_related("text").order_by("version")[:1])
    messages = [Message(event=event, rule=rule, recipient=notice.recipient, notice=notice) for event in last]
    if template.code == "staff_alert":
        event = last[-1]
        alert = Alert(rule=Rule(trigger=Trigger.LINE_WAITS), event=event, due_at=event.occurred_at)
        messages = [Message(event=event, rule=rule, alert=alert, alert_level=1, recipient=notice.recipient)]
    return messages


@dataclass(frozen=True, slots=True)
class DigestPreview:
    """What a digest would say now, of how many orders; `is_silent`: that few, and not asked for, so it would not."""

    subject: str
    text: str
    count: int
    is_silent: bool


def preview_of_digest(one: DigestSubscription, at: datetime) -> DigestPreview:
    """Return what a digest would say now to its reader, who may see what they may see. Eight statements."""
    reader = one.reader
    allowed = stuck.who_may_see([reader.user_id] if reader.user_id is not None else [])
    key = one.pk or UUID(int=0)
    found = stuck.read({key: digest_letters.asked_by(one)}, at)[key] if allowed else stuck.NOTHING
    template = Template.objects.get(code=digest_letters.WORDING)
    language = digest_letters.language_of(one, composing.language_of(Notice(recipient=reader)))
    versions = standing.published({template.pk})
    version = versions.get((template.pk, language)) or versions[template.pk, "en"]
    with translation.override(version.language), timezone.override(digest_letters.zone_of_digest(one)):
        values = digest_letters.values(Digest(one, found), site(f"/messages/clear/{LIKE_A_LINK}/"), at)
        said = composing.said_or_shipped(version, template, values, is_short=False)
    return DigestPreview(said.subject, said.text, found.count, not found.count and not one.says_nothing)

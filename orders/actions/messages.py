"""A message that comes again has no second effect: what it did the first time is the answer."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import connection

from orders.errors import MessageUsed
from orders.ledger import Cause, Subject
from orders.models import OrderEvent, Shipment
from orders.rules import LONGEST_REFERENCE, check_texts
from parts.sentences import sentence

#: Let only one at a time place an order for a message: there is no row yet that could be locked.
_WAIT = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
#: The events by which a shipment takes a line, whole or in part.
_TAKEN = ("line.split", "line.quantity_changed")


def known(subject: Subject, to: str, cause: Cause) -> OrderEvent | None:
    """Return the event by which this very message moved a locked subject to a status, None where it is news.

    Raises Invalid for a message id that cannot be kept, MessageUsed where the message did something else to it. One
    query, none without a message.
    """
    if not cause.message_id:
        return None
    check_texts(message_id=(cause.message_id, LONGEST_REFERENCE))
    said = list(OrderEvent.objects.of_message(cause.source, cause.message_id).of_subjects([subject.id]))
    steps = [event for event in said if event.to_status == to and not event.passed_through]
    if said and not steps:
        raise MessageUsed(
            sentence("This message said something else of {reference} before.", reference=subject.reference),
            current=subject.status,
        )
    return max(steps, key=lambda event: event.version, default=None)


def shipped_by(order: Subject, line_ids: Collection[UUID], cause: Cause) -> list[Shipment] | None:
    """Return the shipments that this very message made of these lines of a locked order, None where it is news.

    Raises as `known`; MessageUsed also where it shipped some of the lines only. Two queries at most.
    """
    if not cause.message_id:
        return None
    check_texts(message_id=(cause.message_id, LONGEST_REFERENCE))
    said = OrderEvent.objects.of_message(cause.source, cause.message_id).filter(
        reference__startswith=f"{order.reference}/", subject_kind="line"
    )
    touched: set[UUID] = set()
    taken: set[UUID] = set()
    born: set[UUID] = set()
    gone: set[UUID] = set()
    for event in said:
        touched.add(event.subject_id)
        if event.kind == "line.split_off":
            born.add(event.subject_id)
        elif event.to_status == "shipped":
            gone.add(event.subject_id)
        elif event.kind in _TAKEN:
            taken.add(event.subject_id)
    before = {key for key in line_ids if key in (gone | taken) - born}
    if not touched.intersection(line_ids):
        return None
    if before != set(line_ids):
        raise MessageUsed(
            sentence("This message said something else of {reference} before.", reference=order.reference),
            current=order.status,
        )
    return list(Shipment.objects.filter(lines__line__in=gone).distinct().order_by("id"))


def placed_by(cause: Cause) -> UUID | None:
    """Return the key of the order that this very message placed, None where it is news.

    Of two who bring the same message at once, the second waits here for the first. Two statements, none without a
    message. Raises Invalid for a message id that cannot be kept.
    """
    if not cause.message_id:
        return None
    check_texts(message_id=(cause.message_id, LONGEST_REFERENCE))
    with connection.cursor() as cursor:
        cursor.execute(_WAIT, [f"placing {cause.source} {cause.message_id}"])
    said = OrderEvent.objects.of_message(cause.source, cause.message_id).filter(kind="parts_order.placed")
    return said.values_list("subject_id", flat=True).first()

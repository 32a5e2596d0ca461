"""Every filter, annotation and total ordering of floor 1."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q
from django.db.models.expressions import RawSQL

from orders.statuses import LINE_CLOSED, LINE_OPEN, SERVICE_ORDER_CLAIMABLE, SERVICE_ORDER_OPEN

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User


class Urgency(Func):
    """The deadline to sort by: what has none comes after everything that has one, and nothing lacks it."""

    template = "COALESCE(%(expressions)s, '9000-01-01 00:00:00+00'::timestamptz)"
    arity = 1
    output_field = models.DateTimeField()


def sees_all(user: User | AnonymousUser) -> bool:
    """Tell whether a person sees the orders of every customer (staff do; partners and customers do not)."""
    return bool(user.is_active and user.is_staff)


class ServiceOrderQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Keep what the person may see: staff all, partners their customers' (never a draft), nobody else anything."""
        if sees_all(user):
            return self
        return (
            self.filter(customer__access__user=user.pk).exclude(status="draft")
            if user.is_authenticated
            else self.none()
        )

    def open(self) -> Self:
        return self.filter(status__in=SERVICE_ORDER_OPEN)

    def production(self) -> Self:
        """Leave out test and training orders."""
        return self.filter(is_test=False)

    def newest_first(self) -> Self:
        return self.order_by("-id")

    def open_of(self, person_id: int) -> Self:
        """Keep the open jobs of a technician."""
        return self.open().filter(technician=person_id)

    def claimable(self, region_id: UUID | None = None) -> Self:
        """Keep what nobody has and a technician may take, where a machine stands still first, then the oldest."""
        found = self.filter(technician__isnull=True, status__in=SERVICE_ORDER_CLAIMABLE)
        if region_id is not None:
            found = found.filter(region=region_id)
        return found.order_by("-machine_down", "id")

    def after_claimable(self, machine_down: bool, key: UUID) -> Self:
        """Keep what comes after a row of `claimable`."""
        return self.filter(Q(machine_down__lt=machine_down) | Q(machine_down=machine_down, id__gt=key))

    def most_urgent_first(self) -> Self:
        """Sort by the deadline of the contract (annotated as `urgency`); those without one last, oldest first."""
        return self.annotate(urgency=Urgency("due_at")).order_by("urgency", "id")

    def after_urgency(self, urgency: datetime, key: UUID) -> Self:
        """Keep what comes after a row of `most_urgent_first`; the last term alone lets the index start there."""
        return self.filter(Q(urgency__gt=urgency) | Q(id__gt=key), urgency__gte=urgency)

    def late(self, at: datetime) -> Self:
        """Keep those whose contract's clock has run out."""
        return self.annotate(urgency=Urgency("due_at")).filter(urgency__lt=at)

    def in_status_since(self, moment: datetime) -> Self:
        """Keep those that have stood in their status since before a moment.

        That is when they really came into it: what they only passed through on the way, a note or a late report never
        changed it, an override did.
        """
        return self.filter(status_since__lt=moment)

    def waiting_for_parts(self) -> Self:
        """Keep those with a line that is back-ordered: its order stands there too, which is its least advanced line."""
        orders = self.model._meta.get_field("parts_orders").related_model._default_manager
        return self.filter(Exists(orders.filter(service_order=OuterRef("pk"), status="back_ordered")))


class PartsOrderQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Keep what the person may see: staff all, partners their customers'."""
        if sees_all(user):
            return self
        return self.filter(customer__access__user=user.pk) if user.is_authenticated else self.none()

    def open(self) -> Self:
        return self.filter(status__in=LINE_OPEN)

    def production(self) -> Self:
        """Leave out test and training orders."""
        return self.filter(is_test=False)

    def in_status_since(self, moment: datetime) -> Self:
        """Keep those that have stood in the status that their lines give them since before a moment."""
        return self.filter(status_since__lt=moment)

    def newest_first(self) -> Self:
        return self.order_by("-id")

    def locked(self) -> Self:
        """Lock the orders in the one order. Whoever holds an order's lock may write its lines and back orders."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")


class OrderLineQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Keep the lines of orders the person may see."""
        if sees_all(user):
            return self
        return self.filter(order__customer__access__user=user.pk) if user.is_authenticated else self.none()

    def leaves(self) -> Self:
        """Keep the lines that hold stock or wait: all but the parents of splits."""
        return self.filter(is_split=False)

    def roots(self) -> Self:
        """Keep the lines as they were ordered."""
        return self.filter(parent__isnull=True)

    def open(self) -> Self:
        return self.exclude(status__in=LINE_CLOSED)

    def bound_for(self, job_ids: Collection[UUID], warehouse_id: UUID | None) -> Self:
        """Keep what goes to one of these jobs, or into this warehouse."""
        theirs = Q(order__service_order__in=job_ids)
        if warehouse_id is not None:
            theirs |= Q(order__destination=warehouse_id)
        return self.filter(theirs)


class TrackingLinkQuerySet(models.QuerySet[Any]):
    def of(self, order: Any) -> Self:
        """Keep the links to one order."""
        return self.filter(**{order.subject_kind: order.pk})

    def working(self, at: datetime) -> Self:
        """Keep what opens its order: neither expired nor revoked, of the order's own customer, of no draft."""
        theirs = Q(service_order__customer=F("customer")) & ~Q(service_order__status="draft")
        return self.filter(theirs | Q(parts_order__customer=F("customer")), revoked_at=None, expires_at__gt=at)

    def newest_first(self) -> Self:
        return self.order_by("-id")


class OrderEventQuerySet(models.QuerySet[Any]):
    def of_subjects(self, ids: list[UUID]) -> Self:
        return self.filter(subject_id__in=ids)

    def of_message(self, source: str, message_id: str) -> Self:
        """Keep what one message of one system had for an effect."""
        return self.filter(source=source, message_id=message_id).exclude(message_id="")

    def timeline(self) -> Self:
        """Sort as it happened: by the source's clock, then by version."""
        return self.order_by("occurred_at", "recorded_at", "id")

    def public(self) -> Self:
        return self.filter(visibility="public")

    def overrides(self) -> Self:
        return self.filter(is_override=True)

    def after(self, transaction_id: int, event_id: UUID) -> Self:
        """Keep what comes after a cursor and is certainly complete: below the horizon of all running transactions."""
        return self.filter(
            Q(transaction_id__gt=transaction_id) | Q(id__gt=event_id),
            transaction_id__gte=transaction_id,  # said apart from the line above, so that the index starts here
            transaction_id__lt=RawSQL("(pg_snapshot_xmin(pg_current_snapshot())::text)::bigint", []),
        ).order_by("transaction_id", "id")

"""Every filter and annotation of the ground floor, asked for by name."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Greatest

from parts.statuses import RESERVATION_LIVE, Condition, PurchaseOrderStatus, ReservationStatus, WarehouseKind

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

#: Conditions in which a unit may be promised to an order.
FIT_CONDITIONS = (Condition.NEW.value, Condition.REFURBISHED.value)

#: Consigned, loaner and in-repair stock. What any order may be promised is never special.
IS_SPECIAL = (
    Q(condition__in=[Condition.IN_REPAIR, Condition.LOANER])
    | ~Q(owner="own")
    | Q(warehouse__kind=WarehouseKind.CONSIGNMENT, warehouse__allocatable=False)
)

AVAILABLE = F("on_hand") - F("unfit") - F("reserved")


class StockLevelQuerySet(models.QuerySet[Any]):
    """Levels; `available` is an annotation, nobody subtracts quantities elsewhere."""

    def with_available(self) -> Self:
        """Annotate `available` (on hand - unfit - reserved)."""
        return self.annotate(available=AVAILABLE)

    def allocatable(self) -> Self:
        """Keep the levels whose stock may be promised to any order."""
        return self.filter(warehouse__allocatable=True, condition__in=FIT_CONDITIONS, owner="own")

    def shown_in_lists(self, person: User | AnonymousUser) -> Self:
        """Leave out special stock (`parts.statuses.SpecialStock`) for whom may not see all stock.

        Where a rule lets them see some of it, availability shows it (`backorders.availability`).
        """
        return self if person.has_perm("parts.view_all_stock") else self.exclude(IS_SPECIAL)

    def free(self) -> Self:
        """Keep the allocatable levels with something available."""
        return self.allocatable().with_available().filter(available__gt=0)

    def locked(self) -> Self:
        """Lock the rows for this transaction in the one order (by primary key)."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")


class ReservationQuerySet(models.QuerySet[Any]):
    def live(self) -> Self:
        """Keep the reservations that still hold stock."""
        return self.filter(status__in=RESERVATION_LIVE)

    def lapsed(self, at: datetime) -> Self:
        """Keep the reservations that have outlived their expiry, longest first."""
        return self.filter(status=ReservationStatus.ACTIVE, expires_at__lte=at).order_by("expires_at", "id")

    def locked(self) -> Self:
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")


class StockMovementQuerySet(models.QuerySet[Any]):
    def newest_first(self) -> Self:
        return self.order_by("-id")


class PurchaseOrderLineQuerySet(models.QuerySet[Any]):
    def incoming(self) -> Self:
        """Keep the lines of which something is still to come."""
        return self.filter(is_open=True, purchase_order__status=PurchaseOrderStatus.ORDERED)

    def with_open_quantity(self) -> Self:
        """Annotate `open_quantity`, never below zero."""
        return self.annotate(
            open_quantity=Coalesce(
                Greatest(F("quantity") - F("received") - F("cancelled"), Value(0)),
                Value(0),
                output_field=models.DecimalField(),
            )
        )

    def in_time_order(self) -> Self:
        """Sort by when they come; lines with no date last."""
        return self.order_by(F("expected_on").asc(nulls_last=True), "id")

    def late(self, today: Any) -> Self:
        """Keep the incoming lines whose date has passed."""
        return self.incoming().filter(Q(expected_on__lt=today))

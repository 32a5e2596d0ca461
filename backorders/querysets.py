"""Every filter, annotation and total ordering of the queue."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.db import models
from django.db.models import F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce, Least

from backorders.statuses import AGE_BUCKETS, BACK_ORDER_WAITING
from orders.querysets import sees_all
from parts.models import StockLevel

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

#: The key of no warehouse.
NOWHERE = UUID(int=0)


#: Of a peg: the day that the supplier named for its purchase order line has passed.
IS_OVERDUE = Q(expected_on__isnull=True, purchase_order_line__expected_on__isnull=False)

#: Of a back order: supply comes later than was promised.
IN_DANGER = Q(expected_on__gt=F("line__promised_on"))


class BackOrderQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Keep what the person may see: staff all, partners their customers'."""
        if sees_all(user):
            return self
        return self.filter(customer__access__user=user.pk) if user.is_authenticated else self.none()

    def waiting(self) -> Self:
        """Keep those in the queue."""
        return self.filter(status__in=BACK_ORDER_WAITING)

    def beside_free_stock(self) -> Self:
        """Keep those that wait although as much as they accept is free for them: an allocation would serve them."""
        free = (
            StockLevel.objects.free()
            .filter(~Q(warehouse=Coalesce(OuterRef("excluded_warehouse"), NOWHERE)), part=OuterRef("part"))
            .order_by()
            .values("part")
            .annotate(total=Sum("available"))
            .values("total")
        )
        # The parts that have any are found first, so that the sums are made for few of those who wait.
        somewhere = StockLevel.objects.free().order_by().values("part")
        waiting = self.waiting().filter(on_hold=False, part__in=somewhere).annotate(free=Subquery(free))
        return waiting.filter(free__gte=Least("minimum_fill", "quantity"))

    def by_rank(self) -> Self:
        """Sort as the queue stands: who gets the next unit first."""
        return self.order_by("-rank", "id")

    def without_supply(self) -> Self:
        """Keep those that no purchase order covers.

        One that was opened a moment ago has its expected day at once, and its pegs a moment later: either is supply.
        """
        # NOT EXISTS, where a join and IS NULL would be planned for one row and read the whole queue.
        return self.waiting().filter(expected_on__isnull=True).exclude(pegs__isnull=False)

    def promise_overdue(self, today: Any) -> Self:
        """Keep those whose promised date has passed.

        The line of one that waits is back-ordered: said here, the index of promised waits (orders) serves the search.
        """
        return self.waiting().filter(line__promised_on__lt=today, line__status="back_ordered")

    def aged(self, bucket: str, now: datetime) -> Self:
        """Keep those that have waited as many whole days as the bucket (a name of AGE_BUCKETS) says.

        Raises KeyError for a bucket that does not exist.
        """
        low, high = {name: (low, high) for name, low, high in AGE_BUCKETS}[bucket]
        query = Q(opened_at__lte=now - timedelta(days=low)) if low else Q()
        if high is not None:
            query &= Q(opened_at__gt=now - timedelta(days=high + 1))
        return self.waiting().filter(query)

"""A customer who follows their order, and what they need for it: a link, a browser, a hand that sends forms."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.test import Client
from django.utils import timezone

from backorders.models import AllocationPolicy
from orders.actions import jobs, service_orders, tracking
from orders.actions.placing import Wanted, place
from orders.actions.tracking import Issued
from orders.actions.wording import write_rows
from orders.models import OrderEvent, OrderLine, PartsOrder, ServiceOrder
from tests.admin.world import World, cause

FIELD = re.compile(r'name="(form_key|key|seen)"[^>]*value="([^"]*)"')


class Tracked:
    """A job that is planned for a day in a week, its customer's link, and the customer's browser."""

    def __init__(self, language: str = "en", status: str = "scheduled") -> None:
        AllocationPolicy.objects.get_or_create(name="default")  # a test that really commits was cleaned up after
        write_rows()
        self.world = World()
        self.customer = self.world.customer
        self.customer.language = language
        self.customer.save()
        self.job = self.world.job("draft")
        self.day = timezone.now().date() + timedelta(days=7)
        jobs.reschedule(service_order_id=self.job.pk, scheduled_for=self.day, **cause())
        self.to(status)
        self.issued: Issued = tracking.issue(service_order_id=self.job.pk, **cause())
        self.browser = Client()

    @property
    def address(self) -> str:
        """The address of the link."""
        return f"/track/{self.issued.token}/"

    def to(self, status: str, **facts: Any) -> None:
        """Walk the job to a status, each step a real one."""
        path = [
            "scheduled",
            "new",
            "in_progress",
            "awaiting_parts",
            "with_manufacturer",
            "ready_for_return",
            "completed",
        ]
        if status == "cancelled":
            service_orders.move(service_order_id=self.job.pk, to=status, note="Secret reason", **cause())
            return
        now = ServiceOrder.objects.get(pk=self.job.pk).status
        for step in path[path.index(now) + 1 if now in path else 0 : path.index(status) + 1]:
            service_orders.move(service_order_id=self.job.pk, to=step, **facts, **cause())

    def page(self, **query: str) -> str:
        """Open the link and return the page."""
        answer = self.browser.get(self.address, query)
        assert answer.status_code == 200
        return answer.content.decode()

    def fields(self) -> dict[str, str]:
        """Return what the page's forms carry unseen."""
        return dict(FIELD.findall(self.page()))

    def send(self, what: str, fields: dict[str, str] | None = None, **values: str) -> Any:
        """Send one of the page's forms."""
        return self.browser.post(f"{self.address}{what}/", {**(self.fields() if fields is None else fields), **values})

    def told(self, *, later: timedelta = timedelta()) -> dict[str, Any]:
        """Return what an action is told when the customer does it by the link."""
        return {"by": tracking.holder(self.issued.link), "source": "link", "at": timezone.now() + later}

    def now(self) -> ServiceOrder:
        """The job as it stands."""
        return ServiceOrder.objects.get(pk=self.job.pk)

    def kinds(self) -> list[str]:
        """What has happened to the job, by kind."""
        return list(
            OrderEvent.objects.filter(subject_id=self.job.pk).order_by("version").values_list("kind", flat=True)
        )

    def parts(self, quantity: int = 3, *, in_stock: int = 0, **facts: Any) -> OrderLine:
        """Order parts for the job and return the line as it was ordered."""
        part = self.world.part_in_stock(Decimal(in_stock)) if in_stock else self.world.short().part
        placed = place(
            kind="service",
            service_order_id=self.job.pk,
            requested_on=timezone.now().date(),
            lines=[Wanted(quantity=Decimal(quantity), part_id=part.pk)],
            **facts,
            **cause(),
        )
        return OrderLine.objects.get(pk=placed.lines[0].id)

    def parts_order(self, in_stock: int = 0) -> PartsOrder:
        """A parts order alone, of the customer, with a link of its own in place of the job's."""
        part = self.world.part_in_stock(Decimal(in_stock)) if in_stock else self.world.short().part
        order = self.world.placed(part, 3)
        self.issued = tracking.issue(parts_order_id=order.pk, **cause())
        return order


def in_days(count: int) -> date:
    """Return the day so many days from now, where the customer is: there it is tomorrow before it is in UTC."""
    return timezone.now().astimezone(ZoneInfo("Europe/Berlin")).date() + timedelta(days=count)

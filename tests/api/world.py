"""A small world for the API's doors: two customers, stock in two warehouses, and machines with tokens that call."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application, set_token_value

from backorders.models import AllocationPolicy
from config.roles import SCOPES
from orders.actions import placing, service_orders
from orders.models import Customer, CustomerAccess, ServiceOrder
from parts.actions import stock, supply
from parts.actors import Actor
from parts.models import Part, Region
from tests.factories.parts import PartFactory, RegionFactory, SupplierFactory, WarehouseFactory

EVERY_SCOPE = tuple(SCOPES)


def cause(at: datetime | None = None) -> dict[str, Any]:
    """Who does what a test has done before it begins."""
    return {"by": Actor.system("test"), "source": "test", "at": at or timezone.now()}


class Caller:
    """Somebody who calls the API: JSON in and out, a new idempotency key for each POST unless one is given."""

    def __init__(self, token: str | None = None, client: Client | None = None) -> None:
        self.client = client or Client(raise_request_exception=True)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, query: Any = None, **headers: str) -> Any:
        return self.client.get(f"/api/v1/{path}", query, headers=self._headers(headers))

    def post(self, path: str, body: Any = None, *, key: str | None = "", **headers: str) -> Any:
        if key is not None:
            headers["Idempotency-Key"] = key or uuid.uuid4().hex
        return self.raw("POST", path, b"" if body is None else json.dumps(body, default=str).encode(), **headers)

    def raw(self, method: str, path: str, body: bytes, content_type: str = "application/json", **headers: str) -> Any:
        return self.client.generic(
            method, f"/api/v1/{path}", body, content_type=content_type, headers=self._headers(headers)
        )

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        return self.headers | {name.replace("_", "-"): value for name, value in more.items()}


def token_for(user: User | None, scopes: Iterable[str] = EVERY_SCOPE, *, lives: timedelta = timedelta(hours=1)) -> str:
    """Give a new client, acting for the account, a token."""
    application = Application.objects.create(
        name=f"client {uuid.uuid4().hex[:6]}",
        user=user,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
    )
    token = AccessToken(application=application, expires=timezone.now() + lives, scope=" ".join(scopes))
    raw = uuid.uuid4().hex
    set_token_value(token, raw)
    token.save()
    return raw


class World:
    """Rows that most tests need; everything later is reached by actions."""

    def __init__(self) -> None:
        AllocationPolicy.objects.get_or_create(name="default")  # a test that commits has taken it away
        self.region: Region = RegionFactory.create()
        self.near: Any = WarehouseFactory(code="NEAR")
        self.far: Any = WarehouseFactory(code="FAR")
        self.ours = Customer.objects.create(code="OURS", name="Quarry", region=self.region, tier="gold")
        self.theirs = Customer.objects.create(code="THEIRS", name="Other quarry", region=self.region)
        self.parts: list[Any] = [PartFactory() for _ in range(5)]
        self.supplier: Any = SupplierFactory()
        for part in self.parts[:4]:
            self.put(part, 100)
        self.put(self.parts[4], 2, self.far)

    def put(self, part: Part, quantity: int, warehouse: Any = None) -> None:
        """Put stock on a shelf."""
        stock.correct_stock(
            part_id=part.pk,
            warehouse_id=(warehouse or self.near).pk,
            on_hand_change=Decimal(quantity),
            reason="found",
            **cause(),
        )

    def wanted(self, short: int = 5, part: int | None = None) -> list[dict[str, Any]]:
        """The lines of an order through the API: four that are there and one that is short."""
        if part is not None:
            return [{"part": str(self.parts[part].pk), "quantity": str(short)}]
        there = [{"part": str(part.pk), "quantity": "1"} for part in self.parts[:4]]
        return [*there, {"part_number": self.parts[4].number, "quantity": str(short)}]

    def order(self, of: Customer | None = None, **more: Any) -> dict[str, Any]:
        """The body of an order through the API."""
        return {
            "kind": "service",
            "customer": str((of or self.ours).pk),
            "requested_on": str(timezone.now().date() + timedelta(days=7)),
            "lines": self.wanted(),
            **more,
        }

    def placed(self, customer: Customer | None = None, quantity: int = 1, part: int = 0) -> placing.Placed:
        """Place an order of one line by the action."""
        return placing.place(
            kind="service",
            customer_id=(customer or self.ours).pk,
            requested_on=timezone.now().date(),
            lines=[placing.Wanted(Decimal(quantity), self.parts[part].pk)],
            **cause(),
        )

    def job(self, customer: Customer | None = None, status: str = "new") -> ServiceOrder:
        """Open a job by the action."""
        return service_orders.create(
            customer_id=(customer or self.ours).pk, title="Press loses pressure", status=status, **cause()
        )

    def bought(self, quantity: int = 10, part: int = 4, expected_on: date | None = None) -> supply.PlacedPurchaseOrder:
        """Order from the supplier by the action."""
        line = supply.PurchaseLine(self.parts[part].pk, Decimal(quantity), Decimal(1), expected_on)
        return supply.place_purchase_order(
            supplier_id=self.supplier.pk,
            warehouse_id=self.near.pk,
            lines=[line],
            ordered_at=timezone.now() - timedelta(days=60),  # so that it may be overdue
            **cause(),
        )

    def day(self, ahead: int) -> date:
        """The date so many days from now."""
        return timezone.now().date() + timedelta(days=ahead)

    def give_access(self, user: User, customer: Customer | None = None) -> None:
        """Let somebody see and order for a customer."""
        CustomerAccess.objects.create(user=user, customer=customer or self.ours)

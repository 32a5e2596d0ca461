"""Small, realistic rows of floor 1. Orders, lines and their later states are reached by actions (tests.orders.desk)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from orders import models
from orders.statuses import Tier
from tests.factories.parts import RegionFactory


class CustomerFactory(DjangoModelFactory[models.Customer]):
    class Meta:
        model = models.Customer

    code = factory.Sequence(lambda n: f"C-{1_000 + n}")
    name = factory.Sequence(lambda n: f"Quarry {n}")
    tier = Tier.SILVER
    region = factory.SubFactory(RegionFactory)
    language = "de"
    time_zone = "Europe/Berlin"


class EquipmentFactory(DjangoModelFactory[models.Equipment]):
    class Meta:
        model = models.Equipment

    serial_number = factory.Sequence(lambda n: f"SN{77_000 + n}")
    model = "EX-210 excavator"
    customer = factory.SubFactory(CustomerFactory)
    downtime_cost_per_hour = Decimal("850.00")


class ServiceContractFactory(DjangoModelFactory[models.ServiceContract]):
    class Meta:
        model = models.ServiceContract

    number = factory.Sequence(lambda n: f"SLA-{500 + n}")
    customer = factory.SubFactory(CustomerFactory)
    name = "Full service, repaired within two days"
    repair_hours = 48
    priority_points = Decimal("120.00")
    valid_from = date(2026, 1, 1)

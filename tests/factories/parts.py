"""Small, realistic rows of the ground floor. Later states (stock, reservations, deliveries) are reached by actions."""

from __future__ import annotations

from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from parts import models
from parts.statuses import Criticality, WarehouseKind


class UnitOfMeasureFactory(DjangoModelFactory[models.UnitOfMeasure]):
    class Meta:
        model = models.UnitOfMeasure
        django_get_or_create = ("code",)

    code = "C62"
    name = "Piece"
    decimals = 0


class CategoryFactory(DjangoModelFactory[models.Category]):
    class Meta:
        model = models.Category
        django_get_or_create = ("path",)

    path = "hydraulics/pumps"
    name = factory.LazyAttribute(lambda category: category.path.rsplit("/", 1)[-1].capitalize())


class PartFactory(DjangoModelFactory[models.Part]):
    class Meta:
        model = models.Part

    number = factory.Sequence(lambda n: f"HP-{20_000 + n}")
    description = factory.Sequence(lambda n: f"Hydraulic pump, size {n}")
    criticality = Criticality.B
    unit = factory.SubFactory(UnitOfMeasureFactory)
    unit_cost = Decimal("149.90")


class RegionFactory(DjangoModelFactory[models.Region]):
    class Meta:
        model = models.Region
        django_get_or_create = ("code",)

    code = "EU-C"
    name = "Central Europe"
    time_zone = "Europe/Berlin"
    currency = "EUR"


class WarehouseFactory(DjangoModelFactory[models.Warehouse]):
    class Meta:
        model = models.Warehouse

    code = factory.Sequence(lambda n: f"DEP-{n:03}")
    name = factory.Sequence(lambda n: f"Depot {n}")
    region = factory.SubFactory(RegionFactory)
    kind = WarehouseKind.DEPOT


class SupplierFactory(DjangoModelFactory[models.Supplier]):
    class Meta:
        model = models.Supplier

    code = factory.Sequence(lambda n: f"SUP-{n:03}")
    name = factory.Sequence(lambda n: f"Pump works {n}")


class SupplierPartFactory(DjangoModelFactory[models.SupplierPart]):
    class Meta:
        model = models.SupplierPart

    supplier = factory.SubFactory(SupplierFactory)
    part = factory.SubFactory(PartFactory)
    lead_time_days = 14
    unit_cost = Decimal("112.00")

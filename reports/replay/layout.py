"""What world a seed makes: places, suppliers, customers and the facts of each part. Pure; nothing is written here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from reports.replay.dice import Dice


@dataclass(frozen=True, slots=True)
class Place:
    """A warehouse. `allocatable`: whether it serves orders; `cut_off` is its own local time."""

    code: str
    name: str
    region: str
    kind: str
    latitude: float
    longitude: float
    cut_off: time | None = None
    mode: str = "digital"
    allocatable: bool = True


#: Code, name, time zone, currency.
REGIONS = (
    ("EU", "Europe", "Europe/Berlin", "EUR"),
    ("NA", "North America", "America/Chicago", "USD"),
    ("AP", "Asia Pacific", "Asia/Singapore", "SGD"),
)
PLACES = (
    Place("CENTRAL", "Central warehouse Frankfurt", "EU", "central", 50.05, 8.57, time(17)),
    Place("LYON", "Depot Lyon", "EU", "depot", 45.75, 4.85, time(15, 30)),
    Place("GDANSK", "Depot Gdańsk", "EU", "depot", 54.35, 18.65, time(15), mode="paper"),
    Place("CHICAGO", "Depot Chicago", "NA", "depot", 41.98, -87.90, time(16)),
    Place("DALLAS", "Depot Dallas", "NA", "third_party", 32.90, -97.04, time(14)),
    Place("SINGAPORE", "Depot Singapore", "AP", "depot", 1.36, 103.99, time(16)),
    Place("VAN-07", "Van 07, Rhine-Main", "EU", "van", 50.11, 8.68, allocatable=False),
    Place("VAN-12", "Van 12, Illinois", "NA", "van", 41.85, -87.65, allocatable=False),
    Place("VAN-21", "Van 21, Singapore", "AP", "van", 1.30, 103.80, allocatable=False),
    Place("SHOP", "Repair shop Frankfurt", "EU", "repair_shop", 50.06, 8.60, allocatable=False),
)
SERVING = tuple(place for place in PLACES if place.allocatable)
CENTRAL = SERVING[0].code
DEPOTS = tuple(place.code for place in SERVING[1:])
#: What share of the parts has its home in the central warehouse.
CENTRAL_SHARE = 0.7
#: Where stock orders and transfers go: what gets there is used there, and serves no order from there.
DESTINATIONS = tuple(place.code for place in PLACES if not place.allocatable)

#: Path, name, nouns of its parts, lowest and highest unit cost.
CATEGORIES = (
    ("engine/filters", "Filters", ("Oil filter", "Air filter", "Fuel filter"), 8, 60),
    ("engine/cooling", "Cooling", ("Water pump", "Thermostat", "Radiator hose"), 15, 220),
    ("engine/ignition", "Ignition", ("Spark plug", "Ignition coil", "Glow plug"), 6, 140),
    ("brakes/pads", "Brake pads", ("Brake pad set", "Brake shoe set"), 25, 120),
    ("brakes/hydraulics", "Brake hydraulics", ("Brake caliper", "Master cylinder", "Brake hose"), 30, 380),
    ("suspension", "Suspension", ("Control arm", "Shock absorber", "Ball joint"), 35, 320),
    ("electrics/lamps", "Lamps", ("Headlamp", "Tail lamp", "Bulb holder"), 4, 260),
    ("electrics/control", "Control units", ("Engine control unit", "ABS control unit", "Sensor"), 60, 1400),
    ("transmission", "Transmission", ("Clutch kit", "Drive shaft", "Gear lever bush"), 12, 900),
    ("body", "Body", ("Door hinge", "Mirror", "Window regulator"), 9, 240),
)
_RISK = {"A": 0.2, "B": 0.35, "C": 0.45}
_VED = {"V": 0.2, "E": 0.4, "D": 0.4}


@dataclass(frozen=True, slots=True)
class SupplierPlan:
    """A supplier; `lead_days` is its usual lead time.

    `weekday` (0 is Monday) is the day on which it is ordered from and on which its truck comes; `depot` is where the
    truck goes beside the central warehouse.
    """

    code: str
    name: str
    lead_days: int
    weekday: int
    depot: str


@dataclass(frozen=True, slots=True)
class CustomerPlan:
    """A customer and its machines: (model, serial number, criticality, downtime cost per hour)."""

    code: str
    name: str
    tier: str
    region: str
    language: str
    time_zone: str
    latitude: float
    longitude: float
    contract_points: int
    machines: tuple[tuple[str, str, str, int], ...]


@dataclass(frozen=True, slots=True)
class PartPlan:
    """What the seed makes of a part number. Quantities in pieces; `home` is the warehouse its supplies go to."""

    number: str
    description: str
    category: str
    criticality: str
    ved_class: str
    unit_cost: Decimal
    core_charge: Decimal
    supplier: str
    lead_days: int
    minimum: int
    multiple: int
    home: str
    second_home: str


_TOWNS = (
    ("EU", "Frankfurt", 50.11, 8.68, "de", "Europe/Berlin"),
    ("EU", "Hamburg", 53.55, 9.99, "de", "Europe/Berlin"),
    ("EU", "Lyon", 45.76, 4.84, "en", "Europe/Paris"),
    ("EU", "Madrid", 40.42, -3.70, "es", "Europe/Madrid"),
    ("EU", "Warsaw", 52.23, 21.01, "en", "Europe/Warsaw"),
    ("NA", "Chicago", 41.88, -87.63, "en", "America/Chicago"),
    ("NA", "Houston", 29.76, -95.37, "en", "America/Chicago"),
    ("NA", "Monterrey", 25.67, -100.31, "es", "America/Monterrey"),
    ("AP", "Singapore", 1.35, 103.82, "en", "Asia/Singapore"),
    ("AP", "Perth", -31.95, 115.86, "en", "Australia/Perth"),
)
_TRADES = ("Haulage", "Cranes", "Quarry", "Harbour", "Bus Lines", "Fleet Rental")
_TIERS = {"platinum": 0.1, "gold": 0.25, "silver": 0.4, "bronze": 0.25}
_CONTRACT_POINTS = {"platinum": 60, "gold": 30, "silver": 10, "bronze": 0}
_MODELS = ("TX-400", "TX-650", "RG-12", "HL-90")
_WORKS = ("Adler", "Boreas", "Castor", "Delta", "Ergo", "Ferrum", "Gamma", "Helix")


def suppliers(dice: Dice, count: int = 18) -> list[SupplierPlan]:
    """Return the suppliers: a third near (5-12 days), a third further (14-28), a third overseas (30-55)."""
    spans = ((5, 12), (14, 28), (30, 55))
    return [
        SupplierPlan(
            code=f"SUP-{index:02}",
            name=f"{_WORKS[index % len(_WORKS)]} Works {index // len(_WORKS) + 1}",
            lead_days=dice.whole(*spans[index % 3], "supplier", index, "lead"),
            weekday=index % 5,
            depot=DEPOTS[index % len(DEPOTS)],
        )
        for index in range(count)
    ]


def customers(dice: Dice, count: int = 60) -> list[CustomerPlan]:
    """Return the customers, spread over towns and tiers, each with one to four machines."""
    return [_customer(dice, index) for index in range(count)]


def _customer(dice: Dice, index: int) -> CustomerPlan:
    region, town, latitude, longitude, language, zone = _TOWNS[index % len(_TOWNS)]
    tier = dice.choose(list(_TIERS), "customer", index, "tier", weights=list(_TIERS.values()))
    machines = tuple(
        (
            dice.choose(_MODELS, "machine", index, number, "model"),
            f"{index:03}-{number}",
            dice.choose(list(_RISK), "machine", index, number, "risk", weights=list(_RISK.values())),
            10 * dice.whole(2, 150, "machine", index, number, "cost"),
        )
        for number in range(1, 1 + dice.whole(1, 4, "customer", index, "machines"))
    )
    return CustomerPlan(
        code=f"C-{index:03}",
        name=f"{town} {_TRADES[index // len(_TOWNS) % len(_TRADES)]}",
        tier=tier,
        region=region,
        language=language,
        time_zone=zone,
        # A few kilometres apart, so that no two customers are equally far from every warehouse.
        latitude=round(latitude + dice.share("customer", index, "north") / 5, 4),
        longitude=round(longitude + dice.share("customer", index, "east") / 5, 4),
        contract_points=_CONTRACT_POINTS[tier] if dice.happens(0.6, "customer", index, "contract") else 0,
        machines=machines,
    )


def part(dice: Dice, number: str, sources: list[SupplierPlan]) -> PartPlan:
    """Return the facts of a part."""
    path, _name, nouns, cheapest, dearest = dice.choose(CATEGORIES, "part", number, "category")
    cost = Decimal(round(cheapest * (dearest / cheapest) ** dice.share("part", number, "cost"), 2)).quantize(
        Decimal("0.01")
    )
    supplier = dice.choose(sources, "part", number, "supplier")
    home = CENTRAL if dice.happens(CENTRAL_SHARE, "part", number, "home") else supplier.depot
    multiple = dice.choose((1, 2, 5, 10), "part", number, "multiple", weights=(70, 15, 10, 5))
    return PartPlan(
        number=number,
        description=f"{dice.choose(nouns, 'part', number, 'noun')} {number}",
        category=path,
        criticality=dice.choose(list(_RISK), "part", number, "criticality", weights=list(_RISK.values())),
        ved_class=dice.choose(list(_VED), "part", number, "ved", weights=list(_VED.values())),
        unit_cost=cost,
        core_charge=(cost / 5).quantize(Decimal("0.01")) if dice.happens(0.08, "part", number, "core") else Decimal(0),
        supplier=supplier.code,
        lead_days=max(3, supplier.lead_days + dice.whole(-3, 6, "part", number, "lead")),
        minimum=multiple * dice.choose((1, 2, 3), "part", number, "minimum", weights=(75, 15, 10)),
        multiple=multiple,
        home=home,
        second_home=dice.choose([place.code for place in SERVING if place.code != home], "part", number, "second"),
    )

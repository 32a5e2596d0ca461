"""Who gets the next unit: one number per back order that does not change as time passes. Pure.

    rank = kind + tier + criticality + downtime x log10(1 + cost per hour) + contract x points
           - ageing_per_day x days from 2000-01-01 to the opening

A back order that a person has pinned has PIN more: more than all the weights together can make, so that it stands
before all that are not pinned. The higher comes first, equals in key order. Two back orders age at the same pace, so
their order never changes by the clock: ageing only says how many days of waiting outweigh how many points. Terms are
rounded half up to six places; the same formula stands in `backorders.sql.RANK`, and a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
#: What a pin adds.
PIN = Decimal(500_000_000_000)
_PLACES = Decimal("0.000001")
_MICROSECONDS_PER_DAY = Decimal(86_400_000_000)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a rank is made from. `downtime_cost` is per hour."""

    kind: str
    tier: str
    criticality: str
    downtime_cost: Decimal
    contract_points: Decimal

    def as_json(self) -> dict[str, str]:
        """Return the facts as they are stored with the back order."""
        return {
            "kind": self.kind,
            "tier": self.tier,
            "criticality": self.criticality,
            "downtime_cost": str(self.downtime_cost),
            "contract_points": str(self.contract_points),
        }

    @classmethod
    def from_json(cls, stored: dict[str, str]) -> Facts:
        """Return the facts as they were stored."""
        return cls(
            kind=stored["kind"],
            tier=stored["tier"],
            criticality=stored["criticality"],
            downtime_cost=Decimal(stored["downtime_cost"]),
            contract_points=Decimal(stored["contract_points"]),
        )


def terms(facts: Facts, opened_at: datetime, weights: Any, *, pinned: bool = False) -> dict[str, Decimal]:
    """Return the terms of a rank by name; `pin` is among them for who is pinned.

    `weights` has the fields of AllocationPolicy.
    """
    elapsed = opened_at - EPOCH
    microseconds = (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds
    raw = {
        "kind": getattr(weights, facts.kind),
        "tier": getattr(weights, facts.tier) if facts.tier else Decimal(0),
        "criticality": getattr(weights, f"criticality_{facts.criticality.lower()}"),
        "downtime": weights.downtime * (1 + facts.downtime_cost).log10(),
        "contract": weights.contract * facts.contract_points,
        "ageing": -weights.ageing_per_day * Decimal(microseconds) / _MICROSECONDS_PER_DAY,
    }
    if pinned:
        raw["pin"] = PIN
    return {name: Decimal(value).quantize(_PLACES, ROUND_HALF_UP) for name, value in raw.items()}


def rank(facts: Facts, opened_at: datetime, weights: Any, *, pinned: bool = False) -> Decimal:
    """Return the rank of a back order opened then, under these weights."""
    return sum(terms(facts, opened_at, weights, pinned=pinned).values(), Decimal(0))

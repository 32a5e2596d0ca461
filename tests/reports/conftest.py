"""What the replay needs to stand on, and a small file of demand to live through."""

from __future__ import annotations

from pathlib import Path

import pytest

from backorders.models import AllocationPolicy
from parts.models import UnitOfMeasure
from reports.replay.dice import Dice


@pytest.fixture
def ground(db: None) -> None:
    """Put back what the migrations wrote and a test that commits has swept away."""
    UnitOfMeasure.objects.get_or_create(code="C62", defaults={"name": "Piece", "decimals": 0})
    AllocationPolicy.objects.get_or_create(name="default")


def demand_text(*, parts: int = 8, months: int = 3, seed: int = 5) -> str:
    """Return demand of the kind that service parts have: three months in four zero, some not known."""
    dice = Dice(seed)
    rows = ["part_number,month,units"]
    for part in range(parts):
        for month in range(months):
            luck = dice.share("demand", part, month)
            if luck < 0.06:
                rows.append(f"P-{part:03},2024-{month + 1:02},")
            elif luck < 0.5:
                rows.append(f"P-{part:03},2024-{month + 1:02},{dice.whole(1, 7, 'units', part, month)}")
    return "\n".join(rows) + "\n"


@pytest.fixture
def demand_file(tmp_path: Path) -> Path:
    path = tmp_path / "demand.csv"
    path.write_text(demand_text())
    return path

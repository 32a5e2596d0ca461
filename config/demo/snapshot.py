"""What the warehouse's system said last it had: nearly what the books say."""

from __future__ import annotations

import csv
import io
from datetime import datetime

from integrations.actions import snapshots
from integrations.models import ExternalSystem
from parts.actors import Actor
from parts.models import StockLevel, Warehouse

_MOST = 200
#: By how much the first few stocks differ.
_DIFFER = (-1, 2, -4)


def compare(code: str, now: datetime) -> None:
    """Load a snapshot of one warehouse with three differences, a part nobody knows and a row nobody can read."""
    place = Warehouse.objects.filter(levels__on_hand__gt=10).order_by("code")[0]
    levels = StockLevel.objects.filter(warehouse=place, on_hand__gt=0).select_related("part").order_by("-on_hand", "pk")
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["part_number", "warehouse", "condition", "owner", "on_hand", "bin"])
    for number, level in enumerate(levels[:_MOST]):
        change = _DIFFER[number] if number < len(_DIFFER) else 0
        named = (level.part.number, place.code, level.condition, level.owner)
        rows.writerow([*named, level.on_hand + change, f"R{number:03}"])
    rows.writerow(["OLD-4711", place.code, "new", "own", 3, "R900"])
    rows.writerow([levels[0].part.number, place.code, "new", "own", "a few", "R901"])
    snapshots.receive(
        system=ExternalSystem.objects.get(code=code),
        file=io.BytesIO(text.getvalue().encode()),
        name=f"{place.code.lower()}-stock.csv",
        as_of=now,
        by=Actor.system("demo"),
        at=now,
    )
    snapshots.load_next(share=1)

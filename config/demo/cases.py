"""Discrepancies for the demo: one that nobody has settled in time, one settled, and the rule about dear overrides."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from config.demo.jobs import SOURCE
from config.demo.people import Cast
from integrations.actions import cases
from orders.models import ConsentRule, OrderLine
from parts.models import StockLevel, Warehouse


def tell(cast: Cast, now: datetime) -> None:
    """Open the cases, name the docks, and say which overrides need a second person."""
    for place, warehouse in enumerate(Warehouse.objects.filter(kind="central").order_by("code"), start=2):
        warehouse.dock = f"dock {place}"
        warehouse.save(update_fields=["dock"])
    ConsentRule.objects.create(name="Shipped, over 5,000", to_status="shipped", value_over=Decimal(5000))
    facts: dict[str, Any] = {"by": cast.manager, "source": SOURCE}
    level = StockLevel.objects.filter(on_hand__gt=3).order_by("id").first()
    line = OrderLine.objects.filter(status="delivered", is_split=False).order_by("-id").first()
    if level is None or line is None:
        return
    counted = cases.Contradiction(
        "count_level", f"{level.on_hand.normalize():f} in the books", "one less on the shelf", {"level_id": level.pk}
    )
    cases.open_case(what=counted, note="Counted twice, by two people.", at=now - timedelta(hours=30), **facts)
    scanned = cases.Contradiction("scan_order", line.reference, "the box carries another number", {"line_id": line.pk})
    settled = cases.open_case(what=scanned, note="", at=now - timedelta(hours=5), **facts)
    cases.resolve(
        case_id=settled.pk,
        resolution="sender",
        text="The carrier had swapped two labels; both boxes are where they belong.",
        at=now - timedelta(hours=2),
        **facts,
    )

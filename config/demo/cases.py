"""Discrepancies for the demo: new, somebody's, due soon, escalated, settled, and opened again; and the docks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from config.demo.jobs import SOURCE
from config.demo.people import Cast
from integrations.actions import cases
from integrations.models import Discrepancy
from orders.models import OrderLine, ServiceOrder
from parts.models import StockLevel, Warehouse
from parts.sentences import sentence


def tell(cast: Cast, now: datetime) -> None:
    """Name the docks, and open the cases."""
    for place, warehouse in enumerate(Warehouse.objects.filter(kind="central").order_by("code"), start=2):
        warehouse.dock = f"dock {place}"
        warehouse.save(update_fields=["dock"])
    levels = list(StockLevel.objects.filter(on_hand__gt=3).order_by("id")[:2])
    lines = list(OrderLine.objects.filter(status="delivered", is_split=False).order_by("-id")[:2])
    job = ServiceOrder.objects.filter(status="completed").order_by("-id").first()
    if len(levels) < 2 or len(lines) < 2 or job is None:
        return
    _counted(cast, now, levels)
    _scanned(cast, now, lines)
    _reported(cast, now, job)


def _facts(by: Any, at: datetime) -> dict[str, Any]:
    return {"by": by, "source": SOURCE, "at": at}


def _count(level: StockLevel, found: str) -> cases.Contradiction:
    expected = sentence("{quantity} in the books", quantity=level.on_hand.normalize())
    return cases.Contradiction("count_level", expected, found, {"level_id": level.pk})


def _counted(cast: Cast, now: datetime, levels: list[StockLevel]) -> None:
    """One that nobody settled in time and that went to the next step; one that is due in two hours."""
    late, soon = levels
    cases.open_case(
        what=_count(late, "one less on the shelf"),
        note="Counted twice, by two people.",
        **_facts(cast.manager, now - timedelta(hours=30)),
    )
    cases.escalate_overdue(at=now - timedelta(hours=5))
    cases.open_case(
        what=_count(soon, "two more on the shelf"), note="", **_facts(cast.manager, now - timedelta(hours=22))
    )


def _scanned(cast: Cast, now: datetime, lines: list[OrderLine]) -> None:
    """One settled, and one that came back after it was settled."""
    first, second = (
        cases.open_case(
            what=cases.Contradiction("scan_order", line.reference, found, {"line_id": line.pk}),
            note="",
            **_facts(cast.dispatcher, now - timedelta(hours=hours)),
        )
        for line, found, hours in zip(
            lines, ("the box carries another number", "the label is of another order"), (5, 50), strict=True
        )
    )
    for case, hours, resolution, text in (
        (first, 2, "sender", "The carrier had swapped two labels; both boxes are where they belong."),
        (second, 46, "nothing", "The label was read wrongly."),
    ):
        at = now - timedelta(hours=hours)
        cases.resolve(case_id=case.pk, resolution=resolution, text=text, **_facts(cast.manager, at))
    cases.reopen(
        case_id=second.pk,
        reason="The customer sent a picture: it is the wrong part.",
        **_facts(cast.dispatcher, now - timedelta(hours=1)),
    )
    _give(cast, second, now - timedelta(minutes=50))


def _reported(cast: Cast, now: datetime, job: ServiceOrder) -> None:
    """One that somebody works on."""
    what = cases.Contradiction(
        "message_status", "Completed", "In Progress, reported by the field service system", {"service_order_id": job.pk}
    )
    case = cases.open_case(what=what, note="", **_facts(cast.dispatcher, now - timedelta(hours=3)))
    _give(cast, case, now - timedelta(hours=2))
    cases.add_note(
        case_id=case.pk,
        text="Asked their helpdesk why a job that is completed is reported again.",
        **_facts(cast.dispatcher, now - timedelta(hours=1)),
    )


def _give(cast: Cast, case: Discrepancy, at: datetime) -> None:
    cases.assign(case_id=case.pk, owner_id=cast.dispatcher.user_id, **_facts(cast.dispatcher, at))

"""Texts that the database cannot hold are refused with the field's name, whatever they are said about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from backorders.actions import moving
from backorders.models import BackOrder
from orders.actions import jobs
from orders.models import OrderEvent, ServiceOrder
from parts.actors import Actor
from parts.errors import Invalid
from tests.orders.desk import NOW, TOLD, Desk, days

CANNOT_BE_KEPT = ["a\x00b", "\ud800", "x" * 10_001]

Saying = Callable[[ServiceOrder, BackOrder, str, dict[str, Any]], object]
SAYINGS: dict[str, Saying] = {
    "note of a new day": lambda job, _row, text, told: jobs.reschedule(
        service_order_id=job.pk, scheduled_for=days(3), note=text, **told
    ),
    "note of an estimate": lambda job, _row, text, told: jobs.set_estimated_completion(
        service_order_id=job.pk, estimated_completion_at=NOW, note=text, **told
    ),
    "labour": lambda job, _row, text, told: jobs.log_labour(
        service_order_id=job.pk, started_at=NOW, minutes=5, description=text, **told
    ),
    "finding": lambda job, _row, text, told: jobs.add_diagnosis(service_order_id=job.pk, text=text, **told),
    "failure code": lambda job, _row, text, told: jobs.add_diagnosis(
        service_order_id=job.pk, text="Worn", failure_code=text, **told
    ),
    "carrier": lambda job, _row, text, told: jobs.send_equipment(
        service_order_id=job.pk, direction="to_manufacturer", carrier=text, tracking_number="1", **told
    ),
    "note of a back order": lambda _job, row, text, told: moving.move(
        back_order_id=row.pk, to="sourcing", note=text, **told
    ),
    "reason of a hold": lambda _job, row, text, told: moving.hold(back_order_id=row.pk, reason=text, **told),
}


@pytest.mark.parametrize("text", CANNOT_BE_KEPT, ids=["null", "surrogate", "too long"])
@pytest.mark.parametrize("saying", SAYINGS)
def test_a_text_that_cannot_be_kept_is_refused_and_changes_nothing(
    desk: Desk, above_all: User, saying: str, text: str
) -> None:
    job = desk.job("in_progress")
    desk.place(1)
    before = OrderEvent.objects.count()

    with pytest.raises(Invalid):
        SAYINGS[saying](job, BackOrder.objects.get(), text, TOLD | {"by": Actor.user(above_all)})

    assert OrderEvent.objects.count() == before

"""Confirm on site that parts arrived: by the code on the box, whatever code that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from orders.actions import lines
from orders.actions.service_orders import Moved
from orders.boxes import lines_of_code
from orders.models import OrderLine
from orders.rules import check_texts
from orders.statuses import LineStatus
from parts.actors import Actor
from parts.errors import Invalid, NotFound, Refused
from parts.sentences import sentence

LONGEST_CODE = 120
SHIPPED, DELIVERED = LineStatus.SHIPPED.value, LineStatus.DELIVERED.value
ARRIVED = (DELIVERED, LineStatus.RETURNED.value)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a code stood for: the lines that are delivered now, and those that had been before."""

    delivered: tuple[Moved, ...]
    before: tuple[Moved, ...]


class NotOnItsWay(Refused):
    """What the code stands for has not left yet, or was cancelled; `extra['lines']` says how each line stands."""

    code = "not_on_its_way"


class CodeAmbiguous(Refused):
    """The part is on its way for more than one job; `extra['references']` names the lines."""

    code = "code_ambiguous"


def confirm_delivery(
    *, code: str, by: Actor, source: str, at: datetime, service_order_id: UUID | None = None
) -> Confirmed:
    """Take what a code stands for from shipped to delivered. The same code again changes nothing.

    The code is a shipment's reference or tracking number, a line's or a parts order's reference, or the number of a
    part in any system, which then means what is on its way for the actor's own jobs and van. `service_order_id` narrows
    all of it to one job. What our own warehouses ordered is in their stock with that. Nothing arrives before it left:
    a phone's clock may be wrong. Raises Forbidden, Invalid, NotFound for a code that stands for nothing, CodeAmbiguous,
    and NotOnItsWay.
    """
    by.require("orders.move_orderline")
    code = code.strip()
    if not code:
        raise Invalid(sentence("There is no code."), {"code": [sentence("Scan or type one.")]})
    check_texts(code=(code, LONGEST_CODE))
    with transaction.atomic():
        meaning, found = lines_of_code(code, person_id=by.user_id, job_id=service_order_id)
        if not found:
            raise NotFound(sentence("Nothing is known by this code here."), code_read=code)
        if meaning == "part" and service_order_id is None:
            _check_one_place(found, code)
        going = [line for line in found if line.status == SHIPPED]
        arrived = [line for line in found if line.status in ARRIVED]
        before = tuple(Moved(line.pk, line.reference, line.status, line.version) for line in arrived)
        if not going and not before:
            raise NotOnItsWay(
                sentence("This has not been sent yet."),
                lines=[{"line": line.reference, "status": line.status} for line in found],
            )
        at = max(at, *(line.status_since for line in going)) if going else at
        steps = [lines.Step(line.pk, DELIVERED, public=True) for line in going]
        results = lines.move_many(steps=steps, by=by, source=source, at=at) if steps else []
        for result in results:
            if isinstance(result, Refused) and result.extra.get("current") != DELIVERED:
                raise result
    return Confirmed(tuple(result for result in results if isinstance(result, Moved)), before)


def _check_one_place(found: Sequence[OrderLine], code: str) -> None:
    """Refuse the number of a part that is on its way to two places: only a person can tell which box this is."""
    going = [line for line in found if line.status == SHIPPED]
    if len({(line.order.service_order_id, line.order.destination_id) for line in going}) > 1:
        raise CodeAmbiguous(
            sentence("This part is on its way for more than one job; choose which one it is."),
            references=[line.reference for line in going],
            code_read=code,
        )

"""The verb: check, read, lock, decide, write, announce. One transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import cast
from uuid import UUID

from django.db import IntegrityError, transaction

from orders.actions import messages, taking_back
from orders.actions.parts_rule import Jobs, jobs_last
from orders.actions.placing.draft import Draft
from orders.actions.placing.facts import AlreadyPlaced, read
from orders.actions.placing.placed import Placed, as_placed
from orders.actions.placing.plan import demanded, missing_by_part, source_from
from orders.actions.placing.wanted import SERVICE_KINDS, Header, Wanted, check_form
from orders.ledger import Cause
from orders.models import PartsOrder
from orders.signals import Opened, Shortage, line_short
from parts.actions.reserving import lock_levels
from parts.actors import Actor
from parts.keys import new_key


def place(
    *,
    kind: str,
    lines: Sequence[Wanted],
    requested_on: date,
    by: Actor,
    source: str,
    at: datetime,
    customer_id: UUID | None = None,
    service_order_id: UUID | None = None,
    destination_id: UUID | None = None,
    complete_delivery_only: bool = False,
    external_reference: str = "",
    is_test: bool = False,
    key: UUID | None = None,
    note: str = "",
    message_id: str = "",
) -> Placed:
    """Place an order: every unit of every line is reserved, or back-ordered in the same instant.

    `key`, if given, becomes the order's key: the same key again changes nothing and answers with the order as it was
    placed (`replayed`), and so does the same message. `at` is when the order was given. `complete_delivery_only` makes
    each short line wait for all of its quantity. Raises Forbidden, Invalid (naming every bad field), NotFound; nothing
    is changed then.
    Statements: 3, one more where something is short, two more where that pauses a service order.
    """
    by.require("orders.place_partsorder")
    header = Header(
        kind=kind,
        requested_on=requested_on,
        customer_id=customer_id,
        service_order_id=service_order_id,
        destination_id=destination_id,
        complete_delivery_only=complete_delivery_only,
        external_reference=external_reference,
        is_test=is_test,
        note=note,
    )
    check_form(header, lines)
    cause = Cause(by=by, source=source, at=at, message_id=message_id)
    try:
        with transaction.atomic(), jobs_last(cause) as jobs:
            return _place(header, lines, cause, key, jobs)
    except AlreadyPlaced as known:
        return as_placed(known.key, header)
    except IntegrityError:
        # The same order, placed by somebody else a moment ago? Which of its rows met the other's first is chance.
        if key and PartsOrder.objects.filter(pk=key).exists():
            return as_placed(key, header)
        raise


def _place(header: Header, lines: Sequence[Wanted], cause: Cause, key: UUID | None, jobs: Jobs) -> Placed:
    if placed := messages.placed_by(cause):
        raise AlreadyPlaced(placed)
    facts = read(lines, header, cause.at, key)
    demands = demanded(lines, facts)
    part_ids = list({part.id for part, _wanted in demands})
    levels = lock_levels(part_ids=part_ids)
    plans = source_from(demands, levels, facts)
    missing = missing_by_part(plans)
    if header.kind in SERVICE_KINDS and taking_back.worth_it(missing, levels, facts.destination_id):
        taking_back.take_back(needs=missing, destination_id=facts.destination_id, cause=cause)
        plans = source_from(demands, lock_levels(part_ids=part_ids), facts)
    draft = Draft(header, facts, cause, key or new_key())
    for position, plan in enumerate(plans, start=1):
        draft.add(position, plan)
    draft.write()
    opened = _announce(draft.shortages, cause)
    if draft.shortages:
        jobs.are_short([facts.service_order_id])
    return draft.answer(opened)


def _announce(shortages: list[Shortage], cause: Cause) -> dict[UUID, Opened]:
    """Tell the floor above what is short and return its answers by line."""
    if not shortages:
        return {}
    answers = line_short.send(sender=place, shortages=shortages, cause=cause, serve=False)
    answered: list[Opened] = [opened for _receiver, answer in answers for opened in cast(list[Opened], answer)]
    return {opened.line_id: opened for opened in answered}

"""The weights by which the queue is ranked: looked at before they change, changed in one statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Window
from django.db.models.functions import RowNumber
from simple_history.utils import update_change_reason

from backorders import sql
from backorders.models import AllocationPolicy, BackOrder
from backorders.priority import Facts, rank
from orders.errors import NothingToDo, ReasonRequired
from parts.actors import Actor
from parts.errors import Invalid

WEIGHTS = tuple(
    field.name for field in AllocationPolicy._meta.get_fields() if getattr(field, "decimal_places", None) is not None
)
_LIMIT = Decimal(100_000)


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A back order's place in the queue of its part (1 is next) under the present weights and the proposed ones."""

    back_order_id: UUID
    reference: str
    part_id: UUID
    rank: Decimal
    place: int
    new_rank: Decimal
    new_place: int


def _checked(changes: Mapping[str, Decimal]) -> dict[str, Decimal]:
    fields: dict[str, list[str]] = {}
    for name, value in changes.items():
        if name not in WEIGHTS:
            fields[name] = [f"There is no such weight; there are {', '.join(WEIGHTS)}."]
            continue
        try:
            fits = value.is_finite() and abs(value) <= _LIMIT and value == value.quantize(Decimal("0.001"))
        except InvalidOperation:
            fits = False
        if not fits:
            fields[name] = ["A number between -100,000 and 100,000 with at most three decimal places."]
        elif name == "ageing_per_day" and value < 0:
            fields[name] = ["Waiting never makes a back order less urgent: at least 0."]
    if fields:
        raise Invalid("These weights cannot be used.", fields)
    return dict(changes)


def preview(*, changes: Mapping[str, Decimal], limit: int = 200) -> list[PreviewRow]:
    """Return whose place in the queue would change, the largest changes first; nothing is written.

    Computed by the same formula that the change would use (backorders.priority). Raises Invalid.
    """
    wanted = _checked(changes)
    policy = AllocationPolicy.objects.get(pk="default")
    for name, value in wanted.items():
        setattr(policy, name, value)
    place = Window(RowNumber(), partition_by=F("part_id"), order_by=[F("rank").desc(), F("id").asc()])
    rows = list(
        BackOrder.objects.waiting()
        .annotate(place=place)
        .order_by("part_id", "place")
        .values_list("id", "reference", "part_id", "rank", "rank_facts", "opened_at", "place")
    )
    new_ranks = {row[0]: rank(Facts.from_json(row[4]), row[5], policy) for row in rows}
    new_places: dict[UUID, int] = {}
    last_part, counter = None, 0
    for row in sorted(rows, key=lambda row: (row[2], -new_ranks[row[0]], row[0])):
        counter = counter + 1 if row[2] == last_part else 1
        last_part, new_places[row[0]] = row[2], counter
    changed = [
        PreviewRow(row[0], row[1], row[2], row[3], row[6], new_ranks[row[0]], new_places[row[0]])
        for row in rows
        if new_places[row[0]] != row[6]
    ]
    return sorted(changed, key=lambda row: (-abs(row.new_place - row.place), row.reference))[:limit]


def change_weights(*, changes: Mapping[str, Decimal], reason: str, by: Actor, source: str, at: datetime) -> int:
    """Change weights and rank all waiting back orders anew in one statement; return how many ranks changed.

    The policy row is locked, so that no back order is opened with the old weights meanwhile. The change stands in the
    policy's history with its reason. Raises Forbidden, Invalid, ReasonRequired, NothingToDo.
    """
    by.require("backorders.change_allocationpolicy")
    wanted = _checked(changes)
    if not reason.strip():
        raise ReasonRequired("Say why the weights change.", fields={"reason": ["A reason is required."]})
    with transaction.atomic():
        policy = AllocationPolicy.objects.select_for_update().get(pk="default")
        if all(getattr(policy, name) == value for name, value in wanted.items()):
            raise NothingToDo("These are the weights already.")
        for name, value in wanted.items():
            setattr(policy, name, value)
        policy.revision += 1
        policy.save()
        update_change_reason(policy, f"{reason.strip()[:80]} ({by.reference}, {source})")
        return rerank()


def rerank() -> int:
    """Rank all waiting back orders by the weights as they are; return how many changed. A repeat changes nothing."""
    with connection.cursor() as cursor:
        cursor.execute(sql.RERANK, {"ids": None})
        return int(cursor.fetchone()[0])

"""The weights by which the queue is ranked: looked at before they change, changed in one statement."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from django.db import connection, transaction
from simple_history.utils import update_change_reason

from backorders import sql
from backorders.actions import pegging
from backorders.errors import PreviewIsOld
from backorders.models import AllocationPolicy
from backorders.whatif import WEIGHTS, Effect, effect, state
from orders.errors import NothingToDo, ReasonRequired
from parts.actors import Actor
from parts.errors import Invalid
from parts.sentences import Says, sentence

_LIMIT = Decimal(100_000)


def _checked(changes: Mapping[str, Decimal]) -> dict[str, Decimal]:
    fields: dict[str, list[Says]] = {}
    for name, value in changes.items():
        if name not in WEIGHTS:
            fields[name] = [sentence("There is no such weight; there are {weights}.", weights=list(WEIGHTS))]
            continue
        try:
            fits = value.is_finite() and abs(value) <= _LIMIT and value == value.quantize(Decimal("0.001"))
        except InvalidOperation:
            fits = False
        if not fits:
            fields[name] = [sentence("A number between -100,000 and 100,000 with at most three decimal places.")]
        elif name == "ageing_per_day" and value < 0:
            fields[name] = [sentence("Waiting never makes a back order less urgent: at least 0.")]
    if fields:
        raise Invalid(sentence("These weights cannot be used."), fields)
    return dict(changes)


def preview(*, changes: Mapping[str, Decimal], at: datetime) -> Effect:
    """Return who would gain and who would lose by other weights; nothing is written. Raises Invalid."""
    return effect(changes=_checked(changes), today=at.astimezone(UTC).date())


def change_weights(
    *,
    changes: Mapping[str, Decimal],
    reason: str,
    by: Actor,
    source: str,
    at: datetime,
    shown: str | None = None,
) -> int:
    """Change weights and rank all waiting back orders anew in one statement; return how many ranks changed.

    The policy row is locked, so that no back order is opened or changed with the old weights meanwhile. The change
    stands in the policy's history with its reason. `shown` is the fingerprint of the preview that the person saw: if
    that does not hold any more, nothing is done. Which queues are to be dated anew is written down with the ranks;
    that is done afterwards, and what is left of it (`pegging.date_due`) by the clock. Never inside a transaction of
    somebody else. Raises Forbidden, Invalid, ReasonRequired, NothingToDo, PreviewIsOld.
    """
    by.require("backorders.change_allocationpolicy")
    wanted = _checked(changes)
    if not reason.strip():
        raise ReasonRequired(
            sentence("Say why the weights change."), fields={"reason": [sentence("A reason is required.")]}
        )
    today = at.astimezone(UTC).date()
    # Nobody can open a back order while the policy is locked: what takes long is done before, and holds if the state
    # is still the same under the lock.
    before, expected = state(), effect(changes=wanted, today=today)
    # A transaction of its own: dating a queue writes to the same rows again, and would then ask for their parts with
    # the policy still held (PostgreSQL checks the foreign keys of a row that a transaction changes twice).
    with transaction.atomic(durable=True):
        policy = AllocationPolicy.objects.select_for_update().get(pk="default")
        if all(getattr(policy, name) == value for name, value in wanted.items()):
            raise NothingToDo(sentence("These are the weights already."))
        if state() != before:
            expected = effect(changes=wanted, today=today)
        if shown is not None and shown != expected.fingerprint:
            raise PreviewIsOld
        for name, value in wanted.items():
            setattr(policy, name, value)
        policy.revision += 1
        policy.save()
        update_change_reason(policy, f"{reason.strip()[:80]} ({by.reference}, {source})")
        changed = rerank()
    pegging.date_due(today=today)
    return changed


def rerank() -> int:
    """Rank all waiting back orders by the weights as they are; return how many changed. A repeat changes nothing."""
    with connection.cursor() as cursor:
        cursor.execute(sql.RERANK, {"ids": None})
        return int(cursor.fetchone()[0])

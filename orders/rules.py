"""Pure decisions of floor 1 on plain values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal

from orders.errors import ReasonRequired
from orders.statuses import (
    LINE_PATH,
    LINE_POSITION,
    LINE_SHIPPED,
    SERVICE_ORDER_PATH,
    SERVICE_ORDER_STEPS,
    LineStatus,
)
from parts.errors import Invalid
from parts.rules import Problems, day_problem, text_problem
from parts.sentences import Says, sentence

#: How long a note, a reason or a finding may be.
LONGEST_NOTE = 10_000
LONGEST_REFERENCE = 120
#: What is entered afterwards (goods taken along on a Saturday, ordered on Monday) happened before its order was placed,
#: but not long before; what is told of an earlier time is a slip, and would make a status last for years.
ENTERED_WITHIN = timedelta(days=7)
_SHARE = Decimal("0.0001")
_BY_POSITION = tuple(LineStatus.values)
CANCELLED = LineStatus.CANCELLED.value
KITTING = LineStatus.AWAITING_KITTING.value
BEFORE_STOCK = (LineStatus.OPEN.value, LineStatus.BACK_ORDERED.value)


def text_faults(**texts: tuple[str, int]) -> dict[str, list[Says]]:
    """Return by field what is wrong with texts, each given with the most characters that it may have."""
    problems = Problems()
    for field, (text, longest) in texts.items():
        problems.add(field, text_problem(text, longest))
    return problems.fields


def day_faults(**days: date | None) -> dict[str, list[Says]]:
    """Return by field what is wrong with days; None is no day, and right."""
    problems = Problems()
    for field, day in days.items():
        problems.add(field, day_problem(day) if day else None)
    return problems.fields


def check_days(**days: date | None) -> None:
    """Raise Invalid, naming every field, for days that nobody can have meant."""
    if fields := day_faults(**days):
        raise Invalid(sentence("The day cannot be taken as it is."), fields)


def deadline(start: datetime, hours: int | None) -> datetime | None:
    """Return when a contract's clock of so many hours runs out; None without one."""
    return None if hours is None else start + timedelta(hours=hours)


def before_it_began(value: datetime, began: datetime | None) -> Says | None:
    """Say what is wrong with a time at which something is said to have happened to what began then, or None."""
    if began is None or value >= began - ENTERED_WITHIN:
        return None
    return sentence("must not lie more than {days} days before it was ordered", days=ENTERED_WITHIN.days)


def check_texts(**texts: tuple[str, int]) -> None:
    """Raise Invalid, naming every field, for texts that the database could not hold."""
    if fields := text_faults(**texts):
        raise Invalid(sentence("The text cannot be taken as it is."), fields)


def check_override(*, to: str, reason: str, reference: str, known: Collection[str]) -> None:
    """Refuse an override without a reason and a reference, or to no status. Raises ReasonRequired, Invalid."""
    missing = {
        name: [sentence("Required.")]
        for name, text in (("reason", reason), ("reference", reference))
        if not text.strip()
    }
    if missing:
        raise ReasonRequired(sentence("An override needs a reason and a reference."), fields=missing)
    check_texts(reason=(reason, LONGEST_NOTE), reference=(reference, LONGEST_REFERENCE))
    check_status(to, known)


def check_status(to: str, known: Collection[str]) -> None:
    """Raise Invalid for a status there is not."""
    if to not in known:
        raise Invalid(
            sentence("There is no such status."), {"to": [sentence("Must be one of {allowed}.", allowed=list(known))]}
        )


def derived_status(statuses: Iterable[str]) -> str:
    """Return the status of a parent: that of its least advanced part; cancelled parts count only where all are."""
    return _BY_POSITION[min(LINE_POSITION[status] for status in statuses)]


def shipped_share(parts: Sequence[tuple[str, Decimal]]) -> Decimal:
    """Return the share (0 to 1, four places, rounded down) of the quantity not cancelled that has been shipped.

    `parts` are (status, quantity) pairs of one unit of measure; 0 where everything was cancelled.
    """
    wanted = sum((quantity for status, quantity in parts if status != CANCELLED), Decimal(0))
    if not wanted:
        return Decimal(0)
    shipped = sum((quantity for status, quantity in parts if status in LINE_SHIPPED), Decimal(0))
    return (shipped / wanted).quantize(_SHARE, ROUND_DOWN)


def mean_share(shares: Sequence[tuple[str, Decimal]]) -> Decimal:
    """Return the mean progress of an order's lines, (status, share) pairs, leaving out cancelled ones."""
    counted = [share for status, share in shares if status != CANCELLED]
    return (sum(counted, Decimal(0)) / len(counted)).quantize(_SHARE, ROUND_DOWN) if counted else Decimal(0)


def line_way(current: str, target: str) -> list[str]:
    """Return the statuses to walk from `current` forward to `target`, one step each, the target last.

    Along LINE_PATH; awaiting kitting is a stop beside it, between picking and packed. Empty where there is no way.
    """
    if target == KITTING:
        way = line_way(current, "picking")
        return [*way, KITTING] if way or current == "picking" else []
    if current == KITTING:
        return ["packed", *line_way("packed", target)] if target in LINE_PATH[LINE_PATH.index("packed") :] else []
    if current not in LINE_PATH or target not in LINE_PATH:
        return []
    return list(LINE_PATH[LINE_PATH.index(current) + 1 : LINE_PATH.index(target) + 1])


def steps_back(current: str, target: str) -> bool:
    """Tell whether somebody takes a line back to reserved that was released before, or further on its way."""
    return target == LINE_PATH[0] and (current == KITTING or current in LINE_PATH[1:])


def is_kept_back(before: bool, current: str, target: str) -> bool:
    """Tell whether rules leave a line alone after a step: from when it was taken back until it is released again.

    It is kept back over a loss of its stock, too: with other stock it is as little to leave as before.
    """
    return steps_back(current, target) or (before and target in (*BEFORE_STOCK, LINE_PATH[0]))


def service_order_way(current: str, target: str) -> list[str]:
    """Return the statuses to walk from `current` to `target`, one step each, the target last.

    Empty where there is no way: the same status, a closed one, or a status off the path.
    """
    if target in SERVICE_ORDER_STEPS.get(current, ()):
        return [target]
    if current not in SERVICE_ORDER_PATH[:-1] or target not in SERVICE_ORDER_PATH or current == target:
        return []
    start, end = SERVICE_ORDER_PATH.index(current), SERVICE_ORDER_PATH.index(target)
    if end > start:
        return list(SERVICE_ORDER_PATH[start + 1 : end + 1])
    return list(SERVICE_ORDER_PATH[end:start][::-1])


def earliest_today(at: datetime) -> date:
    """Return the day it is where the day began last (UTC-12): nobody's today lies before it."""
    return (at.astimezone(UTC) - timedelta(hours=12)).date()

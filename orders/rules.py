"""Pure decisions of floor 1 on plain values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_DOWN, Decimal

from orders.statuses import LINE_POSITION, LINE_SHIPPED, SERVICE_ORDER_PATH, SERVICE_ORDER_STEPS, LineStatus

_SHARE = Decimal("0.0001")
_BY_POSITION = tuple(LineStatus.values)
CANCELLED = LineStatus.CANCELLED.value


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

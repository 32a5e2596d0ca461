"""The groups of measurements by their names."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from config.bench.inbound import inbound
from config.bench.messages import messages
from config.bench.outbound import outbound
from config.bench.snapshots import snapshots
from reports.bench import measures
from reports.bench.measures import Effort, Measured

GROUPS: dict[str, Callable[[Effort], Iterator[Measured]]] = {
    **measures.GROUPS,
    "messages": messages,
    "inbound": inbound,
    "outbound": outbound,
    "snapshots": snapshots,
}

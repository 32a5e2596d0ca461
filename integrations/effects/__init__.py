"""What facts do here: one module per kind, each with all facts of a batch of that kind, in constant statements.

Each calls actions of the lower floors in the name of the system's account. Message ids make repeats harmless, refusals
become what a message waits for or is rejected for, and what never comes to fit becomes a discrepancy case.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from integrations.effects import numbers, retractions, shipments, statuses, stock, supply, work_orders
from integrations.effects.task import Task
from integrations.facts import (
    Fact,
    NumberGiven,
    Retracted,
    Shipped,
    StatusReached,
    StockConfirmed,
    SupplyDated,
    SupplyShipped,
    WorkOrderCreated,
)
from integrations.senders import Sender

Effect = Callable[[Sequence[Task[Any]], Sender, datetime], None]

#: What each kind of fact does, in the order in which the kinds of a batch have their effects: what makes or names
#: something comes before what speaks of it.
EFFECTS: dict[type[Fact], Effect] = {
    WorkOrderCreated: work_orders.create,
    NumberGiven: numbers.learn,
    SupplyDated: supply.date,
    SupplyShipped: supply.send,
    StockConfirmed: stock.confirm,
    Shipped: shipments.ship,
    StatusReached: statuses.reach,
    Retracted: retractions.retract,
}

__all__ = ["EFFECTS", "Effect", "Task"]

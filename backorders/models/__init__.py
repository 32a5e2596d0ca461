"""Floor 2's nouns: the queue for what we do not have."""

from backorders.models.allocation import Allocation, AllocationDecision, AllocationPolicy, AllocationRun
from backorders.models.queue import BackOrder, DueQueue, Peg

__all__ = ["Allocation", "AllocationDecision", "AllocationPolicy", "AllocationRun", "BackOrder", "DueQueue", "Peg"]

"""Third floor, machines: what they asked of us, and where they and our books contradict each other."""

from integrations.models.discrepancies import CountTolerance, Discrepancy, EscalationStep
from integrations.models.idempotency import IdempotentRequest

__all__ = ["CountTolerance", "Discrepancy", "EscalationStep", "IdempotentRequest"]

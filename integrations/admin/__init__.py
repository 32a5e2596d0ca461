"""Floor 3, machines, in the back office."""

from integrations.admin import discrepancies, idempotency

__all__ = ["discrepancies", "idempotency"]

"""Floor 3, machines, in the back office."""

from integrations.admin import discrepancies, idempotency, inbound, systems

__all__ = ["discrepancies", "idempotency", "inbound", "systems"]

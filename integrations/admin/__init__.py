"""Floor 3, machines, in the back office."""

from integrations.admin import codes, discrepancies, idempotency, inbound, outbound, reconciling, snapshots, systems

__all__ = ["codes", "discrepancies", "idempotency", "inbound", "outbound", "reconciling", "snapshots", "systems"]

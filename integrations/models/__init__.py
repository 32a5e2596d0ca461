"""Third floor, machines: what they asked of us, and where they and our books contradict each other."""

from integrations.models.codes import StatusCode
from integrations.models.discrepancies import CountTolerance, Discrepancy, EscalationStep
from integrations.models.idempotency import IdempotentRequest
from integrations.models.inbound import InboundDeed, InboundMessage
from integrations.models.outbound import DeliveryAttempt, OutboundDelivery, SigningSecret, Subscriber
from integrations.models.reconciling import Reconciliation, ReconciliationItem
from integrations.models.snapshots import InventorySnapshot, SnapshotDifference
from integrations.models.systems import ExternalSystem, Interface, NumberElsewhere

__all__ = [
    "CountTolerance",
    "DeliveryAttempt",
    "Discrepancy",
    "EscalationStep",
    "ExternalSystem",
    "IdempotentRequest",
    "InboundDeed",
    "InboundMessage",
    "Interface",
    "InventorySnapshot",
    "NumberElsewhere",
    "Reconciliation",
    "ReconciliationItem",
    "SnapshotDifference",
    "OutboundDelivery",
    "SigningSecret",
    "StatusCode",
    "Subscriber",
]

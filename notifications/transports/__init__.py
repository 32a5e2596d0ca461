"""The ways out of the house: what each promises to whoever sends, and how it says that something went wrong."""

from notifications.transports.ways import HandedOver, Outgoing, Rejected, Transport, Unreachable

__all__ = ["HandedOver", "Outgoing", "Rejected", "Transport", "Unreachable"]

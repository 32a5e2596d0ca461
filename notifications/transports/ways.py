"""What a way out of the house takes, promises and raises."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A notice put into words, for one address.

    `notice_id` is the same however often it is tried: a way that knows a key of its sender's uses it, so that what was
    handed over by a process that died before it could say so is not delivered twice.
    """

    notice_id: UUID
    recipient_id: UUID
    channel: str
    address: str
    language: str
    subject: str
    text: str
    html: str = ""
    link: str = ""
    stop_link: str = ""
    reply_to: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The provider took it. `is_delivered`: it is certainly where its reader finds it."""

    provider_id: str = ""
    is_delivered: bool = False


class Unreachable(Exception):
    """It did not work now and may work later; `retry_after` where the provider named a time."""

    def __init__(self, why: str, retry_after: timedelta | None = None) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class Rejected(Exception):
    """It will never work like this. `is_address_dead`: nothing more is to be sent to this address."""

    def __init__(self, why: str, *, is_address_dead: bool = False) -> None:
        super().__init__(why)
        self.is_address_dead = is_address_dead


class Transport(Protocol):
    """A way out. One object serves one thread."""

    #: Whether it stays in the house: then a whole batch is handed over and recorded at once.
    is_local: bool

    def send(self, outgoing: Outgoing) -> HandedOver:
        """Hand one over. Raises Unreachable, Rejected."""
        ...

    def close(self) -> None:
        """Let go of what it holds, such as a connection."""
        ...

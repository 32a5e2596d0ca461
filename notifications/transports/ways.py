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
    #: Where an email comes back to that does not arrive.
    return_path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    #: What is of one topic replaces what is older, where a way knows that; short, and no word of it is a person's.
    topic: str = ""
    is_urgent: bool = False


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The provider took it. `is_delivered`: it is certainly where its reader finds it.

    `dead`: other addresses of the reader to which nothing more is to be sent.
    """

    provider_id: str = ""
    is_delivered: bool = False
    dead: tuple[str, ...] = ()


class Unreachable(Exception):
    """It did not work now and may work later; `retry_after` where the provider named a time. `dead` as above."""

    def __init__(self, why: str, retry_after: timedelta | None = None, *, dead: tuple[str, ...] = ()) -> None:
        super().__init__(why)
        self.retry_after, self.dead = retry_after, dead


class Rejected(Exception):
    """It will never work like this. `is_address_dead`: nothing more is to be sent to this address. `dead` as above."""

    def __init__(self, why: str, *, is_address_dead: bool = False, dead: tuple[str, ...] = ()) -> None:
        super().__init__(why)
        self.is_address_dead, self.dead = is_address_dead, dead


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

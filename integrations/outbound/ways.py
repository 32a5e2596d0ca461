"""The ways by which subscribers are told: one message at a time is handed over, and what was said to it comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol

from django.conf import settings

from integrations.envelope import CONTENT_TYPE
from integrations.outbound import signing
from integrations.statuses import Road
from parts.public_hosts import Line, NotPublic

#: All of one attempt takes no longer, from looking the name up to the last word that is read.
ANSWER_SECONDS = 15.0
#: Answers that say that more of the same is of no use now.
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
GONE = 410


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message: its id, the same however often it is told, and its words."""

    id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Said:
    """What came of handing a message over. `error` is empty where it was taken.

    `is_gone` asks never to be told again, `is_busy` that the next would do no better now.
    """

    error: str = ""
    status: int | None = None
    answer: str = ""
    request_headers: Mapping[str, str] = field(default_factory=dict)
    retry_after: timedelta | None = None
    is_gone: bool = False
    is_busy: bool = False


class Way(Protocol):
    """Hands messages to one subscriber. It never raises for what the other side does."""

    def tell(self, message: Outgoing, at: datetime) -> Said:
        """Hand a message over, and say what came of it."""

    def close(self) -> None:
        """Let go of what it holds."""


class Webhook:
    """Posts to an address, signed; a line is kept open from one message to the next."""

    def __init__(self, address: str, secrets: Sequence[str]) -> None:
        self._address, self._secrets = address, secrets
        self._line: Line | None = None

    def tell(self, message: Outgoing, at: datetime) -> Said:
        """Post a message. Any 2xx is taken; nobody is followed elsewhere."""
        headers = {
            "Content-Type": CONTENT_TYPE,
            "User-Agent": "Backline-Webhooks/1.0",
            **signing.headers(self._secrets, message.id, at, message.body),
        }
        try:
            if self._line is None:
                self._line = Line(self._address, private=settings.WEBHOOKS_TO_PRIVATE_HOSTS)
            answer = self._line.post(message.body, headers, ANSWER_SECONDS)
        except (NotPublic, OSError) as error:
            return Said(error=_plain(str(error) or type(error).__name__), request_headers=headers, is_busy=True)
        taken = 200 <= answer.status < 300
        return Said(
            error="" if taken else f"answered {answer.status}",
            status=answer.status,
            answer=_plain(answer.body),
            request_headers=headers,
            retry_after=None if taken else asked_for(answer.headers.get("retry-after", ""), at),
            is_gone=answer.status == GONE,
            is_busy=answer.status in _BUSY,
        )

    def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            self._line.close()


def asked_for(said: str, at: datetime) -> timedelta | None:
    """Return how long a Retry-After asks to wait: seconds or a date (RFC 9110, 10.2.3); None for anything else."""
    if said.isascii() and said.isdecimal() and len(said) < 9:
        return timedelta(seconds=int(said))
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return None
    return max(until.replace(tzinfo=until.tzinfo or UTC) - at, timedelta())


def _plain(text: str) -> str:
    """Return what others said as it can be kept."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}")


#: What opens each way that there is: from an address and the secrets that are alive.
WAYS: dict[str, Callable[[str, Sequence[str]], Way]] = {Road.WEBHOOK.value: Webhook}

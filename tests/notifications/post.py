"""A mail server of the tests' own: it speaks SMTP on loopback, keeps what it takes and refuses what it is told to."""

from __future__ import annotations

from asyncio import Server
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

TAKEN = "250 Taken"


class _OnAFreePort(Controller):
    """A controller that finds out which port it was given before it looks whether somebody answers there."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@dataclass
class Post:
    """What a mail server took. `answers` are given to the next messages, one each; then everything is taken."""

    answers: list[str] = field(default_factory=list)
    taken: list[EmailMessage] = field(default_factory=list)
    #: Whom the envelopes of what was taken named as their senders.
    senders: list[str] = field(default_factory=list)
    #: Called when somebody comes with a message, before any of it was taken.
    at_the_door: Callable[[], None] | None = None
    #: Called while a message is being taken, before the answer.
    meanwhile: Callable[[], None] | None = None
    host: str = "127.0.0.1"
    port: int = 0

    @classmethod
    @contextmanager
    def listening(cls) -> Iterator[Post]:
        """Listen on a free port."""
        post = cls()
        controller = _OnAFreePort(post, hostname=post.host, port=0, ready_timeout=20)
        controller.start()
        try:
            post.port = controller.port
            yield post
        finally:
            controller.stop()

    async def handle_MAIL(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        """Hear from whom a message comes (the name is aiosmtpd's)."""
        if self.at_the_door:
            self.at_the_door()
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Take a message, or refuse it (the name is aiosmtpd's)."""
        if self.meanwhile:
            self.meanwhile()
        answer = self.answers.pop(0) if self.answers else TAKEN
        if answer.startswith("2"):
            self.senders.append(envelope.mail_from)
            self.taken.append(message_from_bytes(envelope.content, policy=policy.default))
        return answer

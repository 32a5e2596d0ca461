"""An HTTP receiver of the tests' own, as a provider of SMS, chat or push is one: it keeps what it gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class Got:
    """A request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """What a receiver got. `answers` are given to the next requests, one each; then everything is taken."""

    answers: list[int] = field(default_factory=list)
    got: list[Got] = field(default_factory=list)
    #: Called with each request before it is answered.
    meanwhile: Callable[[], object] | None = None
    port: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    #: What each request is answered with.
    says: bytes = b""

    @classmethod
    @contextmanager
    def listening(cls) -> Iterator[Receiver]:
        """Listen on a free port of loopback."""
        receiver = cls()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                named = {name.lower(): value for name, value in self.headers.items()}
                receiver.got.append(Got(self.path, named, body))
                if receiver.meanwhile:
                    receiver.meanwhile()
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(receiver.says)))
                self.end_headers()
                self.wfile.write(receiver.says)

            def log_message(self, *_facts: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        receiver.port = server.server_address[1]
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            server.server_close()
            thread.join(10)

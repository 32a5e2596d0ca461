"""Requests as they come over a socket, read by the web server's own parser and answered by the whole application."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any

from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from gunicorn import http
from gunicorn.config import Config
from gunicorn.http import wsgi

from config.wsgi import application


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def ask(raw: bytes) -> Answer:
    """Send bytes over a socket and return the application's answer; in this thread and its database transaction."""
    near, far = socket.socketpair()
    with near, far:
        near.sendall(raw)
        near.shutdown(socket.SHUT_WR)
        settings, client = Config(), ("127.0.0.1", 40_000)
        request = next(http.get_parser(settings, far, client))
        response, environ = wsgi.create(request, far, client, ("127.0.0.1", 8000), settings)
        with _one_connection():
            for piece in application(environ, response.start_response):
                response.write(piece)
        response.close()
        far.shutdown(socket.SHUT_WR)
        return _read(near)


@contextmanager
def _one_connection() -> Iterator[None]:
    """Keep the test's connection through the request, as Django's own test client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


def _read(wire: socket.socket) -> Answer:
    found = HTTPResponse(wire)
    found.begin()
    with found:
        return Answer(found.status, {name.lower(): value for name, value in found.getheaders()}, found.read())


def in_chunks(method: str, path: str, pieces: Iterable[bytes], **headers: str) -> bytes:
    """Return a request whose body has no length, but an end."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Transfer-Encoding: chunked"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    body = io.BytesIO()
    for piece in [*pieces, b""]:
        body.write(b"%x\r\n%b\r\n" % (len(piece), piece))
    return "\r\n".join([*lines, "", ""]).encode() + body.getvalue()

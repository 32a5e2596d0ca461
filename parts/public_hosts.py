"""Posting to an address that somebody else named, such as a browser or a partner: only to hosts that are public.

So nobody makes this installation knock at doors of its own network. The name is looked up once for each connection, all
that it stands for is looked at, and the connection goes to just that: a name that means something else a moment later
is of no use. Nobody is followed elsewhere. However slowly somebody answers, a post ends when its time is up.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, RemoteDisconnected
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

CONNECT_SECONDS = 5.0
#: So much of an answer is kept, and so much is read at most; what is longer is left where it is.
_MOST_KEPT, _MOST_READ = 2_000, 16_000
#: Names that mean something in somebody's own network only.
_INSIDE = ("localhost", "local", "internal", "intranet", "lan", "home", "arpa", "corp", "private")
#: All that IANA has given to the public internet of version 6, and what a gateway to version 4 stands behind.
_GLOBAL_6, _NAT64 = IPv6Network("2000::/3"), IPv6Network("64:ff9b::/96")


class NotPublic(Exception):
    """An address is none to which we post."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered."""

    status: int
    headers: Mapping[str, str]
    body: str


def check(address: str, *, private: bool = False) -> SplitResult:
    """Return an address taken apart. Raises NotPublic for one to which we would not post, as far as its words tell.

    `private` allows hosts of one's own network, and addresses without TLS.
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise NotPublic("It is no address.") from error
    host = parts.hostname or ""
    is_plain = address.isascii() and address.isprintable() and " " not in address
    if not host or parts.username is not None or parts.password is not None or not is_plain:
        raise NotPublic("It is no address.")
    if parts.scheme not in ("https", "http") or (parts.scheme == "http" and not private):
        raise NotPublic("It has to begin with https:// and to name no port.")
    if private:
        return parts
    if port not in (None, 443):
        raise NotPublic("It has to begin with https:// and to name no port.")
    if "." not in host.strip(".") or host.rstrip(".").rpartition(".")[2] in _INSIDE or _is_number(host):
        raise NotPublic("It names no public host.")
    return parts


def _is_number(host: str) -> bool:
    """Tell whether a host is named by its number; whatever ends in digits may be read as one."""
    return ":" in host or host.rstrip(".").rpartition(".")[2][:1].isdecimal()


def is_public(number: str) -> bool:
    """Tell whether the number of a host is one of the public internet, and stands for no other that is not."""
    address = ip_address(number.partition("%")[0])
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast
    inner = _inner(address)
    if inner is not None:
        return inner.is_global and not inner.is_multicast
    return address in _GLOBAL_6 and address.is_global and not address.is_multicast


def _inner(address: IPv6Address) -> IPv4Address | None:
    """Return the number of version 4 that one of version 6 stands for, None where it stands for itself."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour


def post(
    address: str, body: bytes, headers: Mapping[str, str], answer_seconds: float, *, private: bool = False
) -> Answered:
    """Post to an address once; all of it takes `answer_seconds` at most. Raises NotPublic, OSError."""
    line = Line(address, private=private)
    try:
        return line.post(body, headers, answer_seconds)
    finally:
        line.close()


class Line:
    """A line to one address that is kept open between posts. What is looked up and checked is what is connected to."""

    def __init__(self, address: str, *, private: bool = False) -> None:
        """Raises NotPublic for an address to which we would not post, as far as its words tell."""
        parts = check(address, private=private)
        self._host, self._is_tls, self._private = parts.hostname or "", parts.scheme == "https", private
        self._port = parts.port or (443 if self._is_tls else 80)
        self._target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        self._connection: HTTPConnection | None = None
        self._timed: _Timed | None = None

    def post(self, body: bytes, headers: Mapping[str, str], seconds: float) -> Answered:
        """Post, and return the beginning of what was answered; all of it takes `seconds` at most.

        A line that the other side closed while it lay idle is opened once more. Raises NotPublic, OSError.
        """
        deadline = time.monotonic() + seconds
        was_open = self._connection is not None
        try:
            try:
                return self._post(body, headers, deadline)
            except (RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self.close()
                if not was_open:
                    raise
            return self._post(body, headers, deadline)
        except HTTPException as error:
            self.close()
            raise ConnectionError(str(error) or type(error).__name__) from error
        except (OSError, NotPublic):
            self.close()
            raise

    def close(self) -> None:
        """Hang up; the next post opens the line again."""
        if self._timed is not None:
            self._timed.hang_up()
        self._connection = self._timed = None

    def _post(self, body: bytes, headers: Mapping[str, str], deadline: float) -> Answered:
        connection = self._opened(deadline)
        connection.request("POST", self._target, body, {"Accept-Encoding": "identity", **headers})
        answer = connection.getresponse()
        said = _beginning(answer)
        if answer.will_close or not answer.isclosed():
            self.close()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answered(answer.status, found, said[:_MOST_KEPT].decode("utf-8", "replace"))

    def _opened(self, deadline: float) -> HTTPConnection:
        if self._connection is None or self._timed is None:
            reached = _reached(self._host, self._port, deadline, private=self._private)
            with ExitStack() as otherwise:
                otherwise.callback(reached.close)
                # A head and a body are two small packets: without this the second waits for word of the first.
                reached.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._is_tls:
                    reached.settimeout(_left(deadline))
                    reached = ssl.create_default_context().wrap_socket(reached, server_hostname=self._host)
                otherwise.pop_all()
            self._timed = _Timed(reached)
            self._connection = HTTPConnection(self._host, self._port)
            if self._is_tls:
                self._connection.default_port = 443  # so that its Host header names no port
            vars(self._connection)["sock"] = self._timed
        self._timed.deadline = deadline
        return self._connection


def _beginning(answer: HTTPResponse) -> bytes:
    """Return what was answered, as far as it is read. A short answer is read to its end: the line stays of use.

    The status has come by then; what the rest says, or whether it comes, changes nothing.
    """
    try:
        return answer.read(_MOST_READ)
    except (OSError, HTTPException):
        return b""


def _reached(host: str, port: int, deadline: float, *, private: bool) -> socket.socket:
    """Return a connection to a host. Raises OSError, and NotPublic where any of its numbers is not public."""
    found = [*dict.fromkeys(str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))]
    if not private and not all(map(is_public, found)):
        raise NotPublic("It leads into a network that is not public.")
    for number in found[:-1]:
        try:
            return socket.create_connection((number, port), timeout=min(CONNECT_SECONDS, _left(deadline)))
        except OSError:
            continue  # such as the newer of two networks where there is only the older one
    return socket.create_connection((found[-1], port), timeout=min(CONNECT_SECONDS, _left(deadline)))


def _left(deadline: float) -> float:
    """Return the seconds that are left. Raises TimeoutError where none are."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


class _Timed:
    """A socket whose every word comes before one deadline: who answers a letter at a time gains nothing by it."""

    def __init__(self, reached: socket.socket) -> None:
        self._socket = reached
        self.deadline = 0.0

    def sendall(self, data: Any) -> None:
        """Send all of it in time. Raises TimeoutError, OSError."""
        view = memoryview(data)
        while view:
            self._socket.settimeout(_left(self.deadline))
            view = view[self._socket.send(view) :]

    def makefile(self, *_how: Any, **_more: Any) -> io.BufferedReader:
        """Return what reads in time."""
        return io.BufferedReader(_Reader(self))

    def recv_into(self, buffer: Any) -> int:
        """Read what there is. Raises TimeoutError, OSError."""
        self._socket.settimeout(_left(self.deadline))
        return self._socket.recv_into(buffer)

    def close(self) -> None:
        """Leave it open: http.client closes what it has still to read from."""

    def hang_up(self) -> None:
        """Close it."""
        self._socket.close()


class _Reader(io.RawIOBase):
    """Reads a timed socket; to close it leaves the socket open for the next answer."""

    def __init__(self, timed: _Timed) -> None:
        super().__init__()
        self._timed = timed

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what there is. Raises TimeoutError, OSError."""
        return self._timed.recv_into(buffer)

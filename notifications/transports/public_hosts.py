"""Posting to an address that somebody else named, such as a browser: only to hosts that the whole world may reach.

So nobody makes this installation knock at doors of its own network. The name is looked up once, all that it stands for
is looked at, and the connection goes to just that: a name that means something else a moment later is of no use.
Nobody is followed elsewhere.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

CONNECT_SECONDS = 5.0
#: No more of an answer is read.
_MOST_READ = 2_000
#: Names that mean something in somebody's own network only.
_INSIDE = ("localhost", "local", "internal", "intranet", "lan", "home", "arpa", "corp", "private")


class NotPublic(Exception):
    """An address is none to which we post."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered."""

    status: int
    headers: Mapping[str, str]
    body: str


def check(address: str) -> SplitResult:
    """Return an address taken apart. Raises NotPublic for one to which we would not post, as far as its words tell."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise NotPublic("It is no address.") from error
    host = parts.hostname or ""
    if not host or parts.username is not None or parts.password is not None or not address.isascii() or " " in address:
        raise NotPublic("It is no address.")
    if settings.PUSH_TO_PRIVATE_HOSTS:
        return parts
    if parts.scheme != "https" or port not in (None, 443):
        raise NotPublic("It has to begin with https:// and to name no port.")
    if "." not in host.strip(".") or host.rstrip(".").rpartition(".")[2] in _INSIDE or _is_number(host):
        raise NotPublic("It names no public host.")
    return parts


def _is_number(host: str) -> bool:
    """Tell whether a host is named by its number; whatever ends in digits may be read as one."""
    return ":" in host or host.rstrip(".").rpartition(".")[2][:1].isdecimal()


def _reached(host: str, port: int) -> socket.socket:
    """Return a connection to a host. Raises OSError, and NotPublic where any of its numbers is not public."""
    found = dict.fromkeys(str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    if not settings.PUSH_TO_PRIVATE_HOSTS and not all(_is_public(number) for number in found):
        raise NotPublic("It leads into a network that is not public.")
    for number in [*found][:-1]:
        try:
            return socket.create_connection((number, port), timeout=CONNECT_SECONDS)
        except OSError:
            continue  # such as the newer of two networks where there is only the older one
    return socket.create_connection(([*found][-1], port), timeout=CONNECT_SECONDS)


def _is_public(number: str) -> bool:
    address = ip_address(number.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    return address.is_global and not address.is_multicast and (mapped is None or mapped.is_global)


def post(address: str, body: bytes, headers: Mapping[str, str], answer_seconds: float) -> Answered:
    """Post to an address. Raises NotPublic, OSError."""
    parts = check(address)
    host, is_tls = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)
    connection = (HTTPSConnection if is_tls else HTTPConnection)(host, port, timeout=answer_seconds)
    reached = _reached(host, port)
    try:
        reached.settimeout(answer_seconds)
        connection.sock = ssl.create_default_context().wrap_socket(reached, server_hostname=host) if is_tls else reached
        connection.request(
            "POST", f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}", body, dict(headers)
        )
        answer = connection.getresponse()
        said = answer.read(_MOST_READ).decode("utf-8", "replace")
        return Answered(answer.status, {name.lower(): value for name, value in answer.getheaders()}, said)
    except HTTPException as error:
        raise ConnectionError(str(error) or type(error).__name__) from error
    finally:
        connection.close()
        reached.close()

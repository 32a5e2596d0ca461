"""The web server under clients that are slow, break off, or never meant to end."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
from django.conf import settings

from config.web_worker import LARGEST_GATHERED, Arrival
from tests.wire import in_chunks

HEAD = b"POST /oauth/token/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
LIVE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
#: The form of a page, with a file: read bit by bit, whatever its size.
UPLOAD = (
    b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nCookie: csrftoken=" + b"a" * 32 + b"\r\n"
    b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 50000000\r\n\r\n"
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
)
#: What a client may send of a request and then stay silent.
UNFINISHED = {
    "nothing": b"",
    "half a head": b"GET /livez HTTP/1.1\r\nHost: local",
    "a body that is not there": HEAD + b"Content-Length: 100\r\n\r\n",
    "half a body": HEAD + b"Content-Length: 100\r\n\r\na=1",
    "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n64\r\na=1",
    "a body that ends within a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n64\r\n\r\n0\r\n\r\n",
    "a large body": HEAD + b"Content-Length: 50000000\r\n\r\na=1",
    "a large body that is read": UPLOAD,
    "a body after a word of ours": HEAD + b"Expect: 100-continue\r\nContent-Length: 100\r\n\r\n",
    "a whole request and half of the next": LIVE + LIVE[:-2],
}

Connect = Callable[[], socket.socket]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """One process with two threads, and no database: what is asked of it needs none."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    var: Path = tmp_path_factory.mktemp("var")
    environment = {**os.environ, "BACKLINE_VAR": str(var), "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}
    environment |= {"PORT": str(port), "WEB_WORKERS": "1", "WEB_THREADS": "2", "BACKLINE_ENV": "development"}
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "python:tests.web_server", "config.wsgi:application"],
        cwd=settings.BASE_DIR,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, server)
        yield port
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    """Wait until it answers: it takes connections before it has read the application."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(ConnectionError):
            _lives(port, patience=60)
            return
    pytest.fail("The web server did not start.")


@pytest.fixture
def connect(port: int) -> Iterator[Connect]:
    """Open connections, and close them in the end."""
    with ExitStack() as opened:
        yield lambda: opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))


def _lives(port: int, patience: float = 10) -> float:
    """Return after how many seconds it answers."""
    began = time.monotonic()
    with closing(HTTPConnection("127.0.0.1", port, timeout=patience)) as connection:
        connection.request("GET", "/livez")
        assert connection.getresponse().read() == b'{"status": "alive"}'
    return time.monotonic() - began


def _answer(wire: socket.socket) -> tuple[int, bytes]:
    """Return the status and the body of the next answer."""
    with HTTPResponse(wire) as answer:
        answer.begin()
        return answer.status, answer.read()


@pytest.mark.parametrize("sent", UNFINISHED.values(), ids=UNFINISHED)
def test_who_does_not_end_their_request_holds_up_nobody(port: int, connect: Connect, sent: bytes) -> None:
    for _ in range(40):
        connect().sendall(sent)
    assert max(_lives(port) for _ in range(3)) < 1.5


def test_who_was_answered_and_does_not_hang_up_holds_up_nobody(port: int, connect: Connect) -> None:
    for _ in range(20):
        wire = connect()
        wire.sendall(LIVE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert _answer(wire)[0] == 200
    assert max(_lives(port) for _ in range(3)) < 1.5


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (UNFINISHED["half a head"], 408),
        (UNFINISHED["half a body"], 408),
        (UNFINISHED["half a chunk"], 408),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000, 431),
        (b"nonsense\r\n\r\n", 400),
        (HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ],
)
def test_what_does_not_come_in_time_or_is_no_request_is_told_so(connect: Connect, sent: bytes, status: int) -> None:
    wire = connect()
    wire.sendall(sent)
    assert _answer(wire)[0] == status
    wire.settimeout(10)
    assert wire.recv(1000) == b""  # and closed


def test_a_connection_is_closed_where_nothing_comes(connect: Connect) -> None:
    assert connect().recv(1000) == b""


def test_large_bodies_that_do_not_come_are_given_up_one_after_the_other(port: int, connect: Connect) -> None:
    wires = [connect() for _ in range(10)]
    for wire in wires:
        wire.sendall(UPLOAD)
    assert {_answer(wire)[0] for wire in wires} == {
        403,
        503,
    }  # read to the end of our patience, and sent away while that took too long


def test_a_large_body_that_comes_drop_by_drop_is_given_up_as_well(connect: Connect) -> None:
    wire, began = connect(), time.monotonic()
    wire.sendall(UPLOAD)
    wire.settimeout(0.3)
    with suppress(OSError):
        while time.monotonic() - began < 20:
            with suppress(TimeoutError):
                if not wire.recv(1000):
                    break
            wire.sendall(b"x")
    assert time.monotonic() - began < 15


def test_who_holds_all_the_memory_there_is_makes_room_for_who_needs_little(port: int, connect: Connect) -> None:
    greedy = [connect() for _ in range(5)]
    for size in (2_900_000, 290_000, 29_000, 2_900, 290, 29):  # up to the brim: less is left than a request needs
        for wire in greedy if size == 2_900_000 else [connect() for _ in range(12)]:
            wire.sendall((HEAD + b"Content-Length: 3000000\r\n\r\n" + b"x" * size)[:size])
    for _ in range(5):
        assert _lives(port) < 1.5
    assert 503 in {_answer(wire)[0] for wire in greedy}


def test_a_request_may_come_in_bits_and_another_after_it(connect: Connect) -> None:
    wire = connect()
    for place in range(0, len(LIVE), 7):  # each bit wakes the server; many would take a busy machine too long
        wire.sendall(LIVE[place : place + 7])
    assert _answer(wire)[1] == b'{"status": "alive"}'
    wire.sendall(LIVE + LIVE)
    received = b""
    while received.count(b'{"status": "alive"}') < 2:  # they may come together: whoever reads one might take both off
        piece = wire.recv(10_000)
        assert piece, f"closed after {received!r}"
        received += piece
    assert received.count(b"HTTP/1.1 200 OK") == 2


def _form(body: bytes, *, chunked: bool) -> bytes:
    if not chunked:
        return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    pieces = [body[at : at + 50_000] for at in range(0, len(body), 50_000)]
    return in_chunks("POST", "/oauth/token/", pieces, Content_Type="application/x-www-form-urlencoded")


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [2, 100_000, 2_000_000])
def test_a_body_of_any_size_arrives_whole(connect: Connect, size: int, chunked: bool) -> None:
    wire = connect()
    wire.sendall(_form(b"grant_type=" + b"y" * size, chunked=chunked))
    status, said = _answer(wire)
    assert (status, json.loads(said)["error"]) == (400, "unsupported_grant_type")


def test_a_body_larger_than_is_gathered_is_read_as_it_comes(connect: Connect) -> None:
    wire = connect()
    wire.sendall(_form(b"x=" + b"y" * (LARGEST_GATHERED + 100_000), chunked=True))
    assert _answer(wire)[0] == 400


def test_who_waits_for_a_word_before_the_body_gets_it(connect: Connect) -> None:
    wire = connect()
    wire.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
    assert wire.recv(1000).startswith(b"HTTP/1.1 100 Continue")
    wire.sendall(b"a=1")
    assert _answer(wire)[0] == 400


@pytest.mark.parametrize(
    "header",
    ["SCRIPT_NAME: //evil.example", "SCRIPT_NAME: /admin", "PATH_INFO: /livez", "X-Forwarded-Prefix: /evil"],
)
def test_no_header_says_what_was_asked_for(port: int, header: str) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/admin/", headers=dict([header.split(": ")]))
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("Location")) == (302, "/admin/login/?next=/admin/")
    connection.close()


def test_a_client_on_this_machine_does_not_pass_for_one_with_tls(port: int) -> None:
    """Over TLS, the form of a page must come from a page here; over plain HTTP no such header is looked at."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Ssl": "on", "Cookie": f"csrftoken={'a' * 32}"}
    with closing(connection):
        statuses = {}
        for token in ("a" * 32, "b" * 32):
            connection.request("POST", "/accounts/login/", headers={**headers, "X-CSRFToken": token})
            answer = connection.getresponse()
            answer.read()
            statuses[token[0]] = answer.status
    assert statuses == {"a": 200, "b": 403}  # no page is asked for, only the token


# --- What has come of a request --------------------------------------------------------------------------------------


def _states(raw: bytes, step: int) -> list[str]:
    arrival, states = Arrival(), []
    for at in range(0, len(raw), step):
        arrival.add(raw[at : at + step])
        states.append(arrival.state())
    return states


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
@pytest.mark.parametrize(
    "raw",
    [
        LIVE,
        HEAD + b"Content-Length: 3\r\n\r\na=1",
        HEAD + b"content-length:3\r\n\r\na=1",
        HEAD + b"Content-Length: 0\r\n\r\n",
        in_chunks("POST", "/", [b"a=1", b"0\r\n\r\n" * 10]),
        in_chunks("POST", "/", []),
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\na=1\r\n0\r\nTrailer: 1\r\n\r\n",
    ],
)
def test_a_request_is_whole_with_its_last_byte_and_not_before(raw: bytes, step: int) -> None:
    *before, last = _states(raw, step)
    assert last == "whole"
    assert set(before) <= {"partial"}


@pytest.mark.parametrize(
    "raw",
    [
        HEAD + b"Content-Length: %d\r\n\r\n" % (LARGEST_GATHERED + 1),
        HEAD + b"Content-Length: " + b"0" * 5000 + b"3\r\n\r\na=1",
        HEAD + b"Content-Length: three\r\n\r\n",
        HEAD + b"Content-Length : 3\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n-3\r\na=1\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 20 + b"3\r\na=1\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffff\r\n" + b"x" * LARGEST_GATHERED,
    ],
)
def test_what_cannot_be_gathered_is_large(raw: bytes) -> None:
    assert _states(raw, len(raw)) == ["large"]

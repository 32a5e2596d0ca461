"""Addresses that others name lead to public hosts or nowhere, and however somebody answers, a post comes to its end."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest

from parts import public_hosts
from parts.public_hosts import Line, NotPublic, check, is_public
from tests.notifications.receiver import Receiver

PUBLIC = "93.184.216.34"


@pytest.mark.parametrize(
    "address",
    [
        "http://partner.example/",
        "https://partner.example:8443/",
        "https://localhost/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://0x7f000001/",
        "https://017700000001/",
        "https://2130706433/",
        "https://metadata.google.internal/",
        "https://user:word@partner.example/",
        "https://partner.example/a b",
        "https://partner.example/\r\nHost: other",
        "https://partner.example/\tx",
        "https://partner.example/\x00",
        "https://partner.\u0435xample/",
        "gopher://partner.example/",
        "file:///etc/passwd",
        "//partner.example/",
        "https://",
        "https://partner.example:x/",
        "",
    ],
)
def test_an_address_that_leads_nowhere_public_is_refused_by_its_words(address: str) -> None:
    with pytest.raises(NotPublic):
        check(address)


@pytest.mark.parametrize(
    "number",
    [
        "127.0.0.1",
        "10.1.2.3",
        "100.64.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.1.1",
        "192.0.2.1",
        "0.1.2.3",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "::10.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:0a00:0001::1",
        "fd00:ec2::254",
        "fe80::1%eth0",
        "ff02::1",
        "2001:db8::1",
    ],
)
def test_a_number_that_is_not_of_the_public_internet_is_known(number: str) -> None:
    assert not is_public(number)


@pytest.mark.parametrize("number", [PUBLIC, "8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_a_number_of_the_public_internet_is_known(number: str) -> None:
    assert is_public(number)


def test_a_name_that_means_something_else_a_moment_later_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, connected = [PUBLIC, "127.0.0.1"], []

    def lookup(_host: str, port: int, **_more: Any) -> list[Any]:
        return [(0, 0, 0, "", (answers.pop(0), port))]

    def connect(where: tuple[str, int], timeout: float) -> socket.socket:
        connected.append(where[0])
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(socket, "create_connection", connect)
    line = Line("https://partner.example/x")
    with pytest.raises(ConnectionRefusedError):
        line.post(b"", {}, 5)
    assert connected == [PUBLIC]  # the number that was checked, and no second look-up
    with pytest.raises(NotPublic):
        line.post(b"", {}, 5)
    assert connected == [PUBLIC]


@contextmanager
def answering(act: Callable[[socket.socket], None]) -> Iterator[str]:
    """A host that does something of its own with each who connects; its address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                caller, _from = listener.accept()
            except OSError:
                return
            with caller:
                try:
                    caller.recv(65_536)
                    act(caller)
                except OSError:
                    continue

    thread = Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def _drip(caller: socket.socket, text: bytes) -> None:
    for letter in text:
        caller.sendall(bytes([letter]))
        time.sleep(0.05)


def test_who_answers_a_letter_at_a_time_gains_no_time() -> None:
    with answering(lambda caller: _drip(caller, b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 100)) as address:
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            public_hosts.post(address, b"", {}, 0.3, private=True)
        assert time.monotonic() - began < 2


def test_who_answers_and_then_says_no_end_of_it_has_answered() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"

    def act(caller: socket.socket) -> None:
        caller.sendall(head)
        _drip(caller, b"x" * 1000)

    with answering(act) as address:
        began = time.monotonic()
        assert public_hosts.post(address, b"", {}, 0.3, private=True).status == 200
        assert time.monotonic() - began < 2


def test_a_huge_answer_is_left_where_it_is_and_a_packed_one_is_not_unpacked() -> None:
    def act(caller: socket.socket) -> None:
        caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08")
        for _ in range(1_000):
            caller.sendall(b"x" * 65_536)

    with answering(act) as address:
        answer = public_hosts.post(address, b"", {}, 5, private=True)
        assert len(answer.body) == 2_000
        assert answer.body.startswith("\x1f")


def test_headers_without_end_are_no_answer() -> None:
    def act(caller: socket.socket) -> None:
        caller.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in range(10_000):
            caller.sendall(f"X-{number}: y\r\n".encode())

    with answering(act) as address, pytest.raises(ConnectionError, match="header"):
        public_hosts.post(address, b"", {}, 5, private=True)


def test_a_line_is_kept_and_opened_anew_where_the_other_side_hung_up() -> None:
    with Receiver.listening() as receiver:
        line = Line(f"http://127.0.0.1:{receiver.port}/x?y=1", private=True)
        assert [line.post(b"{}", {"X-Number": str(number)}, 5).status for number in range(3)] == [200] * 3
        assert [got.headers["x-number"] for got in receiver.got] == ["0", "1", "2"]
        assert receiver.got[0].path == "/x?y=1"
        line.close()
        assert line.post(b"{}", {}, 5).status == 200
        line.close()


def test_nobody_is_followed_elsewhere() -> None:
    with Receiver.listening() as elsewhere, Receiver.listening() as receiver:
        receiver.answers, receiver.headers = [302], {"Location": f"http://127.0.0.1:{elsewhere.port}/"}
        assert public_hosts.post(f"http://127.0.0.1:{receiver.port}/", b"", {}, 5, private=True).status == 302
        assert elsewhere.got == []

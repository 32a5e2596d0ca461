"""A worker of the web server whose threads only begin with requests that are there as a whole.

Gunicorn's own gives a thread to each connection that has sent its first byte; the thread then waits for the rest, as
long as the client likes. With as many unfinished requests as there are threads nobody is served: a dozen sockets do it.
Here the main loop gathers what comes, head and body, and a thread is given the request when nothing of it is missing. A
proxy that buffers does the same, and spares us the work; but nobody has to have one to be safe from twelve sockets.

Bodies too large to be kept meanwhile (imports) are read by a thread as they come, by half of the threads at most, and
not for ever.
"""

from __future__ import annotations

import re
import selectors
import socket
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn import util
from gunicorn.workers.gthread import ThreadWorker

#: How long a request may take to come, from its connection or its first byte on; a large body as a whole.
ARRIVES_WITHIN, LARGE_ARRIVES_WITHIN = 20.0, 300.0
#: How long a large body waits for a thread before it is sent away.
LARGE_WAITS = 60.0
#: How long a thread waits for the next bytes of a large body, or for an answer to be taken off.
SILENCE = 10.0
#: A head, and a body that is gathered, in bytes. What the API takes at most is well below.
LARGEST_HEAD, LARGEST_GATHERED = 64 * 1024, 3 * 1024 * 1024
#: What all that is being gathered by this process may take together.
LARGEST_TOGETHER = 128 * 1024 * 1024
#: How long, and how much, is still taken from who was answered, so that the answer is not torn off.
LINGER, LINGER_BYTES = 2.0, 64 * 1024
_PIECE = 64 * 1024

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,15})[ \t]*\r\n")
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]*)?")


class Arrival:
    """What has come of one request."""

    def __init__(self, given: bytes = b"") -> None:
        self.bytes = bytearray(given)
        self._searched = 0
        self._head_ends: int | None = None
        self._needed: int | None = None
        self._chunk_at: int | None = None

    def add(self, piece: bytes) -> None:
        """Take what came."""
        self.bytes += piece

    @property
    def has_too_large_a_head(self) -> bool:
        """Tell whether the head is larger than any that is taken."""
        return (len(self.bytes) if self._head_ends is None else self._head_ends) > LARGEST_HEAD

    def state(self) -> str:
        """Return `partial`, `whole`, or `large`: its body is to be read as it comes."""
        if self._head_ends is None and not self._read_head():
            return "partial"
        if self._needed is not None and self._needed <= LARGEST_GATHERED:
            return "whole" if len(self.bytes) >= self._needed else "partial"
        if self._chunk_at is None or len(self.bytes) > LARGEST_GATHERED:
            return "large"
        return self._walk_chunks(self._chunk_at)

    def _read_head(self) -> bool:
        """See how much must come, once the head is there.

        Of who waits for a word of ours, or does not tell a length that is one, both fields stay None.
        """
        found = self.bytes.find(b"\r\n\r\n", max(0, self._searched - 3))
        self._searched = len(self.bytes)
        if found < 0:
            return False
        self._head_ends = found + 4
        head = bytes(self.bytes[: found + 2]).lower()
        if b"\r\nexpect:" in head:
            return True
        if b"\r\ntransfer-encoding:" in head:
            self._chunk_at = self._head_ends
        elif b"\r\ncontent-length" not in head:
            self._needed = self._head_ends
        elif length := _LENGTH.search(head):
            self._needed = self._head_ends + int(length[1])
        return True

    def _walk_chunks(self, at: int) -> str:
        """Go on from chunk to chunk. Whoever reads it will refuse what is malformed."""
        while at < len(self.bytes) and (ends := self.bytes.find(b"\r\n", at, at + 8192)) >= 0:
            size = _CHUNK_SIZE.fullmatch(bytes(self.bytes[at:ends]))
            if size is None:
                return "large"
            if int(size[1], 16) == 0:
                return "whole" if self.bytes.find(b"\r\n\r\n", ends) >= 0 else "partial"
            self._chunk_at = at = ends + 2 + int(size[1], 16) + 2
        return "partial"


class Waiting:
    """A connection in the hands of the main loop."""

    def __init__(self, conn: Any, deadline: float, arrival: Arrival) -> None:
        self.conn, self.deadline, self.arrival = conn, deadline, arrival
        self.registered = False


class GatheringWorker(ThreadWorker):
    """Serves with threads, each from when its request is whole. Only `handle_request` runs in them, the rest before."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.arriving: dict[Any, Waiting] = {}
        self.gathered = 0
        self.lingering: dict[Any, tuple[float, int]] = {}
        self.large: dict[Any, float] = {}
        self.large_waiting: deque[tuple[float, Any]] = deque()
        self.most_large = max(1, self.cfg.threads // 2)

    # --- Arriving -----------------------------------------------------------------------------------------------------

    def enqueue_req(self, conn: Any) -> None:
        """Gather a request; a thread gets it when it is whole."""
        if self.cfg.is_ssl:  # who lets gunicorn do TLS itself is served as by gunicorn
            super().enqueue_req(conn)
            return
        kept = conn.parser.unreader.take_buffered() if conn.parser is not None else b""
        waiting = Waiting(conn, time.monotonic() + ARRIVES_WITHIN, Arrival(kept))
        self.arriving[conn] = waiting
        self.gathered += len(kept)
        conn.sock.setblocking(False)
        self._receive(waiting)
        if self.nr_conns >= self.worker_connections and self.arriving:
            self._drop(next(iter(self.arriving.values())))  # who has taken longest makes room

    def _receive(self, waiting: Waiting, _: Any = None) -> None:
        """Take what has come, and see what it makes."""
        arrival = waiting.arrival
        state = arrival.state() if arrival.bytes else "partial"
        while state == "partial":
            try:
                piece = waiting.conn.sock.recv(_PIECE)
            except BlockingIOError:
                if arrival.has_too_large_a_head:
                    return self._drop(waiting, 431, "Request Header Fields Too Large")
                return self._wait(waiting)
            except OSError:
                return self._drop(waiting)
            if not piece:
                return self._drop(waiting)
            arrival.add(piece)
            self.gathered += len(piece)
            state = arrival.state()
            if arrival.has_too_large_a_head:
                return self._drop(waiting, 431, "Request Header Fields Too Large")
            if self.gathered > LARGEST_TOGETHER and not self._make_room(waiting):
                return None
        return self._hand_over(waiting, large=state == "large")

    def _make_room(self, waiting: Waiting) -> bool:
        """Send away who holds most until the rest fits; tell whether this one is still there.

        Not who came last: that would be whoever asks for a page while some hold all there is.
        """
        while self.gathered > LARGEST_TOGETHER:
            largest = max(self.arriving.values(), key=lambda one: len(one.arrival.bytes))
            self._drop(largest, 503, "Service Unavailable")
        return waiting.conn in self.arriving

    def _wait(self, waiting: Waiting) -> None:
        if not waiting.registered:
            self.poller.register(waiting.conn.sock, selectors.EVENT_READ, partial(self._receive, waiting))
            waiting.registered = True

    def _leave(self, waiting: Waiting) -> None:
        """Take a connection out of the main loop's hands."""
        del self.arriving[waiting.conn]
        self.gathered -= len(waiting.arrival.bytes)
        if waiting.registered:
            self.poller.unregister(waiting.conn.sock)

    def _drop(self, waiting: Waiting, status: int = 0, reason: str = "") -> None:
        """Close a connection whose request did not come, with a word where something of it did."""
        self._leave(waiting)
        if status and waiting.arrival.bytes:
            self._refuse(waiting.conn, status, reason)
        else:
            self.nr_conns -= 1
            waiting.conn.close()

    def _refuse(self, conn: Any, status: int, reason: str) -> None:
        with suppress(OSError):
            util.write_error(conn.sock, status, reason, reason)
        self._linger(conn)

    def _hand_over(self, waiting: Waiting, *, large: bool) -> None:
        """Give a request to a thread, a large one when one of theirs is free."""
        self._leave(waiting)
        conn = waiting.conn
        conn.init()
        conn.data_ready = True
        conn.parser.unreader.unread(bytes(waiting.arrival.bytes))
        if not large:
            super().enqueue_req(conn)
        elif len(self.large) < self.most_large:
            self._begin_large(conn)
        else:
            self.large_waiting.append((time.monotonic() + LARGE_WAITS, conn))

    def _begin_large(self, conn: Any) -> None:
        self.large[conn] = time.monotonic() + LARGE_ARRIVES_WITHIN
        super().enqueue_req(conn)

    # --- In a thread --------------------------------------------------------------------------------------------------

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer; whoever neither sends what is missing nor takes the answer off is not waited for. In a thread."""
        conn.sock.settimeout(SILENCE)
        return super().handle_request(req, conn)

    # --- Leaving ------------------------------------------------------------------------------------------------------

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """Wait for the next request, or close; closing politely takes no time of the main loop."""
        if self.large.pop(conn, None) and self.large_waiting:
            self._begin_large(self.large_waiting.popleft()[1])
        if fs.cancelled() or fs.exception() is not None or not fs.result():
            self._linger(conn)
        else:
            super().finish_request(conn, fs)

    def _linger(self, conn: Any) -> None:
        """Say that nothing more comes, and let the client take off what did."""
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._drain, conn))
        except (OSError, ValueError, KeyError):
            self.nr_conns -= 1
            conn.close()
        else:
            self.lingering[conn] = (time.monotonic() + LINGER, 0)

    def _drain(self, conn: Any, _: Any = None) -> None:
        deadline, taken = self.lingering[conn]
        try:
            piece = conn.sock.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        self.lingering[conn] = (deadline, taken + len(piece))
        if not piece or taken + len(piece) > LINGER_BYTES:
            self._close_lingering(conn)

    def _close_lingering(self, conn: Any) -> None:
        del self.lingering[conn]
        with suppress(OSError, ValueError, KeyError):
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()

    # --- Once a second ------------------------------------------------------------------------------------------------

    def murder_pending(self) -> None:
        """Close what has not come in time."""
        super().murder_pending()
        now = time.monotonic()
        for waiting in list(self.arriving.values()):
            if waiting.deadline > now and (self.alive or waiting.arrival.bytes):
                continue
            self._drop(waiting, 408, "Request Timeout")
        while self.large_waiting and self.large_waiting[0][0] <= now:
            self._refuse(self.large_waiting.popleft()[1], 503, "Service Unavailable")
        for conn, (deadline, _) in list(self.lingering.items()):
            if deadline <= now:
                self._close_lingering(conn)
        for conn, deadline in list(self.large.items()):
            if deadline <= now:
                with suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RDWR)  # the thread that reads it finds it at its end

"""Starts everything that Backline consists of, watches it and stops it: `make run`, `make stop`.

The parts run in sessions of their own, so that Ctrl-C reaches this process alone, which then stops them in order. What
it started is noted in `var/run.json`; if this process is killed, the next start or `make stop` clears up what is left.
"""

import fcntl
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import django
import psutil
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import get_commands

from config import demo, environment
from config.postgres.server import Server, ServerFailed

MANAGE = [sys.executable, "manage.py"]
WEB = [sys.executable, "-m", "gunicorn", "-c", "python:config.web_server", "config.wsgi:application"]
READY_SECONDS = 60
STOP_SECONDS = 15


class Refused(Exception):
    """Backline cannot be started, or has stopped by itself; the message says why and what to do."""


class Parts:
    """The running parts, in the order in which they were started."""

    def __init__(self, var: Path) -> None:
        self._note = var / "run.json"
        self._logs = var / "log"
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._logs.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, command: list[str]) -> None:
        """Start a part, its output in a log file of its own."""
        with self._log(name).open("wb") as log:
            self._running[name] = _start(command, output=log)
        _write_note(self._note, [part.pid for part in self._running.values()])

    def raise_for_ended(self) -> None:
        """Raise Refused if a part has ended by itself, with the last lines it wrote."""
        for name, process in self._running.items():
            if process.poll() is not None:
                lines = self._log(name).read_text(errors="replace").splitlines()[-20:]
                tail = "\n".join(f"  {line}" for line in lines)
                raise Refused(f"The {name} ended by itself (exit {process.returncode}). Its last lines:\n{tail}")

    def stop(self) -> None:
        """Ask the parts to end, last started first asked, and end by force what does not within seconds."""
        for process in reversed(self._running.values()):
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self._running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._note.unlink(missing_ok=True)

    def _log(self, name: str) -> Path:
        return self._logs / f"{name.replace(' ', '-')}.log"


def main(arguments: list[str]) -> int:
    """Run until stopped (no argument), or stop what runs (`stop`). Returns the exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if environment.text("BACKLINE_ENV") != "production":
        os.environ.setdefault("BACKLINE_DEMO", "true")
    try:
        if arguments == ["stop"]:
            stop()
        else:
            run()
    except (Refused, ServerFailed, ImproperlyConfigured) as refusal:
        say(f"\n{refusal}\n")
        return 1
    return 0


def run() -> None:
    """Prepare the database, start the parts, wait for a signal, stop all.

    Raises Refused, ServerFailed, ImproperlyConfigured.
    """
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    with _terminal_to_ourselves():
        _run_until(stopping)


def _run_until(stopping: threading.Event) -> None:
    host = environment.text("BIND", "127.0.0.1")
    port = environment.number("PORT", 8000, minimum=1, maximum=65535)
    var = settings.BACKLINE_VAR
    var.mkdir(parents=True, exist_ok=True)
    with _only_one(var):
        _clear_up(var / "run.json")
        _raise_for_taken(host, port)
        database = Server(var) if settings.EMBEDDED_POSTGRESQL else None
        if database:
            say("Starting PostgreSQL")
            database.join()
        parts = Parts(var)
        try:
            django.setup()
            _prepare(stopping)
            _start_parts(parts, stopping)
            _wait_until_ready(parts, stopping, host, port)
            if not stopping.is_set():
                say(_where_to_click(port))
            while not stopping.wait(0.5):
                parts.raise_for_ended()
        finally:
            say("\nStopping")
            parts.stop()
            if database:
                database.leave()
    say("Stopped.")


def stop() -> None:
    """Stop what runs in this installation, the embedded database with it. Raises Refused, ServerFailed."""
    var = settings.BACKLINE_VAR
    if not var.exists():
        say("Nothing runs here.")
        return
    runner = _runner(var)
    if runner is not None:
        runner.terminate()
        try:
            runner.wait(STOP_SECONDS + 10)
        except psutil.TimeoutExpired:
            raise Refused(f"Process {runner.pid} does not stop.") from None
    was_left = _clear_up(var / "run.json")
    was_running = Server(var).stop()
    say("Stopped." if runner or was_left or was_running else "Nothing runs here.")


def say(text: str) -> None:
    """Tell the person at the terminal."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _prepare(stopping: threading.Event) -> None:
    _step(stopping, "Bringing the database up to date", [*MANAGE, "migrate", "--verbosity=0"])
    if settings.PRODUCTION:
        _step(stopping, "Collecting static files", [*MANAGE, "collectstatic", "--no-input", "--verbosity=0"])
    if _has_demo():
        _step(stopping, "Loading the demo", [*MANAGE, "load_demo"])


def _has_demo() -> bool:
    return settings.BACKLINE_DEMO and "load_demo" in get_commands()


def _start_parts(parts: Parts, stopping: threading.Event) -> None:
    if stopping.is_set():
        return
    say("Starting the web server, the task workers and the event consumers")
    parts.start("web server", WEB)
    parts.start("task workers", [*MANAGE, "qcluster"])
    if "consume_events" in get_commands():
        parts.start("event consumers", [*MANAGE, "consume_events"])
    if "send_messages" in get_commands():
        parts.start("message senders", [*MANAGE, "send_messages"])
    if "work_inbox" in get_commands():
        parts.start("inbox", [*MANAGE, "work_inbox"])
    if "deliver_events" in get_commands():
        parts.start("event deliverers", [*MANAGE, "deliver_events"])


def _start(command: list[str], output: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - commands written in this file
        command,
        cwd=settings.BASE_DIR,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        start_new_session=True,
    )


def _step(stopping: threading.Event, title: str, command: list[str]) -> None:
    """Run a command to its end, or interrupt it when we are to stop. Raises Refused when it fails."""
    if stopping.is_set():
        return
    say(title)
    process = _start(command)
    while process.poll() is None:
        if stopping.wait(0.1):
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            return
    if process.returncode != 0:
        raise Refused(f"{title}: failed (exit {process.returncode}).")


@contextmanager
def _terminal_to_ourselves() -> Iterator[None]:
    """Receive Ctrl-C alone: `make`, which waits for us, would call a run that was stopped on purpose a failure."""
    if not sys.stdin.isatty() or os.tcgetpgrp(0) != os.getpgrp() or os.getpid() == os.getpgrp():
        yield
        return
    for number in (signal.SIGTTOU, signal.SIGTSTP):  # handing the terminal over; Ctrl-Z would halt us and not make
        signal.signal(number, signal.SIG_IGN)
    before = os.getpgrp()
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpgrp())
    try:
        yield
    finally:
        os.tcsetpgrp(0, before)


@contextmanager
def _only_one(var: Path) -> Iterator[None]:
    """Refuse a second `make run` on the same folder. The lock ends with the process, however it ends."""
    with (var / "run.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(
                "Backline is running already. Stop it with Ctrl-C where it runs, or with: make stop"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
        file.truncate(0)


def _runner(var: Path) -> psutil.Process | None:
    """The process of the `make run` that holds the lock, if one does."""
    with (var / "run.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            return psutil.Process(int(file.read()))
    return None


def _write_note(note: Path, pids: list[int]) -> None:
    """Note process numbers with their start times: a number alone may belong to somebody else later."""
    note.write_text(json.dumps([{"pid": pid, "started": psutil.Process(pid).create_time()} for pid in pids]))


def _clear_up(note: Path) -> bool:
    """End what a killed `make run` has left running; tell whether it had left its note."""
    if not note.exists():
        return False
    left = []
    for entry in json.loads(note.read_text() or "[]"):
        try:
            process = psutil.Process(entry["pid"])
            if abs(process.create_time() - entry["started"]) < 1:
                left += [process, *process.children(recursive=True)]
                process.terminate()
        except psutil.NoSuchProcess:
            continue
    _, stubborn = psutil.wait_procs(left, timeout=STOP_SECONDS)
    for process in stubborn:
        process.kill()
    note.unlink()
    return True


def _raise_for_taken(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Refused(
                f"Port {port} on {host} cannot be used ({error.strerror}). Choose another: PORT={port + 1} make run"
            ) from None


def _wait_until_ready(parts: Parts, stopping: threading.Event, host: str, port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not stopping.is_set() and not _is_ready(host, port):
        parts.raise_for_ended()
        if time.monotonic() > deadline:
            raise Refused(f"The web server does not become ready. See {settings.BACKLINE_VAR / 'log'}.")
        stopping.wait(0.2)


def _is_ready(host: str, port: int) -> bool:
    name = settings.ALLOWED_HOSTS[0].lstrip(".")
    connection = http.client.HTTPConnection("127.0.0.1" if host == "0.0.0.0" else host, port, timeout=5)  # noqa: S104
    try:
        connection.request("GET", "/readyz", headers={"Host": "localhost" if name == "*" else name})
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def _where_to_click(port: int) -> str:
    address = f"http://localhost:{port}"
    lines = [
        "",
        "Backline is running. Ctrl-C stops it.",
        "",
        f"  Pages         {address}/",
        f"  Admin         {address}/admin/",
        f"  API, to try   {address}/api/v1/docs/",
        f"  API, schema   {address}/api/v1/schema/",
        f"  Logs          {settings.BACKLINE_VAR / 'log'}",
    ]
    if _has_demo():
        lines += ["", f"  Log in as     with the password '{demo.PASSWORD}', to"]
        lines += [f"  {person.username:<13} {person.comes_to}" for person in demo.PEOPLE]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

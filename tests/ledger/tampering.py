"""What somebody with the rights of the database's owner could do to the ledger, and how it is then read."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from orders import chains, signing
from orders.actions import service_orders
from orders.actions.anchoring import anchor_day
from orders.exports import Filter, Manifest, export_ledger
from orders.verifier import Finding
from orders.verifying import Verification
from parts.actors import Actor
from tests.ledger.horizon import all_is_over
from tests.orders.desk import OURSELVES, TOLD, Desk

NOW = datetime(2026, 3, 3, 9, 30, tzinfo=UTC)
VERIFIER = Path(settings.BASE_DIR) / "orders" / "verifier.py"


@contextmanager
def append_only_off() -> Iterator[None]:
    """Take away the triggers that keep the ledger, as only the owner of the tables can."""
    tables = ("orders_orderevent", "orders_ledgeranchor")
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for table in tables:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {table}_append_only")


def tamper(statement: str, parameters: Sequence[Any] = ()) -> None:
    """Change rows behind everybody's back."""
    with append_only_off(), connection.cursor() as cursor:
        cursor.execute(statement, list(parameters))
        assert cursor.rowcount != 0, "nothing was tampered with"


def findings() -> list[Finding]:
    """Verify the ledger in the database."""
    with chains.one_snapshot():
        return list(Verification().findings())


def codes() -> set[str]:
    """Verify the ledger in the database; return the codes of what was found."""
    return {finding.code for finding in findings()}


def a_life(desk: Desk) -> None:
    """Let some things happen: two orders, a shortage, a job with notes, and an anchor in the middle of it."""
    desk.put(5)
    desk.place(2, note="Wait for the „große Pumpe“ ≠ 油圧ポンプ 🚜")
    job = desk.job("in_progress")
    service_orders.add_note(service_order_id=job.pk, text='Seal\tis worn;\n"call" back \\ soon', **TOLD)
    all_is_over()
    anchor_day(by=OURSELVES, at=NOW)
    desk.place(9)
    service_orders.add_note(service_order_id=job.pk, text="Customer called", public=True, **TOLD)


def exported(path: Path, by: Actor = OURSELVES, wanted: Filter | None = None, with_notes: bool = True) -> Manifest:
    """Export to a file."""
    return export_ledger(path=path, wanted=wanted or Filter(), by=by, at=NOW, with_notes=with_notes)


def verified_offline(*paths: Path, key: str = "") -> tuple[int, str]:
    """Run the verifier as an auditor does, with no package installed; return exit status and output."""
    command = [sys.executable, "-I", "-S", str(VERIFIER), *map(str, paths), "--public-key", key or signing.public_key()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env={}, cwd="/")
    return done.returncode, done.stdout + done.stderr


def tomorrow(days: int = 1) -> datetime:
    """Return the time, some days later."""
    return NOW + timedelta(days=days)

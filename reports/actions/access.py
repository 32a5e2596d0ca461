"""Say who changes rights: what the database records of it from now on in this transaction carries that name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from parts.actors import Actor


@contextmanager
def changing_rights(*, by: Actor, source: str) -> Iterator[None]:
    """Do what is done inside in one transaction, and record the changes of rights in it as this actor's."""
    with transaction.atomic():
        _name(by.reference, source)
        yield
        _name("", "")  # what follows in a transaction around this one is not theirs


def _name(actor: str, source: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('backline.actor', %s, true), set_config('backline.source', %s, true)", [actor, source]
        )

"""Who sends us messages: a system, one of its interfaces, and the account in whose name it acts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from django.contrib.auth.models import User

from integrations import sql
from integrations.formats import FORMS, Form, Speech
from parts.actors import Actor
from parts.errors import Invalid, NotFound, Refused
from parts.sentences import sentence


class Disconnected(Refused):
    """The system, or its interface, is switched off, or it has no account to act for."""

    code = "disconnected"


@dataclass(frozen=True, slots=True)
class Sender:
    """A system at one of its interfaces to us, with the rights that its account has now."""

    system_id: UUID
    code: str
    interface_id: UUID
    interface: str
    form: Form
    speech: Speech
    waits_for_hours: int
    account: User
    actor: Actor
    #: The supplier for whom it speaks, if it speaks for one, and whose numbers it uses beside its own.
    supplier_id: UUID | None = None
    numbers_of: UUID | None = None


def sender_of(system: str, interface: str | None = None, *, account_id: int | None = None) -> Sender:
    """Return who sends under a system's code; `account_id` is whoever is at the door, if it is a door of its own.

    One query. Raises NotFound for a system that there is not or that is another account's, Invalid where it must be
    said which interface is meant, and Disconnected.
    """
    rows = sql.SENDER.rows(system=system, interface=interface or None, ids=None)
    if not rows or (account_id is not None and rows[0][12] != account_id):
        raise NotFound(sentence("There is no such system here, or no such interface of it."), system=system)
    if len(rows) > 1 and rows[1][6]:
        raise Invalid(
            sentence("Say which interface of {system} is meant.", system=system),
            {"interface": [sentence("There are several.")]},
        )
    return _sender(rows[0])


def senders_of(interfaces: Collection[UUID]) -> dict[UUID, Sender | Disconnected]:
    """Return who sends through these interfaces, or why nobody does, by the interface's key. One query."""
    found: dict[UUID, Sender | Disconnected] = {}
    for row in sql.SENDER.rows(system=None, interface=None, ids=list(interfaces)):
        try:
            found[row[4]] = _sender(row)
        except Disconnected as refusal:
            found[row[4]] = refusal
    return found


def _sender(row: tuple[Any, ...]) -> Sender:
    system_id, code, connected, zone, interface_id, interface, in_use, form, _version, code_list, release = row[:11]
    hours, account_id, is_staff, is_active, supplier_id, numbers_of, fields, permissions = row[11:]
    if not connected or not in_use:
        raise Disconnected(sentence("{system} is switched off here.", system=f"{code} {interface}"))
    if account_id is None or not is_active:
        raise Disconnected(sentence("{system} has no account to act for.", system=str(code)))
    if form not in FORMS:
        raise Disconnected(sentence("Nobody here reads the form {form}.", form=str(form)))
    account = User(pk=account_id, is_staff=bool(is_staff), is_active=True)
    return Sender(
        system_id=system_id,
        code=code,
        interface_id=interface_id,
        interface=interface,
        form=FORMS[form],
        speech=Speech(code_list, release, ZoneInfo(zone), _loaded(fields)),
        waits_for_hours=hours,
        account=account,
        actor=Actor(reference=f"client:{code}", permissions=frozenset(permissions), user_id=account_id),
        supplier_id=supplier_id,
        numbers_of=numbers_of,
    )


def _loaded(fields: Any) -> dict[str, Any]:
    """Return a field map as the database gave it, read or as text."""
    found = orjson.loads(fields) if isinstance(fields, str | bytes) else fields
    return found if isinstance(found, dict) else {}

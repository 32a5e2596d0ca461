"""A warehouse's system that sends us messages, for tests."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from config import roles
from integrations.actions.taking_in import Taken, take_in
from integrations.models import ExternalSystem, Interface
from integrations.senders import Sender, sender_of
from integrations.statuses import SystemKind, Way


def connect(
    code: str = "wms-north", role: roles.Role | None = roles.SYSTEM, form: str = "status-json", **fields: Any
) -> ExternalSystem:
    """Connect a system with one interface: it speaks our own JSON, or another form."""
    account = User.objects.create_user(f"{code}-{uuid.uuid4().hex[:6]}")
    if role:
        roles.give_role(account, role)
    system = ExternalSystem.objects.create(code=code, name=code, kind=SystemKind.WMS, account=account, **fields)
    Interface.objects.create(system=system, code="statuses", name="Statuses", format=form, code_list="wms")
    return system


def said(reference: str, status: str = "shipped", **more: Any) -> dict[str, Any]:
    """A message of one fact about a line, with a key of its own."""
    letter = {
        "id": uuid.uuid4().hex,
        "subject": "line",
        "reference": reference,
        "occurred_at": timezone.now().isoformat(),
        **more,
    }
    return letter if "code" in letter or "codes" in letter else {"status": status, **letter}


def send(*letters: Any, system: str = "wms-north", at: datetime | None = None, at_once: bool = True) -> list[Taken]:
    """Let the system send messages; one as it is, several as an array."""
    body = letters[0] if len(letters) == 1 and isinstance(letters[0], bytes) else _body(letters)
    return take_in(sender=sender(system), body=body, way=Way.REST, at=at or timezone.now(), at_once=at_once)


def sender(system: str = "wms-north") -> Sender:
    return sender_of(system)


def _body(letters: tuple[Any, ...]) -> bytes:
    return json.dumps(letters[0] if len(letters) == 1 else letters).encode()


def later(**by: float) -> datetime:
    return timezone.now() + timedelta(**by)

"""A warehouse's system that is connected: what it reported, what nobody can explain yet, and when it is serviced."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from config import roles
from config.demo.people import Cast
from integrations.actions.taking_in import take_in
from integrations.models import ExternalSystem, Interface, StatusCode
from integrations.senders import sender_of
from integrations.statuses import Certainty, SystemKind, Way
from notifications.actions import windows
from notifications.actions.windows import Wanted
from orders.models import Customer, OrderLine

WMS, CODES = "wms-north", "wms-north"
#: Code, what the list says, what we take it for, how sure we are, and where that was read.
LIST = (
    ("PIC", "Picking begun", "picking", Certainty.READ, "Handbook of the warehouse's system, page 41"),
    ("PAC", "Packed", "packed", Certainty.READ, "Handbook of the warehouse's system, page 41"),
    ("GI", "Goods issue posted", "shipped", Certainty.TO_CHECK, ""),
)


def tell(cast: Cast, now: datetime, customer_ids: list[Any]) -> None:
    """Connect it, let it report, plan its service, and leave one customer without any address."""
    _connect()
    lines = OrderLine.objects.leaves().filter(status="reserved", order__on_hold=False).select_related("order")
    said = zip(lines.order_by("-id")[:4], ("PIC", "PAC", "GI", "X7"), strict=False)
    letters = [_letter(number, line, code, now) for number, (line, code) in enumerate(said)]
    letters.append({"id": "wms-4719", "subject": "line", "reference": "P-999999/1", "code": "PIC", "time": str(now)})
    letters.append({"id": "wms-4720", "subject": "line", "code": "PIC", "time": str(now)})
    take_in(sender=sender_of(WMS), body=json.dumps(letters).encode(), way=Way.REST, at=now)
    begins = (now + timedelta(days=3)).replace(hour=20, minute=0, second=0, microsecond=0)
    service = Wanted("Warehouse's system is updated", "Its supplier announced it.", begins, begins + timedelta(hours=3))
    windows.make(wanted=service, by=cast.manager, at=now)
    nobody_reached = Customer.objects.get(pk=customer_ids[-1])
    nobody_reached.email = nobody_reached.phone = ""
    nobody_reached.save(update_fields=["email", "phone"])


def _connect() -> None:
    account, _made = User.objects.get_or_create(
        username=WMS, defaults={"first_name": "Warehouse", "last_name": "North"}
    )
    account.set_unusable_password()
    account.save()
    roles.give_role(account, roles.SYSTEM)
    system = ExternalSystem.objects.create(
        code=WMS,
        name="Warehouse North",
        kind=SystemKind.WMS,
        account=account,
        time_zone="Europe/Berlin",
        owner="Warehouse IT",
        contacts="Duty desk +49 30 5550100, then the parts manager",
    )
    Interface.objects.create(
        system=system,
        code="statuses",
        name="What was picked, packed and sent",
        format="status-json",
        code_list=CODES,
        frequency="With each step, within a minute",
        fresh_for=timedelta(hours=4),
        owner="Warehouse IT",
        when_down="The desk moves lines by hand; what it reports afterwards is filed where it belongs.",
    )
    StatusCode.objects.bulk_create(
        StatusCode(
            system=system,
            code_list=CODES,
            code=code,
            says=says,
            status=status,
            certainty=certainty,
            source=source,
            effective_from="2024-01-01",
        )
        for code, says, status, certainty, source in LIST
    )


def _letter(number: int, line: OrderLine, code: str, now: datetime) -> dict[str, str]:
    reference = f"{line.order.reference}/{line.position}"
    return {
        "id": f"wms-{4711 + number}",
        "subject": "line",
        "reference": f"{reference}.{line.child_number}" if line.child_number else reference,
        "code": code,
        "time": str(now - timedelta(minutes=20 - number)),
    }

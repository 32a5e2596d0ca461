"""A warehouse's system that is connected: what it reported, what nobody can explain yet, and when it is serviced."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from config import roles
from config.demo import snapshot
from config.demo.people import Cast
from integrations.actions.taking_in import take_in
from integrations.models import ExternalSystem, Interface, StatusCode
from integrations.senders import sender_of
from integrations.statuses import Certainty, SystemKind, Way
from notifications.actions import windows
from notifications.actions.windows import Wanted
from orders.models import Customer, OrderLine

WMS, CODES = "wms-north", "wms-north"
#: The warehouse's newer system, which confirms what left as SAP does.
CENTRAL = "wms-central"
#: Code, what the list says, what we take it for, how sure we are, and where that was read.
LIST = (
    ("PIC", "Picking begun", "picking", Certainty.READ, "Handbook of the warehouse's system, page 41"),
    ("PAC", "Packed", "packed", Certainty.READ, "Handbook of the warehouse's system, page 41"),
    ("GI", "Goods issue posted", "shipped", Certainty.TO_CHECK, ""),
)


def tell(cast: Cast, now: datetime, customer_ids: list[Any]) -> None:
    """Connect it, let it report, plan its service, and leave one customer without any address."""
    _connect()
    _confirm_shipments(now)
    lines = OrderLine.objects.leaves().filter(status="reserved", order__on_hold=False).select_related("order")
    said = zip(lines.order_by("-id")[:4], ("PIC", "PAC", "GI", "X7"), strict=False)
    letters = [_letter(number, line, code, now) for number, (line, code) in enumerate(said)]
    letters.append({"id": "wms-4719", "subject": "line", "reference": "P-999999/1", "code": "PIC", "time": str(now)})
    letters.append({"id": "wms-4720", "subject": "line", "code": "PIC", "time": str(now)})
    take_in(sender=sender_of(WMS), body=json.dumps(letters).encode(), way=Way.REST, at=now)
    begins = (now + timedelta(days=3)).replace(hour=20, minute=0, second=0, microsecond=0)
    service = Wanted("Warehouse's system is updated", "Its supplier announced it.", begins, begins + timedelta(hours=3))
    windows.make(wanted=service, by=cast.manager, at=now)
    snapshot.compare(CENTRAL, now)
    nobody_reached = Customer.objects.get(pk=customer_ids[-1])
    nobody_reached.email = nobody_reached.phone = ""
    nobody_reached.save(update_fields=["email", "phone"])


def _system(code: str, last_name: str) -> ExternalSystem:
    account, _made = User.objects.get_or_create(
        username=code, defaults={"first_name": "Warehouse", "last_name": last_name}
    )
    account.set_unusable_password()
    account.save()
    roles.give_role(account, roles.SYSTEM)
    return ExternalSystem.objects.create(
        code=code,
        name=f"Warehouse {last_name}",
        kind=SystemKind.WMS,
        account=account,
        time_zone="Europe/Berlin",
        owner="Warehouse IT",
        contacts="Duty desk +49 30 5550100, then the parts manager",
    )


def _connect() -> None:
    system = _system(WMS, "North")
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


def _confirm_shipments(now: datetime) -> None:
    """Connect the other one; it has sent a part of one line, and more of another than there is to send."""
    system = _system(CENTRAL, "Central")
    Interface.objects.create(
        system=system,
        code="confirmations",
        name="What left, as delivery IDocs",
        format="sap-idoc-xml",
        version="DELVRY03",
        frequency="When the truck is closed",
        fresh_for=timedelta(days=1),
        owner="Warehouse IT",
        when_down="The warehouse prints its sheets; they are typed in, or sent when the system is back.",
    )
    lines = OrderLine.objects.filter(status="reserved", is_split=False, parent=None, order__on_hold=False)
    open_lines = lines.filter(quantity__gte=2, order__complete_delivery_only=False).select_related("order")
    said = zip(open_lines.order_by("id")[:2], ("1", "999"), strict=False)
    idocs = "".join(_idoc(number, line, quantity, now) for number, (line, quantity) in enumerate(said, start=1))
    if idocs:
        take_in(sender=sender_of(CENTRAL), body=f"<DELVRY03>{idocs}</DELVRY03>".encode(), way=Way.REST, at=now)


def _idoc(number: int, line: OrderLine, quantity: str, now: datetime) -> str:
    left = now - timedelta(minutes=40)
    return (
        f'<IDOC BEGIN="1"><EDI_DC40 SEGMENT="1"><DOCNUM>{number:016}</DOCNUM><IDOCTYP>DELVRY03</IDOCTYP>'
        f"<MESTYP>SHPCON</MESTYP><CREDAT>{left:%Y%m%d}</CREDAT><CRETIM>{left:%H%M%S}</CRETIM></EDI_DC40>"
        f'<E1EDL20 SEGMENT="1"><VBELN>{80001233 + number:010}</VBELN><BOLNR>JD01460000{number}</BOLNR>'
        '<E1EDL18 SEGMENT="1"><QUALF>PGI</QUALF></E1EDL18>'
        '<E1ADRM1 SEGMENT="1"><PARTNER_Q>SP</PARTNER_Q><NAME1>DHL Freight</NAME1></E1ADRM1>'
        f'<E1EDL24 SEGMENT="1"><POSNR>000010</POSNR><LFIMG>{quantity}.000</LFIMG>'
        f'<E1EDL41 SEGMENT="1"><QUALI>001</QUALI><BSTNR>{line.order.reference}</BSTNR>'
        f"<POSEX>{line.position:06}</POSEX></E1EDL41></E1EDL24></E1EDL20></IDOC>"
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

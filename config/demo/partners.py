"""Two partners that speak EDI: a supplier by ANSI X12, and a warehouse by EDIFACT, with a code nobody decided on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User

from config import roles
from integrations.actions.taking_in import take_in
from integrations.models import ExternalSystem, Interface
from integrations.senders import sender_of
from integrations.statuses import SystemKind, Way
from orders.models import OrderLine
from parts.models import PurchaseOrderLine, Supplier

CHICAGO, BERLIN = ZoneInfo("America/Chicago"), ZoneInfo("Europe/Berlin")
SUPPLIER, WAREHOUSE = "supplier-edi", "wms-south"


def tell(now: datetime) -> None:
    """Connect them, and let each send what it has: an answer to our order, a despatch advice, two status reports."""
    _connect(WAREHOUSE, "Warehouse South (3PL)", SystemKind.WMS, "edifact-warehouse", BERLIN)
    open_lines = PurchaseOrderLine.objects.filter(is_open=True).select_related("purchase_order__supplier")
    ordered = open_lines.order_by("-id").first()
    if ordered is not None:
        supplier = ordered.purchase_order.supplier
        _connect(SUPPLIER, supplier.name, SystemKind.SUPPLIER, "x12-supplier", CHICAGO, supplier)
        take_in(sender=sender_of(SUPPLIER), body=_answer(ordered, now.astimezone(CHICAGO)), way=Way.FILE, at=now)
    lines = OrderLine.objects.leaves().filter(status__in=["packed", "shipped"], order__on_hold=False)
    for body in _advices(lines.select_related("order").order_by("status", "-id")[:4], now.astimezone(BERLIN)):
        take_in(sender=sender_of(WAREHOUSE), body=body, way=Way.FILE, at=now)


def _connect(
    code: str, name: str, kind: SystemKind, form: str, zone: ZoneInfo, supplier: Supplier | None = None
) -> None:
    account, _made = User.objects.get_or_create(username=code, defaults={"first_name": name[:150]})
    account.set_unusable_password()
    account.save()
    roles.give_role(account, roles.SYSTEM)
    system = ExternalSystem.objects.create(
        code=code,
        name=name,
        kind=kind,
        account=account,
        time_zone=zone.key,
        supplier=supplier,
        owner="EDI desk",
        contacts="EDI desk",
    )
    Interface.objects.create(
        system=system,
        code="edi",
        name="Orders and shipments",
        format=form,
        frequency="Every hour, as a file",
        fresh_for=timedelta(days=1),
        owner="EDI desk",
        when_down="What was meant to be sent comes later, all at once.",
    )


def _answer(line: PurchaseOrderLine, now: datetime) -> bytes:
    """855: half of it next week, the rest a month later."""
    day, order = now.strftime("%Y%m%d"), line.purchase_order
    half = line.quantity / 2
    soon, late = (f"{now + timedelta(days=days):%Y%m%d}" for days in (7, 35))
    segments = [
        "ST*855*0001",
        f"BAK*00*AC*{order.number}*{order.ordered_at:%Y%m%d}*****{day}",
        f"PO1*{line.position}*{line.quantity:.3f}*EA",
        f"ACK*IA*{half:.3f}*EA*067*{soon}",
        f"ACK*IB*{half:.3f}*EA*067*{late}",
        "CTT*1",
    ]
    who = f"ZZ*{'ACMECOMPONENTS':<15}*ZZ*{'BACKLINE':<15}"
    isa = f"ISA*00*{'':10}*00*{'':10}*{who}*{now:%y%m%d*%H%M}*U*00401*000000311*0*P*>"
    head = [isa, f"GS*PR*ACMECOMPONENTS*BACKLINE*{day}*{now:%H%M}*311*X*004010"]
    tail = [f"SE*{len(segments) + 1}*0001", "GE*1*311", "IEA*1*000000311"]
    return ("~\n".join([*head, *segments, *tail]) + "~\n").encode()


def _advices(lines: Sequence[OrderLine], now: datetime) -> list[bytes]:
    """A despatch advice for the first line, a report on another, and one with a code that waits for a decision."""
    if len(lines) < 3:
        return []
    sent, *_others, told, unknown = lines
    left = ["DESADV", "BGM+351+DA-90417+9", f"DTM+11:{now:%Y%m%d}:102", "TDT+20++30++:::Nordfracht", "LIN+1"]
    left += [f"QTY+12:{sent.quantity:.3f}", f"RFF+ON:{sent.order.reference}:{_position(sent)}"]
    return [
        _edifact("1", now, left),
        _edifact("2", now, [*_report("90418", told), "STS+2+27"]),
        _edifact("3", now, [*_report("90419", unknown), "STS+2+56"]),
    ]


def _report(number: str, line: OrderLine) -> list[str]:
    return ["OSTRPT", f"BGM+348+{number}+9", f"DOC+227+{line.order.reference}", f"LIN+{_position(line)}"]


def _position(line: OrderLine) -> str:
    return f"{line.position}.{line.child_number}" if line.child_number else str(line.position)


def _edifact(number: str, now: datetime, segments: Sequence[str]) -> bytes:
    kind, *rest = segments
    message = [f"UNH+{number}+{kind}:D:96A:UN", *rest]
    head = f"UNB+UNOC:3+4012345000009:14+4098765000002:14+{now:%y%m%d:%H%M}+9041{number}"
    return "'\n".join([head, *message, f"UNT+{len(message) + 1}+{number}", f"UNZ+1+9041{number}'"]).encode()

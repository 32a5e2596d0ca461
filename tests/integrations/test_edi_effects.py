"""What partners send as X12 and EDIFACT has its effect through the inbox, once, and what nobody knows waits."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from integrations.actions import deciding
from integrations.actions.deciding import Decision
from integrations.actions.taking_in import Taken
from integrations.facts import Code
from integrations.inbox import step
from integrations.models import Discrepancy, InboundMessage, Interface
from orders.models import OrderLine
from parts.actors import Actor
from parts.models import PurchaseOrderLine
from tests.api.world import World
from tests.integrations.edi import edifact, x12
from tests.integrations.sending import connect, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(db: None) -> OrderLine:
    """An ordered line at a warehouse whose system speaks X12."""
    return OrderLine.objects.select_related("order").get(pk=World().placed().lines[0].id)


def _speak(form: str) -> None:
    Interface.objects.filter(system=connect()).update(format=form, code_list="")


def _notice(line: OrderLine) -> bytes:
    today = timezone.localdate().strftime("%Y%m%d")
    notice = ["ST*856*0001", f"BSN*00*DN-4711*{today}*0000*0001", "HL*1**O", f"PRF*{line.order.reference}"]
    notice += ["HL*2*1*I", f"LIN*{line.position}*VP*X", f"SN1**{line.quantity:.0f}*EA"]
    return x12(notice)


def _report(line: OrderLine, *codes: str) -> list[str]:
    report = [
        "ST*870*0001",
        "BSR*3*PA*S*20261123",
        "HL*1**O",
        f"PRF*{line.order.reference}",
        f"PO1*{line.position}*1*EA",
    ]
    return [*report, *(f"ISR*{code}" for code in codes)]


def test_a_ship_notice_lets_a_line_leave_once(line: OrderLine) -> None:
    _speak("x12-warehouse")
    [taken] = send(_notice(line))
    [again] = send(_notice(line))
    assert (taken.status, again.status, again.is_repeat) == ("accepted", "accepted", True)
    line.refresh_from_db()
    assert line.status == "shipped"


def test_a_despatch_advice_lets_a_line_leave(line: OrderLine) -> None:
    _speak("edifact-warehouse")
    today = timezone.localdate().strftime("%Y%m%d")
    advice = [
        "UNH+1+DESADV:D:96A:UN",
        "BGM+351+DN-4712+9",
        f"DTM+11:{today}:102",
        "LIN+9",
        f"QTY+12:{line.quantity:.0f}",
    ]
    [taken] = send(edifact([*advice, f"RFF+ON:{line.order.reference}:{line.position}"]))
    assert taken.status == "accepted"
    line.refresh_from_db()
    assert line.status == "shipped"


def _waits(taken: Taken, key: str) -> None:
    assert (taken.status, InboundMessage.objects.get(pk=taken.id).waits_for) == ("parked", key)


def test_a_status_that_nobody_decided_on_waits_and_then_has_its_effect(line: OrderLine, manager: User) -> None:
    _speak("x12-warehouse")
    [taken] = send(x12(_report(line, "ZZ")))
    _waits(taken, "code:x12-368:ZZ")
    decision = Decision("line", "picking", "status", timezone.localdate().replace(month=1, day=1), "Agreed with them.")
    decided = Code("x12-368", "", "ZZ")
    deciding.decide(code=decided, system_id=None, decision=decision, by=Actor.user(manager), at=timezone.now())
    step(timezone.now())
    line.refresh_from_db()
    assert line.status == "picking"


def test_a_status_that_only_tells_moves_nothing(line: OrderLine) -> None:
    _speak("edifact-warehouse")
    report = [
        "UNH+1+OSTRPT:D:96A:UN",
        "BGM+348+1+9",
        f"DOC+227+{line.order.reference}",
        f"LIN+{line.position}",
        "STS+2+27",
    ]
    [taken] = send(edifact(report))
    assert (taken.status, taken.facts[0]["outcome"]) == ("accepted", "noted")
    line.refresh_from_db()
    assert line.status == "reserved"


def test_one_bad_set_hinders_no_other(line: OrderLine) -> None:
    _speak("x12-warehouse")
    bad = ["ST*870*0002", *_report(line, "IN")[1:]]
    body = x12(_report(line, "IN"), bad).replace(b"SE*7*0002", b"SE*9*0002")
    good, rejected = send(body)
    assert (good.status, rejected.status, rejected.cause) == ("accepted", "rejected", "unreadable")


def test_an_acknowledgment_moves_the_expected_day_to_when_all_of_it_comes(db: None) -> None:
    _speak("x12-supplier")
    ordered = _ordered()
    soon, late = (timezone.localdate() + timedelta(days=days) for days in (7, 35))
    answer = ["ST*855*0001", f"BAK*00*AC*{ordered.purchase_order.number}*20261101", f"PO1*{ordered.position}*10*EA"]
    answer += [f"ACK*IA*6*EA*067*{soon:%Y%m%d}", f"ACK*IB*4*EA*067*{late:%Y%m%d}"]
    [taken] = send(_now(x12(answer)))
    assert (taken.status, [fact["outcome"] for fact in taken.facts]) == ("accepted", ["moved"])
    ordered.refresh_from_db()
    assert ordered.expected_on == late


def test_an_answer_that_names_no_day_confirms_none(db: None) -> None:
    _speak("edifact-supplier")
    ordered = _ordered(expected_on=None)
    answer = ["UNH+1+ORDRSP:D:96A:UN", "BGM+231+AB-1+30", f"RFF+ON:{ordered.purchase_order.number}"]
    [taken] = send(_now(edifact([*answer, f"LIN+{ordered.position}+6", "QTY+113:4"])))
    assert (taken.status, taken.facts[0]["outcome"]) == ("accepted", "noted")
    ordered.refresh_from_db()
    assert (ordered.first_confirmed_on, ordered.expected_on) == (None, None)


def test_a_rejected_line_is_taken_off_the_order_and_somebody_has_to_look(db: None) -> None:
    _speak("edifact-supplier")
    ordered = _ordered()
    answer = ["UNH+1+ORDRSP:D:96A:UN", "BGM+231+AB-1+30", f"RFF+ON:{ordered.purchase_order.number}"]
    [taken] = send(_now(edifact([*answer, f"LIN+{ordered.position}+7"])))
    assert taken.status == "accepted"
    ordered.refresh_from_db()
    assert not ordered.is_open
    assert Discrepancy.objects.filter(purchase_order_line=ordered).count() == 1


def _ordered(**more: Any) -> PurchaseOrderLine:
    placed = World().bought(quantity=10, **more)
    return PurchaseOrderLine.objects.select_related("purchase_order").get(pk=placed.line_ids[0])


def _now(body: bytes) -> bytes:
    """An interchange that is sent now: nobody answers from the future."""
    now = timezone.now().astimezone(UTC)
    body = body.replace(b"*20261123*0915*17", f"*{now:%Y%m%d*%H%M}*17".encode())
    return body.replace(b"261123:0915", f"{now:%y%m%d:%H%M}".encode())

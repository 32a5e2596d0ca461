"""Code lists come with the project, each code with its source; what people decide stands above; suggestions help."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from integrations.actions import deciding
from integrations.actions.deciding import EFFECTS, STATUSES, Decision
from integrations.code_book import CodeBook, CodesConflict, CodeToCheck, CodeUnknown, Meaning
from integrations.facts import Code
from integrations.inbox import step
from integrations.models import InboundMessage, StatusCode
from integrations.shipped import ShippedList, read_list, shipped_lists, write_code_lists
from integrations.statuses import Certainty, Effect
from integrations.suggestions import suggestions_for
from orders.models import OrderLine
from parts.actors import Actor
from tests.admin.desk import desk_of
from tests.api.world import World
from tests.integrations.sending import connect, said, send

EDITION = """
code_list = "x12-368"
name = "As shipped later"
effective_from = 2027-01-01
[sources]
book = "The book, page 1"
[[releases]]
release = ""
codes = [
  {{ code = "{code}", says = "{says}", status = "{status}", source = "book" }},
]
"""


def _edition(code: str, status: str, says: str = "As it says now") -> ShippedList:
    return read_list(EDITION.format(code=code, status=status, says=says))


def _decide(code: Code, by: User, **fields: Any) -> StatusCode:
    decision = Decision(
        **{
            "subject": "line",
            "status": "delivered",
            "effect": "status",
            "effective_from": date(2026, 1, 1),
            "reason": "Asked them.",
            **fields,
        }
    )
    return deciding.decide(code=code, system_id=None, decision=decision, by=Actor.user(by), at=timezone.now())


def _meaning(code: Code, on: date) -> Meaning:
    return CodeBook(connect().id, {code}).meaning([code], on)


@pytest.mark.parametrize("shipped", shipped_lists(), ids=lambda one: one.code)
def test_every_shipped_code_says_where_it_was_read_or_why_it_waits(shipped: ShippedList) -> None:
    assert len({one.place for one in shipped.codes}) == len(shipped.codes)
    for one in shipped.codes:
        assert one.says
        assert max(len(one.says), len(one.source), len(one.reason)) <= 300
        if one.certainty == Certainty.READ:
            assert "http" in one.source
            assert one.effect in EFFECTS, "what is acted upon must be something that messages can do"
        else:
            assert one.reason
        assert (one.effect == Effect.STATUS) is bool(one.status)
        assert one.status in ("", *STATUSES[one.subject])


def test_licensed_lists_are_empty_and_say_how_they_are_filled() -> None:
    [ata] = [one for one in shipped_lists() if one.code == "ata-spec2000"]
    assert not ata.codes


@pytest.mark.parametrize("instead", ['colour = "red", source = "book"', 'reason = "Everybody knows."'])
def test_a_file_that_hides_how_it_knows_is_refused(instead: str) -> None:
    text = EDITION.format(code="XX", says="X", status="shipped").replace('source = "book"', instead)
    with pytest.raises(ValueError, match="XX"):
        read_list(text)


@pytest.mark.django_db
def test_shipped_lists_are_there_after_migrating_and_come_once() -> None:
    assert StatusCode.objects.get(code_list="x12-368", code="SH").status == "shipped"
    assert write_code_lists(timezone.now()) == 0


@pytest.mark.django_db
def test_a_new_edition_comes_as_a_new_row_and_changes_none() -> None:
    assert write_code_lists(timezone.now(), [_edition("DD", "shipped")]) == 1
    code = Code("x12-368", "004010", "DD")
    assert StatusCode.objects.filter(code_list="x12-368", code="DD").count() == 2
    assert _meaning(code, date(2026, 12, 31)).status == "delivered"
    assert CodeBook(connect("other").id, {code}).meaning([code], date(2027, 1, 1)).status == "shipped"


@pytest.mark.django_db
def test_no_new_edition_stands_above_what_a_person_decided(manager: User) -> None:
    code = Code("x12-368", "004010", "SH")
    _decide(Code("x12-368", "", "SH"), manager)
    write_code_lists(timezone.now(), [_edition("SH", "packed")])
    assert _meaning(code, date(2027, 6, 1)).status == "delivered"


@pytest.mark.django_db
def test_a_decision_for_every_release_answers_for_a_code_that_one_release_left_to_be_checked(manager: User) -> None:
    code = Code("wms", "2", "Q")
    StatusCode.objects.create(code_list="wms", release="2", code="Q", status="shipped", effective_from="2024-01-01")
    with pytest.raises(CodeToCheck):
        _meaning(code, date(2026, 12, 1))
    _decide(Code("wms", "", "Q"), manager, effect="information", status="")
    assert CodeBook(connect("other").id, {code}).meaning([code], date(2026, 12, 1)).effect == "information"


@pytest.mark.django_db
def test_parts_of_a_line_that_come_as_ordered_and_later_are_no_contradiction_and_one_that_is_rejected_is() -> None:
    accepted, later, rejected = (Code("x12-668", "004010", code) for code in ("IA", "IB", "IR"))
    book = CodeBook(connect().id, {accepted, later, rejected})
    assert book.meaning([accepted, later], date(2026, 12, 1)).status == "changed"
    with pytest.raises(CodesConflict):
        book.meaning([accepted, later, rejected], date(2026, 12, 1))


@pytest.mark.django_db
def test_a_code_that_another_release_has_is_unknown_and_says_what_that_one_means() -> None:
    with pytest.raises(CodeUnknown) as refusal:
        _meaning(Code("x12-668", "004010", "R9"), date(2026, 12, 1))
    assert refusal.value.extra["suggested"] == "rejected"
    [first, *_] = suggestions_for(Code("x12-668", "004010", "R9"))
    assert first.row.release == "008020"


@pytest.mark.django_db
def test_suggestions_come_from_the_same_list_then_the_same_words_then_the_same_code() -> None:
    system = connect()
    StatusCode.objects.create(
        code_list="wms-south", code="77", says="Goods issue posted", status="shipped", certainty="read", source="Book",
        effective_from="2024-01-01", system=system,
    )  # fmt: skip
    StatusCode.objects.create(code_list="wms", code="C", says="Goods issue posted", status="shipped",
                              effective_from="2024-01-01")  # fmt: skip
    found = suggestions_for(Code("wms", "", "C"))
    assert [found[0].row.code_list, found[1].row.code_list] == ["wms", "wms-south"]
    assert {one.row.code_list for one in found[2:]} <= {one.code for one in shipped_lists()}
    assert all(one.row.code == "C" for one in found[2:])
    assert all(one.why for one in found)


@pytest.mark.django_db
def test_the_number_of_queries_for_suggestions_does_not_depend_on_how_many_rows_there_are(
    django_assert_max_num_queries: Any,
) -> None:
    with django_assert_max_num_queries(2):
        suggestions_for(Code("x12-368", "", "SH"), "Shipped from the warehouse")


@pytest.fixture
def line(db: None) -> OrderLine:
    """An ordered line, and a warehouse's system that is connected."""
    connect()
    return OrderLine.objects.select_related("order").get(pk=World().placed().lines[0].id)


def _parked(line: OrderLine, **more: Any) -> InboundMessage:
    [taken] = send(said(f"{line.order.reference}/{line.position}", **more))
    assert taken.status == "parked"
    return InboundMessage.objects.get(pk=taken.id)


def _page(message: InboundMessage, by: User) -> str:
    return desk_of(by).get(reverse("admin:integrations_inboundmessage_change", args=[message.pk])).content.decode()


def test_the_page_of_a_parked_message_suggests_what_its_code_could_mean(line: OrderLine, manager: User) -> None:
    message = _parked(line, codes=[{"list": "wms", "code": "SH"}])
    page = _page(message, manager)
    assert "What SH of wms could mean" in page
    assert "x12-368 has the same code." in page
    assert "Shipped (Date)" in page
    address = f"{reverse('admin:integrations_statuscode_decide-any')}?code_list=wms&code=SH&effect=status"
    form = desk_of(manager).get(f"{address}&meaning=line:shipped").content.decode()
    assert "What it could mean" in form
    assert '<option value="line:shipped" selected>' in form


def test_codes_that_contradict_each_other_are_shown_side_by_side(line: OrderLine, manager: User) -> None:
    codes = [{"list": "x12-368", "code": "SH"}, {"list": "x12-368", "code": "DD"}]
    message = _parked(line, codes=codes)
    assert message.cause == "codes_conflict"
    page = _page(message, manager)
    for said_by_list in ("Shipped (Date)", "Delivered to Destination on (Date)", "ASC X12 004010, element 368"):
        assert said_by_list in page
    _decide(Code("x12-368", "", "DD"), manager, effect="information", status="")
    step(timezone.now())
    line.refresh_from_db()
    assert line.status == "shipped"


def test_a_decision_wakes_all_that_waited_however_many(line: OrderLine, manager: User) -> None:
    reference = f"{line.order.reference}/{line.position}"
    for _turn in range(2):
        send(*[said(reference, code="NEW") for _ in range(600)], at_once=True)
    assert InboundMessage.objects.filter(status="parked").count() == 1200
    _decide(Code("wms", "", "NEW"), manager, effect="information", status="")
    assert not InboundMessage.objects.filter(status="parked").exists()


def test_the_list_of_codes_says_what_messages_wait_for_and_a_code_where_it_was_read(
    line: OrderLine, manager: User
) -> None:
    _parked(line, code="X7")
    desk = desk_of(manager)
    listed = desk.get(reverse("admin:integrations_statuscode_changelist")).content.decode()
    assert "Messages wait for a decision" in listed
    assert "code_list=wms&amp;code=X7" in listed
    row = StatusCode.objects.get(code_list="x12-668", code="R9")
    _decide(Code("x12-668", "", "R9"), manager, effective_from=timezone.localdate() - timedelta(days=1))
    page = desk.get(reverse("admin:integrations_statuscode_change", args=[row.pk])).content.decode()
    assert "https://edi.stedi.com/x12-008020/element/668" in page
    assert "They differ." in page

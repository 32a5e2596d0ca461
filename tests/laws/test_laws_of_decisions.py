"""Each law of what people decide on with a second person, or settle, catches its breach, made round all code."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from pytest_django import Settings

from config.integrity import LAWS
from integrations.actions import cases
from integrations.actions.cases import Contradiction
from integrations.models import Discrepancy, EscalationStep
from orders.actions import consents
from orders.models import OrderLine
from parts.actions.changing import approve, keep_entry, refuse, request_change, withdraw
from parts.models import StockLevel
from tests.laws.checking import LAWS_OF_DECISIONS, broken_laws
from tests.orders.desk import NOW, Desk
from tests.orders.test_consents import by, dear, person, wish
from tests.parts.test_changing import controlled
from tests.parts.test_changing_entries import new_number

#: The name of a law, and the ways to break it.
BREACHES = {
    "consented_override_has_two_people_and_its_event": (
        "UPDATE orders_orderevent SET data = data - 'consented_by' WHERE data ? 'consented_by'",
        "UPDATE orders_overriderequest SET decided_by_id = requested_by_id WHERE status = 'applied' AND rule <> ''",
        "UPDATE orders_overriderequest SET decided_by_id = NULL WHERE status = 'applied' AND rule <> ''",
        "UPDATE orders_orderevent SET actor = 'user:0' WHERE data ? 'consented_by'",
    ),
    "override_request_says_why_in_the_ledger": (
        "UPDATE orders_orderevent SET actor = 'system:nobody' WHERE kind = 'line.override_asked'",
        "UPDATE orders_overriderequest SET asked_event = gen_random_uuid()",
        "UPDATE orders_orderevent SET data = data - 'request' WHERE kind = 'line.override_asked'",
    ),
    "unapplied_override_changed_nothing_and_says_how_it_ended": (
        "UPDATE orders_orderevent SET kind = 'note.added' WHERE kind = 'line.override_refused'",
        "UPDATE orders_orderevent SET data = data - 'request' WHERE kind = 'line.override_expired'",
        "UPDATE orders_orderevent SET data = data - 'request' WHERE kind = 'line.override_withdrawn'",
        "UPDATE orders_overriderequest SET status = 'waiting' WHERE status = 'applied'",
    ),
    "consent_in_the_ledger_has_its_request": (
        "DELETE FROM orders_overriderequest WHERE status = 'applied'",
        "UPDATE orders_overriderequest SET status = 'refused' WHERE status = 'applied'",
    ),
    "applied_change_was_approved_by_another": (
        "UPDATE parts_partchange SET decided_by_id = requested_by_id WHERE status = 'applied'",
        "UPDATE parts_partchange SET decided_at = NULL WHERE status = 'applied'",
        "UPDATE parts_partchange SET changes = '{}', entries = '[]' WHERE status = 'applied'",
        "UPDATE parts_historicalpart SET history_user_id = NULL",
    ),
    "controlled_part_changes_by_approval_only": (
        "UPDATE parts_partchange SET status = 'withdrawn' WHERE status = 'applied'",
        "UPDATE parts_historicalpart SET history_change_reason = 'quickly' WHERE history_type = '~'",
    ),
    "decided_change_says_who_and_when": (
        "UPDATE parts_partchange SET refusal = '' WHERE status = 'refused'",
        "UPDATE parts_partchange SET decided_by_id = requested_by_id, decided_at = now() WHERE status = 'waiting'",
        "UPDATE parts_partchange SET decided_at = NULL WHERE status = 'withdrawn'",
    ),
    "case_stands_where_its_ledger_says": (
        "UPDATE integrations_discrepancy SET version = version + 1",
        "UPDATE integrations_discrepancy SET chain_hash = sha256(chain_hash)",
        "DELETE FROM orders_orderevent WHERE kind = 'case.escalated'",
    ),
    "resolved_case_says_how_who_and_when": (
        "UPDATE integrations_discrepancy SET resolved_at = resolved_at + interval '1 hour'",
        "UPDATE integrations_discrepancy SET resolution = 'nothing' WHERE status = 'resolved'",
        "UPDATE integrations_discrepancy SET resolution = 'books' WHERE status = 'open'",
        "UPDATE orders_orderevent SET kind = 'note.added' WHERE kind = 'case.resolved'",
    ),
    "case_goes_from_owner_to_owner": (
        "UPDATE integrations_discrepancy SET owner_id = NULL",
        "DELETE FROM orders_orderevent WHERE kind = 'case.assigned' AND data ->> 'from' IS NULL",
        "DELETE FROM orders_orderevent WHERE kind = 'case.assigned'",
    ),
    "escalated_case_is_with_the_role_it_went_to": (
        "UPDATE integrations_discrepancy SET role = 'Parts manager' WHERE step > 1",
        "UPDATE integrations_discrepancy SET step = 1",
    ),
}
TABLES = ("orders_orderevent", "orders_overriderequest", "parts_partchange", "parts_historicalpart")


def test_every_law_has_a_breach_to_catch_and_is_asked_by_the_command() -> None:
    assert set(BREACHES) == {law.name for law in LAWS_OF_DECISIONS}
    names = [law.name for law in LAWS]
    assert set(BREACHES) <= set(names)
    assert len(set(names)) == len(names)


def ask_for_overrides(asks: User, other: User) -> None:
    """Leave an override in each state."""
    dear()
    ends: list[Callable[..., Any] | None] = [consents.consent, _refuse, None, consents.withdraw, None]
    lines = [line_of_its_own() for _ in ends]
    for line, end in zip(lines, ends, strict=True):
        row = consents.ask(wish=wish(line), **by(asks))
        if end:
            end(request_id=row.pk, **by(asks if end is consents.withdraw else other))
        elif line is lines[2]:
            consents.expire_requests(at=NOW + consents.WAITS_FOR + timedelta(hours=1))


def line_of_its_own() -> OrderLine:
    desk = Desk()
    desk.part.unit_cost = 1000
    desk.part.save(update_fields=["unit_cost"])
    desk.place(3)
    return OrderLine.objects.get(part=desk.part, status="back_ordered", is_split=False)


def _refuse(**facts: Any) -> None:
    consents.refuse(reason="No receipt", **facts)


def ask_for_changes(asks: User, other: User) -> None:
    """Leave a change of a controlled part in each state."""
    made = [controlled() for _ in range(4)]
    rows = [
        request_change(part_id=part.pk, wanted={"description": "Valve"}, reason=f"ECN {part.number}", **by(asks))
        for part in made
    ]
    approve(change_id=rows[0].pk, **by(other))
    refuse(change_id=rows[1].pk, reason="Not this year", **by(other))
    withdraw(change_id=rows[2].pk, **by(asks))
    added = keep_entry(entry=new_number(made[0]), reason="ECN", **by(asks))
    assert added is not None
    approve(change_id=added.pk, **by(other))


def open_cases(asks: User, other: User) -> None:
    """Leave a case that was escalated, and one that two people had before it was resolved."""
    for position, role in enumerate(("Parts manager", "Administrator"), start=1):
        EscalationStep.objects.get_or_create(
            kind="count_level", position=position, defaults={"role": role, "hours": 24}
        )
    desk = Desk()
    desk.put(5)
    level = StockLevel.objects.get(part=desk.part)
    what = Contradiction("count_level", "5 in the books", "4 counted", {"level_id": level.pk})
    late, settled = (cases.open_case(what=what, note="", **by(asks)) for _ in range(2))
    for owner in (asks, other):
        cases.assign(case_id=settled.pk, owner_id=owner.pk, **by(asks))
    cases.resolve(case_id=settled.pk, resolution="books", text="Corrected.", **by(other))
    assert cases.escalate_overdue(at=NOW + timedelta(hours=25)) == 1
    assert Discrepancy.objects.get(pk=late.pk).step == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "breach"), [(name, breach) for name, breaches in BREACHES.items() for breach in breaches]
)
def test_a_law_catches_its_breach(name: str, breach: str, settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    asks, other = person("asks"), person("other")
    ask_for_overrides(asks, other)
    ask_for_changes(asks, other)
    open_cases(asks, other)
    assert broken_laws() == {}
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in (*TABLES, "integrations_discrepancy"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            let_go_of_checks(cursor, table)
        cursor.execute(breach)
        assert cursor.rowcount > 0
    found = broken_laws(LAWS_OF_DECISIONS)
    assert name in found
    assert all(row.subject and row.what_is and row.what_should_be for row in found[name])


def let_go_of_checks(cursor: Any, table: str) -> None:
    """Take the database's own checks away: the laws must see what they would have kept out."""
    cursor.execute(
        "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c' AND NOT coninhcount > 0",
        [table],
    )
    for (check,) in cursor.fetchall():
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{check}"')
    cursor.execute(
        "SELECT indexrelid::regclass FROM pg_index WHERE indrelid = %s::regclass AND indpred IS NOT NULL"
        " AND indisunique",
        [table],
    )
    for (index,) in cursor.fetchall():
        cursor.execute(f"DROP INDEX {index}")

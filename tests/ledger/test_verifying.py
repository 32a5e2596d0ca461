"""verify_ledger finds whatever was done to the ledger, its subjects, notes and anchors, and names it."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from orders.models import LedgerAnchor, OrderEvent
from tests.ledger.tampering import a_life, codes, findings, tamper
from tests.orders.desk import Desk

pytestmark = pytest.mark.django_db(transaction=True)

SECOND = "(SELECT id FROM orders_orderevent WHERE subject_kind = 'service_order' AND version = 2)"
FIRST_NOTE = "(SELECT event_id FROM orders_eventtext ORDER BY event_id LIMIT 1)"


def test_an_untouched_ledger_has_no_findings(committed_desk: Desk) -> None:
    a_life(committed_desk)
    assert findings() == []


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (f"UPDATE orders_orderevent SET actor = 'user:9' WHERE id = {SECOND}", {"event_altered"}),
        (
            f"UPDATE orders_orderevent SET occurred_at = occurred_at + interval '1 us' WHERE id = {SECOND}",
            {"event_altered"},
        ),
        (f"UPDATE orders_orderevent SET data = '{{\"a\": 1}}' WHERE id = {SECOND}", {"event_altered"}),
        (f"UPDATE orders_orderevent SET dwell = interval '1 s' WHERE id = {SECOND}", {"event_altered"}),
        (
            f"UPDATE orders_orderevent SET hash = sha256('x') WHERE id = {SECOND}",
            {"event_altered", "event_link"},
        ),
        (f"DELETE FROM orders_orderevent WHERE id = {SECOND}", {"event_missing"}),
        (
            "DELETE FROM orders_orderevent WHERE id = (SELECT id FROM orders_orderevent AS event WHERE kind ="
            " 'back_order.opened')",
            {"chain_missing"},
        ),
        ("UPDATE orders_serviceorder SET title = title, version = version + 1", {"head_version"}),
        ("UPDATE orders_serviceorder SET chain_hash = sha256('x')", {"head_hash"}),
        ("UPDATE orders_partsorder SET status = 'shipped'", {"head_status"}),
        (f"UPDATE orders_eventtext SET text = 'Nothing was worn' WHERE event_id = {FIRST_NOTE}", {"note_altered"}),
        (f"UPDATE orders_eventtext SET salt = 'x' WHERE event_id = {FIRST_NOTE}", {"note_altered"}),
        (f"INSERT INTO orders_eventtext SELECT gen_random_uuid(), 's', 'He said so', {SECOND}", {"note_added"}),
        ("UPDATE orders_ledgeranchor SET head_digest = sha256('x')", {"anchor_heads", "anchor_signature"}),
        ("UPDATE orders_ledgeranchor SET events = events + 1", {"anchor_counts", "anchor_signature"}),
        ("UPDATE orders_ledgeranchor SET previous_digest = sha256('x')", {"anchor_chain", "anchor_signature"}),
        ("UPDATE orders_ledgeranchor SET public_key = sha256('x')", {"anchor_key_unknown", "anchor_signature"}),
        (
            "UPDATE orders_orderevent SET transaction_id = 9000000000 WHERE version = 1",
            {"anchor_heads", "anchor_counts"},
        ),
    ],
)
def test_what_was_tampered_with_is_found(committed_desk: Desk, statement: str, found: set[str]) -> None:
    a_life(committed_desk)
    tamper(statement)
    assert found <= codes()


def test_who_takes_events_from_a_chains_end_and_sets_its_subject_back_is_found_by_the_anchor(
    committed_desk: Desk,
) -> None:
    a_life(committed_desk)
    tamper("DELETE FROM orders_eventtext USING orders_orderevent AS event WHERE event.id = event_id AND version > 2")
    tamper("DELETE FROM orders_orderevent WHERE subject_kind = 'service_order' AND version > 2")
    tamper("ALTER TABLE orders_serviceorder DISABLE TRIGGER service_order_status_guard")
    tamper(
        "UPDATE orders_serviceorder AS job SET version = 2, chain_hash = event.hash, status = event.to_status"
        " FROM orders_orderevent AS event WHERE event.subject_id = job.id AND event.version = 2"
    )
    tamper("ALTER TABLE orders_serviceorder ENABLE TRIGGER service_order_status_guard")
    assert codes() == {"anchor_heads", "anchor_counts"}


def test_a_finding_names_subject_and_version(committed_desk: Desk) -> None:
    a_life(committed_desk)
    tamper(f"UPDATE orders_orderevent SET source = 'elsewhere' WHERE id = {SECOND}")
    (finding,) = findings()
    event = OrderEvent.objects.get(source="elsewhere")
    assert (finding.code, finding.subject, finding.version) == ("event_altered", event.reference, "2")


def test_the_command_prints_findings_and_fails(committed_desk: Desk) -> None:
    a_life(committed_desk)
    tamper(f"UPDATE orders_orderevent SET source = 'elsewhere' WHERE id = {SECOND}")
    printed = StringIO()
    with pytest.raises(CommandError, match="1 findings") as failure:
        call_command("verify_ledger", stdout=printed)
    assert failure.value.returncode == 1
    assert "v2: is not what was recorded" in printed.getvalue()


def test_the_command_reports_as_json_with_its_speed(committed_desk: Desk) -> None:
    a_life(committed_desk)
    printed = StringIO()
    call_command("verify_ledger", "--json", stdout=printed)
    report = json.loads(printed.getvalue())
    assert report["findings"] == []
    assert report["events"] == OrderEvent.objects.count()
    assert report["anchors"] == LedgerAnchor.objects.count() == 1
    assert report["events_per_second"] > 0


def test_no_role_of_the_application_can_change_the_ledger(committed_desk: Desk) -> None:
    a_life(committed_desk)
    for statement in ("UPDATE orders_orderevent SET source = ''", "DELETE FROM orders_orderevent"):
        with pytest.raises(Exception, match="append_only"), connection.cursor() as cursor:
            cursor.execute(statement)

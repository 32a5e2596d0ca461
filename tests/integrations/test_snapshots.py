"""Inventory snapshots: each row accounted for, the past compared with the past, and nothing corrected by itself."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, BinaryIO, cast

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.actions import cases, snapshots
from integrations.actions.snapshots import Decided
from integrations.models import (
    CountTolerance,
    Discrepancy,
    ExternalSystem,
    InventorySnapshot,
    SnapshotDifference,
)
from integrations.snapshots import loading, reading
from integrations.snapshots.reading import Listed, Unusable
from integrations.statuses import DifferenceKind, DifferenceStatus, SnapshotStatus
from parts.actions import stock
from parts.actors import Actor
from parts.errors import Forbidden, Invalid, NotFound
from parts.models import Part, PartNumber, Region, StockLevel, Warehouse
from parts.sheets import UnreadableFile
from tests.api.world import token_for
from tests.integrations.sending import connect
from tests.racing import Racer, race

BY = Actor.system("test")
NIGHT = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
MORNING = NIGHT + timedelta(hours=6)

pytestmark = pytest.mark.django_db


@pytest.fixture
def system() -> ExternalSystem:
    return ExternalSystem.objects.create(code="wms-north", name="Warehouse North", kind="wms")


@pytest.fixture
def depot() -> Warehouse:
    region = Region.objects.create(code="NORTH", name="North")
    return Warehouse.objects.create(code="N-DEPOT", name="Depot", region=region)


def part(number: str, **fields: Any) -> Part:
    return Part.objects.create(number=number, description=number, unit_cost=Decimal(10), **fields)


def put(one: Part, depot: Warehouse, quantity: int, at: datetime = NIGHT - timedelta(days=1), reason: str = "opening"):
    return stock.correct_stock(
        part_id=one.pk,
        warehouse_id=depot.pk,
        on_hand_change=Decimal(quantity),
        reason=reason,
        by=BY,
        source="test",
        at=at,
    )


def load(system: ExternalSystem, text: str | bytes, as_of: datetime = NIGHT, **how: Any) -> InventorySnapshot:
    body = text.encode() if isinstance(text, str) else text
    snapshot, _is_new = snapshots.receive(
        system=system, file=io.BytesIO(body), name="stock.csv", as_of=as_of, by=BY, at=MORNING, **how
    )
    snapshots.load_next(share=1)
    snapshot.refresh_from_db()
    return snapshot


def differences(snapshot: InventorySnapshot) -> list[tuple[str, Decimal | None, Decimal | None]]:
    rows = snapshot.differences.order_by("kind", "part__number", "named")
    return [(row.kind, row.ours, row.theirs) for row in rows]


HEAD = "part_number,warehouse,on_hand\n"


def test_every_row_is_accounted_for_and_nothing_is_corrected(system, depot) -> None:
    for number, quantity in (("A-1", 5), ("A-2", 7), ("A-3", 3)):
        put(part(number), depot, quantity)
    rows = "A-1,N-DEPOT,5\nA-2,N-DEPOT,4\nA-2,n-depot,1\nX-9,N-DEPOT,2\nA-1,ELSEWHERE,1\nA-1,N-DEPOT,many\n"
    snapshot = load(system, HEAD + rows)
    assert snapshot.status == SnapshotStatus.COMPARED
    assert (snapshot.rows, snapshot.unreadable, snapshot.stock) == (6, 1, 4)
    assert (snapshot.same, snapshot.different, snapshot.unknown, snapshot.not_listed) == (1, 1, 2, 1)
    assert differences(snapshot) == [
        (DifferenceKind.NOT_LISTED, Decimal(3), Decimal(0)),
        (DifferenceKind.QUANTITY, Decimal(7), Decimal(5)),
        (DifferenceKind.UNKNOWN_PART, None, Decimal(2)),
        (DifferenceKind.UNKNOWN_PLACE, None, Decimal(1)),
        (DifferenceKind.UNREADABLE, None, None),
    ]
    assert snapshot.differences.get(kind="unreadable").line == 7
    assert snapshot.value == Decimal(50)
    assert sorted(StockLevel.objects.values_list("on_hand", flat=True)) == [3, 5, 7]


def test_what_a_partial_snapshot_does_not_list_it_says_nothing_of(system, depot) -> None:
    put(part("A-1"), depot, 5)
    put(part("A-2"), depot, 5)
    snapshot = load(system, f"{HEAD}A-1,N-DEPOT,5\n", is_complete=False)
    assert (snapshot.same, snapshot.not_listed) == (1, 0)


def test_the_books_are_taken_as_they_were_at_its_moment(system, depot) -> None:
    one = part("A-1")
    put(one, depot, 5)
    put(one, depot, -2, at=NIGHT + timedelta(hours=1), reason="damage")  # after the night's picture
    snapshot = load(system, f"{HEAD}A-1,N-DEPOT,5\n")
    assert (snapshot.same, snapshot.different) == (1, 0)


def test_an_approval_changes_the_books_by_what_differed_and_leaves_what_has_happened_since(system, depot) -> None:
    one = part("A-1")
    put(one, depot, 9)
    snapshot = load(system, f"{HEAD}A-1,N-DEPOT,7\n")
    put(one, depot, -3, at=NIGHT + timedelta(hours=3), reason="damage")
    row = snapshot.differences.get()
    decided = snapshots.approve(differences=[row.pk], reason="Counted again", by=BY, source="test", at=MORNING)
    assert (decided.corrected, decided.settled, decided.held) == (1, 0, 0)
    assert StockLevel.objects.get().on_hand == 4
    row.refresh_from_db()
    assert (row.status, row.reason, row.decided_by) == (DifferenceStatus.CORRECTED, "Counted again", "system:test")
    assert row.correction is not None
    assert row.correction.reference == "wms-north 2026-11-22T02:00Z"
    with pytest.raises(NotFound):
        snapshots.approve(differences=[row.pk], reason="Twice", by=BY, source="test", at=MORNING)
    assert StockLevel.objects.get().on_hand == 4


def test_what_somebody_counted_meanwhile_is_not_corrected_a_second_time(system, depot) -> None:
    one = part("A-1")
    put(one, depot, 9)
    snapshot = load(system, f"{HEAD}A-1,N-DEPOT,7\n")
    put(one, depot, -2, at=NIGHT + timedelta(hours=3), reason="count")
    decided = snapshots.approve(
        differences=[snapshot.differences.get().pk], reason="Right", by=BY, source="test", at=MORNING
    )
    assert (decided.corrected, decided.settled) == (0, 1)
    assert StockLevel.objects.get().on_hand == 7


def test_what_is_reserved_is_not_taken_away_by_an_approval(system, depot) -> None:
    put(part("A-1"), depot, 5)
    StockLevel.objects.update(reserved=4)
    snapshot = load(system, f"{HEAD}A-1,N-DEPOT,2\n")
    decided = snapshots.approve(
        differences=[snapshot.differences.get().pk], reason="Right", by=BY, source="test", at=MORNING
    )
    assert decided.held == 1
    assert snapshot.differences.get().status == DifferenceStatus.OPEN
    assert StockLevel.objects.get().on_hand == 5


def test_a_stock_that_only_they_know_is_added_by_an_approval_with_what_is_unfit(system, depot) -> None:
    part("A-1")
    snapshot = load(system, "Part Number;Warehouse;On hand;Unfit;Bin\nA-1;N-DEPOT;2,0;1;R1\nA-1;N-DEPOT;1;;R2\n")
    assert (snapshot.different, snapshot.value) == (1, Decimal(30))
    snapshots.approve_all(snapshot=snapshot, reason="Opening", by=BY, source="test", at=MORNING, only_within=False)
    level = StockLevel.objects.get()
    assert (level.on_hand, level.unfit) == (3, 1)


def test_half_a_piece_is_nobodys_to_book_and_hinders_no_other(system, depot) -> None:
    part("A-1")
    part("A-2")
    snapshot = load(system, f"{HEAD}A-1,N-DEPOT,2.5\nA-2,N-DEPOT,1\n")
    decided = snapshots.approve_all(
        snapshot=snapshot, reason="Night", by=BY, source="test", at=MORNING, only_within=False
    )
    assert (decided.corrected, decided.held) == (1, 1)


def test_all_within_the_tolerance_are_corrected_and_those_beyond_wait_for_a_person(system, depot) -> None:
    CountTolerance.objects.update_or_create(criticality="C", defaults={"share": 50, "value": 1000})
    for number in ("A-1", "A-2", "A-3"):
        put(part(number, criticality="C"), depot, 10)
    snapshot = load(system, f"{HEAD}A-1,N-DEPOT,9\nA-2,N-DEPOT,8\nA-3,N-DEPOT,1\n")
    assert snapshot.beyond == 1
    decided = snapshots.approve_all(snapshot=snapshot, reason="Usual", by=BY, source="test", at=MORNING)
    assert decided.corrected == 2
    assert sorted(StockLevel.objects.values_list("on_hand", flat=True)) == [8, 9, 10]


def test_each_warehouse_beyond_its_tolerance_has_one_case_however_much_differs(system, depot) -> None:
    CountTolerance.objects.update_or_create(criticality="C", defaults={"share": 5, "value": 20})
    for number in ("A-1", "A-2", "A-3"):
        put(part(number, criticality="C"), depot, 10)
    load(system, f"{HEAD}A-1,N-DEPOT,1\nA-2,N-DEPOT,4\nA-3,N-DEPOT,10\n")
    case = Discrepancy.objects.get()
    assert case.expected_said == "10 × A-1 in the books of N-DEPOT"
    assert case.found_said == "1 by wms-north; in all 2 beyond the tolerance, worth 150.00"
    assert case.level is not None
    assert case.level.part.number == "A-1"


def test_corrections_that_a_person_approved_open_no_case_of_a_count(system, depot) -> None:
    CountTolerance.objects.update_or_create(criticality="C", defaults={"share": 5, "value": 20})
    put(part("A-1", criticality="C"), depot, 10)
    snapshot = load(system, f"{HEAD}A-1,N-DEPOT,1\n")
    snapshots.approve_all(snapshot=snapshot, reason="Seen", by=BY, source="test", at=MORNING, only_within=False)
    assert cases.open_for_counts(at=timezone.now()) == 0


def test_parts_are_known_by_the_numbers_of_the_system_itself_before_ours(system, depot) -> None:
    ours, theirs = part("100"), part("A-1")
    PartNumber.objects.create(part=theirs, system="WMS-North", number="0100")
    PartNumber.objects.create(part=theirs, system="wms-north", number="100")
    put(theirs, depot, 5)
    put(ours, depot, 1)
    snapshot = load(system, f"{HEAD}100,N-DEPOT,5\n")
    assert (snapshot.same, snapshot.not_listed) == (1, 1)


def test_a_newer_snapshot_replaces_what_was_open_of_the_older_ones_in_its_places(system, depot) -> None:
    other = Warehouse.objects.create(code="S-DEPOT", name="South", region=depot.region)
    put(part("A-1"), depot, 5)
    put(part("A-2"), other, 5)
    first = load(system, f"{HEAD}A-1,N-DEPOT,4\nA-2,S-DEPOT,4\n")
    second = load(system, f"{HEAD}A-1,N-DEPOT,3\n", as_of=NIGHT + timedelta(hours=1))
    assert dict(first.differences.values_list("warehouse__code", "status")) == {
        "N-DEPOT": DifferenceStatus.SUPERSEDED,
        "S-DEPOT": DifferenceStatus.OPEN,
    }
    assert second.differences.get().status == DifferenceStatus.OPEN


def test_the_same_file_again_has_no_second_effect(system, depot) -> None:
    put(part("A-1"), depot, 5)
    text = f"{HEAD}A-1,N-DEPOT,4\n"
    assert load(system, text).pk == load(system, text).pk
    assert SnapshotDifference.objects.count() == 1


def test_another_file_under_the_same_key_and_an_older_moment_are_refused(system, depot) -> None:
    put(part("A-1"), depot, 5)
    load(system, f"{HEAD}A-1,N-DEPOT,4\n", key="night")
    with pytest.raises(Invalid, match="Another file"):
        load(system, f"{HEAD}A-1,N-DEPOT,3\n", key="night")
    with pytest.raises(Invalid, match="newer"):
        load(system, f"{HEAD}A-1,N-DEPOT,3\n", as_of=NIGHT - timedelta(hours=1))
    with pytest.raises(Invalid, match="not come yet"):
        load(system, f"{HEAD}A-1,N-DEPOT,3\n", as_of=MORNING + timedelta(days=1))


def test_who_may_not_load_or_decide_is_refused(system, depot, technician) -> None:
    put(part("A-1"), depot, 5)
    snapshot = load(system, f"{HEAD}A-1,N-DEPOT,4\n")
    nobody = Actor.user(technician)
    with pytest.raises(Forbidden):
        snapshots.receive(system=system, file=io.BytesIO(b"x"), name="x", as_of=NIGHT, by=nobody, at=MORNING)
    with pytest.raises(Forbidden):
        snapshots.approve_all(snapshot=snapshot, reason="Mine", by=nobody, source="test", at=MORNING, only_within=False)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b"part_number,warehouse\nA-1,N-DEPOT\n", "missing: on_hand"),
        (b"part_number,part_number,warehouse,on_hand\n", "twice: part_number"),
        ("part_number,warehouse,on_hand\nÄ,N,1\n".encode("latin-1"), "UTF-8"),
        (b'part_number,warehouse,on_hand\n"A-1,N-DEPOT,1\n', "Line 2"),
        (gzip.compress(HEAD.encode() * 500)[:-20], "damaged"),
        (b"part_number,warehouse,on_hand\n" + b"x" * 200_000, "Line 2"),
    ],
    ids=("empty", "column missing", "column twice", "latin", "open quote", "cut gzip", "endless line"),
)
def test_a_file_that_is_none_is_refused_with_the_reason_and_leaves_nothing(system, depot, body, says) -> None:
    snapshot = load(system, body)
    assert snapshot.status == SnapshotStatus.REFUSED
    assert says in snapshot.refused_because
    assert not SnapshotDifference.objects.exists()


def test_a_file_of_which_nearly_all_differs_is_refused_and_older_ones_stay(system, depot, monkeypatch) -> None:
    put(part("A-1"), depot, 5)
    put(part("A-2"), depot, 5)
    first = load(system, f"{HEAD}A-1,N-DEPOT,5\nA-2,N-DEPOT,4\n")
    monkeypatch.setattr(loading, "MOST_DIFFERENCES", 1)
    second = load(system, f"{HEAD}A-1,N-DEPOT,1\nA-2,N-DEPOT,1\n", as_of=NIGHT + timedelta(hours=1))
    assert "More than 1 stocks differ" in second.refused_because
    assert first.differences.get().status == DifferenceStatus.OPEN
    assert not second.differences.exists()


def test_packed_files_are_read_and_bombs_are_not(system, depot, monkeypatch) -> None:
    put(part("A-1"), depot, 5)
    assert load(system, gzip.compress(f"\ufeff{HEAD}A-1,N-DEPOT,5\n".encode())).same == 1
    monkeypatch.setattr(reading, "MOST_BYTES", 100_000)
    with pytest.raises(UnreadableFile, match="larger"):
        list(reading.read(io.BytesIO(gzip.compress(HEAD.encode() + b"A-1,N-DEPOT,5\n" * 100_000))))


@given(st.binary(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_stands_below_a_heading_is_read_or_named(body: bytes) -> None:
    try:
        rows = list(reading.read(io.BytesIO(HEAD.encode() + body)))
    except UnreadableFile:
        return
    text = body.decode("utf-8")
    assert all(isinstance(row, Listed | Unusable) for row in rows)
    if not set('"\r') & set(text):
        assert len(rows) == sum(any(line.split(",")) for line in text.split("\n"))


def test_slices_are_compared_with_as_many_statements_as_there_are_slices(system, depot, monkeypatch) -> None:
    monkeypatch.setattr(loading, "SLICE", 10)
    for number in range(40):
        put(part(f"A-{number}"), depot, 5)
    rows = "".join(f"A-{number},N-DEPOT,{5 + (number == 39)}\n" for number in range(40))
    snapshot = load(system, HEAD + rows)
    assert (snapshot.same, snapshot.different, snapshot.not_listed) == (39, 1, 0)
    assert (snapshot.slices, snapshot.slices_done) == (5, 5)
    keys = list(snapshot.differences.values_list("pk", flat=True))
    with CaptureQueriesContext(connection) as seen:
        snapshots.approve(differences=keys, reason="One", by=BY, source="test", at=MORNING)
    assert len(seen) < 25


def test_a_loader_that_was_killed_is_followed_by_one_that_begins_anew(system, depot) -> None:
    put(part("A-1"), depot, 5)
    snapshot, _is_new = snapshots.receive(
        system=system, file=io.BytesIO(f"{HEAD}A-1,N-DEPOT,4\n".encode()), name="x", as_of=NIGHT, by=BY, at=MORNING
    )

    class Killed(BaseException):
        pass

    def die(_seconds: float) -> None:
        if SnapshotDifference.objects.exists():
            raise Killed

    claimed = snapshots._claim(timezone.now())
    assert claimed is not None
    with pytest.raises(Killed), snapshots.default_storage.open(claimed.file) as file:
        loading.compare(snapshot=claimed, file=cast(BinaryIO, file), pace=loading.Pace(share=0.5, rest=die))
    assert snapshots.load_next(share=1) is None  # its claim has not lapsed
    assert snapshot.differences.get().status == DifferenceStatus.PENDING
    InventorySnapshot.objects.update(claimed_until=timezone.now())
    done = snapshots.load_next(share=1)
    assert done is not None
    assert (done.status, done.attempts, done.different) == (SnapshotStatus.COMPARED, 2, 1)
    assert snapshot.differences.get().status == DifferenceStatus.OPEN


def test_one_that_ends_its_loader_again_and_again_is_refused(system, depot) -> None:
    snapshots.receive(system=system, file=io.BytesIO(b"x"), name="x", as_of=NIGHT, by=BY, at=MORNING)
    InventorySnapshot.objects.update(attempts=snapshots.MOST_ATTEMPTS)
    done = snapshots.load_next(share=1)
    assert done is not None
    assert "failed 5 times" in done.refused_because


def test_the_pace_rests_as_long_as_it_worked() -> None:
    ticks = iter([0.0, 3.0, 3.0, 4.0, 4.0])
    rested: list[float] = []
    pace = loading.Pace(share=0.5, rest=rested.append, clock=lambda: next(ticks))
    pace.piece()
    pace.piece()
    assert rested == [3.0, 1.0]


def test_the_command_says_what_it_found_and_why_it_did_not(system, depot, tmp_path, capsys) -> None:
    put(part("A-1"), depot, 5)
    file = tmp_path / "stock.csv"
    file.write_text(f"{HEAD}A-1,N-DEPOT,4\n")
    said = io.StringIO()
    call_command("load_snapshot", str(file), system="wms-north", as_of="2026-11-22T02:00:00Z", stdout=said, share=1.0)
    assert "1 rows, 0 of them unreadable; 1 stocks: 0 as in the books, 1 different" in said.getvalue()
    with pytest.raises(CommandError, match="zone"):
        call_command("load_snapshot", str(file), system="wms-north", as_of="2026-11-22T02:00:00")
    with pytest.raises(CommandError, match="no external system"):
        call_command("load_snapshot", str(file), system="nobody", as_of="2026-11-22T02:00:00Z")
    with pytest.raises(CommandError, match="cannot be opened"):
        call_command("load_snapshot", str(tmp_path / "none"), system="wms-north", as_of="2026-11-22T02:00:00Z")


def test_what_was_compared_long_ago_keeps_what_people_decided_and_nothing_else(system, depot, settings) -> None:
    put(part("A-1"), depot, 5)
    put(part("A-2"), depot, 5)
    first = load(system, f"{HEAD}A-1,N-DEPOT,4\nA-2,N-DEPOT,4\n")
    kept = first.differences.get(part__number="A-1")
    snapshots.approve(differences=[kept.pk], reason="Seen", by=BY, source="test", at=MORNING)
    load(system, f"{HEAD}A-1,N-DEPOT,4\nA-2,N-DEPOT,3\n", as_of=NIGHT + timedelta(hours=1))
    later = MORNING + timedelta(days=settings.SNAPSHOT_KEEP_DAYS, seconds=1)
    assert snapshots.forget_old(at=later) == 1
    assert list(first.differences.values_list("pk", flat=True)) == [kept.pk]
    assert set(InventorySnapshot.objects.values_list("file", flat=True)) == {""}
    assert snapshots.forget_old(at=later) == 0


def test_a_system_sends_its_own_snapshot_by_the_api_and_sees_what_came_of_it(depot, client, settings) -> None:
    connect()
    post = token_of(client)
    put(part("A-1"), depot, 5)
    body = gzip.compress(f"{HEAD}A-1,N-DEPOT,4\n".encode())
    address = "/api/v1/snapshots/wms-north/"
    answer = post(f"{address}?as_of=2026-11-22T02:00:00Z", body)
    assert (answer.status_code, answer.json()["status"]) == (202, "received")
    assert post(f"{address}?as_of=2026-11-22T02:00:00Z", body).status_code == 200
    snapshots.load_next(share=1)
    shown = post(f"{address}{answer.json()['id']}/", None).json()
    assert (shown["status"], shown["stock"], shown["different"]) == ("compared", 1, 1)
    assert len(post(address, None).json()["results"]) == 1
    for wrong in ("", "?as_of=yesterday", "?as_of=2026-11-22T02:00:00", "?as_of=2026-11-22T02:00:00Z&complete=no"):
        assert post(f"{address}{wrong}", body).status_code == 400
    assert post("/api/v1/snapshots/another/?as_of=2026-11-22T02:00:00Z", body).status_code == 404
    settings.SNAPSHOT_MAX_BYTES = 10
    refused = post(f"{address}?as_of=2026-11-22T03:00:00Z", body)
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")


def token_of(client: Client) -> Callable[[str, bytes | None], Any]:
    """Return what asks in the system's name: with a body a POST, without one a GET."""
    account = ExternalSystem.objects.get().account
    headers = {"authorization": f"Bearer {token_for(account, ['inbound:write'])}"}

    def ask(address: str, body: bytes | None) -> Any:
        if body is None:
            return client.get(address, headers=headers)
        return client.post(address, body, content_type="text/csv", headers=headers)

    return ask


def both_approve(system: ExternalSystem, depot: Warehouse) -> tuple[Racer, Racer]:
    put(part("A-1"), depot, 5)
    snapshot = load(system, f"{HEAD}A-1,N-DEPOT,4\n")
    keys = [snapshot.differences.get().pk]

    def approve() -> Decided:
        return snapshots.approve(differences=keys, reason="Both", by=BY, source="test", at=MORNING)

    return race(approve, approve)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_two_who_approve_the_same_one_corrects_it_and_the_other_is_told(system, depot) -> None:
    first, second = both_approve(system, depot)
    assert first.result == Decided(corrected=1)
    assert isinstance(second.error, NotFound)
    assert StockLevel.objects.get().on_hand == 4
    assert SnapshotDifference.objects.get().correction is not None


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_without_its_lock_the_second_approval_forgets_how_the_first_corrected_it(system, depot, monkeypatch) -> None:
    rows = SnapshotDifference.objects.select_related("snapshot__system")
    monkeypatch.setattr(snapshots, "_locked", lambda keys, kinds=(): list(rows.filter(pk__in=keys, status="open")))
    first, second = both_approve(system, depot)
    assert (first.result, second.result) == (Decided(corrected=1), Decided(settled=1))
    assert SnapshotDifference.objects.get().correction is None

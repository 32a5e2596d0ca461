"""The rank of a back order: one number, the same in Python and in SQL, that no clock changes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from backorders import sql
from backorders.actions.policy import WEIGHTS
from backorders.models import AllocationPolicy
from backorders.priority import Facts, rank, terms
from orders.statuses import Tier
from parts.statuses import Criticality, Purpose

OPENED = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
MOMENTS = st.timedeltas(timedelta(days=-13_000), timedelta(days=23_000)).map(lambda since: OPENED + since)
FACTS = st.builds(
    Facts,
    kind=st.sampled_from(Purpose.values),
    tier=st.sampled_from([*Tier.values, ""]),
    criticality=st.sampled_from(Criticality.values),
    downtime_cost=st.decimals(0, "9999999999.99", places=2),
    contract_points=st.decimals(-999999, 999999, places=2),
)
POLICIES = st.fixed_dictionaries(
    {name: st.decimals(0 if name == "ageing_per_day" else -99999, 99999, places=3) for name in WEIGHTS}
).map(lambda weights: SimpleNamespace(**weights))


def rank_in_sql(facts: Facts, opened_at: datetime, weights: Any, pinned: bool) -> Decimal:
    columns = ", ".join(f"%({name})s::numeric AS {name}" for name in WEIGHTS)
    row = facts.as_json() | {"opened_at": opened_at.isoformat(), "pinned_at": OPENED.isoformat() if pinned else None}
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH policy AS (SELECT {columns}) SELECT {sql.rank('item')} FROM policy,"
            " json_to_record(%(row)s::json) AS item (kind text, tier text, criticality text, downtime_cost numeric,"
            " contract_points numeric, opened_at timestamptz, pinned_at timestamptz)",
            {name: getattr(weights, name) for name in WEIGHTS} | {"row": json.dumps(row)},
        )
        return cursor.fetchone()[0]


@given(facts=FACTS, opened_at=MOMENTS, weights=POLICIES, pinned=st.booleans())
def test_python_and_sql_rank_alike(
    django_db_blocker: Any, facts: Facts, opened_at: datetime, weights: Any, pinned: bool
) -> None:
    with django_db_blocker.unblock():
        assert rank(facts, opened_at, weights, pinned=pinned) == rank_in_sql(facts, opened_at, weights, pinned)


@given(one=FACTS, other=FACTS, opened=st.tuples(MOMENTS, MOMENTS), weights=POLICIES)
def test_who_is_pinned_stands_before_all_who_are_not(
    one: Facts, other: Facts, opened: tuple[datetime, datetime], weights: Any
) -> None:
    assert rank(one, opened[0], weights, pinned=True) > rank(other, opened[1], weights)


@given(one=FACTS, other=FACTS, opened=st.tuples(MOMENTS, MOMENTS), later=st.timedeltas(timedelta(0), timedelta(9999)))
def test_of_two_the_same_stays_ahead_as_time_passes(
    one: Facts, other: Facts, opened: tuple[datetime, datetime], later: timedelta
) -> None:
    """The rank does not know the present: shifting the whole world in time shifts both by the same."""
    weights = AllocationPolicy()
    before = rank(one, opened[0], weights) - rank(other, opened[1], weights)
    after = rank(one, opened[0] + later, weights) - rank(other, opened[1] + later, weights)
    assert abs(before - after) <= Decimal("0.000002")  # rounding of two ageing terms


@given(facts=FACTS, opened_at=MOMENTS, weights=POLICIES)
def test_the_terms_add_up_to_the_rank(facts: Facts, opened_at: datetime, weights: Any) -> None:
    assert sum(terms(facts, opened_at, weights).values()) == rank(facts, opened_at, weights)


@given(facts=FACTS)
def test_facts_are_read_as_they_were_written(facts: Facts) -> None:
    assert Facts.from_json(json.loads(json.dumps(facts.as_json()))) == facts


def standing(**changes: Any) -> Decimal:
    facts: dict[str, Any] = {
        "kind": "service",
        "tier": "silver",
        "criticality": "B",
        "downtime_cost": Decimal(0),
        "contract_points": Decimal(0),
    }
    opened_at = changes.pop("opened_at", OPENED)
    return rank(Facts(**facts | changes), opened_at, AllocationPolicy())


def test_more_urgent_needs_rank_higher() -> None:
    rising: dict[str, list[Any]] = {
        "kind": ["transfer", "stock", "service", "emergency"],
        "tier": ["bronze", "silver", "gold", "platinum"],
        "criticality": ["C", "B", "A"],
        "downtime_cost": [Decimal(0), Decimal(100), Decimal(10_000)],
        "contract_points": [Decimal(0), Decimal(50)],
        "opened_at": [OPENED, OPENED - timedelta(days=1), OPENED - timedelta(days=30)],
    }
    for field, values in rising.items():
        ranks = [standing(**{field: value}) for value in values]
        assert ranks == sorted(ranks)
        assert len(set(ranks)) == len(ranks)


def test_ten_days_of_waiting_outweigh_a_tier() -> None:
    assert standing(opened_at=OPENED - timedelta(days=10)) == standing(tier="gold")

"""Many reports in one call, each with its own result."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config import roles
from orders.models import OrderLine
from tests.api.world import Caller, World, token_for

pytestmark = pytest.mark.django_db


def _update(subject_id: object, status: str = "delivered", **more: object) -> dict[str, Any]:
    return {
        "subject": "line",
        "id": str(subject_id),
        "status": status,
        "occurred_at": timezone.now().isoformat(),
        **more,
    }


def test_each_report_has_its_own_result_and_a_bad_one_does_not_hinder_the_others(world: World, erp: Caller) -> None:
    line, job = world.placed().lines[0], world.job()
    answer = erp.post(
        "status-updates/",
        {
            "updates": [
                _update(line.id),
                _update(uuid.uuid4()),
                {"subject": "moon"},
                _update(job.pk, "in_progress", subject="service_order"),
                "nonsense",
                _update(line.id, "flown"),
            ]
        },
    )
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [result["outcome"] for result in results] == ["moved", "refused", "refused", "moved", "refused", "refused"]
    assert [result["refusal"] and result["refusal"]["code"] for result in results] == [
        None,
        "not_found",
        "invalid",
        None,
        "invalid",
        "invalid",
    ]
    assert set(results[2]["refusal"]["extra"]["fields"]) == {"subject", "id", "status", "occurred_at"}
    assert (results[0]["status"], results[0]["reference"]) == ("delivered", line.reference)


def test_a_repeated_message_has_one_effect_and_a_late_one_is_filed(world: World, erp: Caller) -> None:
    line = world.placed().lines[0].id
    first = {"updates": [_update(line, "packed", message_id="m-1")]}
    assert erp.post("status-updates/", first).json()["results"][0]["outcome"] == "moved"
    assert erp.post("status-updates/", first).json()["results"][0]["outcome"] == "repeated"
    late = _update(line, "picking", occurred_at=(timezone.now() - timedelta(hours=1)).isoformat(), message_id="m-0")
    assert erp.post("status-updates/", {"updates": [late]}).json()["results"][0]["outcome"] == "filed"
    assert OrderLine.objects.get(pk=line).status == "packed"


def test_message_ids_of_two_clients_are_not_mixed_up(world: World, manager: User) -> None:
    one, two = world.placed().lines[0].id, world.placed().lines[0].id
    for caller, line in [(Caller(token_for(manager)), one), (Caller(token_for(manager)), two)]:
        body = {"updates": [_update(line, "packed", message_id="1")]}
        assert caller.post("status-updates/", body).json()["results"][0]["outcome"] == "moved"


@pytest.mark.parametrize("body", [{}, {"updates": []}, {"updates": {}}, {"updates": [{}] * 1001}, [], "x", None])
def test_a_call_without_reports_or_with_too_many_is_refused(world: World, erp: Caller, body: object) -> None:
    answer = erp.post("status-updates/", body)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["updates"])


def test_what_a_partner_may_not_see_is_not_there_in_a_batch_either(world: World, partner: User) -> None:
    world.give_access(partner)
    partner.groups.model.objects.get(name=roles.PARTNER.name).permissions.add(
        *partner.groups.model.objects.get(name=roles.TECHNICIAN.name).permissions.filter(codename="move_orderline")
    )
    carrier = Caller(token_for(partner))
    mine, foreign = world.placed().lines[0].id, world.placed(world.theirs).lines[0].id
    answer = carrier.post("status-updates/", {"updates": [_update(foreign, "packed"), _update(mine, "packed")]})
    assert [(row["outcome"], row["reference"]) for row in answer.json()["results"]][0] == ("refused", "")
    assert answer.json()["results"][1]["outcome"] == "moved"
    assert OrderLine.objects.get(pk=foreign).status == "reserved"


def test_the_number_of_statements_does_not_depend_on_how_many_reports_there_are(world: World, erp: Caller) -> None:
    counts = []
    for size in (2, 20):
        lines = [world.placed().lines[0].id for _ in range(size)]
        with CaptureQueriesContext(
            connection,
        ) as statements:
            answer = erp.post("status-updates/", {"updates": [_update(line, "packed") for line in lines]})
        assert {row["outcome"] for row in answer.json()["results"]} == {"moved"}
        counts.append(len(statements))
    assert counts[0] >= counts[1]

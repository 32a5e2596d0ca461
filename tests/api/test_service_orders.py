"""Jobs through the API: opened, moved step by step, claimed, noted, overridden."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User

from orders.models import ServiceOrder
from tests.api.world import Caller, World, token_for

pytestmark = pytest.mark.django_db

VERBS: dict[str, dict[str, object] | None] = {
    "move": {"to": "in_progress"},
    "fast-forward": {"to": "ready_for_return"},
    "override": {"to": "completed", "reason": "Seen on site", "reference": "T-1"},
    "assign": {"technician": None},
    "claim": None,
    "notes": {"text": "Customer called"},
}


def test_a_job_is_opened_as_draft_and_read(world: World, erp: Caller) -> None:
    answer = erp.post("service-orders/", {"customer": str(world.ours.pk), "title": "Press loses pressure"})
    assert answer.status_code == 201
    job = erp.client.get(answer["Location"], headers=erp.headers).json()
    assert (job["status"], job["title"], job["version"]) == ("draft", "Press loses pressure", 1)
    assert job["allowed"] == ["scheduled", "cancelled"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"customer": "x"}, "customer"),
        ({"customer": str(uuid.uuid4())}, "customer"),
        ({"title": ""}, "title"),
        ({"title": "x" * 161}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"status": "completed"}, "status"),
        ({"equipment": str(uuid.uuid4())}, "equipment"),
        ({"contract": str(uuid.uuid4())}, "contract"),
        ({"scheduled_for": "2026-13-01"}, "scheduled_for"),
        ({"machine_down": "perhaps"}, "machine_down"),
    ],
)
def test_what_is_wrong_with_a_job_is_said_by_field(
    world: World, erp: Caller, change: dict[str, object], field: str
) -> None:
    answer = erp.post("service-orders/", {"customer": str(world.ours.pk), "title": "Press", **change})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])
    assert not ServiceOrder.objects.exists()


def test_a_job_moves_one_step_and_a_jump_is_refused(world: World, erp: Caller) -> None:
    job = world.job()
    assert erp.post(f"service-orders/{job.pk}/move/", {"to": "in_progress"}).json()["version"] == 2
    jump = erp.post(f"service-orders/{job.pk}/move/", {"to": "completed"})
    assert (jump.status_code, jump.json()["code"]) == (409, "transition_refused")
    assert jump.json()["allowed"] == ["awaiting_parts", "new", "cancelled"]


def test_cancelling_a_job_needs_a_reason(world: World, erp: Caller) -> None:
    job = world.job()
    refused = erp.post(f"service-orders/{job.pk}/move/", {"to": "cancelled"})
    assert (refused.status_code, refused.json()["code"]) == (400, "reason_required")
    done = erp.post(f"service-orders/{job.pk}/move/", {"to": "cancelled", "note": "Machine was sold"})
    assert done.json()["status"] == "cancelled"


def test_fast_forward_walks_every_step_and_marks_those_in_between(world: World, erp: Caller) -> None:
    job = world.job()
    answer = erp.post(f"service-orders/{job.pk}/fast-forward/", {"to": "ready_for_return"})
    assert answer.json()["status"] == "ready_for_return"
    steps = [
        (event["to_status"], event["passed_through"])
        for event in erp.get(f"service-orders/{job.pk}/timeline/").json()["results"]
        if event["kind"] == "service_order.status_changed"
    ]
    assert steps == [
        ("in_progress", True),
        ("awaiting_parts", True),
        ("with_manufacturer", True),
        ("ready_for_return", False),
    ]


def test_an_override_needs_the_scope_for_it(world: World, erp: Caller, manager: User) -> None:
    job = world.job()
    without = Caller(token_for(manager, ["orders:read", "orders:write"]))
    refused = without.post(f"service-orders/{job.pk}/override/", VERBS["override"])
    assert (refused.status_code, refused.json()["permission"]) == (403, "orders.override_serviceorder")
    assert erp.post(f"service-orders/{job.pk}/override/", VERBS["override"]).json()["status"] == "completed"


def test_a_job_is_given_to_a_technician_and_taken_away(world: World, erp: Caller, technician: User) -> None:
    job = world.job()
    assert erp.post(f"service-orders/{job.pk}/assign/", {"technician": technician.pk}).status_code == 200
    assert erp.get(f"service-orders/{job.pk}/").json()["technician"] == technician.pk
    assert erp.post(f"service-orders/{job.pk}/assign/", {"technician": None}).status_code == 200
    nonsenses: list[Any] = [10**9, 2**40, 10**30, -1, 0, "me", "1_0", 1.5, True, [], {}]
    for nonsense in nonsenses:
        answer = erp.post(f"service-orders/{job.pk}/assign/", {"technician": nonsense})
        assert (answer.status_code, list(answer.json()["fields"])) == (400, ["technician"]), nonsense


def test_a_job_is_given_to_technicians_alone(
    world: World, erp: Caller, partner: User, auditor: User, manager: User, technician: User
) -> None:
    job = world.job()
    technician.is_active = False
    technician.save()
    answers = set()
    for person in (partner.pk, auditor.pk, manager.pk, technician.pk, 999_999):  # the last is nobody's
        answer = erp.post(f"service-orders/{job.pk}/assign/", {"technician": person})
        answers.add((answer.status_code, json.dumps(answer.json() | {"instance": ""})))
    assert len(answers) == 1
    assert '"There is no such technician."' in answers.pop()[1]
    assert ServiceOrder.objects.get(pk=job.pk).technician_id is None


def test_who_may_not_assign_learns_of_nobody(world: World, dealer: Caller, trusted: Caller, technician: User) -> None:
    """Whether there is such a person is looked at last: after the right, and after the job."""
    foreign = world.job(world.theirs)
    for person in (technician.pk, 999_999):
        answer = trusted.post(f"service-orders/{foreign.pk}/assign/", {"technician": person})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        answer = trusted.post(f"service-orders/{foreign.pk}/assign/", {"technician": person}, If_Match='"9"')
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_technician_claims_a_job_in_their_session(world: World, technician: User, client) -> None:
    job = world.job()
    client.force_login(technician)
    answer = Caller(client=client).post(f"service-orders/{job.pk}/claim/")
    assert answer.status_code == 200
    assert ServiceOrder.objects.get(pk=job.pk).technician == technician


def test_a_note_is_on_the_timeline_and_a_public_one_is_read_by_the_partner(
    world: World, erp: Caller, dealer: Caller
) -> None:
    job = world.job()
    erp.post(f"service-orders/{job.pk}/notes/", {"text": "Ours alone"})
    erp.post(f"service-orders/{job.pk}/notes/", {"text": "We are on our way", "public": True})
    ours = [event["note"] for event in erp.get(f"service-orders/{job.pk}/timeline/").json()["results"]]
    theirs = [event["note"] for event in dealer.get(f"service-orders/{job.pk}/timeline/").json()["results"]]
    assert "Ours alone" in ours
    assert theirs == ["We are on our way"]


@pytest.mark.parametrize("verb", VERBS)
def test_a_job_of_somebody_else_or_none_at_all_is_not_there(
    world: World, trusted: Caller, erp: Caller, verb: str
) -> None:
    job = world.job(world.theirs)
    refused = 403 if verb == "claim" else 404  # only people claim jobs: no scope has the right to it
    assert trusted.post(f"service-orders/{job.pk}/{verb}/", VERBS[verb]).status_code == refused
    assert trusted.get(f"service-orders/{job.pk}/").status_code == 404
    assert erp.post(f"service-orders/{uuid.uuid4()}/{verb}/", VERBS[verb]).status_code in (403, 404)
    assert ServiceOrder.objects.get(pk=job.pk).version == 1


def test_drafts_are_for_staff(world: World, dealer: Caller, erp: Caller) -> None:
    job = world.job(status="draft")
    assert erp.get(f"service-orders/{job.pk}/").status_code == 200
    assert dealer.get(f"service-orders/{job.pk}/").status_code == 404
    assert dealer.get("service-orders/").json()["results"] == []


@pytest.mark.parametrize("verb", VERBS)
def test_a_partner_has_no_hand_in_their_own_jobs(world: World, dealer: Caller, verb: str) -> None:
    job = world.job()
    assert dealer.post(f"service-orders/{job.pk}/{verb}/", VERBS[verb]).status_code == 403


def test_jobs_are_found_by_what_they_are(world: World, erp: Caller, technician: User) -> None:
    job = world.job()
    for query, count in [
        ({"status": "new"}, 1),
        ({"status": "draft"}, 0),
        ({"open": "true"}, 1),
        ({"reference": job.reference}, 1),
        ({"external_reference": "X"}, 0),
        ({"customer": world.ours.pk}, 1),
        ({"customer_code": "THEIRS"}, 0),
        ({"equipment": uuid.uuid4()}, 0),
        ({"region": "EU-C"}, 1),
        ({"technician": technician.pk}, 0),
        ({"machine_down": "false"}, 1),
        ({"is_test": "true"}, 0),
        ({"created_after": "2100-01-01T00:00:00Z"}, 0),
        ({"created_before": "2100-01-01T00:00:00Z"}, 1),
        ({"scheduled_from": "2020-01-01"}, 0),
        ({"scheduled_until": "2100-01-01"}, 0),
    ]:
        assert len(erp.get("service-orders/", query).json()["results"]) == count, query
    assert erp.get("service-orders/", {"technician": 2**70}).status_code == 400

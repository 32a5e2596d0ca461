"""What is measured, each as something that a client calls again and again."""

from __future__ import annotations

import http.client
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID, uuid4

from django.test import Client

from orders.actions import placing, service_orders
from reports.bench import yardsticks
from reports.bench.clients import MakeOperation, plain_connection
from reports.bench.world import BENCH, Place

QUANTITIES = [Decimal(2), Decimal(1), Decimal(1), Decimal(1), Decimal(1)]
JOBS_PER_CLIENT = 50
#: Sends a POST with a body, an idempotency key and the token; returns the HTTP status.
Post = Callable[[str, bytes], int]


def five_parts(parts: list[UUID], chance: random.Random) -> list[UUID]:
    """Return five parts of which the first has almost nothing in stock (see world.new_parts)."""
    start = chance.randrange(len(parts) // 5) * 5
    return parts[start : start + 5]


def place_by_yardstick(place: Place, parts: list[UUID]) -> MakeOperation:
    def make(_number: int, chance: random.Random) -> Callable[[], None]:
        cursor = plain_connection().cursor()

        def operation() -> None:
            wanted = five_parts(parts, chance)
            facts = {"customer": place.customer_id, "parts": wanted, "quantities": QUANTITIES, "at": datetime.now(UTC)}
            cursor.execute(yardsticks.PLACE, facts)
            cursor.fetchone()

        return operation

    return make


def place_by_action(place: Place, parts: list[UUID]) -> MakeOperation:
    def make(_number: int, chance: random.Random) -> Callable[[], None]:
        def operation() -> None:
            lines = [
                placing.Wanted(quantity=quantity, part_id=part)
                for part, quantity in zip(five_parts(parts, chance), QUANTITIES, strict=True)
            ]
            placing.place(
                kind="service",
                customer_id=place.customer_id,
                requested_on=datetime.now(UTC).date(),
                lines=lines,
                by=BENCH,
                source="bench",
                at=datetime.now(UTC),
            )

        return operation

    return make


def in_process(token: str) -> Post:
    """Return a way to post through Django's handler without a socket."""
    client = Client(headers={"host": "localhost"})

    def post(path: str, body: bytes) -> int:
        answer = client.post(
            path,
            body,
            content_type="application/json",
            headers={"authorization": f"Bearer {token}", "idempotency-key": str(uuid4())},
        )
        return int(answer.status_code)

    return post


def over_http(token: str, port: int) -> Post:
    """Return a way to post to a server on this machine over one connection that is kept open."""
    wire = http.client.HTTPConnection("127.0.0.1", port)

    def post(path: str, body: bytes) -> int:
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Idempotency-Key": str(uuid4()),
        }
        wire.request("POST", path, body, headers)
        answer = wire.getresponse()
        answer.read()
        return answer.status

    return post


def place_by_api(place: Place, parts: list[UUID], open_post: Callable[[], Post]) -> MakeOperation:
    def make(_number: int, chance: random.Random) -> Callable[[], None]:
        post = open_post()

        def operation() -> None:
            wanted = zip(five_parts(parts, chance), QUANTITIES, strict=True)
            body = {
                "kind": "service",
                "customer": str(place.customer_id),
                "requested_on": datetime.now(UTC).date().isoformat(),
                "lines": [{"part": str(part), "quantity": str(quantity)} for part, quantity in wanted],
            }
            _expect(post("/api/v1/parts-orders/", json.dumps(body).encode()), 201)

        return operation

    return make


def _expect(status: int, wanted: int) -> None:
    if status != wanted:
        raise RuntimeError(f"The call was answered {status} instead of {wanted}: this would measure nothing.")


def new_jobs(place: Place, count: int) -> list[UUID]:
    """Open service orders, as drafts."""
    return [
        service_orders.create(
            customer_id=place.customer_id, title="Measured", by=BENCH, source="bench", at=datetime.now(UTC)
        ).id
        for _number in range(count)
    ]


def _back_and_forth(jobs: list[UUID], chance: random.Random) -> Callable[[], tuple[UUID, str]]:
    """Return what yields a job and its next step: to scheduled, back to draft, and so on."""
    stands = dict.fromkeys(jobs, "draft")

    def step() -> tuple[UUID, str]:
        job = chance.choice(jobs)
        stands[job] = "scheduled" if stands[job] == "draft" else "draft"
        return job, stands[job]

    return step


def move_by_yardstick(place: Place) -> MakeOperation:
    def make(_number: int, chance: random.Random) -> Callable[[], None]:
        step = _back_and_forth(new_jobs(place, JOBS_PER_CLIENT), chance)
        cursor = plain_connection().cursor()

        def operation() -> None:
            job, to = step()
            cursor.execute(yardsticks.MOVE, {"id": job, "to": to, "at": datetime.now(UTC)})

        return operation

    return make


def move_by_action(place: Place) -> MakeOperation:
    def make(_number: int, chance: random.Random) -> Callable[[], None]:
        step = _back_and_forth(new_jobs(place, JOBS_PER_CLIENT), chance)

        def operation() -> None:
            job, to = step()
            service_orders.move(service_order_id=job, to=to, by=BENCH, source="bench", at=datetime.now(UTC))

        return operation

    return make


def move_by_api(place: Place, open_post: Callable[[], Post]) -> MakeOperation:
    def make(_number: int, chance: random.Random) -> Callable[[], None]:
        step = _back_and_forth(new_jobs(place, JOBS_PER_CLIENT), chance)
        post = open_post()

        def operation() -> None:
            job, to = step()
            _expect(post(f"/api/v1/service-orders/{job}/move/", json.dumps({"to": to}).encode()), 200)

        return operation

    return make

"""Bodies without a length: read whole, never taken for none."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from config.bodies import WithLength
from orders.models import OrderLine, PartsOrder
from tests.api.world import Caller, World
from tests.wire import Answer, ask, in_chunks

pytestmark = pytest.mark.django_db


def _post(caller: Caller, path: str, body: Any, key: str = "chunked-1", **headers: str) -> Answer:
    text = json.dumps(body).encode()
    half = len(text) // 2
    more = {"Content_Type": "application/json", "Idempotency_Key": key, **caller.headers, **headers}
    return ask(in_chunks("POST", f"/api/v1/{path}", [text[:half], text[half:]], **more))


def test_what_is_shipped_in_chunks_is_what_was_said(world: World, erp: Caller) -> None:
    line = world.placed(quantity=5).lines[0]
    answer = _post(erp, f"lines/{line.id}/ship/", {"quantity": "2", "walk": True, "carrier": "Fast"})
    assert answer.status == 200
    assert answer.json()["shipments"][0]["carrier"] == "Fast"
    left = OrderLine.objects.filter(parent=line.id, status="shipped").values_list("quantity", flat=True)
    assert list(left) == [Decimal(2)]


def test_an_order_is_placed_in_chunks(world: World, erp: Caller) -> None:
    answer = _post(erp, "parts-orders/", world.order())
    assert answer.status == 201
    assert len(answer.json()["lines"]) == 5


def test_a_key_with_another_body_in_chunks_is_refused(world: World, erp: Caller) -> None:
    body = world.order()
    assert _post(erp, "parts-orders/", body).status == 201
    assert _post(erp, "parts-orders/", body).headers["idempotent-replayed"] == "true"
    other = _post(erp, "parts-orders/", body | {"note": "other"})
    assert (other.status, other.json()["code"]) == (422, "idempotency_key_reused")
    assert PartsOrder.objects.count() == 1


def test_the_same_body_with_a_length_and_in_chunks_is_one_call(world: World, erp: Caller) -> None:
    body = world.order()
    assert _post(erp, "parts-orders/", body).status == 201
    assert erp.post("parts-orders/", body, key="chunked-1")["Idempotent-Replayed"] == "true"


def test_a_body_in_chunks_that_is_larger_than_is_taken_is_refused(world: World, erp: Caller, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = _post(erp, "parts-orders/", world.order(note="x" * 1000))
    assert (answer.status, answer.json()["code"]) == (413, "too_large")
    assert not PartsOrder.objects.exists()


class _Endless:
    """A body that never ends; it counts what was read of it."""

    def __init__(self) -> None:
        self.given = 0

    def read(self, size: int) -> bytes:
        self.given += size
        return b"x" * size


def _asked(environ: dict[str, Any], largest: int = 100_000) -> tuple[str, bytes]:
    said: list[str] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"reached"]

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        said.append(status)

    [body] = WithLength(application, largest)(environ, start_response)
    return said[0], bytes(body)


def test_a_body_without_an_end_is_not_read_without_end() -> None:
    body = _Endless()
    environ = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": body, "wsgi.input_terminated": True}
    status, answer = _asked(environ)
    assert (status, json.loads(answer)["code"]) == ("413 Content Too Large", "too_large")
    assert body.given < 200_000


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, "411 Length Required"),
        ({"HTTP_TRANSFER_ENCODING": "gzip, chunked", "wsgi.input_terminated": True}, "501 Not Implemented"),
    ],
)
def test_a_body_whose_end_or_coding_cannot_be_told_is_refused(environ: dict[str, Any], status: str) -> None:
    assert _asked({**environ, "wsgi.input": _Endless()})[0] == status

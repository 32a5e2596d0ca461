"""Calls made up from the description: whatever is sent, no 5xx, and every answer is as the description says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import Permission, User
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from schemathesis import checks

from backorders.models import BackOrder
from config.wsgi import application
from integrations.actions import publishing, snapshots
from integrations.models import ExternalSystem, Interface
from parts.models import Delivery
from tests.api.world import Caller, World, token_for
from tests.integrations.listening import OURSELVES, listen
from tests.integrations.sending import said, send

schema = schemathesis.openapi.from_wsgi("/api/v1/schema/", application)

#: Who calls, and as which system.
CALLS = "manager"

CHECKS: list[Any] = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


class Known:
    """Keys of rows that exist: a key made up at random would seldom get further than "not found"."""

    def __init__(self, world: World, erp: Caller) -> None:
        job, order = world.job(), world.placed(quantity=3)
        world.placed(quantity=5, part=4)
        purchase = world.bought()
        delivery = {
            "supplier": str(world.supplier.pk),
            "warehouse": str(world.near.pk),
            "note_number": "DN-1",
            "received_at": "2026-01-01T00:00:00Z",
            "lines": [{"part": str(world.parts[4].pk), "quantity": "1"}],
        }
        assert erp.post("deliveries/", delivery).status_code == 201
        self.by_resource = {
            "service-orders": str(job.pk),
            "parts-orders": str(order.id),
            "lines": str(order.lines[0].id),
            "back-orders": str(BackOrder.objects.all()[0].pk),
            "parts": str(world.parts[0].pk),
            "purchase-orders": str(purchase.id),
            "deliveries": str(Delivery.objects.get().pk),
        }
        system = ExternalSystem.objects.create(
            code="erp", name="ERP", kind="erp", account=User.objects.get(username=CALLS)
        )
        Interface.objects.create(system=system, code="statuses", name="Statuses", format="status-json")
        [taken] = send(said("P-999999/1"), system="erp")
        self.by_resource["inbound"] = str(taken.id)
        snapshot, _is_new = snapshots.receive(
            system=system,
            file=BytesIO(b"part_number,warehouse,on_hand\nA-1,N,1\n"),
            name="stock.csv",
            as_of=timezone.now() - timedelta(days=1),
            by=OURSELVES,
            at=timezone.now(),
        )
        self.by_resource["snapshots"] = str(snapshot.pk)
        listener = listen(User.objects.get(username=CALLS))
        told = publishing.send_test(subscriber=listener.pk, by=OURSELVES, at=timezone.now())
        self.by_resource |= {"subscribers": str(listener.pk), "outbound-deliveries": str(told.pk)}
        self.by_field = {
            "customer": str(world.ours.pk),
            "part": str(world.parts[0].pk),
            "part_number": world.parts[0].number,
            "warehouse": str(world.near.pk),
            "destination": str(world.far.pk),
            "supplier": str(world.supplier.pk),
            "service_order": str(job.pk),
            "line": str(order.lines[0].id),
            "id": str(order.lines[0].id),
        }

    def put_into(self, case: schemathesis.Case, turn: int) -> None:
        """Let three calls in four be about rows that exist."""
        if turn % 4 == 0:
            return
        if case.path_parameters and "id" in case.path_parameters:
            case.path_parameters["id"] = self.by_resource[case.path.removeprefix("/api/v1/").split("/")[0]]
        if case.path_parameters and "system" in case.path_parameters:
            case.path_parameters["system"] = "erp"
        case.body = self._with_known(case.body)

    def _with_known(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._with_known(item) for item in value]
        if isinstance(value, dict):
            return {
                name: self.by_field[name] if name in self.by_field and isinstance(item, str) else self._with_known(item)
                for name, item in value.items()
            }
        return value


@pytest.fixture
def known(world: World, erp: Caller) -> Iterator[Known]:
    """Rows to call about, in a transaction that the calls share: the server would close the connection around each."""
    keys = Known(world, erp)  # before the signals: the test client connects them again after each of its calls
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield keys
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def header(manager: User) -> dict[str, str]:
    manager.user_permissions.add(*Permission.objects.filter(codename__in=["send_inboundmessage", "own_subscriber"]))
    return {"Authorization": f"Bearer {token_for(manager)}"}


_turn = iter(range(10**9))


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.django_db
@schema.parametrize()
@hypothesis_settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_no_call_made_up_from_the_description_breaks_anything(
    case: schemathesis.Case, header: dict[str, str], known: Known
) -> None:
    known.put_into(case, next(_turn))
    case.call_and_validate(headers=header, checks=CHECKS)

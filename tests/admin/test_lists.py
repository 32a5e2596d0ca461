"""Every kind of object can be found, and a list costs the same however long it is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import connection, models
from django.db.models import ForeignKey
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_q.models import Task
from oauth2_provider.models import DeviceGrant

from backorders.models import DueQueue
from integrations.models import DeliveryAttempt, InboundDeed, SigningSecret
from notifications.models import (
    Address,
    Alert,
    Attempt,
    DailyTimeliness,
    DeadLetter,
    DigestIssue,
    DigestSubscription,
    EscalationLevel,
    Feedback,
    Message,
    Notice,
    PushDevice,
    ReceivedSms,
    Rule,
    Template,
    TemplateVersion,
    Watch,
    WordProposal,
)
from orders.models import CustomerWordDraft, SavedView
from parts.actions import stock
from parts.admin import counting
from parts.admin.counting import BoundedPaginator
from parts.admin.offices import Office
from parts.models import Part, StockMovement, Warehouse
from reports.models import AccessChange, DailyFigure, ExportDownload, ExportRun
from tests.admin.desk import desk_of
from tests.admin.world import World, cause

#: Models that have no page of their own, and why nobody misses it.
ELSEWHERE = {
    ContentType: "named by other pages",
    Permission: "shown on the page of a role",
    Session: "keys of signed-in people",
    Task: "shown as successes and failures",
    DeviceGrant: "a flow that is not switched on",
    SavedView: "each person's own, on the page it is of",
    AccessChange: "on the audit's page of who could do what (/audit/rights/)",
    ExportRun: "on the audit's page of exports (/audit/exports/)",
    ExportDownload: "on the page of its export",
    DueQueue: "gone as soon as its queue is dated",
    DailyTimeliness: "added up on the page of notification timeliness",
    DailyFigure: "counted together on the pages of figures (/figures/)",
    EscalationLevel: "on the page of its rule",
    Template: "in the editor of wordings",
    CustomerWordDraft: "on the page of its status (/messages/words/)",
    TemplateVersion: "in the editor of wordings",
    Feedback: "in the report on a wording",
    Alert: "on the page of alerts (/messages/alerts/)",
    Notice: "each reader's own, in the inbox (/messages/)",
    Message: "beside its notice, where it says why its reader got it",
    Attempt: "beside its notice, where it says why its reader got it",
    Address: "on the page of its reader",
    WordProposal: "on the page of proposals (/messages/proposals/)",
    DeadLetter: "what could not be sent (/messages/dead/)",
    DigestSubscription: "each person's own digests (/messages/digests/)",
    DigestIssue: "each person's own digests (/messages/digests/)",
    PushDevice: "its address stands in its owner's preferences, by a name that people know",
    ReceivedSms: "on the order that it is about, as its customer's message",
    Watch: "on the pages of orders",
    InboundDeed: "on the page of its message",
    SigningSecret: "sealed; its owner is shown it once",
    DeliveryAttempt: "on the page of its delivery",
}
#: References to a few, chosen from a list that leaves out whom the rules would refuse.
FEW: dict[type[models.Model], set[str]] = {Warehouse: {"technician"}, Rule: {"template"}}

ALL = sorted(admin.site._registry, key=lambda model: model._meta.label)


def _list_of(model: type[models.Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def test_every_model_has_a_page() -> None:
    every = {model for model in _models() if not model.__name__.startswith("Historical")}
    assert every - set(ALL) == set(ELSEWHERE)


def _models() -> list[type[models.Model]]:
    from django.apps import apps

    return list(apps.get_models())


@pytest.mark.parametrize("model", ALL, ids=lambda model: model._meta.label_lower)
def test_every_page_is_ours_with_search_and_without_counting(model: type[models.Model]) -> None:
    office = admin.site._registry[model]
    assert isinstance(office, Office)
    assert office.search_fields
    assert office.paginator is BoundedPaginator
    assert not office.show_full_result_count
    assert office.actions is None


@pytest.mark.parametrize("model", ALL, ids=lambda model: model._meta.label_lower)
def test_every_reference_that_can_be_edited_is_found_by_typing(model: type[models.Model], rf: Any) -> None:
    office = admin.site._registry[model]
    request = rf.get("/")
    request.user = User(is_superuser=True, is_active=True, is_staff=True)
    if not office.has_add_permission(request) and not office.has_change_permission(request):
        return
    fixed = set(office.get_readonly_fields(request)) | set(office.exclude or ())
    shown = (
        set(office.get_fields(request))
        if not office.fieldsets
        else {name for _, options in office.fieldsets for name in options["fields"]}
    )
    references = {
        field.name
        for field in model._meta.fields
        if isinstance(field, ForeignKey) and field.editable and field.name in shown - fixed
    }
    assert references - FEW.get(model, set()) <= set(office.autocomplete_fields)


@pytest.mark.django_db
def test_a_list_costs_the_same_with_two_rows_and_with_twenty(world: World, above_all: User) -> None:
    client = desk_of(above_all)
    world.many(2)
    few = {model: _cost(client, model) for model in ALL}
    world.many(18)
    many = {model: _cost(client, model) for model in ALL}
    assert {model._meta.label: (few[model], many[model]) for model in ALL if few[model] != many[model]} == {}
    assert max(many.values()) <= 12


def _cost(client: Any, model: type[models.Model]) -> int:
    client.get(_list_of(model))  # whatever is remembered for the next request is remembered now
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(_list_of(model))
    assert answer.status_code == 200, model
    assert answer.context["cl"].result_count, f"the world has no {model._meta.label}"
    return len(captured)


@pytest.mark.django_db
def test_every_page_of_an_object_opens(world: World, above_all: User) -> None:
    client = desk_of(above_all)
    world.many(1)
    for model in ALL:
        row = model._default_manager.first()
        assert row is not None, model
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        for view in ("change", "history"):
            answer = client.get(reverse(f"{name}_{view}", args=[row.pk]))
            assert answer.status_code == 200, (model, view)


@pytest.mark.django_db
def test_every_list_can_be_searched(world: World, above_all: User) -> None:
    client = desk_of(above_all)
    world.many(1)
    for model in ALL:
        for term in ("SO-1", "somebody", "2026"):
            assert client.get(_list_of(model), {"q": term}).status_code == 200, (model, term)


@pytest.mark.django_db
def test_a_long_list_is_estimated_and_a_long_filtered_one_ends_at_the_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tests.factories.parts import PartFactory

    PartFactory.create_batch(7)
    monkeypatch.setattr(counting, "MOST_COUNTED", 4)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE parts_part")
    assert BoundedPaginator(Part.objects.all(), 2).count == 7
    assert BoundedPaginator(Part.objects.filter(number__startswith="HP"), 2).count == 4
    assert BoundedPaginator(Part.objects.filter(number="HP-nothing"), 2).count == 0


@pytest.mark.django_db
def test_counting_a_list_reads_no_further_than_the_bound() -> None:
    with CaptureQueriesContext(connection) as captured:
        assert BoundedPaginator(Part.objects.all(), 2).count == 0
    assert [f"LIMIT {counting.MOST_COUNTED + 1}" in query["sql"] for query in captured] == [True]


@pytest.mark.django_db
def test_lists_and_pages_name_who_acted(world: World, above_all: User, manager: User) -> None:
    part = world.part_in_stock()
    stock.correct_stock(
        part_id=part.pk, warehouse_id=world.far.pk, on_hand_change=Decimal(1), reason="found", **cause(manager)
    )
    client = desk_of(above_all)
    movement = StockMovement.objects.get(actor=f"user:{manager.pk}")
    for address in (
        reverse("admin:parts_stockmovement_changelist"),
        reverse("admin:parts_stockmovement_change", args=[movement.pk]),
        reverse("admin:parts_stocklevel_change", args=[movement.level_id]),
    ):
        shown = client.get(address).content.decode()
        assert "Manager" in shown, address
        assert movement.actor not in shown, address


@pytest.mark.parametrize("month", ["9999-12", "0001-01", "2026-13", "nonsense", "2026-03"])
def test_no_month_breaks_the_list_of_overrides(month: str, auditor: User) -> None:
    assert desk_of(auditor).get(f"/admin/orders/override/?month={month}").status_code == 200

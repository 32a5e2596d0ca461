"""A status moves by its deed only: two attacks that get through the plain mixin of django-fsm-2 are refused by ours.

Each attack is tried twice: on a throw-away admin with the plain mixin, where it works (so that the test is known to
attack something), and on ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client, override_settings
from django.urls import clear_url_caches, include, path, reverse
from django_fsm.admin import FSMAdminMixin

from config.urls import urlpatterns as ours
from orders.models import OrderEvent, ServiceOrder
from tests.admin.desk import desk_of
from tests.admin.world import World


class Anything(forms.Form):
    """A form that asks for nothing."""


class PlainAdmin(FSMAdminMixin, ModelAdmin):
    """The mixin as it comes, with a form for one of the steps."""

    fsm_fields = ["status"]
    fields = ("title",)
    fsm_forms = {"to_in_progress": Anything}


class PlainAdminWithoutForm(PlainAdmin):
    """The mixin as it comes."""

    fsm_forms = {}


def _site(name: str, office: type[PlainAdmin]) -> AdminSite:
    site = AdminSite(name=name)
    site.register(ServiceOrder, office)
    return site


urlpatterns = [
    path("plain/", _site("plain", PlainAdminWithoutForm).urls),
    path("plain-form/", _site("plain-form", PlainAdmin).urls),
    path("", include(ours)),
]


@pytest.fixture
def nobody_may_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Declare on the model itself that the step to In Progress is for nobody: no right of anybody is enough."""
    declared = ServiceOrder.to_in_progress._django_fsm.transitions
    for step in declared.values():
        monkeypatch.setattr(step, "permission", lambda row, user: False)


@pytest.fixture
def addresses(_triggers_off: None) -> Iterator[None]:
    """Serve the throw-away site beside ours."""
    with override_settings(ROOT_URLCONF=__name__):
        clear_url_caches()
        yield
    clear_url_caches()


@pytest.fixture
def _triggers_off(db: None) -> None:
    """Without our triggers, which would stop the plain mixin from behind: the holes are the mixin's own."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_serviceorder DISABLE TRIGGER USER")


def _staff(*permissions: str) -> User:
    person = User.objects.create_user("staff", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions, content_type__app_label="orders"))
    return person


def _status(job: ServiceOrder) -> str:
    return ServiceOrder.objects.get(pk=job.pk).status


def _post(client: Client, address: str, **data: Any) -> Any:
    return client.post(address, data)


# --- A transition without permission, posted to the change form ------------------------------------------------------


@pytest.mark.usefixtures("addresses", "nobody_may_begin")
def test_the_plain_mixin_takes_a_transition_without_permission_on_the_change_form(world: World) -> None:
    job = world.job()
    client = desk_of(_staff("change_serviceorder", "view_serviceorder"))
    address = reverse("plain:orders_serviceorder_change", args=[job.pk])
    _post(client, address, title=job.title, _fsm_transition_to="to_in_progress")
    assert _status(job) == "in_progress"


@pytest.mark.django_db
def test_ours_does_not_take_a_transition_on_the_change_form_from_who_may_only_edit(world: World) -> None:
    job = world.job()
    client = desk_of(_staff("change_serviceorder", "view_serviceorder"))
    address = reverse("admin:orders_serviceorder_change", args=[job.pk])
    for field in ("_fsm_transition_to", "to", "status", "_status"):
        for value in ("to_in_progress", "in_progress"):
            answer = _post(client, address, title="Other title", **{field: value})
            assert answer.status_code == 302
    assert _status(job) == "new"
    assert OrderEvent.objects.filter(subject_id=job.pk).count() == 1
    assert ServiceOrder.objects.get(pk=job.pk).title == "Other title"


@pytest.mark.django_db
def test_ours_does_not_move_for_who_may_edit_but_not_move(world: World) -> None:
    job = world.job()
    client = desk_of(_staff("change_serviceorder", "view_serviceorder"))
    answer = _post(client, reverse("admin:orders_serviceorder_move", args=[job.pk]), to="in_progress")
    assert answer.status_code == 403
    assert _status(job) == "new"


# --- The form route, by staff without any right on the model ---------------------------------------------------------


@pytest.mark.usefixtures("addresses")
def test_the_plain_mixin_takes_a_transition_on_the_form_route_from_staff_without_any_right(world: World) -> None:
    job = world.job()
    address = reverse("plain-form:orders_serviceorder_transition", args=[job.pk, "to_in_progress"])
    _post(desk_of(_staff()), address)
    assert _status(job) == "in_progress"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("deed", "data"),
    [
        ("move", {"to": "in_progress"}),
        ("fast-forward", {"to": "completed"}),
        ("override", {"to": "completed", "reason": "because", "reference": "X"}),
        ("claim", {}),
        ("note", {"text": "hello"}),
    ],
)
def test_ours_refuses_every_deed_of_staff_without_any_right(world: World, deed: str, data: dict[str, str]) -> None:
    job = world.job()
    client = desk_of(_staff())
    address = reverse(f"admin:orders_serviceorder_{deed}", args=[job.pk])
    assert client.post(address, data).status_code == 403
    assert client.get(address).status_code in (403, 405)
    assert _status(job) == "new"
    assert OrderEvent.objects.filter(subject_id=job.pk).count() == 1


@pytest.mark.django_db
def test_ours_refuses_who_may_move_but_not_see(world: World) -> None:
    job = world.job()
    client = desk_of(_staff("move_serviceorder"))
    assert (
        client.post(reverse("admin:orders_serviceorder_move", args=[job.pk]), {"to": "in_progress"}).status_code == 403
    )
    assert _status(job) == "new"

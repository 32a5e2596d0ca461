"""Two people edit the same: the second one to save writes over nothing unseen."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from notifications.models import Rule
from orders.models import Customer
from parts.models import Part, PartNumber
from tests.admin.desk import desk_of
from tests.admin.world import World

pytestmark = pytest.mark.django_db


def opened(client: Client, row: Any) -> tuple[str, dict[str, Any]]:
    """Open the page of a row; return its address and what its form would send."""
    address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    page = client.get(address)
    assert page.status_code == 200
    forms = [page.context["adminform"].form, *(inline.formset for inline in page.context["inline_admin_formsets"])]
    sent: dict[str, Any] = {}
    for form in forms:
        for each in [form.management_form, *form.forms] if hasattr(form, "forms") else [form]:
            for bound in each:
                value = bound.value()
                sent[bound.html_name] = "" if value is None else value
    return address, {name: value for name, value in sent.items() if value is not False}


def test_who_saves_second_is_told_who_was_first_and_nothing_is_written_over(
    world: World, manager: User, dispatcher: User
) -> None:
    first, second = desk_of(manager), desk_of(dispatcher)
    address, seen = opened(first, world.customer)
    _address, seen_too = opened(second, world.customer)
    assert first.post(address, {**seen, "name": "Quarry North"}).status_code == 302
    refused = second.post(address, {**seen_too, "name": "Quarry South"})
    assert refused.status_code == 200
    page = refused.content.decode()
    assert "Manager has changed this since you opened it" in page
    assert "Quarry South" in page
    assert Customer.objects.get(pk=world.customer.pk).name == "Quarry North"
    again = second.post(address, {**seen_too, "name": "Quarry South"})
    assert "Manager has changed this" in again.content.decode()
    _address, anew = opened(second, world.customer)
    assert second.post(address, {**anew, "name": "Quarry South"}).status_code == 302
    assert Customer.objects.get(pk=world.customer.pk).name == "Quarry South"


def test_the_numbers_of_a_part_are_of_its_page(world: World, manager: User, above_all: User) -> None:
    part = Part.objects.get(pk=world.part().pk)
    number = PartNumber.objects.get(part=part, system="ERP")
    first, second = desk_of(manager), desk_of(above_all)
    address, seen = opened(first, part)
    _address, seen_too = opened(second, part)
    assert first.post(address, {**seen, "numbers-0-number": "4711-NEW"}).status_code == 302
    assert PartNumber.objects.get(pk=number.pk).number == "4711-NEW"
    refused = second.post(address, {**seen_too, "numbers-0-number": "4711-OTHER"})
    assert "Somebody has changed this since you opened it" in refused.content.decode()
    assert PartNumber.objects.get(pk=number.pk).number == "4711-NEW"


def test_a_page_that_nobody_else_changed_is_saved_as_always(world: World, manager: User) -> None:
    client = desk_of(manager)
    rule = Rule.objects.get(code="customer-short")
    address, seen = opened(client, rule)
    assert client.post(address, {**seen, "importance": "55"}).status_code == 302
    assert Rule.objects.get(pk=rule.pk).importance == 55

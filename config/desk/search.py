"""The one box that finds everything: what is exactly meant opens at once, anything else is listed by kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from config.desk.orders import for_staff
from config.faces.htmx import is_quick
from orders import searching as orders
from orders.models import Customer, Equipment, OrderLine, PartsOrder, ServiceOrder
from parts import searching as parts
from parts.models import Part

#: How many of a kind are listed while somebody types, and on the page.
AT_ONCE, ON_THE_PAGE = 4, 20


@dataclass(frozen=True, slots=True)
class Hit:
    """A row of the results: where it leads, and where the answer to "when?" is."""

    title: str
    text: str
    address: str
    is_exact: bool
    when: str = ""
    status: tuple[str, Any] | None = None
    via: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """The results of one kind."""

    title: Any
    icon: str
    hits: list[Hit]
    has_more: bool


def when_address(**about: str) -> str:
    """Return the address of the answer to "when?" about a customer, an order, a part or a machine."""
    return f"{reverse('desk:when')}?{urlencode(about)}"


def _job(found: orders.Found) -> Hit:
    job: ServiceOrder = found.row
    machine = str(job.equipment) if job.equipment else ""
    return Hit(
        title=job.reference,
        text=" · ".join(filter(None, (job.title, job.customer.name, machine))),
        address=reverse("desk:service-order", args=[job.reference]),
        is_exact=found.is_exact,
        when=when_address(order=job.reference),
        status=(job.status, job.get_status_display()),
        via=found.via,
    )


def _parts_order(found: orders.Found) -> Hit:
    order: PartsOrder = found.row
    whom = order.customer.name if order.customer else str(order.destination)
    return Hit(
        title=order.reference,
        text=" · ".join(filter(None, (str(order.get_kind_display()), whom, str(order.service_order or "")))),
        address=reverse("desk:parts-order", args=[order.reference]),
        is_exact=found.is_exact,
        when=when_address(order=order.reference),
        status=(order.status, order.get_status_display()),
        via=found.via,
    )


def _line(found: orders.Found) -> Hit:
    line: OrderLine = found.row
    return Hit(
        title=line.reference,
        text=" · ".join(filter(None, (str(line.part), line.part.description, str(line.order.customer or "")))),
        address=reverse("desk:parts-order", args=[line.order.reference]) + f"?from={line.position}",
        is_exact=found.is_exact,
        when=when_address(order=line.order.reference),
        status=(line.status, line.get_status_display()),
    )


def _customer(found: orders.Found) -> Hit:
    customer: Customer = found.row
    address = when_address(customer=customer.code)
    return Hit(customer.name, f"{customer.code} · {customer.region}", address, found.is_exact, address)


def _machine(found: orders.Found) -> Hit:
    machine: Equipment = found.row
    address = when_address(machine=str(machine.pk))
    return Hit(str(machine), str(machine.customer), address, found.is_exact, address)


def _unit(found: orders.Found) -> Hit:
    unit: orders.Unit = found.row
    if unit.order is None:
        when = when_address(part=unit.part.number)
        came = _g("came with %(note)s; no shipment names it") % {"note": unit.note}
        return Hit(unit.serial, f"{unit.part} · {came}", when, found.is_exact, when)
    left = _g("left with %(shipment)s for %(order)s") % {"shipment": unit.shipment, "order": unit.order}
    whom = str(unit.order.customer or unit.order.destination or "")
    return Hit(
        title=unit.serial,
        text=" · ".join(filter(None, (str(unit.part), left, whom))),
        address=reverse("desk:parts-order", args=[unit.order.reference]),
        is_exact=found.is_exact,
        when=when_address(order=unit.order.reference),
    )


def _part(found: parts.FoundPart) -> Hit:
    part: Part = found.part
    address = when_address(part=part.number)
    return Hit(part.number, part.description, address, found.is_exact, address, via=found.elsewhere)


@dataclass(frozen=True, slots=True)
class Kind:
    """What is looked for: `find` is given the text, the person and how many at most."""

    name: str
    title: Any
    icon: str
    permission: str
    find: Callable[[str, User | AnonymousUser, int], Iterable[Any]]
    as_hit: Callable[[Any], Hit]


KINDS = (
    Kind("jobs", _("Service orders"), "wrench", "orders.view_serviceorder", orders.find_jobs, _job),
    Kind("orders", _("Parts orders"), "package", "orders.view_partsorder", orders.find_parts_orders, _parts_order),
    Kind("lines", _("Lines"), "list", "orders.view_orderline", orders.find_lines, _line),
    Kind("customers", _("Customers"), "building-2", "orders.view_customer", orders.find_customers, _customer),
    Kind("units", _("Serial numbers"), "barcode", "orders.view_shipment", orders.find_units, _unit),
    Kind("machines", _("Equipment"), "factory", "orders.view_equipment", orders.find_equipment, _machine),
    Kind(
        "parts", _("Parts"), "boxes", "parts.view_part", lambda text, _person, most: parts.find_parts(text, most), _part
    ),
)


def find(text: str, person: User | AnonymousUser, most: int, kinds: Iterable[Kind] = KINDS) -> list[Group]:
    """Return what a person may see of what the text finds, by kind. A constant number of statements."""
    groups = []
    for kind in kinds:
        if person.has_perm(kind.permission):
            hits = [kind.as_hit(found) for found in kind.find(text, person, most + 1)]
            if hits:
                groups.append(Group(kind.title, kind.icon, hits[:most], len(hits) > most))
    return sorted(groups, key=lambda group: not group.hits[0].is_exact)


def the_one(groups: list[Group]) -> Hit | None:
    """Return what is exactly meant, where that is one thing."""
    exact = [hit for hit in chain.from_iterable(group.hits for group in groups) if hit.is_exact]
    return exact[0] if len(exact) == 1 else None


@for_staff("orders.view_serviceorder")
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Go straight to what is exactly meant; list what else is found, while somebody types and on a page."""
    text = request.GET.get("q", "").strip()
    typing = is_quick(request)
    groups = find(text, request.user, AT_ONCE if typing else ON_THE_PAGE)
    exact = the_one(groups)
    if exact and not typing and "list" not in request.GET:
        return redirect(exact.address)
    template = "desk/search_results.html" if typing else "desk/search.html"
    count = sum(len(group.hits) for group in groups)
    context = {"text": text, "groups": groups, "count": count, "exact": exact, "searchable": parts.is_searchable(text)}
    return render(request, template, context)

"""Parts on their way to a technician, and the code that confirms them on site."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from backorders.fieldwork import Need
from config.phone.door import Done, carry_out, for_technicians, person_of, shown
from config.phone.explaining import Explained
from config.phone.forms import CodeForm
from orders.actions.receiving import confirm_delivery
from orders.boxes import bound_for, labels_of, on_its_way


@for_technicians
@require_http_methods(["GET", "HEAD", "POST"])
def deliveries(request: HttpRequest) -> HttpResponseBase:
    """Show what is on its way, by where it goes; confirm what a code stands for."""
    if request.method != "POST":
        return _page(request, CodeForm())
    form = CodeForm(request.POST)

    def show(_explained: Explained, status: int) -> HttpResponse:
        return _page(request, form, status)

    def do(cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
        return confirm(cleaned["code"], cleaned["job"], told)

    return carry_out(request, form, do, show=show, back=reverse("phone:deliveries"))


def _page(request: HttpRequest, form: CodeForm, status: int = 200) -> HttpResponse:
    lines = list(on_its_way(bound_for(person_of(request).pk)))
    boxes = labels_of(lines)
    places: dict[Any, list[Need]] = {}
    for line in lines:
        places.setdefault(line.order.service_order, []).append(Need(line, boxes=boxes[line.pk]))
    context = {"form": form, "places": list(places.items()), "here": "deliveries"}
    return shown(request, "phone/deliveries.html", context, status)


def confirm(code: str, job_id: UUID | None, told: dict[str, Any]) -> Done:
    """Confirm what a code stands for, and say what that was."""
    confirmed = confirm_delivery(code=code, service_order_id=job_id, **told)
    if not confirmed.delivered:
        names = ", ".join(line.reference for line in confirmed.before)
        return Done(_("%(lines)s had been confirmed before.") % {"lines": names})
    names = ", ".join(line.reference for line in confirmed.delivered)
    says = ngettext("Delivered: %(lines)s.", "Delivered, %(count)s lines: %(lines)s.", len(confirmed.delivered))
    return Done(says % {"lines": names, "count": len(confirmed.delivered)})

"""What lies in a technician's van, and what they counted."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from config.phone.door import Done, carry_out, for_technicians, person_of, shown
from config.phone.explaining import Explained
from config.phone.forms import CountForm
from integrations.actions.counting import count_van
from parts.actions.stock import Found
from parts.models import Warehouse
from parts.vans import MOST_LEVELS, last_count_of, levels_in, van_of


@for_technicians
@require_http_methods(["GET", "HEAD", "POST"])
def van(request: HttpRequest) -> HttpResponseBase:
    """Show what the books say lies in the van; take a count of it."""
    place = van_of(person_of(request).pk)
    if request.method != "POST":
        return _page(request, place, CountForm())
    if place is None:
        raise Http404
    form = CountForm(request.POST)

    def show(_explained: Explained, status: int) -> HttpResponse:
        return _page(request, place, form, status)

    def do(cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
        return _count(place, cleaned, told)

    return carry_out(request, form, do, show=show, back=reverse("phone:van"))


def _page(request: HttpRequest, place: Warehouse | None, form: CountForm, status: int = 200) -> HttpResponse:
    levels = list(levels_in(place)[:MOST_LEVELS]) if place else []
    context = {
        "van": place,
        "levels": [(level, form.typed(level)) for level in levels],
        "last": last_count_of(place) if place else None,
        "form": form,
        "here": "van",
    }
    return shown(request, "phone/van.html", context, status)


def _count(place: Warehouse, cleaned: dict[str, Any], told: dict[str, Any]) -> Done:
    """Count the van, and say what differed."""
    found = [Found(one.part_id, one.counted, one.expected, one.condition, one.owner) for one in cleaned["found"]]
    count = count_van(
        warehouse_id=place.pk, found=found, note=cleaned["note"], despite_changes=cleaned["anyway"], **told
    )
    lines = list(count.lines.all())
    differing = [line for line in lines if line.difference]
    if not differing:
        says = ngettext(
            "Counted %(count)s part: all as in the books.", "Counted %(count)s parts: all as in the books.", len(lines)
        )
        return Done(says % {"count": len(lines)})
    says = ngettext(
        "Counted. %(count)s part differs; the parts manager sees it.",
        "Counted. %(count)s parts differ; the parts manager sees them.",
        len(differing),
    ) % {"count": len(differing)}
    if any(line.correction_id is None for line in differing):
        says += " " + _("Some of it is held for orders, so the books stay as they are until somebody decides.")
    return Done(says)

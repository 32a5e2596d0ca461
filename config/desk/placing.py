"""Place an order in under a minute: for whom, until when, which parts; see what would happen; then let it happen."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from backorders.foreseeing import digest_of, foresee, missing_of
from config.desk import placing_form as typed
from config.desk.orders import for_staff
from config.desk.placing_form import HeadForm, Row
from config.desk.placing_order import Order
from config.desk.placing_paste import left_out, read_pasted, too_many
from config.desk.placing_whom import whom_called
from config.faces.htmx import is_quick, target_of
from orders.actions.placing import MOST_LINES, Placed, place
from orders.actions.placing.rehearsal import rehearse
from parts.errors import Refused
from parts.searching import find_parts

MAY = "orders.place_partsorder"


@for_staff(MAY)
@require_http_methods(["GET", "HEAD", "POST"])
def place_order(request: HttpRequest) -> HttpResponse:
    """The page: what was typed comes back whatever happens, with what was found for it."""
    if request.method != "POST":
        return _show(request, _begun(request))
    order = Order(request, request.POST, bound=True)
    verb, _colon, what = request.POST.get("do", "preview").partition(":")
    if verb in ("preview", "place"):
        return _decide(request, order, is_real=verb == "place")
    _change(order, verb, what)
    order.look_up()
    order.head = HeadForm(initial=_initial(order))
    return _show(request, order)


def _begun(request: HttpRequest) -> Order:
    """Begin with what the address says: `job`, `customer` or `whom`; of `part`, `quantity`, `least` any number."""
    data = request.GET.copy()
    data["whom"] = request.GET.get("whom") or request.GET.get("job") or request.GET.get("customer") or ""
    data.pop("job", None)
    quantities, least = request.GET.getlist("quantity"), request.GET.getlist("least")
    for number, part in enumerate(request.GET.getlist("part")[:MOST_LINES]):
        data[f"part-{number}"] = part
        data[f"quantity-{number}"] = quantities[number] if number < len(quantities) else "1"
        data[f"least-{number}"] = least[number] if number < len(least) else ""
    order = Order(request, data, bound=False)
    order.look_up()
    return order


def _initial(order: Order) -> dict[str, Any]:
    """Return what was typed into the head, to be shown again without judging it yet."""
    given = {name: order.data.get(name) for name in order.head.fields}
    return {name: value for name, value in given.items() if value is not None}


def _change(order: Order, verb: str, what: str) -> None:
    """Do to the form what a button asks for."""
    if verb == "remove":
        order.rows = [row for row in order.rows if str(row.number) != what]
    elif verb == "use":
        number, _colon, rest = what.partition(":")
        part, _colon, quantity = rest.rpartition(":")
        for row in order.rows:
            if str(row.number) == number:
                row.part, row.quantity = part, quantity or row.quantity
    elif verb == "paste":
        pasted = read_pasted(order.data.get("table", ""))
        order.rows = typed.with_pasted(order.rows, pasted)
        order.left_out = left_out(order.data.get("table", ""))
        if len([row for row in order.rows if not row.is_empty]) > MOST_LINES:
            order.general.append(too_many())
            order.pasted = order.data.get("table", "")
            order.rows = order.rows[:MOST_LINES]
    elif verb == "whom":
        order.data = order.data.copy()
        order.data["chosen"], order.data["chosen_text"] = what, order.whom_text


def _decide(request: HttpRequest, order: Order, *, is_real: bool) -> HttpResponse:
    """Rehearse the order, or place it. What is wrong is said at its place, and nothing is changed."""
    order.look_up()
    status = 422
    if order.check():
        at = timezone.now()
        try:
            if is_real:
                placed = place(**order.facts(at), key=order.head.cleaned_data["key"])
                return _placed(request, order, placed)
            order.foreseen = rehearse(lambda placed: foresee(placed, at), **order.facts(at))
            status = 200
        except Refused as refusal:
            order.refuse(refusal)
            status = refusal.status
    return _show(request, order, status=200 if is_quick(request) else status)


def _placed(request: HttpRequest, order: Order, placed: Placed) -> HttpResponse:
    missing = [missing_of(line) for line in placed.lines]
    short = sum(1 for quantity in missing if quantity)
    if placed.replayed:
        messages.info(request, _("%(reference)s was placed already; nothing was ordered twice.") % _named(placed))
    elif not short:
        messages.success(request, _("%(reference)s is placed; all of it is put aside.") % _named(placed))
    else:
        says = ngettext(
            "%(reference)s is placed; %(count)s line is short and back-ordered.",
            "%(reference)s is placed; %(count)s lines are short and back-ordered.",
            short,
        )
        messages.success(request, says % {**_named(placed), "count": short})
    foreseen = order.data.get("foreseen", "")
    if foreseen and not placed.replayed and foreseen != digest_of(missing):
        messages.warning(request, _("Stock has changed since the preview: look at what is missing now."))
    answer = redirect("desk:parts-order", placed.reference)
    if is_quick(request):
        return HttpResponseClientRedirect(answer.url)
    return answer


def _named(placed: Placed) -> dict[str, str]:
    return {"reference": placed.reference}


def _show(request: HttpRequest, order: Order, status: int = 200) -> HttpResponse:
    order.rows = typed.with_empty(typed.renumbered(order.rows), 1 if order.foreseen else typed.ROWS)
    target = target_of(request)
    templates = {"whose": "desk/place_whose.html", "placing": "desk/place_body.html"}
    context = {
        "order": order,
        "quick": bool(target),
        "head": order.head,
        "faults": order.faults(),
        "for_customer": typed.for_a_customer(order.kind),
        "most": MOST_LINES,
        "empty_row": Row(10_000),
    }
    return render(request, templates.get(target or "", "desk/place.html"), context, status=status)


@for_staff(MAY)
@require_safe
def line(request: HttpRequest) -> HttpResponse:
    """What there is of the part of one line, as it is typed."""
    order = Order(request, request.GET.copy(), bound=False)
    order.rows = order.rows[:1]
    order.look_up()
    row = order.rows[0] if order.rows else Row(0)
    row.errors = {name: said for name, said in row.errors.items() if name == "part" or row.quantity.strip()}
    return render(request, "desk/place_info.html", {"row": row})


@for_staff(MAY)
@require_safe
def find_part(request: HttpRequest) -> HttpResponse:
    """Parts that a text may mean, as choices of a list."""
    found = [hit for hit in find_parts(request.GET.get("q", ""), 8) if hit.part.is_active]
    return render(request, "desk/place_options.html", {"parts": found})


@for_staff(MAY)
@require_safe
def find_whom(request: HttpRequest) -> HttpResponse:
    """Customers, machines and open jobs that a text may mean, as choices of a list."""
    found = whom_called(request.GET.get("q", ""), request.user, 8)[:8]
    return render(request, "desk/place_options.html", {"whoms": found})

"""The pages of figures: all on one page, and each with its definition, its course and the rows behind it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from reports.figures import contributed, exporting, overview, standing
from reports.figures.definitions import ALL, FIGURES, STEPS, Figure
from reports.figures.forms import BY, Filters
from reports.figures.reading import Period, Reading, Sum
from reports.figures.rows import Asked, Page, page_of
from reports.figures.saying import count_said, said
from reports.figures.standing import OPEN_BACK_ORDERS, STUCK_JOBS, STUCK_LINES, Standing

View = Callable[..., HttpResponseBase]

#: What stands now, in words: title, definition, formula.
STANDING_WORDS: dict[str, tuple[Any, Any, Any]] = {
    OPEN_BACK_ORDERS.name: (
        _("Open back orders"),
        _("Back orders that still wait for their part, by the whole days since they were opened."),
        _("count of back orders that are open, sourcing or with supply confirmed"),
    ),
    STUCK_JOBS.name: (
        _("Stuck service orders"),
        _(
            "Open service orders that have been in their status for more than three days and for more than twice the"
            " time that is usual there: the mean over all steps out of that status in the last 90 days."
        ),
        _("time in status > max(3 days, 2 × usual)"),
    ),
    STUCK_LINES.name: (
        _("Stuck order lines"),
        _(
            "Open order lines that have been in their status for more than three days and for more than twice the time"
            " that is usual there: the mean over all steps out of that status in the last 90 days."
        ),
        _("time in status > max(3 days, 2 × usual)"),
    ),
}


def for_figures(view: View) -> View:
    """Let in the people of the house who may see figures: 403 for others, strangers sign in first."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not (request.user.is_staff and request.user.has_perm("reports.view_dailyfigure")):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


def _filters(request: HttpRequest) -> Filters:
    return Filters(request.GET, timezone.now().astimezone(UTC).date())


@for_figures
@require_safe
def figures(request: HttpRequest) -> HttpResponse:
    """Everything on one page."""
    filters, now = _filters(request), timezone.now()
    whole = Period(filters.period.before.since, filters.period.until)
    reading = Reading([*FIGURES, *STEPS], whole, filters.where)
    still = Standing(now, filters.where)
    stand = still.sums(list(standing.STANDING), by=filters.by)
    address = filters.address()
    context = {
        "filters": filters,
        "address": address,
        "also": f"{address}&" if address else "?",
        "ways_by": [(name, word, filters.address(by=name)) for name, word in BY.items()],
        "tiles": overview.tiles(reading, filters),
        "contributed": contributed.tiles(filters),
        "columns": list(FIGURES.values()),
        "parts": overview.parts_of(reading, filters, stand),
        "by_word": BY[filters.by],
        "open": _all_of(stand, OPEN_BACK_ORDERS.name),
        "ages": overview.ages(stand, address),
        "ages_course": overview.ages_course(stand),
        "stuck": [
            (name, STANDING_WORDS[name][0], _all_of(stand, name), overview.stuck(still, stand, name))
            for name in (STUCK_JOBS.name, STUCK_LINES.name)
        ],
        "steps": overview.steps(reading, filters),
        "now": now,
    }
    return render(request, "figures/overview.html", context)


@for_figures
@require_safe
def figures_csv(request: HttpRequest) -> HttpResponse:
    """The same as a file."""
    filters = _filters(request)
    name = f"figures-{filters.period.since}-{filters.period.until}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(exporting.as_csv(filters), content_type="text/csv; charset=utf-8", headers=headers)


def _all_of(sums: dict[Any, Sum], name: str) -> dict[str, str]:
    total = sum((each for key, each in sums.items() if key.measure == name), Sum())
    return {"count": count_said(total.facts), "units": count_said(total.value)}


@for_figures
@require_safe
def figure(request: HttpRequest, name: str) -> HttpResponse:
    """One figure: what it says, how it is defined, its course, and the rows behind it."""
    if name in standing.STANDING:
        return _standing(request, name)
    filters, shown = _filters(request), ALL[name]
    edge, met = _edge(request, name), _met(request, shown)
    reading = Reading([name], filters.period, filters.where)
    sums = reading.sums(bucket=filters.bucket, edges=True)
    kept = {key: total for key, total in sums.items() if edge is None or key.edge == edge}
    total = sum(kept.values(), Sum())
    asked = Asked(name, filters.period, filters.where, edge, met)
    counts = {None: total.facts, True: total.met, False: total.facts - total.met}
    context = {
        "filters": filters,
        "figure": shown,
        "value": said(shown.of(total), shown.unit),
        "total": total,
        "weight": count_said(total.weight),
        "achieved": count_said(total.value) if shown.unit in ("share", "units") else "",
        "facts": count_said(total.facts),
        "trend": overview.trend(shown, kept, filters.period, filters.bucket),
        "count": count_said(counts[met]),
        "edge": overview.edge_words(name, edge) if edge else None,
        "outcomes": _outcomes(filters, shown, met, counts) if shown.met else [],
        **_rows(page_of(asked, request.GET.get("after", ""), reading=reading), name, shown.unit),
        **_ways(request, filters, edge),
    }
    return render(request, "figures/figure.html", context)


def _standing(request: HttpRequest, name: str) -> HttpResponse:
    filters = _filters(request)
    still = Standing(timezone.now(), filters.where)
    edge = _edge(request, name)
    sums = {key: total for key, total in still.sums([name]).items() if edge is None or key.edge == edge}
    total = sum(sums.values(), Sum())
    title, definition, formula = STANDING_WORDS[name]
    is_queue = name == OPEN_BACK_ORDERS.name
    bars = overview.ages(sums, filters.address()) if is_queue else overview.stuck(still, sums, name)
    context = {
        "filters": filters,
        "name": name,
        "title": title,
        "definition": definition,
        "formula": formula,
        "bars": bars,
        "is_queue": is_queue,
        "count": count_said(total.facts),
        "units": count_said(total.value),
        "edge": edge and (edge if is_queue else overview.WORDS[name].get(edge, edge)),
        **_rows(
            page_of(Asked(name, None, filters.where, edge), request.GET.get("after", ""), standing=still),
            name,
            "units" if is_queue else "seconds",
        ),
        **_ways(request, filters, edge),
    }
    return render(request, "figures/standing.html", context)


def _rows(page: Page, name: str, unit: str) -> dict[str, Any]:
    """The page of rows with what each says: its value, its step or status, and where it is shown."""
    has_steps = name in STEPS or name in (STUCK_JOBS.name, STUCK_LINES.name)
    rows = [
        {
            "row": row,
            "address": reverse(
                "desk:service-order" if row.kind == "service_order" else "desk:parts-order",
                args=[row.order.reference],
            ),
            "value": f"{count_said(row.value)} / {count_said(row.weight)}"
            if unit == "share"
            else said(row.value, unit),
            "step": overview.edge_words(name, row.edge) if has_steps else None,
        }
        for row in page.rows
    ]
    titles = {"share": _("Achieved / asked"), "units": _("Units"), "days": _("Waited"), "seconds": _("Time")}
    return {"page": page, "rows": rows, "is_steps": has_steps, "value_title": titles[unit]}


def _ways(request: HttpRequest, filters: Filters, edge: str | None) -> dict[str, Any]:
    """Where the pages of rows lead: the next one, all edges, back to all figures."""
    here = filters.address(edge=edge, met=request.GET.get("met"))
    return {
        "here": here,
        "more": f"{here}&" if here else "?",
        "all_edges": filters.address(met=request.GET.get("met")) or "?",
        "back": reverse("figures:figures") + filters.address(),
        "is_first": not request.GET.get("after"),
    }


def _edge(request: HttpRequest, name: str) -> str | None:
    edge = request.GET.get("edge", "")
    return edge[:48] if edge and name not in FIGURES else None


def _met(request: HttpRequest, shown: Figure) -> bool | None:
    return {"yes": True, "no": False}.get(request.GET.get("met", "")) if shown.met else None


def _outcomes(
    filters: Filters, shown: Figure, met: bool | None, counts: dict[bool | None, int]
) -> list[tuple[Any, str, str, bool]]:
    """The rows by what came of them: word, count, address, whether these are shown."""
    choices = ((None, _("All"), None), (False, shown.missed, "no"), (True, shown.met, "yes"))
    return [
        (word, count_said(counts[outcome]), filters.address(met=text) or "?", outcome is met)
        for outcome, word, text in choices
    ]

"""The board: open jobs by status or as a table, filtered by the address, moved by a button or by dragging."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from backorders import board as reading
from config.desk.board_clock import Clock, clock_of
from config.desk.board_forms import BoardFilters
from config.desk.orders import for_staff
from config.desk.orders_deeds import told
from config.faces.htmx import is_quick
from orders.actions import service_orders
from orders.actions.saved_views import views_of
from orders.models import ServiceOrder
from orders.statuses import SERVICE_ORDER_OPEN, SERVICE_ORDER_PATH, SERVICE_ORDER_STEPS, ServiceOrderStatus
from parts.admin.deeds import say
from parts.errors import Refused

#: How long after a step it can be taken back from the board.
UNDO = timedelta(seconds=60)
WORDS = dict(ServiceOrderStatus.choices)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a job: where to, and what its button says."""

    to: str
    title: str


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps from a status: forward, back and cancelling, and for the script that drags all of them."""

    forward: Step | None
    back: Step | None
    cancel: Step | None
    allowed: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A card as it is shown: the job, what it misses, its clock, its steps, and why a step was refused."""

    card: reading.Card
    clock: Clock | None
    steps: Steps
    refusal: str = ""
    note: str = ""

    @property
    def job(self) -> Any:
        return self.card.job

    # Texts that each card has, said here: a template takes ten times as long for them, and a board has seventy cards.

    @property
    def version(self) -> str:
        """The version that a step is decided on."""
        return str(self.job.version)

    @property
    def forward_label(self) -> str:
        """What the button forward says to who does not see its card."""
        step = self.steps.forward
        facts = {"reference": self.job.reference, "status": step.title if step else ""}
        return _("Move %(reference)s to %(status)s") % facts

    @property
    def more_label(self) -> str:
        """What the button for the other steps says to who does not see its card."""
        return _("More steps of %(reference)s") % {"reference": self.job.reference}

    @property
    def missing(self) -> str:
        """How many lines it waits for, in words; empty for none."""
        lines = self.card.missing.lines if self.card.missing else 0
        return ngettext("%(lines)s missing", "%(lines)s missing", lines) % {"lines": lines} if lines else ""


@dataclass(frozen=True, slots=True)
class ShownColumn:
    """A column as it is shown."""

    column: reading.Column
    word: Any
    cards: list[Shown]


def steps_of(status: str) -> Steps:
    """Return the steps from a status, in words."""
    place = SERVICE_ORDER_PATH.index(status) if status in SERVICE_ORDER_PATH else 0
    steps = SERVICE_ORDER_STEPS[status]
    words = {to: str(WORDS[to]) for to in steps}
    forward = next((to for to in steps if to in SERVICE_ORDER_PATH[place + 1 :]), None)
    back = next((to for to in steps if to in SERVICE_ORDER_PATH[:place]), None)
    return Steps(
        forward=Step(forward, words[forward]) if forward else None,
        back=Step(back, _("Back to %(status)s") % {"status": words[back]}) if back else None,
        cancel=Step("cancelled", words["cancelled"]) if "cancelled" in steps else None,
        allowed=" ".join(steps),
    )


def shown(cards: Sequence[reading.Card], now: datetime) -> list[Shown]:
    """Return cards as they are shown."""
    steps = {status: steps_of(status) for status in {card.job.status for card in cards}}
    return [Shown(card, clock_of(card.job, now), steps[card.job.status]) for card in cards]


@for_staff("orders.view_serviceorder")
@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """Show the board or the table; for htmx, only what a filter or "show more" changes."""
    filters = BoardFilters(request.GET)
    jobs = filters.jobs(request.user)
    after = reading.Place.read(request.GET.get("after", ""))
    if request.GET.get("column") in SERVICE_ORDER_OPEN and after:
        return _more(request, filters, jobs, request.GET["column"], after)
    quick = is_quick(request, "board-body")
    context = {**_context(request, filters, jobs), "quick": quick}
    answer = render(request, "desk/board_body.html" if quick else "desk/board.html", context)
    if quick:
        answer.headers["HX-Push-Url"] = f"{request.path}{filters.address()}"
    return answer


def _context(request: HttpRequest, filters: BoardFilters, jobs: Any) -> dict[str, Any]:
    now = timezone.now()
    person = cast(User, request.user)
    context: dict[str, Any] = {
        "filters": filters,
        "views": views_of(person.pk, "board"),
        "may_move": person.has_perm("orders.move_serviceorder"),
        "may_save": person.has_perm("orders.add_savedview"),
        "undo": _undo_after(request, now),
        "now": now,
    }
    if filters.as_table:
        after = reading.Place.read(request.GET.get("after", ""))
        found, next_place = reading.rows(jobs, filters.statuses, after)
        return {**context, "rows": shown(found, now), "next": next_place}
    columns = [ShownColumn(column, WORDS[column.status], shown(column.cards, now)) for column in reading.columns(jobs)]
    return {**context, "columns": columns, "count": sum(len(column.cards) for column in columns)}


def _more(request: HttpRequest, filters: BoardFilters, jobs: Any, status: str, after: reading.Place) -> HttpResponse:
    found, next_place = reading.rows(jobs, [status], after, reading.CARDS)
    context = {
        "cards": shown(found, timezone.now()),
        "status": status,
        "next": next_place,
        "filters": filters,
        "may_move": request.user.has_perm("orders.move_serviceorder"),
    }
    return render(request, "desk/board_cards.html", context)


def _undo_after(request: HttpRequest, now: datetime) -> dict[str, Any] | None:
    """Return the step that was just made without scripts, while it can be taken back."""
    reference, was = request.GET.get("moved", ""), request.GET.get("was", "")
    if not reference or was not in WORDS:
        return None
    job = ServiceOrder.objects.visible_to(request.user).filter(reference=reference).first()
    if job is None or job.status == was or now - job.status_since > UNDO:
        return None
    return undo(job.reference, job.status, was, job.version)


def undo(reference: str, status: str, was: str, version: int) -> dict[str, Any]:
    """Say what was done, and where the rules let it be taken back, how: a step back, recorded as any other."""
    return {
        "reference": reference,
        "word": WORDS[status],
        "was": was,
        "was_word": WORDS[was],
        "version": version,
        "possible": was in SERVICE_ORDER_STEPS[status],
    }


@for_staff("orders.move_serviceorder")
@require_POST
def move(request: HttpRequest, reference: str) -> HttpResponse:
    """Take one step of a job; where it is refused, say why on its card."""
    job = get_object_or_404(ServiceOrder.objects.visible_to(request.user), reference=reference)
    was, to, version = job.status, request.POST.get("to", ""), request.POST.get("version", "")
    note = request.POST.get("note", "")
    filters = BoardFilters(QueryDict(request.POST.get("filters", "")[:2000]))
    quick = is_quick(request)
    try:
        moved = service_orders.move(
            service_order_id=job.pk,
            to=to,
            expected_version=int(version) if version.isascii() and version.isdecimal() and len(version) < 10 else None,
            note=note,
            **told(request.user, timezone.now()),
        )
    except Refused as refusal:
        if quick:
            return _refused(request, job, filters, say(refusal, job), note)
        messages.error(request, say(refusal, job))
        return redirect(f"{reverse('desk:board')}{filters.address()}#link-{job.reference}")
    if quick:
        return _moved(request, filters, was, moved)
    address = filters.address(moved=moved.reference, was=was)
    return redirect(f"{reverse('desk:board')}{address}#link-{moved.reference}")


def _refused(request: HttpRequest, job: Any, filters: BoardFilters, refusal: str, note: str) -> HttpResponse:
    card = reading.card(job.pk)
    assert card is not None
    as_shown = Shown(card, clock_of(card.job, timezone.now()), steps_of(card.job.status), refusal, note)
    template = "desk/board_row.html" if filters.as_table else "desk/board_card.html"
    return render(request, template, {"shown": as_shown, "filters": filters, "may_move": True})


def _moved(request: HttpRequest, filters: BoardFilters, was: str, moved: service_orders.Moved) -> HttpResponse:
    """Answer with what the step changed: the card where it is now, the counts, and the way to take it back."""
    card = reading.card(moved.id)
    assert card is not None
    now = timezone.now()
    stays = moved.status in SERVICE_ORDER_OPEN
    context: dict[str, Any] = {
        "shown": Shown(card, clock_of(card.job, now), steps_of(card.job.status)),
        "filters": filters,
        "may_move": True,
        "stays": stays,
        "undo": undo(moved.reference, moved.status, was, moved.version),
    }
    if not filters.as_table:
        touched = [status for status in (was, moved.status) if status in SERVICE_ORDER_OPEN]
        found = reading.counts(filters.jobs(request.user), touched)
        context["counts"] = [
            (status, min(count, reading.COUNTED), count > reading.COUNTED) for status, count in found.items()
        ]
    return render(request, "desk/board_moved.html", context)

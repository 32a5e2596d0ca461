"""What blocks an order now, and why a line is expected when it is: one sentence each. Pure, the day passed in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backorders.dossiers import Row
from orders.statuses import LINE_CLOSED, LINE_HOLDS_STOCK, SERVICE_ORDER_CLOSED
from parts.labels import inside, written


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence with what it means: waiting, late, done, moving or neutral, and its icon."""

    text: str
    meaning: str
    icon: str


@dataclass(frozen=True, slots=True)
class Why:
    """Why a line is expected when it is (`text`), and where it stands in the queue (`queue`, empty if it waits not)."""

    text: str
    meaning: str
    queue: str = ""


def _day(day: date) -> str:
    return date_format(day, "SHORT_DATE_FORMAT")


def amount(line: Any) -> str:
    """Return a line's quantity with the name of its part: `2 × S-4107 Swivel joint`."""
    return f"{written(line.quantity)} × {line.part.number} {line.part.description}"


# --- Why a line is expected when it is -------------------------------------------------------------------------------


def why_expected(row: Row, today: date) -> Why:
    """Say where a line's goods are, or where they will come from."""
    line = row.line
    if row.prospect is not None:
        return Why(*_supply(row, today), _queue(row))
    if line.status in LINE_HOLDS_STOCK and line.warehouse:
        return Why(_("Put aside in %(warehouse)s.") % {"warehouse": line.warehouse.code}, "done")
    if line.status in ("shipped", "delivered") and row.boxes:
        left = row.boxes[-1].shipment
        by = " ".join(text for text in (left.carrier, left.tracking_number) if text)
        facts = {"warehouse": left.warehouse.code, "shipment": left.reference, "by": by}
        if by:
            return Why(_("Left %(warehouse)s with %(shipment)s, %(by)s.") % facts, "done")
        return Why(_("Left %(warehouse)s with %(shipment)s.") % facts, "done")
    return Why("", "neutral")


def _supply(row: Row, today: date) -> tuple[str, str]:
    assert row.prospect is not None
    supply, missing = row.prospect.supply, row.back_order.quantity
    if row.back_order.on_hold:
        return _("On hold: it gets nothing until it is let go."), "late"
    if not supply and row.back_order.expected_on:
        return _("Supply that is on order covers it."), "waiting"
    if not supply and row.prospect.is_on_order:
        return _("What is on order goes to those before it."), "late"
    if not supply:
        return _("No supply is ordered for it."), "late"
    said, meaning = [_coming(coming, today) for coming in supply], "waiting"
    open_quantity = missing - row.prospect.covered
    if open_quantity > 0:
        said.append(_("nothing is ordered for %(quantity)s of it") % {"quantity": written(open_quantity)})
        meaning = "late"
    if any(coming.expected_on is None for coming in supply):
        meaning = "late"
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}.", meaning


def _coming(coming: Any, today: date) -> str:
    facts = {
        "quantity": written(coming.quantity),
        "order": coming.purchase_order,
        "supplier": coming.supplier,
        "day": _day(coming.expected_on or coming.said) if coming.expected_on or coming.said else "",
    }
    if coming.expected_on and coming.expected_on >= today:
        return _("%(quantity)s from %(supplier)s, %(order)s, due %(day)s") % facts
    if facts["day"]:
        return _("%(quantity)s from %(supplier)s, %(order)s, was due %(day)s and is overdue") % facts
    return _("%(quantity)s from %(supplier)s, %(order)s, no date given") % facts


def _queue(row: Row) -> str:
    prospect = row.prospect
    assert prospect is not None
    if prospect.is_far_back:
        return _("More than %(count)s stand before it.") % {"count": prospect.ahead - 1}
    if not prospect.ahead:
        return _("Next in the queue.")
    return ngettext(
        "%(count)s stands before it and gets %(quantity)s first.",
        "%(count)s stand before it and get %(quantity)s first.",
        prospect.ahead,
    ) % {"count": prospect.ahead, "quantity": written(prospect.quantity_ahead)}


# --- What blocks it now ----------------------------------------------------------------------------------------------


def _missing(leaves: Sequence[Row], today: date) -> Said | None:
    """Say what is missing: of all lines that wait, the one that decides when the order can go on."""
    waiting = [row for row in leaves if row.prospect is not None or row.line.status == "back_ordered"]
    if not waiting:
        return None
    worst = max(waiting, key=lambda row: (_expected(row) is None, _expected(row) or today, row.line.quantity))
    why = why_expected(worst, today)
    said = _("Waits for %(part)s. %(why)s") % {"part": amount(worst.line), "why": why.text}
    if len(waiting) > 1:
        more = ngettext("%(count)s more line waits.", "%(count)s more lines wait.", len(waiting) - 1)
        said = f"{said} {more % {'count': len(waiting) - 1}}"
    if _is_overdue(worst, today):
        promised = _("It was promised for %(day)s.") % {"day": _day(worst.line.promised_on)}
        said = f"{said} {promised}"
    late = why.meaning == "late" or _is_overdue(worst, today)
    return Said(said.strip(), "late" if late else "waiting", "package-x")


def _expected(row: Row) -> date | None:
    return row.back_order.expected_on if row.back_order is not None else None


def _is_overdue(row: Row, today: date) -> bool:
    return bool(row.line.promised_on and row.line.promised_on < today)


def _held(orders: Iterable[Any]) -> Said | None:
    for order in orders:
        if order.on_hold:
            facts = {"order": order.reference, "reason": order.hold_reason}
            return Said(_("%(order)s is on hold: %(reason)s") % facts, "late", "pause")
    return None


def _on_its_way(leaves: Sequence[Row]) -> Said | None:
    held = [row for row in leaves if row.line.status in LINE_HOLDS_STOCK]
    if held:
        first = held[0].line
        kept = next((row.line for row in held if row.line.kept_back), None)
        if kept is not None:
            text = _("%(line)s was taken back and stays where it is until somebody lets it go.")
            return Said(text % {"line": kept.reference}, "waiting", "pause")
        text = ngettext(
            "Nothing is missing: %(count)s line is %(status)s in %(warehouse)s and has not left yet.",
            "Nothing is missing: %(count)s lines are put aside, the first is %(status)s in %(warehouse)s.",
            len(held),
        )
        facts = {
            "count": len(held),
            "status": inside(first.get_status_display()),
            "warehouse": first.warehouse.code if first.warehouse else "–",
        }
        return Said(text % facts, "moving", "package")
    away = [row for row in leaves if row.line.status == "shipped"]
    if away:
        return Said(_("Nothing is missing: the parts are on their way."), "moving", "truck")
    return None


def blocks_order(order: Any, leaves: Sequence[Row], today: date) -> Said:
    """Say in one sentence what keeps a parts order from being done."""
    if order.status in LINE_CLOSED:
        return Said(_("Nothing: all of it is %(status)s.") % {"status": inside(order.get_status_display())}, *_DONE)
    found = _held([order]) or _missing(leaves, today)
    if found and order.complete_delivery_only and found.icon == "package-x":
        ready = sum((row.line.quantity for row in leaves if row.line.status in LINE_HOLDS_STOCK), Decimal(0))
        if ready:
            complete = _("It is delivered complete only, so the rest waits with it.")
            return Said(f"{found.text} {complete}", "late", found.icon)
    return found or _on_its_way(leaves) or Said(_("Nothing."), *_DONE)


_DONE = ("done", "circle-check")
_ABOUT_STATUS = {
    "draft": (gettext_lazy("Nothing is planned yet: give it a day."), "neutral", "calendar"),
    "awaiting_parts": (gettext_lazy("Nothing is missing any more: it can go on."), *_DONE),
    "with_manufacturer": (gettext_lazy("The equipment is with the manufacturer."), "waiting", "factory"),
    "ready_for_return": (gettext_lazy("Repaired: it waits to go back to the customer."), "moving", "package-check"),
}


def blocks_job(job: Any, orders: Sequence[Any], leaves: Sequence[Row], away: Sequence[Any], today: date) -> Said:
    """Say in one sentence what keeps a job from going on. `away` is equipment on its way that has not arrived."""
    if job.status in SERVICE_ORDER_CLOSED:
        return Said(_("Nothing: the job is %(status)s.") % {"status": inside(job.get_status_display())}, *_DONE)
    found = _held(orders) or _missing(leaves, today)
    if found:
        return found
    if job.status == "with_manufacturer" and (late := _late_equipment(away, today)):
        return late
    if job.technician_id is None and job.status in ("scheduled", "new", "in_progress"):
        return Said(_("Nobody has it: assign a technician."), "waiting", "user-plus")
    if job.status in _ABOUT_STATUS:
        text, meaning, icon = _ABOUT_STATUS[job.status]
        return Said(str(text), meaning, icon)
    if job.status == "scheduled" and job.scheduled_for and job.scheduled_for >= today:
        return Said(_("Nothing: it is planned for %(day)s.") % {"day": _day(job.scheduled_for)}, "neutral", "calendar")
    way = _on_its_way(leaves)
    if way and job.status != "in_progress":
        return way
    who = job.technician.get_full_name() or job.technician.get_username() if job.technician else ""
    if job.status == "in_progress" and who:
        return Said(_("Nothing: %(person)s works on it.") % {"person": who}, "moving", "wrench")
    return Said(_("Nothing: %(person)s can begin.") % {"person": who}, *_DONE) if who else Said(_("Nothing."), *_DONE)


def _late_equipment(away: Sequence[Any], today: date) -> Said | None:
    back = [shipment for shipment in away if shipment.expected_on]
    if not back:
        return None
    first = min(back, key=lambda shipment: shipment.expected_on)
    facts = {"carrier": first.carrier, "day": _day(first.expected_on), "way": inside(first.get_direction_display())}
    if first.expected_on < today:
        return Said(_("Equipment %(way)s with %(carrier)s was due on %(day)s and is overdue.") % facts, "late", "truck")
    return Said(_("Equipment %(way)s with %(carrier)s is due on %(day)s.") % facts, "waiting", "truck")

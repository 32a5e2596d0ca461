"""The ways for a back order in words: what is done, what it costs, what it takes from whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.conf import settings
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backorders import ways as finding
from backorders.ways import Way
from parts.labels import written

#: What a kind is called, and its icon.
TITLES: dict[str, tuple[Any, str]] = {
    finding.TAKE_NOW: (gettext_lazy("Take what is there now"), "call_split"),
    finding.TRANSFER: (gettext_lazy("Transfer from another warehouse"), "swap_horiz"),
    finding.SUBSTITUTE: (gettext_lazy("Send a substitute"), "find_replace"),
    finding.PIN: (gettext_lazy("Serve it first"), "keep"),
    finding.EXPEDITE: (gettext_lazy("Expedite what is on order"), "bolt"),
    finding.PURCHASE: (gettext_lazy("Order from a supplier"), "receipt_long"),
    finding.PROMISE: (gettext_lazy("Promise another day"), "event_available"),
    finding.CANCEL: (gettext_lazy("Cancel it"), "block"),
}


def day(value: date | None) -> str:
    """Return a day, or that there is none."""
    return date_format(value, "DATE_FORMAT") if value else _("no day known")


def money(value: Any) -> str:
    """Return an amount with the house's money."""
    return f"{number_format(value, 2, force_grouping=True)} {settings.CURRENCY}"


def _take_now(facts: dict[str, Any], way: Way) -> str:
    return _("%(gets)s lie free in %(warehouses)s; it accepts %(accepts)s at least. The rest, %(rest)s, waits on.") % {
        "gets": written(way.gets),
        "warehouses": facts["warehouses"],
        "accepts": written(facts["accepts"]),
        "rest": written(facts["rest"]),
    }


def _transfer(facts: dict[str, Any], way: Way) -> str:
    said = _("%(quantity)s of %(available)s in %(origin)s, to %(destination)s.") % {
        "quantity": written(facts["quantity"]),
        "available": written(facts["available"]),
        "origin": facts["origin"],
        "destination": facts["destination"],
    }
    if facts["others"]:
        said += " " + _("%(others)s go to those who stand before it, %(gets)s to it.") % {
            "others": written(facts["others"]),
            "gets": written(way.gets),
        }
    return said


def _substitute(facts: dict[str, Any], way: Way) -> str:
    said = _("%(quantity)s × %(number)s %(description)s for %(gets)s of it, from %(warehouse)s.") % {
        "quantity": written(facts["quantity"]),
        "number": facts["number"],
        "description": facts["description"],
        "gets": written(way.gets),
        "warehouse": facts["warehouse"],
    }
    if facts["rest"]:
        said += " " + _("The rest, %(rest)s, waits on.") % {"rest": written(facts["rest"])}
    return said


def _pin(facts: dict[str, Any], way: Way) -> str:
    return _("It goes before all of its part that are not pinned: what is on order for them serves it.")


def _expedite(facts: dict[str, Any], way: Way) -> str:
    return _("%(quantity)s from %(supplier)s, %(number)s, said for %(day)s. Ask for an earlier day.") % {
        "quantity": written(facts["quantity"]),
        "supplier": facts["supplier"],
        "number": facts["number"],
        "day": day(facts["said"]),
    }


def _purchase(facts: dict[str, Any], way: Way) -> str:
    return _("%(quantity)s from %(supplier)s to %(destination)s, in %(lead)s days.") % {
        "quantity": written(facts["quantity"]),
        "supplier": facts["supplier"],
        "destination": facts["destination"],
        "lead": facts["lead"],
    }


def _promise(facts: dict[str, Any], way: Way) -> str:
    said = _("Nothing was promised.")
    if facts["promised"]:
        said = _("Promised for %(day)s.") % {"day": day(facts["promised"])}
    return said + " " + _("Expected: %(day)s.") % {"day": day(facts["expected"])}


def _cancel(facts: dict[str, Any], way: Way) -> str:
    return _("Nobody waits for it any more; those behind go ahead.")


_SAYS: dict[str, Callable[[dict[str, Any], Way], str]] = {
    finding.TAKE_NOW: _take_now,
    finding.TRANSFER: _transfer,
    finding.SUBSTITUTE: _substitute,
    finding.PIN: _pin,
    finding.EXPEDITE: _expedite,
    finding.PURCHASE: _purchase,
    finding.PROMISE: _promise,
    finding.CANCEL: _cancel,
}


def says(way: Way) -> str:
    """Return what a way does."""
    return _SAYS[way.kind](way.facts, way)


def when(way: Way) -> str:
    """Return when it serves the back order."""
    if way.now and way.facts.get("rest"):
        rest = {"gets": written(way.gets), "day": day(way.facts.get("rest_on"))}
        return _("%(gets)s at once; the rest: %(day)s") % rest
    if way.now:
        return _("at once, from the shelf")
    if way.kind == finding.EXPEDITE and way.facts["day"] is None:
        return _("the day that the supplier gives")
    if way.kind in (finding.PROMISE, finding.CANCEL):
        return _("brings nothing sooner")
    if way.on is not None and not way.sooner:
        return _("%(day)s, no sooner than without it") % {"day": day(way.on)}
    return day(way.on)


def costs(way: Way) -> str:
    """Return what a way costs more; in words where only a part of it, or nothing, is known."""
    if way.kind == finding.PURCHASE:
        if way.cost is None:
            return _("the supplier's price is not known")
        facts = {"money": money(way.cost), "each": money(way.facts["unit_cost"])}
        return _("%(money)s (%(each)s each), freight not known") % facts
    if way.kind == finding.SUBSTITUTE:
        if way.cost is None:
            return _("a part's cost is not known")
        return _("%(money)s against the part itself") % {"money": f"{'+' if way.cost > 0 else ''}{money(way.cost)}"}
    if way.kind == finding.TRANSFER:
        return _("the way, which is not known")
    if way.kind == finding.EXPEDITE:
        return _("what the supplier asks for it")
    return _("nothing")


def takes(way: Way) -> str:
    """Return what a way takes from whom, in one sentence."""
    said = []
    if way.kind == finding.TRANSFER:
        left = way.facts["available"] - way.facts["quantity"]
        said.append(_("%(origin)s keeps %(left)s.") % {"origin": way.facts["origin"], "left": written(left)})
    if way.kind == finding.SUBSTITUTE:
        left = way.facts["available"] - way.facts["quantity"]
        said.append(_("%(left)s stay free of it there.") % {"left": written(left)})
    if way.losers:
        facts = {"count": len(way.losers), "days": way.days_lost}
        waits = (
            ngettext("%(count)s back order waits longer", "%(count)s back orders wait longer", len(way.losers)) % facts
        )
        if way.days_lost:
            waits += ", " + ngettext("%(days)s day in all", "%(days)s days in all", way.days_lost) % facts
        said.append(f"{waits}.")
    elif way.gainers:
        said.append(
            ngettext("Nobody; %(count)s other gains.", "Nobody; %(count)s others gain.", len(way.gainers))
            % {"count": len(way.gainers)}
        )
    return " ".join(said) or _("Nobody.")

"""Who gains and who loses, a page at a time: shown before anything is applied."""

from __future__ import annotations

from typing import Any

from backorders.whatif import Effect, tell

#: How many rows a page holds.
PAGE = 50


def effect_page(found: Effect, page: str = "") -> dict[str, Any]:
    """Return what the template of an effect shows of one of its pages (1 is the first; nonsense is the first too)."""
    told = [shift for shift in found.shifts if shift.direction]
    last = max(1, -(-len(told) // PAGE))
    number = min(max(int(page), 1), last) if page.isascii() and page.isdigit() and len(page) < 10 else 1
    return {
        "effect": found,
        "rows": tell(told[(number - 1) * PAGE : number * PAGE]),
        "page": number,
        "pages": last,
        "earlier": number - 1,
        "later": number + 1 if number < last else 0,
        "only_places": found.moving - sum(shift.place != shift.new_place for shift in told),
    }

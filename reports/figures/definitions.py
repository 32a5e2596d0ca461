"""What each figure says: its name, its definition in words, its formula, where the definition comes from, its unit.

The numbers come from the measures of `facts`; whoever changes one changes the words here beside it, and
docs/figures.md, which a test holds against this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from reports.figures import facts
from reports.figures.reading import Sum

_FRAZELLE = _("E. Frazelle, RightChain: fill rates by order, line and unit, measured at the first time of asking.")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure over a period. `unit` is share, days, units or seconds; `better` is up, down or empty."""

    measure: facts.Measure
    title: Any
    definition: Any
    formula: Any
    source: Any
    unit: str
    better: str
    met: Any = ""
    missed: Any = ""
    dated_by: Any = _("the day of placing")

    @property
    def name(self) -> str:
        return self.measure.name

    def of(self, total: Sum) -> Decimal | None:
        """Return the figure of a sum; None where there is nothing to compute it from."""
        return (total.value if total.facts else None) if self.unit == "units" else total.ratio


FIGURES: dict[str, Figure] = {
    figure.name: figure
    for figure in (
        Figure(
            facts.FIRST_PASS,
            _("First-pass fill rate"),
            _(
                "Of the units ordered, how many were reserved from stock in the very transaction that placed their"
                " line. Lines that were cancelled whole are left out; one for which another part was sent later is not"
                " filled."
            ),
            _("units reserved when placed ÷ units ordered"),
            _(
                "Sherbrooke, METRIC (RAND 1966): demands filled at once when they are received; in inventory theory"
                " the volume fill rate, β or P2."
            ),
            "share",
            "up",
            _("Filled whole"),
            _("Not filled whole"),
        ),
        Figure(
            facts.LINE_FILL,
            _("Line fill rate"),
            _(
                "Of the lines ordered, how many were reserved whole in the transaction that placed them. A line filled"
                " in part counts as not filled, and so does one for which another part was sent later. Lines that"
                " were cancelled otherwise are left out."
            ),
            _("lines reserved whole when placed ÷ lines placed"),
            _FRAZELLE,
            "share",
            "up",
            _("Filled"),
            _("Not filled"),
        ),
        Figure(
            facts.ORDER_FILL,
            _("Order fill rate"),
            _(
                "Of the parts orders placed, how many had every line reserved whole in the transaction that placed"
                " them. Cancelled orders are left out."
            ),
            _("orders reserved whole when placed ÷ orders placed"),
            _FRAZELLE,
            "share",
            "up",
            _("Filled"),
            _("Not filled"),
        ),
        Figure(
            facts.UNIT_FILL,
            _("Unit fill rate"),
            _(
                "Of the units ordered in the period and not cancelled, how many have left the warehouse by now. It"
                " grows afterwards, as back orders are served. Another part that was sent instead counts in its place,"
                " on the day it was put aside."
            ),
            _("units shipped by now ÷ units ordered"),
            _("E. Frazelle, RightChain: total units shipped ÷ total units requested, back orders included."),
            "share",
            "up",
            _("Shipped"),
            _("Not shipped yet"),
        ),
        Figure(
            facts.PROMISES_KEPT,
            _("Promises kept"),
            _(
                "Of the lines delivered in the period that had a promised date, how many came on or before the date"
                " promised first, by the customer's time zone. A promise moved later does not help, nor another part"
                " sent instead. Each part that a line was split into counts."
            ),
            _("lines delivered by the first promise ÷ lines delivered with a promise"),
            _("SCOR: delivery performance to customer commit date, taken by line and by the original date."),
            "share",
            "up",
            pgettext_lazy("promise", "Kept"),
            _("Broken"),
            _("the day of delivery"),
        ),
        Figure(
            facts.BACK_ORDER_DAYS,
            _("Back-order duration"),
            _(
                "How long the back orders fulfilled in the period had waited, on average: from when they were opened"
                " until their part left. Days of 24 hours."
            ),
            _("sum of days from opened to fulfilled ÷ back orders fulfilled"),
            _("Ours: the mean over back orders, from the times in the ledger."),
            "days",
            "down",
            dated_by=_("the day it was fulfilled"),
        ),
        Figure(
            facts.BACK_ORDERS_OPENED,
            _("Units back-ordered"),
            _(
                "The units missing when back orders were opened in the period, whatever became of them. One that lost"
                " its stock and waits again is counted once."
            ),
            _("sum of units missing at first"),
            _("Counted from the ledger: events back_order.opened."),
            "units",
            "down",
            dated_by=_("the day it was opened"),
        ),
    )
}

#: Mean time between transitions, by whose steps they are.
STEPS: dict[str, Figure] = {
    figure.name: figure
    for figure in (
        Figure(
            measure,
            title,
            _(
                "How long a subject stayed in a status before it took this step, on average. Steps that were only"
                " passed through and notes do not count; statuses derived from others are left out."
            ),
            _("sum of time in the status left ÷ steps taken"),
            _("The ledger's own dwell, stored with each event; in process mining, the mean sojourn time per edge."),
            "seconds",
            "down",
            dated_by=_("the day of the step"),
        )
        for measure, title in (
            (facts.JOB_STEPS, _("Steps of service orders")),
            (facts.LINE_STEPS, _("Steps of order lines")),
            (facts.BACK_ORDER_STEPS, _("Steps of back orders")),
        )
    )
}

ALL: dict[str, Figure] = {**FIGURES, **STEPS}

"""What can be done with a parts order and with its lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from backorders.actions import moving
from backorders.statuses import BACK_ORDER_WAITING
from config.desk import orders_forms as ask
from config.desk.orders_consents import wishing
from config.desk.orders_deeds import Act, Deed, does
from orders.actions import lines, parts_orders
from orders.statuses import LINE_CLOSED, LINE_HOLDS_STOCK, LINE_OPEN, LINE_STEPS


def _order(verb: Callable[..., Any], *names: str, says: Any = "") -> Act:
    return does(verb, "order_id", *names, says=says)


def _line(verb: Callable[..., Any], *names: str, says: Any = "") -> Act:
    return does(verb, "line_id", *names, says=says)


def _back_order(verb: Callable[..., Any], *names: str, says: Any = "") -> Act:
    return does(verb, "back_order_id", *names, says=says, gone_to=lambda line: line.back_order.pk)


def _ship(order: Any, cleaned: dict[str, Any], told: dict[str, Any]) -> str:
    facts = {name: cleaned[name] for name in ("items", "carrier", "tracking_number", "walk")}
    shipped = lines.ship(order_id=order.pk, **facts, **told)
    return _g("Shipped: %(references)s.") % {"references": ", ".join(shipment.reference for shipment in shipped)}


def _may_leave(order: Any) -> bool:
    return order.status in LINE_OPEN and not order.on_hold and getattr(order, "holds_stock", True)


PARTS_ORDER_DEEDS = (
    Deed(
        slug="ship",
        title=_("Ship"),
        icon="truck",
        permission="orders.ship_orderline",
        form=ask.ShipForm,
        act=_ship,
        offered=_may_leave,
        is_main=True,
        intro=_(
            "All that is put aside is filled in: lower what leaves later, or empty it. What stays behind becomes a "
            "line of its own."
        ),
    ),
    Deed(
        slug="hold",
        title=_("Hold"),
        icon="pause",
        permission="orders.hold_partsorder",
        form=ask.ReasonForm,
        act=_order(parts_orders.hold, "reason", says=_("Held: nothing of it is picked or shipped until it is let go.")),
        offered=lambda order: order.status in LINE_OPEN and not order.on_hold,
        is_main=True,
    ),
    Deed(
        slug="let-go",
        title=_("Let go"),
        icon="play",
        permission="orders.hold_partsorder",
        act=_order(parts_orders.let_go, says=_("It goes on.")),
        offered=lambda order: order.on_hold,
        is_main=True,
    ),
    Deed(
        slug="cancel",
        title=_("Cancel the order"),
        icon="ban",
        permission="orders.cancel_orderline",
        form=ask.ReasonForm,
        act=_order(
            parts_orders.cancel,
            *("reason", "expected_version"),
            says=_("Cancelled; what it held is free for others."),
        ),
        offered=lambda order: order.status in LINE_OPEN and "cancelled" in LINE_STEPS[order.status],
        is_main=True,
        intro=_("Everything that has not left is cancelled. What it held serves those who wait."),
        is_danger=True,
    ),
)

# --- A line ----------------------------------------------------------------------------------------------------------


def _waits(line: Any) -> bool:
    back_order = getattr(line, "back_order", None)
    return back_order is not None and back_order.status in BACK_ORDER_WAITING


def line_steps(line: Any, order: Any) -> list[str]:
    """Return the steps of a line that are buttons; shipping, returning and cancelling have forms of their own."""
    if line.is_split or order.on_hold:
        return []
    return [to for to in lines.allowed_by_hand(line.status) if to not in ("shipped", "returned", "cancelled")]


LINE_DEEDS = (
    Deed(
        slug="line-move",
        title=_("Move"),
        icon="arrow-right",
        permission="orders.move_orderline",
        about="line",
        form=ask.StepForm,
        act=_line(lines.move, "to", "expected_version"),
        is_hidden=True,
    ),
    Deed(
        slug="line-promise",
        title=_("Promise a date"),
        icon="calendar",
        permission="orders.promise_orderline",
        about="line",
        form=ask.PromiseForm,
        act=_line(lines.promise, "promised_on", "reason", "expected_version", says=_("Promised for %(promised_on)s.")),
        offered=lambda line: line.status not in LINE_CLOSED,
        intro=_("The first promise is kept for ever beside the present one."),
    ),
    Deed(
        slug="line-let-go",
        title=_("Let go"),
        icon="play",
        permission="orders.move_orderline",
        about="line",
        act=_line(lines.let_go, "expected_version", says=_("It goes on by itself again.")),
        offered=lambda line: line.kept_back and not line.is_split and line.status in LINE_HOLDS_STOCK,
    ),
    Deed(
        slug="line-supply",
        title=_("Note its supply"),
        icon="factory",
        permission="backorders.move_backorder",
        about="line",
        form=ask.SupplyForm,
        act=_back_order(moving.move, "to", "note", says=_("The supply is noted.")),
        offered=_waits,
    ),
    Deed(
        slug="line-hold",
        title=_("Pass it over"),
        icon="pause",
        permission="backorders.move_backorder",
        about="line",
        form=ask.ReasonForm,
        act=_back_order(moving.hold, "reason", says=_("It keeps its place and gets nothing until it is let go.")),
        offered=lambda line: _waits(line) and not line.back_order.on_hold,
    ),
    Deed(
        slug="line-serve",
        title=_("Let it take part again"),
        icon="play",
        permission="backorders.move_backorder",
        about="line",
        act=_back_order(moving.let_go, says=_("It takes part again; what is free is given out at once.")),
        offered=lambda line: _waits(line) and line.back_order.on_hold,
    ),
    Deed(
        slug="line-return",
        title=_("Book a return"),
        icon="undo-2",
        permission="orders.move_orderline",
        about="line",
        form=ask.ReturnForm,
        act=_line(lines.return_to_stock, "quantity", "unfit", "note"),
        offered=lambda line: "returned" in LINE_STEPS[line.status] and not line.is_split,
    ),
    Deed(
        slug="line-cancel",
        title=_("Cancel"),
        icon="ban",
        permission="orders.cancel_orderline",
        about="line",
        form=ask.CancelLineForm,
        act=_line(lines.cancel, "quantity", "reason", "expected_version"),
        offered=lambda line: "cancelled" in LINE_STEPS[line.status],
        intro=_("What it held serves those who wait; what it waited for, others get."),
        is_danger=True,
    ),
    Deed(
        slug="line-override",
        title=_("Override the status"),
        icon="shield-alert",
        permission="orders.override_orderline",
        about="line",
        form=ask.LineOverrideForm,
        act=wishing("line"),
        offered=lambda line: not line.is_split,
        intro=_("An override goes round the flow. Stock and queue follow, and the ledger marks it for ever."),
        is_danger=True,
    ),
)

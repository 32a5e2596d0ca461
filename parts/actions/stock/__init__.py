"""Every change of stock, by its verb.

`correct_stock`, `count_stock`, `count_van` and `transfer` are for people and check their permission. The verbs on
reservations and arrivals have none of their own: only an order's action calls them, for somebody who may move that
order.
"""

from parts.actions.reserving import lock_levels, reserve
from parts.actions.stock.arrivals import Arrival, Arrived, Reversal, book_arrivals, take_back_arrivals
from parts.actions.stock.confirmations import Confirmed, confirm_stock
from parts.actions.stock.corrections import (
    Corrected,
    Correction,
    correct_stock,
    correct_stock_many,
    count_stock,
)
from parts.actions.stock.counting import CountOutdated, Found, count_van
from parts.actions.stock.levels import lock_stock_of_parts
from parts.actions.stock.reservations import (
    Held,
    Issue,
    Move,
    NothingReserved,
    Released,
    Split,
    issue,
    lock_stock_of,
    pick,
    reassign_reservation,
    split_reservations,
    unreserve,
)
from parts.actions.stock.returns import Returned, return_to_stock
from parts.actions.stock.transfers import Transferred, transfer

__all__ = [
    "Arrival",
    "Arrived",
    "Confirmed",
    "Corrected",
    "CountOutdated",
    "Correction",
    "Found",
    "Held",
    "Issue",
    "Move",
    "NothingReserved",
    "Released",
    "Returned",
    "Reversal",
    "Split",
    "Transferred",
    "book_arrivals",
    "confirm_stock",
    "correct_stock",
    "correct_stock_many",
    "count_stock",
    "count_van",
    "issue",
    "lock_levels",
    "lock_stock_of",
    "lock_stock_of_parts",
    "pick",
    "reassign_reservation",
    "reserve",
    "return_to_stock",
    "split_reservations",
    "take_back_arrivals",
    "transfer",
    "unreserve",
]

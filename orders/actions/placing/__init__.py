"""Place a parts order: reserve what is there, split what is short, open its back order. One transaction.

In the order in which it happens: `wanted` (what is asked for), `facts` (what is read), `plan` (what is decided),
`draft` (what is written), `placed` (what is answered); `order` walks through them.
"""

from orders.actions.placing.order import place
from orders.actions.placing.placed import Placed, PlacedLine
from orders.actions.placing.wanted import MOST_LINES, SERVICE_KINDS, SOFT_KINDS, TOO_MANY, Wanted

__all__ = [
    "MOST_LINES",
    "SERVICE_KINDS",
    "SOFT_KINDS",
    "TOO_MANY",
    "Placed",
    "PlacedLine",
    "Wanted",
    "place",
]

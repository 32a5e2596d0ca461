"""What messages say, in our words: every form of message is read into these, and only these have effects.

A fact names its subject as its sender knows it; who it is here is looked up later, for a whole batch at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from parts.errors import Refused
from parts.sentences import Says

#: Longer keys are not: they stand in an index.
LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom or what a fact is about, as its sender knows it: our reference, our key, or a number of its sender's.

    `kind` is what it is here, `by` how `value` names it:

    | kind | by `reference` (or `id`, our key) | by another word: that kind of number of the sender's |
    |---|---|---|
    | `line` | `P-000017/2`, `P-000017/2.1` | `delivery_item`: `80001234/10` |
    | `parts_order` | `P-000017` | `order` |
    | `service_order` | `SO-000004` | `work_order` |
    | `purchase_order_line` | `PUR-000012/3` (order, position) | `order_item`: the supplier's own order and item |
    | `part` | our number, or anybody's that means one part only | a system of the cross-reference (`GTIN`) |
    | `warehouse`, `customer`, `region`, `supplier` | our code | `plant`, `sold_to` … |
    | `equipment` | its serial number, if only one machine has it | `equipment` |

    A number of the sender's that nobody has linked to anything of ours is not here (yet): the message waits.
    """

    kind: str
    by: str
    value: str


@dataclass(frozen=True, slots=True)
class Code:
    """A status in the words of others: a code of a list, in a release of it (empty: whichever)."""

    code_list: str
    release: str
    code: str

    @property
    def key(self) -> str:
        """What a message that waits for its meaning waits for: a decision on the code, in whichever release."""
        return f"code:{self.code_list}:{self.code}"


@dataclass(frozen=True, slots=True)
class StatusReached:
    """A subject has reached a status, by its sender's clock: one of ours, or what `codes` mean together."""

    subject: Subject
    occurred_at: datetime
    status: str = ""
    codes: tuple[Code, ...] = ()
    note: str = ""
    is_public: bool = False


@dataclass(frozen=True, slots=True)
class ShippedItem:
    """A line, or a part of it, that left with a shipment. `quantity` is in the part's unit, None: all that is left.

    A line comes once in a shipment: a form adds up what batches and packages split. `is_complete` is what the sender
    says of the line: True, nothing more of it will come; False, more will; None, it does not say. `serials` and
    `batches` are those read off its units, in any order.
    """

    line: Subject
    quantity: Decimal | None = None
    serials: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    is_complete: bool | None = None


@dataclass(frozen=True, slots=True)
class Shipped:
    """Goods have left for whoever ordered them, by the sender's clock. What is not named stays where it is.

    `shipment_number` is the sender's own for what left together (a delivery, a despatch advice): the same number says
    the same thing, however often and in however many messages it comes.
    """

    items: tuple[ShippedItem, ...]
    occurred_at: datetime
    shipment_number: str = ""
    carrier: str = ""
    tracking_number: str = ""
    note: str = ""


class StockState(StrEnum):
    """Where goods can be, seen from the stock of a warehouse: not in it, fit to be promised, in it and unfit."""

    OUTSIDE = "outside"
    AVAILABLE = "available"
    UNFIT = "unfit"


@dataclass(frozen=True, slots=True)
class StockConfirmed:
    """A warehouse confirms that goods went from one state into another: received, put away, blocked, found, scrapped.

    `document` is the sender's number of the confirmation (a material document, a warehouse task) and makes it happen
    once. With `purchase_order_line` (or `delivery_note`) goods from outside are a supplier's delivery. A pick is told
    by StatusReached of the line it is for.
    """

    warehouse: Subject
    part: Subject
    quantity: Decimal
    from_state: StockState
    to_state: StockState
    occurred_at: datetime
    document: str = ""
    condition: str = "new"
    owner: str = "own"
    purchase_order_line: Subject | None = None
    delivery_note: str = ""
    serials: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Dated:
    """So much of something, in the part's unit (None: all that is left), expected on a day."""

    expected_on: date
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class SupplyDated:
    """A supplier answers on a line of our purchase order: when it will come, in one piece or several, or not at all.

    `answer` is one of ours (`accepted`, `changed`, `rejected`), or `codes` say it (their rows are about a
    `purchase_order_line`). Accepted without a date, the day that was asked for stands.
    """

    line: Subject
    occurred_at: datetime
    schedule: tuple[Dated, ...] = ()
    answer: str = ""
    codes: tuple[Code, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class SupplyShippedItem:
    """A line of our purchase order, or a part of it, that a supplier has sent; `quantity` as in ShippedItem."""

    line: Subject
    quantity: Decimal | None = None
    serials: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SupplyShipped:
    """A supplier's advance shipping notice: what is on its way to us, and when it is to arrive.

    `shipment_number` is the supplier's delivery note or despatch advice; `packages` are the numbers on the boxes (SSCC
    where they have one).
    """

    items: tuple[SupplyShippedItem, ...]
    occurred_at: datetime
    shipment_number: str = ""
    arrives_on: date | None = None
    carrier: str = ""
    tracking_number: str = ""
    packages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WantedPart:
    """A part that a work order needs, `quantity` in the part's unit."""

    part: Subject
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class WorkOrderCreated:
    """A work order was made in field service: it becomes a service order here, with a parts order for what it needs.

    `number` is the sender's own: there is one service order for it, whatever comes again, and from then on the sender's
    messages may name it so (`Subject("service_order", "work_order", number)`). Without a customer it is the one of the
    equipment, without a region that of the customer.
    """

    number: str
    occurred_at: datetime
    title: str
    customer: Subject | None = None
    equipment: Subject | None = None
    region: Subject | None = None
    problem: str = ""
    machine_down: bool = False
    needed_by: date | None = None
    wanted: tuple[WantedPart, ...] = ()


@dataclass(frozen=True, slots=True)
class NumberGiven:
    """A system tells under which number of its own it knows something of ours, which it names as we do.

    From then on it may be named so: a delivery 80001234, item 10, with our reference `P-000017/2`, is learnt as
    `NumberGiven(Subject("line", "reference", "P-000017/2"), "delivery_item", "80001234/10", ...)`.
    """

    subject: Subject
    kind: str
    number: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Retracted:
    """A sender takes an earlier message of its own back (an EPCIS error declaration). `key` is that message's key.

    What waits is let go; what had its effect is for a person to put right. `corrected_by` are the keys of the messages
    that say it as it was.
    """

    key: str
    occurred_at: datetime
    reason: str = ""
    corrected_by: tuple[str, ...] = ()


Fact = (
    StatusReached | Shipped | StockConfirmed | SupplyDated | SupplyShipped | WorkOrderCreated | NumberGiven | Retracted
)


@dataclass(frozen=True, slots=True)
class Piece:
    """One message of what came in: its own key if it has one (else empty), and exactly the bytes that are it."""

    key: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message says: its facts in their order, and when it was sent by its sender's clock."""

    facts: tuple[Fact, ...]
    sent_at: datetime | None = None


class Unreadable(Refused):
    """A message, or what holds several, is not of its form; `extra["where"]` says where in it."""

    code = "unreadable"
    status = 422

    def __init__(self, detail: Says, where: str = "") -> None:
        super().__init__(detail, where=where)

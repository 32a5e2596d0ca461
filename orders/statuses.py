"""The status flows of floor 1: values, labels, groups, allowed steps, and the words a customer sees.

The step tables here are the one source: the FSM methods of the models are declared from them, the database triggers are
generated from them (a test compares all three), and a refusal lists what they allow.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ServiceOrderStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    SCHEDULED = "scheduled", _("Scheduled")
    NEW = "new", _("New")
    IN_PROGRESS = "in_progress", _("In Progress")
    AWAITING_PARTS = "awaiting_parts", _("Awaiting Parts")
    WITH_MANUFACTURER = "with_manufacturer", _("With Manufacturer")
    READY_FOR_RETURN = "ready_for_return", _("Ready for Return")
    COMPLETED = "completed", _("Completed")
    CANCELLED = "cancelled", _("Cancelled")


#: The path in order; one step forward or back along it is allowed.
SERVICE_ORDER_PATH = (
    ServiceOrderStatus.DRAFT.value,
    ServiceOrderStatus.SCHEDULED.value,
    ServiceOrderStatus.NEW.value,
    ServiceOrderStatus.IN_PROGRESS.value,
    ServiceOrderStatus.AWAITING_PARTS.value,
    ServiceOrderStatus.WITH_MANUFACTURER.value,
    ServiceOrderStatus.READY_FOR_RETURN.value,
    ServiceOrderStatus.COMPLETED.value,
)
SERVICE_ORDER_CLOSED = (ServiceOrderStatus.COMPLETED.value, ServiceOrderStatus.CANCELLED.value)
SERVICE_ORDER_OPEN = tuple(value for value in ServiceOrderStatus.values if value not in SERVICE_ORDER_CLOSED)
#: Jobs that wait for somebody to take them.
SERVICE_ORDER_CLAIMABLE = (ServiceOrderStatus.SCHEDULED.value, ServiceOrderStatus.NEW.value)


#: What a contract's two clocks run over: until somebody works on it, and until it is repaired.
SLA_RESPONSE = (
    ServiceOrderStatus.DRAFT.value,
    ServiceOrderStatus.SCHEDULED.value,
    ServiceOrderStatus.NEW.value,
)
SLA_REPAIR = (
    ServiceOrderStatus.IN_PROGRESS.value,
    ServiceOrderStatus.AWAITING_PARTS.value,
    ServiceOrderStatus.WITH_MANUFACTURER.value,
)


def _service_order_steps() -> dict[str, tuple[str, ...]]:
    steps: dict[str, tuple[str, ...]] = dict.fromkeys(SERVICE_ORDER_CLOSED, ())
    last = len(SERVICE_ORDER_PATH) - 1
    for index, status in enumerate(SERVICE_ORDER_PATH[:last]):
        forward = (SERVICE_ORDER_PATH[index + 1],)
        back = (SERVICE_ORDER_PATH[index - 1],) if index else ()
        steps[status] = (*forward, *back, ServiceOrderStatus.CANCELLED.value)
    return steps


#: Status → statuses one step away.
SERVICE_ORDER_STEPS = _service_order_steps()

#: What a customer reads, unless somebody chose another word (`orders.wording`); Draft is seen by staff only.
SERVICE_ORDER_CUSTOMER_WORDS = {
    ServiceOrderStatus.DRAFT.value: _("Request received"),
    ServiceOrderStatus.SCHEDULED.value: _("Appointment planned"),
    ServiceOrderStatus.NEW.value: _("Waiting for a technician"),
    ServiceOrderStatus.IN_PROGRESS.value: _("Being worked on"),
    ServiceOrderStatus.AWAITING_PARTS.value: _("Waiting for parts"),
    ServiceOrderStatus.WITH_MANUFACTURER.value: _("At the manufacturer"),
    ServiceOrderStatus.READY_FOR_RETURN.value: _("Ready for collection or delivery"),
    ServiceOrderStatus.COMPLETED.value: _("Completed"),
    ServiceOrderStatus.CANCELLED.value: _("Cancelled"),
}
#: What happens next, as a customer reads it.
SERVICE_ORDER_NEXT_STEPS = {
    ServiceOrderStatus.DRAFT.value: _("We look at your request and plan a day."),
    ServiceOrderStatus.SCHEDULED.value: _("The work begins on the planned day."),
    ServiceOrderStatus.NEW.value: _("The next free technician takes the job."),
    ServiceOrderStatus.IN_PROGRESS.value: _("The technician finishes the work, or orders what is missing for it."),
    ServiceOrderStatus.AWAITING_PARTS.value: _("The work goes on as soon as the parts are here."),
    ServiceOrderStatus.WITH_MANUFACTURER.value: _("We finish the job when the manufacturer has sent it back."),
    ServiceOrderStatus.READY_FOR_RETURN.value: _("Collect it, or write to us when we can bring it."),
    ServiceOrderStatus.COMPLETED.value: _("Nothing is left to do. Write to us if something is not as it should be."),
    ServiceOrderStatus.CANCELLED.value: _("Nothing more will be done. Write to us if that is a mistake."),
}


class LineStatus(models.TextChoices):
    """Statuses of an order line, least advanced first: a parent stands where its least advanced child stands."""

    BACK_ORDERED = "back_ordered", _("Back-ordered")
    OPEN = "open", _("Open")
    RESERVED = "reserved", _("Reserved")
    RELEASED = "released", _("Released")
    PICKING = "picking", _("Picking")
    AWAITING_KITTING = "awaiting_kitting", _("Awaiting kitting")
    PACKED = "packed", _("Packed")
    SHIPPED = "shipped", _("Shipped")
    DELIVERED = "delivered", _("Delivered")
    RETURNED = "returned", _("Returned")
    CANCELLED = "cancelled", _("Cancelled")


#: Position in the flow; also how a parent's status is derived (the smallest of its children's).
LINE_POSITION = {value: position for position, value in enumerate(LineStatus.values)}

LINE_STEPS: dict[str, tuple[str, ...]] = {
    "open": ("reserved", "back_ordered", "cancelled"),
    "back_ordered": ("reserved", "cancelled"),
    "reserved": ("released", "back_ordered", "cancelled"),
    "released": ("picking", "reserved", "back_ordered", "cancelled"),
    "picking": ("awaiting_kitting", "packed", "cancelled"),
    "awaiting_kitting": ("packed", "cancelled"),
    "packed": ("shipped", "cancelled"),
    "shipped": ("delivered", "returned"),
    "delivered": ("returned",),
    "returned": (),
    "cancelled": (),
}

#: Goods have left: these quantities count as shipped.
LINE_SHIPPED = ("shipped", "delivered", "returned")
#: A live reservation belongs to the line.
LINE_HOLDS_STOCK = ("reserved", "released", "picking", "awaiting_kitting", "packed")
#: What it holds was taken from the shelf.
LINE_PICKED = ("picking", "awaiting_kitting", "packed")
#: Stock that allocation may still take back.
LINE_TAKEABLE = ("reserved", "released")
LINE_CLOSED = ("delivered", "returned", "cancelled")
LINE_OPEN = tuple(value for value in LineStatus.values if value not in LINE_CLOSED)

#: The straight way from one status to the door, for reports of a later status by another system.
LINE_PATH = ("reserved", "released", "picking", "packed", "shipped", "delivered")

LINE_CUSTOMER_WORDS = {
    "open": _("Received"),
    "back_ordered": _("On order, not yet in stock"),
    "reserved": _("Reserved for you"),
    "released": _("Being prepared"),
    "picking": _("Being prepared"),
    "awaiting_kitting": _("Being prepared"),
    "packed": _("Packed"),
    "shipped": _("On its way"),
    "delivered": _("Delivered"),
    "returned": _("Returned"),
    "cancelled": _("Cancelled"),
}
LINE_NEXT_STEPS = {
    "open": _("We look where your parts can come from."),
    "back_ordered": _("We send what is missing as soon as it has come in for you."),
    "reserved": _("Your parts are put aside and will be prepared."),
    "released": _("Your parts are taken from the shelf and packed."),
    "picking": _("Your parts are taken from the shelf and packed."),
    "awaiting_kitting": _("Your parts are taken from the shelf and packed."),
    "packed": _("The carrier collects your parts."),
    "shipped": _("The carrier brings your parts."),
    "delivered": _("Nothing is left to do. Write to us if something is not as it should be."),
    "returned": _("Nothing is left to do. Write to us if something is not as it should be."),
    "cancelled": _("Nothing more will be done. Write to us if that is a mistake."),
}


class Tier(models.TextChoices):
    PLATINUM = "platinum", _("Platinum")
    GOLD = "gold", _("Gold")
    SILVER = "silver", _("Silver")
    BRONZE = "bronze", _("Bronze")


class Visibility(models.TextChoices):
    INTERNAL = "internal", _("Staff only")
    PUBLIC = "public", _("Also the customer")


class SubjectKind(models.TextChoices):
    """What an event of the ledger is about."""

    SERVICE_ORDER = "service_order", _("Service order")
    PARTS_ORDER = "parts_order", _("Parts order")
    LINE = "line", _("Order line")
    BACK_ORDER = "back_order", _("Back order")
    CASE = "case", _("Discrepancy case")


class Overridable(models.TextChoices):
    """What an override that needs consent can be of."""

    LINE = "line", _("Order lines")
    SERVICE_ORDER = "service_order", _("Service orders")


class ConsentStatus(models.TextChoices):
    """Where an override stands that somebody asked for."""

    WAITING = "waiting", _("Waits for consent")
    APPLIED = "applied", _("Applied")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    EXPIRED = "expired", _("Expired")

"""The status flow of a back order and the words around allocation."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from parts.sentences import Says


class BackOrderStatus(models.TextChoices):
    OPEN = "open", _("Open")
    SOURCING = "sourcing", _("Sourcing")
    SUPPLY_CONFIRMED = "supply_confirmed", _("Supply confirmed")
    ALLOCATED = "allocated", _("Allocated")
    FULFILLED = "fulfilled", _("Fulfilled")
    SUBSTITUTED = "substituted", _("Substituted")
    CANCELLED = "cancelled", _("Cancelled")


#: What these, and being held or pinned, are called where a step is refused.
LABELS: dict[str, Says] = {**dict(BackOrderStatus.choices), "on_hold": _("on hold"), "pinned": _("pinned")}

#: In the queue for the next unit.
BACK_ORDER_WAITING = ("open", "sourcing", "supply_confirmed")

BACK_ORDER_STEPS: dict[str, tuple[str, ...]] = {
    "open": ("sourcing", "supply_confirmed", "allocated", "substituted", "cancelled"),
    "sourcing": ("open", "supply_confirmed", "allocated", "substituted", "cancelled"),
    "supply_confirmed": ("open", "sourcing", "allocated", "substituted", "cancelled"),
    "allocated": ("open", "fulfilled", "cancelled"),
    "fulfilled": (),
    "substituted": (),
    "cancelled": (),
}


class Outcome(models.TextChoices):
    """What a decision did."""

    GIVEN = "given", _("Given")
    KEPT = "kept", _("Kept")
    TAKEN = "taken", _("Taken back")
    PASSED_OVER = "passed_over", _("Passed over")


#: What set an allocation off, as people read it. A cause that is not named here is shown as it is.
CAUSES = {
    "delivery": _("Delivery"),
    "return": _("Return to stock"),
    "arrival": _("Arrival where it was ordered for"),
    "transfer": _("Transfer"),
    "correction": _("Correction"),
    "reservation_cancelled": _("Reservation given back"),
    "line_short": _("An order was short"),
    "back_order_reduced": _("A back order got smaller"),
    "back_order_let_go": _("A back order takes part again"),
    "taken_by_service_demand": _("Service demand came first"),
    "by hand": _("By hand"),
}


def cause_word(cause: str) -> str:
    """Return what set an allocation off, in the reader's language."""
    return str(CAUSES.get(cause, cause.replace("_", " ")))


AGE_BUCKETS: tuple[tuple[str, int, int | None], ...] = (
    ("0-3", 0, 3),
    ("4-7", 4, 7),
    ("8-14", 8, 14),
    ("15-30", 15, 30),
    (">30", 31, None),
)

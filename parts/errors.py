"""Refusals that every floor shares: what a door may show to a person or a partner, by a stable code."""

from collections.abc import Mapping, Sequence
from typing import Any

from parts.sentences import Says, in_english, read


class Refused(Exception):
    """An action was refused and nothing was changed.

    `code` is stable and part of the API contract. `detail` is one sentence for a person and `extra` holds plain JSON
    values that help to do it right the next time (for example the allowed statuses); both are put into words when they
    are read, in the language that is active then. What a log shows of it (`str()`) is English.
    `status` is the HTTP status a door answers with.
    """

    code = "refused"
    status = 409

    def __init__(self, detail: Says, **extra: Any) -> None:
        super().__init__(detail)
        self.says = detail
        self._extra: Mapping[str, Any] = extra

    def __str__(self) -> str:
        return in_english(self.says)

    @property
    def detail(self) -> str:
        """What is refused and why, in the reader's language."""
        return str(self.says)

    @property
    def extra(self) -> Mapping[str, Any]:
        """What helps to do it right, its texts in the reader's language."""
        said: Mapping[str, Any] = read(self._extra)
        return said


class Invalid(Refused):
    """What was asked is malformed or contradicts itself, whatever the state of the world.

    `fields` maps a field's path (`lines.2.quantity`) to its messages.
    """

    code = "invalid"
    status = 400

    def __init__(self, detail: Says, fields: Mapping[str, Sequence[Says]] | None = None, **extra: Any) -> None:
        super().__init__(detail, **({"fields": dict(fields)} if fields else {}), **extra)


class NotFound(Refused):
    """What was named does not exist, or is not for this actor to see."""

    code = "not_found"
    status = 404


class Forbidden(Refused):
    """The actor lacks the permission; `extra['permission']` names it."""

    code = "forbidden"
    status = 403


class VersionConflict(Refused):
    """The row has changed since the caller read it; `extra['version']` is the present version."""

    code = "version_conflict"
    status = 412


class NotEnoughStock(Refused):
    """The stock level does not hold what the action would take from it."""

    code = "not_enough_stock"


class NothingReserved(Refused):
    """A demand holds no stock that this could be done with; `extra['demand_ids']` names them."""

    code = "nothing_reserved"


class AlreadyReserved(Refused):
    """The demand that was to get a reservation has one; `extra['demand_ids']` names them."""

    code = "already_reserved"


class PartialIssue(Refused):
    """Another quantity was to be issued than is reserved; `extra['reserved']` says how much is."""

    code = "partial_issue"


class MoreThanIssued(Refused):
    """More was to come back than is still out; `extra['returnable']` says how much may."""

    code = "more_than_issued"


class DeliveryNoteUsed(Refused):
    """The supplier's delivery note is booked with other content; `extra['delivery_id']` names that delivery."""

    code = "delivery_note_used"


class NumberUsed(Refused):
    """Purchase orders with these numbers exist; `extra['numbers']` lists them."""

    code = "number_used"


class NotOnOrder(Refused):
    """A purchase order line does not wait for what was said of it; `extra` says what it waits for."""

    code = "not_on_order"


class AlreadyDecided(Refused):
    """Somebody else has decided already; `extra['status']` says how."""

    code = "already_decided"


class AnotherPersonNeeded(Refused):
    """Who asked for something cannot be the one who decides on it."""

    code = "another_person_needed"

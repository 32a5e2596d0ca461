"""Words for what stock, reservations and supply can be, and the groups that queries ask for."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Criticality(models.TextChoices):
    """How badly a machine misses the part: A stands still, B is hampered, C can wait."""

    A = "A", _("A: machine stands still")
    B = "B", _("B: machine is hampered")
    C = "C", _("C: can wait")


class VedClass(models.TextChoices):
    """Vital, essential, desirable: the trade's classes for what to keep in stock."""

    VITAL = "V", _("Vital")
    ESSENTIAL = "E", _("Essential")
    DESIRABLE = "D", _("Desirable")


class WarehouseKind(models.TextChoices):
    CENTRAL = "central", _("Central warehouse")
    DEPOT = "depot", _("Depot")
    VAN = "van", _("Technician's van")
    REPAIR_SHOP = "repair_shop", _("Repair shop")
    CONSIGNMENT = "consignment", _("Consignment stock")
    THIRD_PARTY = "third_party", _("Third-party logistics")


class WarehouseMode(models.TextChoices):
    DIGITAL = "digital", _("Digital: a system confirms each step")
    PAPER = "paper", _("Paper: steps are typed in later")


class Condition(models.TextChoices):
    NEW = "new", _("New")
    REFURBISHED = "refurbished", _("Refurbished")
    USED = "used", _("Used")
    IN_REPAIR = "in_repair", _("In repair")
    LOANER = "loaner", _("Loaner")


class SpecialStock(models.TextChoices):
    """Stock that no order may simply be promised, and that not everybody is shown."""

    CONSIGNED = "consigned", _("Consigned")
    LOANER = "loaner", _("Loaner")
    IN_REPAIR = "in_repair", _("In repair")


class MovementKind(models.TextChoices):
    """The concrete cause of a change of a stock level."""

    RECEIPT = "receipt", _("Receipt from a delivery")
    CORRECTION = "correction", _("Correction")
    TRANSFER = "transfer", _("Transfer")
    RESERVATION = "reservation", _("Reservation")
    RELEASE = "release", _("Reservation given back")
    ISSUE = "issue", _("Goods issue")
    RETURN = "return", _("Return to stock")
    ARRIVAL = "arrival", _("Arrival where it was ordered for")
    REVERSAL = "reversal", _("Arrival taken back")


class CorrectionReason(models.TextChoices):
    OPENING = "opening", _("Opening balance")
    COUNT = "count", _("Stock count")
    DAMAGE = "damage", _("Damaged")
    FOUND = "found", _("Found")
    SCRAP = "scrap", _("Scrapped")
    IMPORT = "import", _("Import from a file")
    SYSTEM = "system", _("Confirmed by the warehouse's system")
    OTHER = "other", _("Other, see note")


class Strength(models.TextChoices):
    SOFT = "soft", _("Soft: may be taken back")
    HARD = "hard", _("Hard")


class ReservationStatus(models.TextChoices):
    ACTIVE = "active", _("Active")
    PICKED = "picked", _("Picked")
    ISSUED = "issued", _("Issued")
    RELEASED = "released", _("Given back")


#: A reservation that still holds stock.
RESERVATION_LIVE = (ReservationStatus.ACTIVE.value, ReservationStatus.PICKED.value)


class Purpose(models.TextChoices):
    """What a demand is for; the order of the list is who comes first when stock is short."""

    EMERGENCY = "emergency", _("Emergency, machine down")
    SERVICE = "service", _("Field service")
    STOCK = "stock", _("Replenishment of stock")
    TRANSFER = "transfer", _("Internal transfer")


#: What our own warehouses order: once it is delivered, it is in their stock.
FOR_OUR_STOCK = (Purpose.STOCK.value, Purpose.TRANSFER.value)


class RelationKind(models.TextChoices):
    SUPERSEDES = "supersedes", _("Supersedes")
    SUBSTITUTES = "substitutes", _("Can stand in for")


class PurchaseOrderStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    ORDERED = "ordered", _("Ordered")
    CLOSED = "closed", _("Closed")
    CANCELLED = "cancelled", _("Cancelled")


class ChangeStatus(models.TextChoices):
    """Where a change of a controlled part stands."""

    WAITING = "waiting", _("Waits for approval")
    APPLIED = "applied", _("Applied")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Withdrawn")

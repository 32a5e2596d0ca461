"""What there is of each kind on this floor: of systems and messages, and of cases where two contradict each other."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class DiscrepancyKind(models.TextChoices):
    SCAN_ORDER = "scan_order", _("Scan against order")
    COUNT_LEVEL = "count_level", _("Count against level")
    MESSAGE_STATUS = "message_status", _("Message against status")


class CaseStatus(models.TextChoices):
    OPEN = "open", _("Open case")
    RESOLVED = "resolved", _("Resolved")


class Resolution(models.TextChoices):
    """What was wrong, and so what was put right."""

    BOOKS = "books", _("Our books were wrong, and are corrected")
    GOODS = "goods", _("The goods were found, or moved to where they belong")
    SENDER = "sender", _("The other system was wrong, and is corrected")
    NOTHING = "nothing", _("Nothing was wrong")


class SystemKind(models.TextChoices):
    ERP = "erp", _("ERP")
    WMS = "wms", _("Warehouse (WMS)")
    TMS = "tms", _("Transport (TMS)")
    FIELD_SERVICE = "field_service", _("Field service")
    CRM = "crm", _("CRM")
    REPAIR_SHOP = "repair_shop", _("Repair shop")
    SUPPLIER = "supplier", _("Supplier")
    PARTNER = "partner", _("Partner")
    PAPER = "paper", _("Depot on paper")


class Direction(models.TextChoices):
    IN = "in", _("To us")
    OUT = "out", _("From us")


class Way(models.TextChoices):
    """By which door a message came in."""

    REST = "rest", "REST"
    MQTT = "mqtt", "MQTT"
    KAFKA = "kafka", "Kafka"
    FILE = "file", _("File")
    MAIL = "mail", _("E-mail")
    POLLING = "polling", _("Asked for")
    PAGE = "page", _("Typed in")


class MessageStatus(models.TextChoices):
    RECEIVED = "received", _("To be worked on")
    ACCEPTED = "accepted", _("Accepted")
    REJECTED = "rejected", _("Rejected")
    PARKED = "parked", _("Parked")
    DEAD = "dead", _("Dead")


class Effect(models.TextChoices):
    """What a code of others does here."""

    STATUS = "status", _("Reaches a status")
    SPLIT = "split", _("Splits the line")
    EXPECTED = "expected", _("Moves the expected date")
    SUBSTITUTION = "substitution", _("Offers a substitute")
    INFORMATION = "information", _("Tells, and changes nothing")


class Certainty(models.TextChoices):
    """How we know what a code means. Only what was read or decided is acted upon."""

    READ = "read", _("Read in its source")
    DECIDED = "decided", _("Decided by a person")
    TO_CHECK = "to_check", _("To be checked")


class CodeSubject(models.TextChoices):
    LINE = "line", _("Order line")
    SERVICE_ORDER = "service_order", _("Service order")
    PURCHASE_ORDER_LINE = "purchase_order_line", _("Purchase order line")


class SupplyAnswer(models.TextChoices):
    """What a supplier answers on a line of our purchase order."""

    ACCEPTED = "accepted", _("Accepted as ordered")
    CHANGED = "changed", _("Accepted otherwise")
    REJECTED = "rejected", _("Will not be delivered")


class SnapshotStatus(models.TextChoices):
    """How far a file of stock is."""

    RECEIVED = "received", _("To be compared")
    COMPARING = "comparing", _("Being compared")
    COMPARED = "compared", _("Compared")
    REFUSED = "refused", _("Refused")


class DifferenceKind(models.TextChoices):
    """In what another system and our books differ."""

    QUANTITY = "quantity", _("Another quantity")
    NOT_LISTED = "not_listed", _("Only in the books")
    UNKNOWN_PART = "unknown_part", _("Unknown part")
    UNKNOWN_PLACE = "unknown_place", _("Unknown warehouse")
    UNREADABLE = "unreadable", _("Unreadable row")


class DifferenceStatus(models.TextChoices):
    """What became of a difference. Those of a file that is still being compared are pending."""

    PENDING = "pending", _("Being compared")
    OPEN = "open", _("To be decided")
    CORRECTED = "corrected", _("Books corrected")
    DISMISSED = "dismissed", _("Books kept")
    SETTLED = "settled", _("Settled by itself")
    SUPERSEDED = "superseded", _("Replaced by a newer snapshot")


class Freshness(models.TextChoices):
    """Whether an interface was heard as lately as it should be."""

    FRESH = "fresh", _("Heard in time")
    SILENT = "silent", _("Silent for too long")
    NEVER = "never", _("Not heard yet")
    ON_NEWS = "on_news", _("Comes when there is news")
    NOT_EXPECTED = "not_expected", _("Nothing is expected")


class Road(models.TextChoices):
    """By which way a subscriber is told."""

    WEBHOOK = "webhook", "Webhook"
    KAFKA = "kafka", "Kafka"
    MQTT = "mqtt", "MQTT"


class SubscriberState(models.TextChoices):
    ACTIVE = "active", _("Is told")
    OFF = "off", _("Switched off")


class OffBecause(models.TextChoices):
    """Why a subscriber is told no more."""

    BY_HAND = "by_hand", _("Somebody switched it off")
    GONE = "gone", _("It answered that it is gone (410)")
    FAILING = "failing", _("Nothing but failure for five days")


class DeliveryState(models.TextChoices):
    """Where the telling of one event to one subscriber stands."""

    WAITING = "waiting", _("On its way")
    DELIVERED = "delivered", pgettext_lazy("of a machine", "Taken")
    SUPERSEDED = "superseded", _("Overtaken by newer news")
    DEAD = "dead", _("Given up")
    CANCELLED = "cancelled", _("Not to be told")


class ReconciliationStatus(models.TextChoices):
    """How far a log is."""

    WAITING = "waiting", _("To be compared")
    COMPARING = "comparing", _("Being compared")
    COMPARED = "compared", _("Compared")
    REFUSED = "refused", _("Refused")


class ItemKind(models.TextChoices):
    """In what a log and we do not agree about a message."""

    MISSING_HERE = "missing_here", _("Missing here")
    MISSING_THERE = "missing_there", _("Missing there")
    DIFFERENT = "different", _("Different")
    UNWORKED = "unworked", _("Here, but not accepted")


class ItemStatus(models.TextChoices):
    """What was decided on it."""

    OPEN = "open", _("To be decided")
    REPAIRED = "repaired", _("Repaired")
    EXPLAINED = "explained", _("Left as it is")

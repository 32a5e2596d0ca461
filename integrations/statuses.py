"""What a discrepancy case can be about, where it stands, and how it can end."""

from django.db import models
from django.utils.translation import gettext_lazy as _


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

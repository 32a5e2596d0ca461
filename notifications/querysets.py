"""Filters on the nouns of messages."""

from __future__ import annotations

from typing import Any, Self

from django.db import models

from notifications.models.numbers import StoppedNumber
from notifications.statuses import AddressState, Channel


class AddressQuerySet(models.QuerySet[Any]):
    """Addresses."""

    def usable(self) -> Self:
        """Keep those that may be written to: confirmed, wanted by whoever reads there, and not stopped by SMS."""
        return self.allowed().filter(is_wanted=True)

    def allowed(self) -> Self:
        """Keep those that may be written to at all, at last: confirmed and not stopped by SMS, wanted or not."""
        stopped = StoppedNumber.objects.filter(number=models.OuterRef("value"))
        return self.filter(state=AddressState.CONFIRMED).exclude(models.Exists(stopped), channel=Channel.SMS)

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
        stopped = StoppedNumber.objects.filter(number=models.OuterRef("value"))
        confirmed = self.filter(state=AddressState.CONFIRMED, is_wanted=True)
        return confirmed.exclude(models.Exists(stopped), channel=Channel.SMS)

"""Filters on the nouns of messages."""

from __future__ import annotations

from typing import Any, Self

from django.db import models

from notifications.statuses import AddressState


class AddressQuerySet(models.QuerySet[Any]):
    """Addresses."""

    def usable(self) -> Self:
        """Keep those that may be written to: confirmed, and wanted by whoever reads there."""
        return self.filter(state=AddressState.CONFIRMED, is_wanted=True)

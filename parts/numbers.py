"""Numbers as others send them: in plain digits, or as numbers of JSON."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from rest_framework import serializers

_PLAIN = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_WHOLE = re.compile(r"[0-9]{1,15}")


class PlainDecimalField(serializers.DecimalField):
    """A decimal number. Python reads more as one (`1_000`, other scripts' digits) than anybody means by it."""

    def to_internal_value(self, data: Any) -> Decimal:
        """Return the number. Raises ValidationError."""
        if isinstance(data, bool) or (isinstance(data, str) and not _PLAIN.fullmatch(data)):
            self.fail("invalid")
        number: Decimal = super().to_internal_value(data)
        return number


class QuantityField(PlainDecimalField):
    """A quantity in the part's unit: sent as text or number, answered as text with three decimals."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=14, decimal_places=3, **options)


class MoneyField(PlainDecimalField):
    """An amount with two decimals."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=12, decimal_places=2, **options)


class WholeNumberField(serializers.IntegerField):
    """A whole number, not below zero."""

    def to_internal_value(self, data: Any) -> int:
        """Return the number. Raises ValidationError."""
        if isinstance(data, bool) or not _WHOLE.fullmatch(str(data)):
            self.fail("invalid")
        return int(data)

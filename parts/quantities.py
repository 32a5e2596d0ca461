"""What a quantity may be."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

#: Quantities are stored with three decimal places and at most eleven before the point.
LIMIT = Decimal(10) ** 9


def fault_of(quantity: Decimal, decimals: int) -> str | None:
    """Return why a quantity of a unit with so many decimal places is not acceptable, or None if it is."""
    try:
        if not quantity.is_finite():
            return "A quantity must be a number."
        if quantity <= 0:
            return "A quantity must be more than zero."
        if quantity >= LIMIT:
            return f"A quantity must be less than {LIMIT}."
        if quantity != quantity.quantize(Decimal(1).scaleb(-decimals)):
            return "Only whole units." if not decimals else f"At most {decimals} decimal places."
    except InvalidOperation:
        return "A quantity must be a number with few enough digits."
    return None

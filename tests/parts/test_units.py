"""Quantities are followed by the word of their unit, in the language spoken."""

from __future__ import annotations

from decimal import Decimal

import pytest

from parts.models import UnitOfMeasure
from parts.units import unit_word


@pytest.mark.parametrize(
    ("code", "quantity", "word"),
    [
        ("C62", "1", "piece"),
        ("C62", "1.000", "piece"),
        ("C62", "0", "pieces"),
        ("C62", "3", "pieces"),
        ("SET", "2", "sets"),
        ("PR", "1", "pair"),
        ("MTR", "2.5", "m"),
        ("KGM", "1", "kg"),
    ],
)
def test_counted_units_follow_the_number_and_measured_ones_have_a_symbol(code: str, quantity: str, word: str) -> None:
    assert unit_word(UnitOfMeasure(code=code, name="as it was named"), Decimal(quantity)) == word


def test_a_unit_of_the_house_keeps_its_name() -> None:
    assert unit_word(UnitOfMeasure(code="XPA", name="Packet"), Decimal(2)) == "Packet"

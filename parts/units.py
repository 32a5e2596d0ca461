"""The words for units of measure, as they follow a quantity."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext, gettext_noop, ngettext

from parts.models import UnitOfMeasure

#: What the units are called that the product brings along; read by nobody but `config.translating`.
NAMES = (
    gettext_noop("Piece"),
    gettext_noop("Pair"),
    gettext_noop("Set"),
    gettext_noop("Metre"),
    gettext_noop("Square metre"),
    gettext_noop("Kilogram"),
    gettext_noop("Litre"),
)


def unit_word(unit: UnitOfMeasure, quantity: Decimal) -> str:
    """Return what follows a quantity of a unit: a counted one's word in its number, a measured one's symbol.

    Codes and symbols by UN/ECE Recommendation 20. Of a unit that the house added, its name as it was given.
    """
    number = 1 if quantity == 1 else 2
    words = {
        "C62": ngettext("piece", "pieces", number),
        "PR": ngettext("pair", "pairs", number),
        "SET": ngettext("set", "sets", number),
        "MTR": gettext("m"),
        "MTK": gettext("m²"),
        "KGM": gettext("kg"),
        "LTR": gettext("l"),
    }
    return words.get(unit.code, unit.name)

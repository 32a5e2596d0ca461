"""What people paste from a spreadsheet, and quantities in the reader's language."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.utils import translation

from config.desk.placing_paste import Pasted, read_day, read_pasted, read_quantity


@pytest.mark.parametrize(
    ("language", "text", "quantity"),
    [
        ("en", "2", "2"),
        ("en", "2.5", "2.5"),
        ("en", "2,5", "2.5"),
        ("en", "1,250", "1250"),
        ("en", "1,250.5", "1250.5"),
        ("en", "1.250", "1.250"),
        ("de", "2,5", "2.5"),
        ("de", "2.5", "2.5"),
        ("de", "1.250", "1250"),
        ("de", "1.250,5", "1250.5"),
        ("de", "1,250", "1.250"),
        ("es", "1.250,5", "1250.5"),
        ("de", " 1 000 ", "1000"),
        ("de", "-3", "-3"),
        ("en", ".5", "0.5"),
    ],
)
def test_a_quantity_is_read_as_the_language_writes_it(language: str, text: str, quantity: str) -> None:
    with translation.override(language):
        assert read_quantity(text) == Decimal(quantity)


@pytest.mark.parametrize(
    "text", ["", "two", "1,2,3", "1.2.3", "1e9", "NaN", "Infinity", "2 pcs", "--1", "1,250,5", "٣x"]
)
@pytest.mark.parametrize("language", ["en", "de"])
def test_what_is_no_quantity_is_none(language: str, text: str) -> None:
    with translation.override(language):
        assert read_quantity(text) is None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-31", date(2026, 3, 31)),
        ("31.03.2026", date(2026, 3, 31)),
        ("31.3.26", date(2026, 3, 31)),
        ("31/03/2026", date(2026, 3, 31)),
        ("31 Mar 2026", date(2026, 3, 31)),
        ("2026-02-30", None),
        ("tomorrow", None),
        ("", None),
    ],
)
def test_a_day_is_read_as_people_write_it(text: str, day: date | None) -> None:
    assert read_day(text) == day


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("HP-1\t2\nHP-2\t3,5", [Pasted("HP-1", "2"), Pasted("HP-2", "3,5")]),
        ("HP-1;2;2026-03-31\r\nHP-2;3\r\n", [Pasted("HP-1", "2", "2026-03-31"), Pasted("HP-2", "3")]),
        ("HP-1,2\nHP-2,3", [Pasted("HP-1", "2"), Pasted("HP-2", "3")]),
        ('"Pump, large",2\nHP-2,3', [Pasted("Pump, large", "2"), Pasted("HP-2", "3")]),
        ("HP-1 2\nHP-2 3,5", [Pasted("HP-1", "2"), Pasted("HP-2", "3,5")]),
        ("HP-1\nHP-2\n", [Pasted("HP-1", "1"), Pasted("HP-2", "1")]),
        ("03L 115 562", [Pasted("03L 115", "562")]),
        ("Menge\tTeilenummer\tTermin\n2\tHP-1\t31.03.2026", [Pasted("HP-1", "2", "31.03.2026")]),
        ("Description;Part Number;Qty\nPump;HP-1;2", [Pasted("HP-1", "2")]),
        ("Referencia\tCantidad\nHP-1\t2", [Pasted("HP-1", "2")]),
        ("\n\nHP-1\t2\n\t\n\nHP-2\t3\n", [Pasted("HP-1", "2"), Pasted("HP-2", "3")]),
        ("HP-1\t\nHP-2\t3", [Pasted("HP-1", "1"), Pasted("HP-2", "3")]),
        ("", []),
        ("Part\tQuantity\n", []),
        ('"never closed\t2\nHP-2\t3', [Pasted("never closed\t2\nHP-2\t3", "1")]),
    ],
)
def test_a_table_is_read_whatever_parts_its_columns(text: str, rows: list[Pasted]) -> None:
    assert read_pasted(text) == rows


def test_of_a_table_that_is_too_long_one_row_more_than_allowed_is_read() -> None:
    assert len(read_pasted("\n".join(f"HP-{number}\t1" for number in range(2000)))) == 501

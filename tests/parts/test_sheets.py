"""Reading a table out of a file that somebody else has made."""

from __future__ import annotations

import io
import random
import zipfile
from datetime import date
from typing import Any

import pytest
from openpyxl import Workbook

from parts import sheets, workbooks
from parts.sheets import SheetRow, UnreadableFile, read_sheet
from tests.parts.shelf import NOW

KNOWN = ("part_number", "warehouse", "counted", "note")


def read(content: bytes) -> tuple[tuple[str, ...], list[SheetRow]]:
    sheet = read_sheet(io.BytesIO(content), KNOWN)
    return sheet.headings, list(sheet.rows)


def workbook(*rows: list[Any]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.create_sheet("another").append(["is", "not", "read"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_csv_is_read_in_every_usual_form(delimiter: str, encoding: str) -> None:
    text = "part_number,counted,note\r\nHP-1,5,Größe M\r\n".replace(",", delimiter)

    headings, rows = read(text.encode(encoding))

    assert headings == ("part_number", "counted", "note")
    assert rows == [SheetRow(2, ("HP-1", "5", "Größe M"))]


def test_a_comma_inside_a_semicolon_file_is_part_of_the_cell() -> None:
    _, rows = read(b"part_number;counted;note\nHP-1;2,5;a, b, c, d\n")

    assert rows == [SheetRow(2, ("HP-1", "2,5", "a, b, c, d"))]


def test_the_line_of_a_row_is_where_it_begins_and_empty_rows_are_passed_over() -> None:
    _, rows = read(b'\npart_number,note\n\nHP-1,"one\ntwo"\n , \nHP-2,x\n')

    assert rows == [SheetRow(4, ("HP-1", "one\ntwo")), SheetRow(7, ("HP-2", "x"))]


def test_xlsx_cells_are_read_as_a_person_would_have_typed_them() -> None:
    content = workbook(
        ["Part Number", "counted", "note"],
        [21029627, 5.0, "x"],
        [],
        ["007", 12.5, date(2026, 3, 2)],
        ["008", 1e-7, NOW.replace(tzinfo=None)],
        [True, "=1+1", None],
    )

    headings, rows = read(content)

    assert headings == ("Part Number", "counted", "note")
    assert rows == [
        SheetRow(2, ("21029627", "5", "x")),
        SheetRow(4, ("007", "12.5", "2026-03-02")),
        SheetRow(5, ("008", "0.0000001", "2026-03-02T09:30:00")),
        SheetRow(6, ("true",)),
    ]


def test_a_formula_is_read_as_the_value_last_worked_out() -> None:
    content = workbook(["part_number", "counted"], ["HP-1", "=2+3"])
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(out, "w") as after:
        for entry in before.infolist():
            data = before.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                assert b"<f>2+3</f><v />" in data or b"<f>2+3</f><v></v>" in data
                data = data.replace(b"<v />", b"<v>5</v>").replace(b"<v></v>", b"<v>5</v>")
            after.writestr(entry, data)

    assert read(out.getvalue())[1] == [SheetRow(2, ("HP-1", "5"))]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \n\n ", "empty"),
        ("part_number\nHP-1\n".encode("utf-16"), "UTF-16"),
        (b"part_number\n\x81\x8d\n", "not text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 ...", "old or encrypted Excel"),
        (b"PK\x03\x04 this is no archive", "damaged"),
        (b'part_number,note\nHP-1,"never closed\n', "Line 2"),
        (b'part_number,note\nHP-1,"x"y\n', "Line 2"),
    ],
)
def test_what_is_no_table_is_refused_with_its_reason(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        read(content)


def test_an_archive_that_is_no_workbook_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("readme.txt", "hello")

    with pytest.raises(UnreadableFile, match="damaged"):
        read(out.getvalue())


@pytest.mark.parametrize("cut", [200, 2000, -30])
def test_a_damaged_workbook_is_refused(cut: int) -> None:
    with pytest.raises(UnreadableFile):
        read(workbook(["part_number"], ["HP-1"])[:cut])


def test_a_workbook_whose_table_is_damaged_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(["part_number"], ["HP-1"]))) as before, zipfile.ZipFile(out, "w") as after:
        for entry in before.infolist():
            data = before.read(entry)
            after.writestr(entry, data[:-60] if entry.filename == "xl/worksheets/sheet1.xml" else data)

    with pytest.raises(UnreadableFile, match="damaged"):
        read(out.getvalue())


def repacked(content: bytes, name: str, replaced: bytes, by: bytes) -> bytes:
    """Return a workbook with something else in one of its parts, or with one more part."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for entry in before.infolist():
            data = before.read(entry)
            if entry.filename == name:
                assert replaced in data
                data = data.replace(replaced, by)
            after.writestr(entry, data)
        if name not in before.namelist():
            after.writestr(name, by)
    return out.getvalue()


#: Ten megabytes of nothing.
NOTHING = (b"<!--" + b"0" * 100_000 + b"-->") * 100


def noise(size: int) -> bytes:
    """What does not compress, so that a file is not refused for its ratio already."""
    return b"<!--" + random.Random(1).randbytes(size).hex().encode() + b"-->"


SHEET, TEXTS, STYLES = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"


@pytest.mark.parametrize(
    ("part", "before", "bomb", "says"),
    [
        (SHEET, b"</row>", b"<c/>" * 1_001 + b"</row>", "cells in a row"),
        (SHEET, b"</row>", b"</row>" + (b"<row>" + b"<c/>" * 900 + b"</row>") * 2_800, "in all"),
        (SHEET, b"</row>", b"</row>" + b"<row/>" * 1_048_577, "more than 1,048,576 rows"),
        (SHEET, b"</sheetData>", b"</sheetData>" + b"<mergeCell/>" * 20_001, "styles, rules or names"),
        (SHEET, b"</row>", b"<c><is>" + b"<t/>" * 20_001 + b"</is></c></row>", "more than a text or a number"),
        (TEXTS, b"", b"<sst>" + b"<si/>" * 500_001 + b"</sst>", "500,000 different texts"),
        (STYLES, b"</cellXfs>", b"<xf/>" * 20_001 + b"</cellXfs>", "styles, rules or names"),
        (SHEET, b"</row>", b"<!--" + b"0" * 2_000_000 + b"--></row>", "without an end"),
        (SHEET, b"</row>", b"<x:c xmlns:x='urn:x'/>" * 1_001 + b"</row>", "cells in a row"),
    ],
)
def test_a_workbook_that_would_make_too_much_of_us_is_refused_before_it_is_built(
    monkeypatch: pytest.MonkeyPatch, part: str, before: bytes, bomb: bytes, says: str
) -> None:
    monkeypatch.setattr(workbooks, "MAX_RATIO", 10_000)
    monkeypatch.setattr(sheets, "load_workbook", None)  # it is not even opened
    content = repacked(workbook(["part_number"], ["HP-1"]), part, before, bomb)

    with pytest.raises(UnreadableFile, match=says):
        read(content)


def test_what_is_counted_is_not_only_what_is_called_xml(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.png", b"<worksheet><sheetData><row>" + b"<c/>" * 1_001)
    with pytest.raises(UnreadableFile, match="cells in a row"):
        read(out.getvalue())


def test_a_small_file_does_not_unpack_to_a_large_one_and_none_to_more_than_a_table_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = workbook(["part_number"], ["HP-1"])
    ten = repacked(content, SHEET, b"</row>", NOTHING + b"</row>")
    assert len(ten) < 50_000
    with pytest.raises(UnreadableFile, match="unpacks"):
        read(ten)

    dense = repacked(content, SHEET, b"</row>", noise(200_000) + NOTHING + b"</row>")
    assert len(read(dense)[1]) == 1
    monkeypatch.setattr(workbooks, "MAX_UNPACKED_BYTES", 9_000_000)
    with pytest.raises(UnreadableFile, match="unpacks"):
        read(dense)


def test_a_file_that_declares_a_type_of_its_own_is_refused() -> None:
    content = repacked(workbook(["part_number"]), SHEET, b"<worksheet", b"<!DOCTYPE x [<!ENTITY a 'aa'>]><worksheet")
    with pytest.raises(UnreadableFile, match="damaged"):
        read(content)


def test_a_workbook_with_pictures_and_styles_is_still_a_table() -> None:
    content = io.BytesIO(workbook(["part_number", "counted"], *[[f"HP-{n}", n] for n in range(500)]))
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("xl/media/image1.png", b"\x89PNG\r\n" + bytes(range(256)) * 100)
    headings, rows = read(content.getvalue())
    assert (headings, len(rows)) == (("part_number", "counted"), 500)


def test_a_row_at_the_end_of_the_world_does_not_make_us_walk_there() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(["part_number"], ["HP-1"]))) as before, zipfile.ZipFile(out, "w") as after:
        for entry in before.infolist():
            data = before.read(entry).replace(b'<row r="2"', b'<row r="2000000000"')
            after.writestr(entry, data)

    with pytest.raises(UnreadableFile, match="lines"):
        read(out.getvalue())


def test_too_many_rows_and_too_many_bytes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MAX_ROWS", 2)
    with pytest.raises(UnreadableFile, match="more than 2 rows"):
        read(b"part_number\nA\nB\nC\n")
    assert len(read(b"part_number\nA\nB\n")[1]) == 2

    monkeypatch.setattr(sheets, "MAX_BYTES", 10)
    with pytest.raises(UnreadableFile, match="larger"):
        read(b"part_number\nA\nB\n")

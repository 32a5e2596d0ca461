"""How much a workbook would make of us, told before anything is built from it.

An XLSX file is an archive of XML. Twenty kilobytes can unpack to a row of a million cells, which the reader builds
whole, or to as many texts, styles and rules. This counts them as they stream by and stops at the first that is too
many, long before they cost anything.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from contextlib import suppress
from typing import IO
from xml.parsers import expat

from parts.sentences import Figure, Says, sentence

MAX_UNPACKED_BYTES = 80 * 1024 * 1024
#: So much more than the file itself may unpack; small files always may to so much.
MAX_RATIO, SMALL = 60, 3 * 1024 * 1024
MAX_ROWS = 1_048_576  # as many as Excel has
MAX_CELLS = 2_500_000
MAX_CELLS_OF_A_ROW = 1_000
MAX_TEXTS = 500_000
#: What is neither row nor text: styles, rules, names, sheets. And the pieces of one text or of one row's cells.
MAX_OTHERS = 20_000
#: One tag or comment. A parser that is given it bit by bit begins anew with each bit: ten megabytes take seconds.
MAX_TOKEN_BYTES = 1024 * 1024
#: What a cell or a text consists of.
_OF_A_CELL = {"v", "f", "is", "t"}
_OF_A_CELL |= {"r", "rPr", "rPh", "phoneticPr", "b", "i", "u", "strike", "vertAlign"}
_OF_A_CELL |= {"sz", "color", "rFont", "family", "scheme", "charset"}
_PIECE = 256 * 1024


class TooMuch(Exception):
    """The file would unpack to more than anybody's table; `says` tells to what."""

    def __init__(self, says: Says) -> None:
        super().__init__(says)
        self.says = says


class Damaged(Exception):
    """The file is no archive, or declares what a table has no use for."""


def refuse_a_bomb(content: bytes) -> None:
    """Raise TooMuch or Damaged for a workbook that nobody should open. Reads on only as far as it is honest."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            unpacked = sum(part.file_size for part in parts)
            if unpacked > min(MAX_UNPACKED_BYTES, max(SMALL, MAX_RATIO * len(content))):
                raise TooMuch(sentence("unpacks to more than a table can be"))
            if len(parts) > MAX_OTHERS:
                raise TooMuch(sentence("has too many parts"))
            counts = _Counts()
            for part in parts:
                with archive.open(part) as stream:
                    counts.read(stream)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise Damaged(str(error)) from error


class _Counts:
    """What was counted so far, in all parts together; a million elements take a third of a second."""

    def __init__(self) -> None:
        self.rows = self.cells = self.texts = self.others = self.pieces = 0
        self.of_row = self.of_one = 0

    def read(self, stream: IO[bytes]) -> None:
        """Count the elements of a part, whatever its name; of what is no XML (a picture), those before that shows."""
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._begins
        parser.StartDoctypeDeclHandler = _refuse_a_type
        with suppress(expat.ExpatError):  # the reader gets no further than here either, and says so where it matters
            given = 0
            while piece := stream.read(_PIECE):
                parser.Parse(piece, False)
                given += len(piece)
                if given - parser.CurrentByteIndex > MAX_TOKEN_BYTES:
                    raise TooMuch(sentence("has a comment or a name without an end"))

    def _begins(self, tag: str, attributes: object) -> None:
        name = tag.rpartition(":")[2] if ":" in tag else tag
        if name == "c":
            self.of_row += 1
            self.cells += 1
            if self.of_row > MAX_CELLS_OF_A_ROW or self.cells > MAX_CELLS:
                raise TooMuch(
                    sentence(
                        "has more than {of_row} cells in a row, or {in_all} in all",
                        of_row=Figure(MAX_CELLS_OF_A_ROW),
                        in_all=Figure(MAX_CELLS),
                    )
                )
        elif name in _OF_A_CELL:
            self.of_one += 1
            self.pieces += 1
            if self.of_one > MAX_OTHERS or self.pieces > 3 * MAX_CELLS:
                raise TooMuch(sentence("has cells that are more than a text or a number"))
        elif name == "row":
            self.of_row = self.of_one = 0
            self.rows += 1
            if self.rows > MAX_ROWS:
                raise TooMuch(sentence("has more than {most} rows", most=Figure(MAX_ROWS)))
        elif name == "si":
            self.of_one = 0
            self.texts += 1
            if self.texts > MAX_TEXTS:
                raise TooMuch(sentence("has more than {most} different texts", most=Figure(MAX_TEXTS)))
        else:
            self.others += 1
            if self.others > MAX_OTHERS:
                raise TooMuch(sentence("has too many styles, rules or names"))


def _refuse_a_type(*_: object) -> None:
    raise Damaged("it declares a type of its own")

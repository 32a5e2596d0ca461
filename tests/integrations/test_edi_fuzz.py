"""Whatever comes as X12 or EDIFACT is read or refused by name, in time proportional to it; nothing is dropped."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.facts import Fact, Piece, Unreadable
from integrations.formats import FORMS, Form, Speech
from tests.integrations import test_edifact, test_x12
from tests.integrations.edi import edifact, x12

X12 = [x12(test_x12.ANSWER), x12(test_x12.NOTICE, test_x12.REPORT), x12(test_x12.REPORT)]
EDIFACT = [
    edifact(test_edifact.ANSWER),
    edifact(test_edifact.ADVICE, test_edifact.REPORT),
    edifact(test_edifact.REPORT, una=""),
]
BODIES = [(FORMS["x12-supplier"], body) for body in X12] + [(FORMS["x12-warehouse"], body) for body in X12[1:]]
BODIES += [(FORMS["edifact-supplier"], body) for body in EDIFACT]
BODIES += [(FORMS["edifact-warehouse"], body) for body in EDIFACT[1:]]
#: What is put in: separators, tags, tops of numbers, bytes of other encodings.
PIECES = [
    b"*",
    b"~",
    b"+",
    b":",
    b"'",
    b"?",
    b"\x00",
    b"\xff",
    b"\xc3\xa9",
    b"\xe2\x80\xae",
    b"ISA",
    b"ST*856*1~",
    b"IEA*",
]
PIECES += [
    b"UNA:+.? '",
    b"UNH+",
    b"UNZ+1+",
    b"99999999999999999999",
    b"-1",
    b"1e9",
    b"NaN",
    b"9999999999",
    b"\n",
    b"  ",
]
#: What some put between interchanges.
FILLING = b"\x00\x1a"
#: More than this no machine takes for 100,000 segments; here it is about half a second.
LONGEST = 10.0

edits = st.lists(
    st.tuples(
        st.sampled_from(["flip", "put", "cut", "repeat"]),
        st.integers(0, 10_000),
        st.integers(0, 255),
        st.sampled_from(PIECES),
    ),
    min_size=1,
    max_size=6,
)


def _edited(body: bytes, made: list[tuple[str, int, int, bytes]]) -> bytes:
    for what, at, number, piece in made:
        place = at % max(len(body), 1)
        if what == "flip":
            body = body[:place] + bytes([number]) + body[place + 1 :]
        elif what == "put":
            body = body[:place] + piece + body[place:]
        elif what == "cut":
            body = body[:place] + body[place + number :]
        else:
            body = body[: place + number] + body[place:]
    return body


def _taken(form: Form, body: bytes) -> tuple[list[Piece], list[Fact]]:
    """Read whatever it is; what is refused must be refused by name."""
    try:
        pieces = list(form.split(body))
    except Unreadable:
        return [], []
    assert pieces, "what is not refused is something"
    facts: list[Fact] = []
    for piece in pieces:
        try:
            said = form.read(piece.body, Speech()).facts
        except Unreadable:
            continue
        assert said, "what is read says something"
        assert "\x00" not in repr(said)
        facts += said
    return pieces, facts


@settings(max_examples=150, deadline=None)
@given(which=st.sampled_from(BODIES), made=edits)
def test_any_change_of_any_message_is_read_or_refused_by_name(
    which: tuple[Form, bytes], made: list[tuple[str, int, int, bytes]]
) -> None:
    form, body = which
    changed = _edited(body, made)
    pieces, _facts = _taken(form, changed)
    taken = b" ".join(piece.body for piece in pieces).split()
    assert not pieces or {one.strip(FILLING) for one in changed.split()} <= {one.strip(FILLING) for one in taken} | {
        b""
    }


@settings(max_examples=60, deadline=None)
@given(form=st.sampled_from(list(FORMS.values())), body=st.binary(max_size=300))
def test_any_bytes_at_all_are_read_or_refused_by_name(form: Form, body: bytes) -> None:
    _taken(form, body)


@settings(max_examples=40, deadline=None)
@given(which=st.sampled_from(BODIES), data=st.data())
def test_no_message_that_is_cut_off_is_taken(which: tuple[Form, bytes], data: st.DataObject) -> None:
    form, body = which
    end = data.draw(st.integers(0, len(body.rstrip()) - 1))
    with pytest.raises(Unreadable):
        form.split(body[:end])


def _items(count: int) -> bytes:
    head = [*test_x12.NOTICE[:2], "HL*1**O", "PRF*P-000017"]
    items = [seg for n in range(2, count // 3) for seg in (f"HL*{n}*1*I", f"LIN*{n % 9000 + 1}*VP*1", "SN1**1*EA")]
    return x12([*head, *items])


def _nested(count: int) -> bytes:
    return x12([*test_x12.NOTICE[:2], *(f"HL*{n}*{n - 1 or ''}*I" for n in range(1, count))])


def _isr(count: int) -> bytes:
    return x12([*test_x12.REPORT[:4], "PO1*1*1*EA", *["ISR*SH*20261122"] * count])


def _lines(count: int) -> bytes:
    lines = [seg for n in range(count // 3) for seg in (f"LIN+{n % 9000}", "QTY+12:1", f"RFF+ON:P-1:{n % 9000 + 1}")]
    return edifact([*test_edifact.ADVICE[:9], *lines])


def _sts(count: int) -> bytes:
    dates, statuses = ["DTM+334:20261122:102"] * (count // 2), ["STS+1+2"] * (count // 2)
    return edifact([*test_edifact.REPORT[:9], *dates, *statuses])


def _released(count: int) -> bytes:
    return edifact([*test_edifact.ADVICE[:9], "FTX+" + "?" * (count * 10)])


def _elements(count: int) -> bytes:
    return edifact([*test_edifact.ADVICE[:9], "FTX" + "+" * (count * 10), "FTX?++" + ":" * (count * 10)])


def _messages(count: int) -> bytes:
    return edifact(*[[f"UNH+{n}+X:D:96A:UN"] for n in range(count // 10)])


@pytest.mark.parametrize("build", [_items, _nested, _isr, _lines, _sts, _released, _elements, _messages])
def test_a_hundred_thousand_of_anything_end_soon(build: Callable[[int], bytes]) -> None:
    body = build(100_000)
    form = FORMS["x12-warehouse" if body.startswith(b"ISA") else "edifact-warehouse"]
    began = time.perf_counter()
    _taken(form, body)
    assert time.perf_counter() - began < LONGEST

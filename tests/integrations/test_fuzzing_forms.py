"""Whatever comes, a form reads it or says that it cannot: nothing else is raised, nothing of it gets lost, in time."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.facts import Unreadable
from integrations.formats import Form, Speech, epcis_json, plain_csv, sap_idoc_flat, sap_idoc_xml, sap_odata
from integrations.formats.xml_tree import as_utf8
from tests.integrations.epcis_events import document, event
from tests.integrations.idocs import as_flat, as_xml, control, item, left, ours, seg
from tests.integrations.odata import delivery
from tests.integrations.odata import item as odata_item

_IDOCS = [
    (
        control(f"000000000000000{number}"),
        left(
            item("000010", "0", ours("P-000017", "2")),
            item("900001", "3", seg("E1EDL11", SERNR="S-1"), HIPOS="000010", CHARG="B1"),
            delivery=f"008000000{number}",
        ),
    )
    for number in (1, 2, 3)
]


@dataclass(frozen=True)
class Sample:
    """A form, a file of it, what stands between messages and is none, and how to write very many messages."""

    form: Form
    body: bytes
    glue: bytes
    many: Callable[[int], bytes]
    as_read: Callable[[bytes], bytes] = bytes
    speech: Speech = Speech()


def _without_header(body: bytes) -> bytes:
    """Say a CSV as its pieces say it: each row with the header before it."""
    return b"".join(piece.body for piece in plain_csv.FORM.split(body))


SAMPLES = [
    Sample(
        sap_idoc_xml.FORM,
        as_xml(*_IDOCS),
        rb"\s*(<\?xml.*?\?>)?\s*(<(!--|\?|/?[A-Za-z]).*?>)?\s*",
        lambda count: as_xml(*[_IDOCS[0]] * count),
        as_utf8,
    ),
    Sample(sap_idoc_flat.FORM, as_flat(*_IDOCS), rb"(\xef\xbb\xbf)?\s*", lambda count: as_flat(*[_IDOCS[0]] * count)),
    Sample(
        sap_odata.FORM,
        json.dumps({"d": {"results": [delivery(odata_item("10", "4.000"))] * 3}}, indent=1).encode(),
        rb"[\s\S]*",
        lambda count: json.dumps({"value": [delivery(odata_item("10", "4"))] * min(count, 9000)}).encode(),
    ),
    Sample(
        plain_csv.FORM,
        b'line,qty,at\nP-000017/1,4,2026-11-22T08:58:00Z\nP-000017/2,"1",2026-11-22T08:59:00Z\n' * 2,
        rb"[\s\S]*",
        lambda count: b"line,qty,at\n" + b"P-000017/1,4,2026-11-22T08:58:00Z\n" * count,
        _without_header,
        Speech(fields={"version": "1", "fact": "shipped", "columns": {"line": "line", "occurred_at": "at"}}),
    ),
    Sample(
        epcis_json.FORM,
        document(event(eventID="a"), event(eventID="b"), event(eventID="c")),
        rb"[\s\S]*",
        lambda count: document(*[event(eventID="a")] * min(count, 9000)),
    ),
]
each_form = pytest.mark.parametrize("sample", SAMPLES, ids=[sample.form.code for sample in SAMPLES])


def _spoilt(sample: bytes) -> st.SearchStrategy[bytes]:
    """Files with a few bytes changed, cut off, doubled or put in."""
    place = st.integers(0, len(sample) - 1)
    flip = st.tuples(place, st.integers(0, 255)).map(lambda cut: ("flip", *cut))
    drop = st.tuples(place, st.integers(1, 60)).map(lambda cut: ("drop", *cut))
    double = st.tuples(place, st.integers(1, 200)).map(lambda cut: ("double", *cut))
    put = st.tuples(place, st.integers(0, 255)).map(lambda cut: ("put", *cut))
    return st.lists(st.one_of(flip, drop, double, put), max_size=6).map(lambda cuts: _cut(sample, cuts))


def _cut(body: bytes, cuts: list[tuple[str, int, int]]) -> bytes:
    for kind, place, value in cuts:
        before, after = body[:place], body[place:]
        if kind == "flip":
            body = before + bytes([value]) + after[1:]
        elif kind == "drop":
            body = before + after[value:]
        elif kind == "double":
            body = before + after[:value] * 2 + after[value:]
        else:
            body = before + bytes([value]) + after
    return body


def _pieces(sample: Sample, body: bytes) -> Iterator[bytes]:
    """Split a file as the inbox does, and read each piece; give the pieces, or nothing where it is refused."""
    try:
        pieces = sample.form.split(body)
    except Unreadable:
        return
    for piece in pieces:
        assert piece.key == "" or piece.key.isprintable()
        try:
            reading = sample.form.read(piece.body, sample.speech)
        except Unreadable:
            reading = None
        assert reading is None or reading.facts
        yield piece.body


@each_form
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_spoilt_file_is_read_or_refused_and_nothing_of_it_gets_lost(sample: Sample, data: st.DataObject) -> None:
    body = data.draw(_spoilt(sample.body))
    pieces = list(_pieces(sample, body))
    if len(pieces) > 1:
        rest, glue = sample.as_read(body), re.compile(sample.glue, re.DOTALL)
        for piece in pieces:
            between, found, rest = rest.partition(piece)
            assert found
            assert glue.fullmatch(between), between
        assert glue.fullmatch(rest), rest


@each_form
@settings(max_examples=60, deadline=None)
@given(body=st.binary(max_size=400))
def test_noise_is_refused(sample: Sample, body: bytes) -> None:
    list(_pieces(sample, body))


@each_form
def test_a_file_that_ends_anywhere_is_read_or_refused(sample: Sample) -> None:
    for end in random.Random(5).sample(range(len(sample.body)), 60):
        list(_pieces(sample, sample.body[:end]))


@each_form
@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "cp037"])
def test_another_encoding_is_read_or_refused(sample: Sample, encoding: str) -> None:
    list(_pieces(sample, sample.body.decode().encode(encoding)))


@each_form
def test_a_file_of_a_hundred_thousand_lines_is_cut_in_time(sample: Sample) -> None:
    one = sample.many(1)
    body = sample.many(max(2, 100_000 // max(1, len(re.findall(rb"\n|SEGMENT", one)))))[:9_000_000]
    began = time.process_time()
    with suppress(Unreadable):
        sample.form.split(body)
    assert time.process_time() - began < 5


def _read_all(form: Form, body: bytes) -> None:
    for piece in form.split(body):
        form.read(piece.body, Speech())


@pytest.mark.parametrize(
    "body",
    [
        b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><IDOC>&b;</IDOC>',
        b'<!DOCTYPE l [<!ENTITY % x SYSTEM "http://127.0.0.1/x">%x;]><IDOC/>',
        b"<IDOC>" * 5000,
        b"<IDOC " + b'a="1" ' * 5000 + b"/>",
        b"<IDOC>" + b"<E1EDL20/>" * 100_000 + b"</IDOC>",
    ],
    ids=["billion laughs", "fetches something", "too deep", "one attribute often", "very many segments"],
)
def test_a_bomb_is_refused_in_time(body: bytes) -> None:
    began = time.process_time()
    with pytest.raises(Unreadable):
        _read_all(sap_idoc_xml.FORM, body)
    assert time.process_time() - began < 5

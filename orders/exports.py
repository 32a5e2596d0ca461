"""Write the ledger, or a part of it, to a file: JSON lines that `orders.verifier` proves offline, or CSV to read."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from orders import chains, signing, verifier
from orders.actions.anchoring import as_text
from orders.ledger import text_of_time
from orders.models import LedgerAnchor
from parts.actors import Actor
from parts.errors import Invalid

#: What a spreadsheet would take for the beginning of a formula (OWASP, "CSV Injection").
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n")

JSON_LINES, CSV = "jsonl", "csv"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which part of the ledger: by the time of recording (`until` is not in it), and of which references.

    A reference stands also for what lies below it: an order's lines, and their back orders. Of each subject the events
    are without gaps between the first and the last that fit.
    """

    since: datetime | None = None
    until: datetime | None = None
    references: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether all of the ledger is meant."""
        return self == Filter()

    def conditions(self) -> tuple[list[str], dict[str, Any]]:
        """Return SQL conditions on an event and their parameters."""
        found: list[str] = []
        parameters: dict[str, Any] = {}
        if self.since:
            found.append("recorded_at >= %(since)s")
            parameters["since"] = self.since
        if self.until:
            found.append("recorded_at < %(until)s")
            parameters["until"] = self.until
        if self.references:
            found.append(
                "(reference = ANY(%(references)s) OR split_part(reference, '/', 1) = ANY(%(references)s)"
                " OR split_part(reference, '/', 1) = ANY(%(queue)s))"
            )
            parameters["references"] = list(self.references)
            parameters["queue"] = [f"B{name[1:]}" for name in self.references if name.startswith("P-")]
        return found, parameters

    def as_text(self) -> dict[str, str]:
        """Return what was asked for, for the export's first line and the manifest."""
        texts = {"since": self.since and text_of_time(self.since), "until": self.until and text_of_time(self.until)}
        return {name: text for name, text in texts.items() if text} | (
            {"references": " ".join(self.references)} if self.references else {}
        )


@dataclass(slots=True)
class Manifest:
    """What was exported: kept beside the file, as `<file>.manifest.json`."""

    file: str
    made_at: str
    made_by: str
    format: str
    filter: dict[str, str]
    complete: bool
    with_notes: bool
    events: int = 0
    subjects: int = 0
    anchors: int = 0
    bytes: int = 0
    sha256: str = ""
    public_key: str = field(default_factory=signing.public_key)


def export_ledger(
    *,
    path: Path,
    wanted: Filter,
    by: Actor,
    at: datetime,
    with_notes: bool = False,
    progress: Callable[[int], object] = lambda _count: None,
) -> Manifest:
    """Write the ledger as it stands now to a file (`.jsonl` or `.csv`) and its manifest beside it.

    One snapshot, streamed with constant memory. The file appears under its name only when it is whole. `progress` is
    told now and then how many more events were written. Raises Forbidden (the notes need a permission of their own),
    Invalid for another kind of file or a time without a zone.
    """
    by.require("orders.export_orderevent")
    if with_notes:
        by.require("orders.view_eventtext")
    kind = path.suffix.removeprefix(".")
    if kind not in (JSON_LINES, CSV):
        raise Invalid("The file must end in .jsonl or .csv.", {"path": ["Must end in .jsonl or .csv."]})
    if any(moment is not None and moment.tzinfo is None for moment in (wanted.since, wanted.until)):
        raise Invalid("Give times with their zone.", {"since": ["Needs a time zone."]})
    manifest = Manifest(
        file=path.name,
        made_at=text_of_time(at),
        made_by=by.reference,
        format=verifier.FORMAT if kind == JSON_LINES else CSV,
        filter=wanted.as_text(),
        complete=wanted.is_empty,
        with_notes=with_notes,
    )
    draft = path.with_name(f"{path.name}.part")
    try:
        with draft.open("wb") as file, chains.one_snapshot():
            _write(file, manifest, _events(wanted, manifest, with_notes, progress))
        draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)
    document = {name: getattr(manifest, name) for name in manifest.__dataclass_fields__}
    path.with_name(f"{path.name}.manifest.json").write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return manifest


def _write(file: IO[bytes], manifest: Manifest, events: Iterable[dict[str, Any]]) -> None:
    """Write the lines; `so_far` is what the last line's signature is over, and in the end what the manifest says."""
    so_far = hashlib.sha256()
    rows = _json_lines if manifest.format == verifier.FORMAT else _csv_lines
    for line in rows(manifest, events, so_far):
        so_far.update(line)
        manifest.bytes += file.write(line)
    manifest.sha256 = so_far.hexdigest()


def _events(
    wanted: Filter, manifest: Manifest, with_notes: bool, progress: Callable[[int], object]
) -> Iterator[dict[str, Any]]:
    """Read what is wanted, count it, and leave out what is not to be shown."""
    conditions, parameters = wanted.conditions()
    subject_id = ""
    for event in chains.events(conditions, parameters):
        manifest.events += 1
        manifest.subjects += event["subject_id"] != subject_id
        subject_id = event["subject_id"]
        if not with_notes or event["note"] is None:
            del event["note"], event["salt"]
        if manifest.events % 1000 == 0:
            progress(1000)
        yield event


# --- JSON lines ------------------------------------------------------------------------------------------------------


def _json_lines(manifest: Manifest, events: Iterable[dict[str, Any]], so_far: hashlib._Hash) -> Iterator[bytes]:
    yield verifier.line_of(
        {
            "type": "export",
            "format": verifier.FORMAT,
            "made_at": manifest.made_at,
            "complete": "true" if manifest.complete else "false",
            "filter": manifest.filter,
        }
    )
    for anchor in LedgerAnchor.objects.order_by("day").iterator():
        manifest.anchors += 1
        yield verifier.line_of({"type": "anchor", **as_text(anchor)})
    yield from _chain_lines(manifest, events)
    end = {
        "events": str(manifest.events),
        "subjects": str(manifest.subjects),
        "anchors": str(manifest.anchors),
        "sha256": so_far.hexdigest(),
    }
    signature = signing.sign(verifier.end_message(end))
    yield verifier.line_of({"type": "end", **end, "public_key": manifest.public_key, "signature": signature})


def _chain_lines(manifest: Manifest, events: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """Write events, and after those of each subject where its chain ends."""
    heads = chains.heads() if manifest.complete else iter(())
    head, last = next(heads, None), None
    for event in events:
        if last is not None and event["subject_id"] != last["subject_id"]:
            head, lines = _head_lines(manifest, last, head, heads)
            yield from lines
        yield verifier.line_of({"type": "event", **event})
        last = event
    if last is not None:
        head, lines = _head_lines(manifest, last, head, heads)
        yield from lines
    while head is not None:
        yield _line_of_head(head)
        head = next(heads, None)


def _head_lines(
    manifest: Manifest, last: Mapping[str, Any], head: chains.Head | None, heads: Iterator[chains.Head]
) -> tuple[chains.Head | None, list[bytes]]:
    """Return the heads of subjects up to that of `last`, as the subjects say, and the next one that was read.

    In a part of the ledger the subject may have moved on since, so there it is where the part ends.
    """
    if not manifest.complete:
        values = {name: last[name] for name in ("subject_id", "reference", "version", "hash")}
        return None, [verifier.line_of({"type": "head", **values})]
    lines = []
    while head is not None and head.subject_id <= last["subject_id"]:
        lines.append(_line_of_head(head))
        head = next(heads, None)
    return head, lines


def _line_of_head(head: chains.Head) -> bytes:
    values = {"subject_id": head.subject_id, "reference": head.reference, "version": head.version, "hash": head.hash}
    return verifier.line_of({"type": "head", **values, "status": head.status})


# --- CSV -------------------------------------------------------------------------------------------------------------


def neutral(value: str | None) -> str:
    """Return a cell that no spreadsheet takes for a formula: an apostrophe before what would be one."""
    text = value or ""
    return f"'{text}" if text.startswith(_RUNS) else text


def _csv_lines(manifest: Manifest, events: Iterable[dict[str, Any]], _so_far: hashlib._Hash) -> Iterator[bytes]:
    columns = [name for name in chains.COLUMNS if manifest.with_notes or name not in ("salt", "note")]
    yield _csv_line(columns)
    for event in events:
        yield _csv_line([neutral(event.get(name)) for name in columns])


def _csv_line(cells: list[str]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue().encode()

"""Write the ledger, or a part of it, to a file: JSON lines that `orders.verifier` proves, or a table to read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from orders import chains, sheets, signing, verifier
from orders.actions.anchoring import as_text
from orders.ledger import text_of_time
from orders.models import LedgerAnchor
from parts.actors import Actor
from parts.errors import Invalid
from parts.sentences import sentence

JSON_LINES, CSV, XLSX = "jsonl", "csv", "xlsx"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which part of the ledger: by the time of recording (`until` is not in it), of which references, and the rest.

    A reference stands also for what lies below it: an order's lines, and their back orders. `subjects` are keys of
    single subjects, and `order` what they were asked for by. In JSON lines, the events of each subject are without gaps
    between the first and the last that fit, so that they can be proved; a table has just those that fit.
    """

    since: datetime | None = None
    until: datetime | None = None
    references: tuple[str, ...] = ()
    subjects: tuple[UUID, ...] = ()
    order: str = ""
    actor: str = ""
    source: str = ""
    kind: str = ""
    subject_kind: str = ""
    overrides: bool = False

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
        if self.subjects:
            found.append("subject_id = ANY(%(subjects)s::uuid[])")
            parameters["subjects"] = list(self.subjects)
        for name in ("actor", "source", "kind", "subject_kind"):
            if value := getattr(self, name):
                found.append(f"{name} = %({name})s")
                parameters[name] = value
        if self.overrides:
            found.append("is_override")
        return found, parameters

    def as_text(self) -> dict[str, str]:
        """Return what was asked for, for the export's first line and the manifest."""
        texts = {
            "since": self.since and text_of_time(self.since),
            "until": self.until and text_of_time(self.until),
            "references": " ".join(self.references),
            "order": self.order or " ".join(map(str, self.subjects)),
            "actor": self.actor,
            "source": self.source,
            "kind": self.kind,
            "subject_kind": self.subject_kind,
            "overrides": "true" if self.overrides else "",
        }
        return {name: text for name, text in texts.items() if text}

    def as_json(self) -> dict[str, Any]:
        """Return what `of_json` reads again."""
        exact = {"order": self.order, "subjects": list(map(str, self.subjects)), "references": list(self.references)}
        return self.as_text() | exact

    @classmethod
    def of_json(cls, values: Mapping[str, Any]) -> Filter:
        """Read what `as_json` wrote."""
        since, until = (
            datetime.fromisoformat(values[name]) if values.get(name) else None for name in ("since", "until")
        )
        texts = {name: values.get(name, "") for name in ("order", "actor", "source", "kind", "subject_kind")}
        return cls(
            since=since,
            until=until,
            **texts,
            references=tuple(values.get("references", ())),
            subjects=tuple(UUID(key) for key in values.get("subjects", ())),
            overrides=values.get("overrides") == "true",
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
    #: Where events of this transaction and later ones may not be in it.
    horizon: int = 0
    #: Which transactions are in it, exactly.
    snapshot: str = ""
    #: Of a table: the file of the same snapshot that proves it, its SHA-256 and how many events are in it.
    proof: dict[str, Any] | None = None


def export_ledger(
    *,
    path: Path,
    wanted: Filter,
    by: Actor,
    at: datetime,
    with_notes: bool = False,
    with_proof: bool = False,
    progress: Callable[[int], object] = lambda _count: None,
) -> Manifest:
    """Write the ledger as it stands now to a file (`.jsonl`, `.csv` or `.xlsx`) and its manifest beside it.

    One snapshot, streamed with constant memory. Files appear under their names only when they are whole. A table gets
    `with_proof` a `.jsonl` of the same snapshot beside it. `progress` is told now and then how many more events were
    written; what it raises ends the export. Raises Forbidden (the notes need a permission of their own), Invalid for
    another kind of file, a time without a zone, or more events than a sheet is made for.
    """
    by.require("orders.export_orderevent")
    if with_notes:
        by.require("orders.view_eventtext")
    kind = path.suffix.removeprefix(".")
    if kind not in (JSON_LINES, CSV, XLSX):
        raise Invalid(
            sentence("The file must end in .jsonl, .csv or .xlsx."),
            {"path": [sentence("Must end in .jsonl, .csv or .xlsx.")]},
        )
    if any(moment is not None and moment.tzinfo is None for moment in (wanted.since, wanted.until)):
        raise Invalid(sentence("Give times with their zone."), {"since": [sentence("Needs a time zone.")]})
    manifest = _manifest(path, kind, wanted, by, at, with_notes)
    proof = _manifest(path.with_suffix(f".{JSON_LINES}"), JSON_LINES, wanted, by, at, with_notes)
    drafts = [path.with_name(f"{path.name}.part")]
    try:
        with chains.one_snapshot():
            manifest.horizon, manifest.snapshot = chains.horizon(), chains.snapshot()
            _write(drafts[0], manifest, _events(wanted, manifest, progress))
            if with_proof and kind != JSON_LINES:
                drafts.append(path.with_name(f"{proof.file}.part"))
                _write(drafts[1], proof, _events(wanted, proof, progress))
                manifest.proof = {"file": proof.file, "events": proof.events, "sha256": proof.sha256}
        for draft in drafts:
            draft.rename(draft.with_suffix(""))
    finally:
        for draft in drafts:
            draft.unlink(missing_ok=True)
    document = {name: getattr(manifest, name) for name in manifest.__dataclass_fields__}
    path.with_name(f"{path.name}.manifest.json").write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return manifest


def _manifest(path: Path, kind: str, wanted: Filter, by: Actor, at: datetime, with_notes: bool) -> Manifest:
    return Manifest(
        file=path.name,
        made_at=text_of_time(at),
        made_by=by.reference,
        format=verifier.FORMAT if kind == JSON_LINES else kind,
        filter=wanted.as_text(),
        complete=wanted.is_empty,
        with_notes=with_notes,
    )


def _write(path: Path, manifest: Manifest, events: Iterable[dict[str, Any]]) -> None:
    """Write the file; `so_far` is what the last line's signature is over, and in the end what the manifest says."""
    columns = [name for name in chains.COLUMNS if manifest.with_notes or name not in ("salt", "note")]
    if manifest.format == XLSX:
        sheets.write_sheet(path, columns, events, lambda: _about(manifest))
        manifest.bytes = path.stat().st_size
        with path.open("rb") as written:
            manifest.sha256 = hashlib.file_digest(written, "sha256").hexdigest()
        return
    so_far = hashlib.sha256()
    is_table = manifest.format == CSV
    lines = sheets.csv_lines(columns, events) if is_table else _json_lines(manifest, events, so_far)
    with path.open("wb") as file:
        for line in lines:
            so_far.update(line)
            manifest.bytes += file.write(line)
    manifest.sha256 = so_far.hexdigest()


def _about(manifest: Manifest) -> list[tuple[str, str]]:
    """Return what a sheet says about itself; its own SHA-256 stands in the manifest."""
    said = [("made_at", manifest.made_at), ("made_by", manifest.made_by), ("events", str(manifest.events))]
    said += [("with_notes", str(manifest.with_notes).lower()), ("complete", str(manifest.complete).lower())]
    return [*said, *((f"filter.{name}", text) for name, text in manifest.filter.items()), ("cells", sheets.NEUTRALISED)]


def _events(wanted: Filter, manifest: Manifest, progress: Callable[[int], object]) -> Iterator[dict[str, Any]]:
    """Read what is wanted, count it, and leave out what is not to be shown."""
    conditions, parameters = wanted.conditions()
    subject_id = ""
    for event in chains.events(conditions, parameters, exactly=manifest.format != verifier.FORMAT):
        manifest.events += 1
        manifest.subjects += event["subject_id"] != subject_id
        subject_id = event["subject_id"]
        if not manifest.with_notes or event["note"] is None:
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

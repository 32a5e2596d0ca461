#!/usr/bin/env python3
"""Prove offline that an exported ledger was not altered. Needs only Python's standard library (3.11 or newer).

    python3 verifier.py EXPORT.jsonl [--public-key HEX]

Each line of the export is a JSON object with a `type`:

- `export`: what was exported, and whether that is all;
- `anchor`: a day's signed digest over the heads of all chains, oldest first;
- `event`: one event, sorted by subject and version, all values as text;
- `head`: after the events of a subject, where its chain ends as the subject itself says;
- `end`: how many lines there are, SHA-256 over all bytes before this line, and a signature over that.

An event's hash is SHA-256 over the previous event's hash (32 bytes; none for the first event of a subject) followed by
the event's fields in the order of FIELDS, each as a netstring (https://cr.yp.to/proto/netstrings.txt:
`<length in bytes>:<UTF-8 text>,`) and a missing value as `-,`. docs/ledger.md says what that proves and what not.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

#: What an export's first line calls its format.
FORMAT = "backline-ledger-1"

#: The fields a hash covers, in this order. Values are text: times as `2026-01-31T09:30:00.000000Z`, durations in whole
#: microseconds, truth as `true` and `false`, data as the JSON text the database holds.
FIELDS = (
    "id",
    "subject_kind",
    "subject_id",
    "reference",
    "version",
    "kind",
    "from_status",
    "to_status",
    "occurred_at",
    "recorded_at",
    "dwell",
    "actor",
    "source",
    "message_id",
    "note_commitment",
    "visibility",
    "override_reference",
    "is_override",
    "passed_through",
    "data",
)

#: What an anchor's signature covers, in this order. `horizon`: it is over the events of all transactions below.
ANCHOR_FIELDS = ("day", "made_at", "horizon", "subjects", "events", "head_digest", "previous_digest")
#: What the signature in an export's last line covers, in this order.
END_FIELDS = ("events", "subjects", "anchors", "sha256")

#: What each type of line must have, and what it may have beside that.
SHAPES: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "export": (frozenset({"format", "made_at", "complete", "filter"}), frozenset()),
    "anchor": (frozenset({*ANCHOR_FIELDS, "public_key", "signature"}), frozenset()),
    "event": (frozenset({*FIELDS, "transaction_id", "previous_hash", "hash"}), frozenset({"salt", "note"})),
    "head": (frozenset({"subject_id", "reference", "version", "hash"}), frozenset({"status"})),
    "end": (frozenset({*END_FIELDS, "public_key", "signature"}), frozenset()),
}
_ANY = frozenset({"filter"})
_NULLABLE = frozenset({"dwell", "note_commitment", "salt", "note", "status"})
_HASH, _NUMBER = re.compile("[0-9a-f]{64}"), re.compile("0|[1-9][0-9]{0,18}")
_PATTERNS = {
    "hash": re.compile("([0-9a-f]{64})?"),
    "previous_hash": re.compile("([0-9a-f]{64})?"),
    "previous_digest": re.compile("([0-9a-f]{64})?"),
    "head_digest": _HASH,
    "note_commitment": _HASH,
    "sha256": _HASH,
    "public_key": _HASH,
    "signature": re.compile("[0-9a-f]{128}"),
    "salt": re.compile("([0-9a-f]{2})+"),
    "version": _NUMBER,
    "transaction_id": _NUMBER,
    "horizon": _NUMBER,
    "events": _NUMBER,
    "subjects": _NUMBER,
    "anchors": _NUMBER,
    "dwell": _NUMBER,
}


def digest(previous: bytes, values: Iterable[str | None]) -> bytes:
    """Return the hash of an event: `previous` is the hash before it, `values` are the texts of FIELDS in order."""
    encoded = [
        "-," if value is None else f"{len(value) if value.isascii() else len(value.encode())}:{value},"
        for value in values
    ]
    return hashlib.sha256(previous + "".join(encoded).encode()).digest()


def digest_of(event: Mapping[str, str | None], previous: bytes) -> bytes:
    """Return the hash that an exported event must have."""
    return digest(previous, [event[name] for name in FIELDS])


# --- Anchors and what is signed --------------------------------------------------------------------------------------


def netstrings(values: Iterable[str]) -> bytes:
    """Return texts so that no two different lists of texts read the same."""
    return b"".join(b"%d:%b," % (len(encoded), encoded) for encoded in (value.encode() for value in values))


def anchor_message(anchor: Mapping[str, str]) -> bytes:
    """Return the bytes that an anchor's signature is over."""
    return netstrings(["backline-anchor-1", *(anchor[name] for name in ANCHOR_FIELDS)])


def anchor_digest(anchor: Mapping[str, str]) -> str:
    """Return what the next anchor names as the one before it: SHA-256 over the signed bytes, as hex digits."""
    return hashlib.sha256(anchor_message(anchor)).hexdigest()


def head_text(subject_id: str, version: str, head: str) -> bytes:
    """Return a chain's head as it enters an anchor's digest; the heads follow each other sorted by subject."""
    return f"{subject_id}:{version}:{head}\n".encode()


def end_message(end: Mapping[str, str]) -> bytes:
    """Return the bytes that the signature in an export's last line is over."""
    return netstrings(["backline-export-1", *(end[name] for name in END_FIELDS)])


def line_of(values: object) -> bytes:
    """Return one line of an export."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


# --- Findings --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. `code` is stable; `subject` is a reference, a day or a line of the file."""

    code: str
    subject: str
    version: str
    what: str

    def __str__(self) -> str:
        version = f" v{self.version}" if self.version else ""
        return f"{self.subject}{version}: {self.what} [{self.code}]"


def check_anchors(anchors: Sequence[Mapping[str, str]], keys: Collection[str]) -> Iterator[Finding]:
    """Check the anchors by themselves, oldest first: signatures, days, and that each names the one before it.

    `keys` are the public keys (hex digits) that are trusted; empty: any key that fits the signature.
    """
    before: Mapping[str, str] | None = None
    for anchor in anchors:
        day = f"anchor {anchor['day']}"
        if keys and anchor["public_key"] not in keys:
            yield Finding("anchor_key_unknown", day, "", f"is signed with the unknown key {anchor['public_key']}")
        if not verify_signature(anchor["public_key"], anchor_message(anchor), anchor["signature"]):
            yield Finding("anchor_signature", day, "", "has a signature that does not fit it")
        if anchor["previous_digest"] != (anchor_digest(before) if before else ""):
            yield Finding("anchor_chain", day, "", "does not name the anchor before it; one was changed or left out")
        if before and (anchor["day"] <= before["day"] or int(anchor["horizon"]) < int(before["horizon"])):
            yield Finding("anchor_order", day, "", f"does not come after the anchor of {before['day']}")
        before = anchor


class Heads:
    """The heads of all chains as they were when each anchor was made, digested chain by chain."""

    def __init__(self, anchors: Sequence[Mapping[str, str]]) -> None:
        self.anchors = anchors
        self._horizons = [int(anchor["horizon"]) for anchor in anchors]
        self._digests = [hashlib.sha256() for _ in anchors]
        self._subjects = [0] * len(anchors)
        self._events = [0] * len(anchors)
        self._marks: list[tuple[int, str, str]] = []

    def event(self, transaction_id: int, version: str, head: str) -> None:
        """Take in the next event of a chain. The first anchor that covers it is the first with a higher horizon."""
        first = bisect_right(self._horizons, transaction_id)
        while self._marks and self._marks[-1][0] >= first:
            self._marks.pop()
        self._marks.append((first, version, head))

    def close(self, subject_id: str) -> None:
        """Take in the heads of a chain whose events have all come."""
        upper = len(self.anchors)
        for first, version, head in reversed(self._marks):
            text, events = head_text(subject_id, version, head), int(version)
            for place in range(first, upper):
                self._digests[place].update(text)
                self._subjects[place] += 1
                self._events[place] += events
            upper = min(first, upper)
        self._marks.clear()

    def findings(self) -> Iterator[Finding]:
        """Compare with what the anchors say."""
        for place, anchor in enumerate(self.anchors):
            day = f"anchor {anchor['day']}"
            subjects, events = str(self._subjects[place]), str(self._events[place])
            if (anchor["subjects"], anchor["events"]) != (subjects, events):
                covers = f"covers {anchor['events']} events of {anchor['subjects']} subjects"
                what = f"{covers}; {events} of {subjects} are there"
                yield Finding("anchor_counts", day, "", what)
            if self._digests[place].hexdigest() != anchor["head_digest"]:
                yield Finding("anchor_heads", day, "", "was made over other heads: something before it was changed")


class Chains:
    """Follows the chains event by event, in order of subject and version, with the memory of one subject."""

    def __init__(self, anchors: Sequence[Mapping[str, str]] = (), *, complete: bool = True) -> None:
        """`complete` says that all events are there; otherwise a chain may begin later, and heads are not compared."""
        self.complete = complete
        self.heads = Heads(anchors if complete else ())
        self.events = self.subjects = 0
        self.subject_id = self.reference = self.status = ""
        self.version = 0
        self.hash = ""
        self._last_subject = ""

    def event(self, event: Mapping[str, str | None]) -> Iterator[Finding]:
        """Check the next event. It must have the right shape (see fault_of)."""
        subject_id, reference = str(event["subject_id"]), str(event["reference"])
        if subject_id != self.subject_id:
            yield from self._begin(event, subject_id, reference)
        version, text = int(event["version"] or 0), str(event["version"])
        self.events += 1
        if version <= self.version:
            yield Finding("event_order", reference, text, f"comes again or too late, after version {self.version}")
            return
        if version > self.version + 1:
            first, last = self.version + 1, version - 1
            missing = f"version {first} is" if first == last else f"versions {first} to {last} are"
            yield Finding("event_missing", reference, text, f"{missing} missing before it")
        previous, stored = str(event["previous_hash"]), str(event["hash"])
        if version == self.version + 1 and previous != self.hash:
            yield Finding("event_link", reference, text, "does not follow from the event before it")
        if digest_of(event, bytes.fromhex(previous)).hex() != stored:
            yield Finding("event_altered", reference, text, "is not what was recorded: its hash does not fit it")
        yield from self._note(event, reference, text)
        self.version, self.hash = version, stored
        self.status = event["to_status"] or self.status
        self.heads.event(int(event["transaction_id"] or 0), text, stored)

    def _begin(self, event: Mapping[str, str | None], subject_id: str, reference: str) -> Iterator[Finding]:
        self.close()
        if subject_id <= self._last_subject:
            yield Finding("subject_order", reference, str(event["version"]), "comes again or is not in its place")
        self.subjects += 1
        self.subject_id, self.reference, self.status, self.version, self.hash = subject_id, reference, "", 0, ""
        if not self.complete:  # the first one is taken at its word
            self.version, self.hash = int(event["version"] or 1) - 1, str(event["previous_hash"])

    def _note(self, event: Mapping[str, str | None], reference: str, text: str) -> Iterator[Finding]:
        note, salt, commitment = event.get("note"), event.get("salt"), event["note_commitment"]
        if note is None and salt is None:
            return  # erased, not exported, or there never was one
        if commitment is None:
            yield Finding("note_added", reference, text, "has a note that was not recorded with it")
        elif hashlib.sha256(bytes.fromhex(salt or "") + (note or "").encode()).hexdigest() != commitment:
            yield Finding("note_altered", reference, text, "has a note that is not what was written")

    def head(self, head: Mapping[str, str | None]) -> Iterator[Finding]:
        """Check what the subject itself says of its chain (or, in a part of the ledger, where the part must end)."""
        reference, version = str(head["reference"]), str(head["version"])
        if head["subject_id"] != self.subject_id:
            if version != "0" or head["hash"]:
                yield Finding("chain_missing", reference, version, "has no events although it has changed")
            return
        if int(version) != self.version:
            what = f"stands at version {version}, its last event is version {self.version}"
            yield Finding("head_version", reference, version, what)
        elif head["hash"] != self.hash:
            yield Finding("head_hash", reference, version, "does not end in the hash that its subject keeps")
        elif self.complete and head.get("status") != self.status:
            what = f"is {head.get('status')}, its events say {self.status}"
            yield Finding("head_status", reference, version, what)
        elif reference != self.reference:
            yield Finding("head_reference", reference, version, f"is called {self.reference} by its events")

    def close(self) -> None:
        """Note that no more events of the present subject come."""
        if self.subject_id:
            self.heads.close(self.subject_id)
            self._last_subject, self.subject_id = max(self.subject_id, self._last_subject), ""


# --- The export ------------------------------------------------------------------------------------------------------


def fault_of(line: Mapping[str, object]) -> str:
    """Return what is wrong with the shape of an export's line; empty for nothing."""
    kind = line.get("type")
    if not isinstance(kind, str) or kind not in SHAPES:
        return f"is of no known type ({kind!r})"
    required, optional = SHAPES[kind]
    names = set(line) - {"type"}
    if missing := sorted(required - names):
        return f"lacks {', '.join(missing)}"
    if added := sorted(names - required - optional):
        return f"has more than it may: {', '.join(added)}"
    for name in sorted(names):
        value = line[name]
        if name in _ANY:
            continue
        if not isinstance(value, str) and not (value is None and name in _NULLABLE):
            return f"{name} is not text"
        if isinstance(value, str) and (pattern := _PATTERNS.get(name)) and not pattern.fullmatch(value):
            return f"{name} has an impossible value"
    return ""


class Export:
    """Reads an export line by line and says what is wrong with it."""

    def __init__(self, keys: Collection[str] = ()) -> None:
        self.keys = frozenset(keys)
        self.anchors: list[dict[str, str]] = []
        self.chains: Chains | None = None
        self.complete = True
        self.signed_with: set[str] = set()
        self._digest = hashlib.sha256()
        self._header: Mapping[str, object] | None = None
        self._end: Mapping[str, str] | None = None
        self._head_of = ""
        self._number = 0

    def check(self, lines: Iterable[bytes]) -> Iterator[Finding]:
        """Check all of it; what is wrong comes as it is found."""
        for raw in lines:
            self._number += 1
            yield from self._line(raw)
            if self._end is None:
                self._digest.update(raw)
        if self._header is None:
            yield self._finding("export_shape", "there is no export in this file")
        elif self._end is None:
            yield self._finding("export_truncated", "the file is cut off: its last line is missing")
        yield from self._close_subject("")
        if self.chains is not None:
            yield from self.chains.heads.findings()

    def _finding(self, code: str, what: str) -> Finding:
        return Finding(code, f"line {self._number}", "", what)

    def _line(self, raw: bytes) -> Iterator[Finding]:
        try:
            line = json.loads(raw.decode())
            is_exact = line_of(line) == raw
        except (ValueError, RecursionError):
            yield self._finding("export_shape", "is not JSON")
            return
        if not isinstance(line, dict):
            yield self._finding("export_shape", "is not a JSON object")
            return
        if not is_exact:
            yield self._finding("export_altered", "is not written as it was exported")
        if fault := fault_of(line):
            yield self._finding("export_shape", fault)
            return
        if self._end is not None:
            yield self._finding("export_added", "comes after the end")
        elif line["type"] == "end":
            yield from self._take_end(line)
        elif line["type"] == "export":
            yield from self._take_header(line)
        elif self._header is None:
            yield self._finding("export_shape", "comes before the line that says what is exported")
        elif line["type"] == "anchor":
            yield from self._take_anchor(line)
        else:
            yield from self._take_chain_line(line)

    def _take_header(self, line: Mapping[str, object]) -> Iterator[Finding]:
        if self._number != 1:
            yield self._finding("export_shape", "begins another export")
            return
        self._header, self.complete = line, line["complete"] == "true"
        if line["format"] != FORMAT:
            yield self._finding("export_shape", f"is in the format {line['format']}, not {FORMAT}")

    def _take_anchor(self, line: dict[str, str]) -> Iterator[Finding]:
        if self.chains is not None:
            yield self._finding("export_shape", "an anchor is not in its place")
            return
        self.anchors.append(line)
        self.signed_with.add(line["public_key"])

    def _chains(self) -> Iterator[Finding]:
        if self.chains is None:
            yield from check_anchors(self.anchors, self.keys)
            self.chains = Chains(
                sorted(self.anchors, key=lambda anchor: int(anchor["horizon"])), complete=self.complete
            )

    def _take_chain_line(self, line: Mapping[str, str | None]) -> Iterator[Finding]:
        yield from self._chains()
        assert self.chains is not None
        if line["type"] == "event":
            yield from self._close_subject(str(line["subject_id"]))
            yield from self.chains.event(line)
        elif self._head_of == line["subject_id"]:
            yield Finding("head_twice", str(line["reference"]), str(line["version"]), "says twice where it ends")
        else:
            yield from self.chains.head(line)
            self._head_of = str(line["subject_id"])

    def _close_subject(self, next_subject: str) -> Iterator[Finding]:
        chains = self.chains
        if chains is None or chains.subject_id in ("", next_subject):
            return
        if self._head_of != chains.subject_id:
            what = "is cut off: nothing says where it ends"
            yield Finding("head_missing", chains.reference, str(chains.version), what)
        chains.close()

    def _take_end(self, line: Mapping[str, str]) -> Iterator[Finding]:
        yield from self._chains()
        assert self.chains is not None
        self._end = line
        self.signed_with.add(line["public_key"])
        counted = (str(self.chains.events), str(self.chains.subjects), str(len(self.anchors)))
        if counted != (line["events"], line["subjects"], line["anchors"]):
            said = f"{line['events']} events, {line['subjects']} subjects, {line['anchors']} anchors"
            yield self._finding("export_counts", f"{said} were exported; there are {', '.join(counted)}")
        if self._digest.hexdigest() != line["sha256"]:
            yield self._finding("export_altered", "the lines before it are not those that were exported")
        if self.keys and line["public_key"] not in self.keys:
            yield self._finding("export_key_unknown", f"is signed with the unknown key {line['public_key']}")
        if not verify_signature(line["public_key"], end_message(line), line["signature"]):
            yield self._finding("export_signature", "has a signature that does not fit it")


# --- Ed25519 ---------------------------------------------------------------------------------------------------------
# Verification only, after the definition and the sample code of RFC 8032 (https://www.rfc-editor.org/rfc/rfc8032,
# sections 5.1 and 6). It handles public values only, so its running time may depend on them.

_P = 2**255 - 19
_Q = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT_OF_MINUS_1 = pow(2, (_P - 1) // 4, _P)

#: A point in extended homogeneous coordinates: x = X/Z, y = Y/Z, x * y = T/Z.
Point = tuple[int, int, int, int]


def _add(a: Point, b: Point) -> Point:
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % _P, (a[1] + a[0]) * (b[1] + b[0]) % _P
    g, h = 2 * a[3] * b[3] * _D % _P, 2 * a[2] * b[2] % _P
    p, q, r, s = f - e, h - g, h + g, f + e
    return (p * q % _P, r * s % _P, q * r % _P, p * s % _P)


def _multiply(factor: int, point: Point) -> Point:
    result: Point = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            result = _add(result, point)
        point = _add(point, point)
        factor >>= 1
    return result


def _point(encoded: bytes) -> Point | None:
    """Decode a point (section 5.1.3); None for what is none."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    if square == 0:
        return None if sign else (0, y, 1, 0)
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT_OF_MINUS_1 % _P
    if (x * x - square) % _P:
        return None
    if x & 1 != sign:
        x = _P - x
    return (x, y, 1, x * y % _P)


_BASE = _point((4 * pow(5, -1, _P) % _P).to_bytes(32, "little"))


def verify_signature(public_key: str, message: bytes, signature: str) -> bool:
    """Tell whether an Ed25519 signature is right (section 5.1.7). Key and signature are hex digits."""
    key, both = bytes.fromhex(public_key), bytes.fromhex(signature)
    if len(key) != 32 or len(both) != 64:
        return False
    a, r, s = _point(key), _point(both[:32]), int.from_bytes(both[32:], "little")
    if a is None or r is None or s >= _Q or _BASE is None:
        return False
    h = int.from_bytes(hashlib.sha512(both[:32] + key + message).digest(), "little") % _Q
    left, right = _multiply(s, _BASE), _add(r, _multiply(h, a))
    return not ((left[0] * right[2] - right[0] * left[2]) % _P or (left[1] * right[2] - right[1] * left[2]) % _P)


# --- The command line ------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str]) -> int:
    """Verify exports and print what was found. Returns the exit status."""
    parser = argparse.ArgumentParser(
        description="Prove offline that an exported ledger was not altered. Exit status 0: nothing found, 1: something"
        " is wrong, 2: a file cannot be read."
    )
    parser.add_argument("export", nargs="+", help="a file written by: manage.py export_ledger")
    parser.add_argument(
        "--public-key",
        action="append",
        default=[],
        metavar="HEX",
        help="a key you trust (64 hex digits); may be given several times. Without one, whoever can write the export"
        " could also have signed it.",
    )
    parser.add_argument("--limit", type=int, default=100, help="how many findings to print (default 100)")
    options = parser.parse_args(arguments)
    keys = [key.strip().lower() for key in options.public_key]
    if any(not re.fullmatch("[0-9a-f]{64}", key) for key in keys):
        parser.error("--public-key must be 64 hex digits")
    found = 0
    for name in options.export:
        try:
            found += _verify(name, keys, options.limit)
        except OSError as error:
            sys.stderr.write(f"{name}: {error.strerror}\n")
            return 2
    return 1 if found else 0


def _verify(name: str, keys: Collection[str], limit: int) -> int:
    export, found = Export(keys), 0
    with open(name, "rb") as file:
        for finding in export.check(file):
            found += 1
            if found <= limit:
                sys.stdout.write(f"{name}: {finding}\n")
    if found > limit:
        sys.stdout.write(f"{name}: and {found - limit} more\n")
    chains = export.chains
    counts = f"{chains.events} events of {chains.subjects} subjects" if chains else "nothing"
    sys.stdout.write(f"{name}: {counts} and {len(export.anchors)} anchors read; {found or 'no'} findings.\n")
    if not export.complete:
        sys.stdout.write(f"{name}: only a part of the ledger; whether the anchors fit its heads needs all of it.\n")
    if not keys:
        for key in sorted(export.signed_with):
            sys.stdout.write(f"{name}: signed with {key}; compare it with the key you were given.\n")
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

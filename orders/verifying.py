"""Check the ledger in the database: the chains, the subjects they belong to, the notes and the anchors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from orders import chains, signing
from orders.actions.anchoring import as_text
from orders.models import LedgerAnchor
from orders.verifier import Chains, Finding, check_anchors, digest_of

#: After how many events progress is told.
_STRIDE = 1000


def fits_its_hash(event: Mapping[str, Any]) -> bool:
    """Tell whether an event, as `orders.chains` reads it, is what was recorded: the hash it was stored with fits it."""
    return digest_of(event, bytes.fromhex(event["previous_hash"])).hex() == event["hash"]


@dataclass(frozen=True, slots=True)
class ChainVerdict:
    """What a check of one chain has found: how many events it has, in which hash it ends, and what is wrong."""

    reference: str
    events: int
    hash: str
    findings: tuple[Finding, ...]


def verify_subject(subject_id: UUID) -> ChainVerdict:
    """Check one subject's chain from its first event to the hash that the subject keeps, its notes with it.

    Must be inside `chains.one_snapshot()`. Anchors are over all chains: `Verification` checks those.
    """
    checked = Chains()
    findings: list[Finding] = []
    for event in chains.events(["subject_id = %(subject)s"], {"subject": subject_id}):
        findings += checked.event(event)
    head = next(chains.heads(subject_id), None)
    if head is not None:
        findings += checked.head(_as_text(head))
    else:
        findings.append(
            Finding("subject_missing", checked.reference or str(subject_id), "", "there is no such subject")
        )
    return ChainVerdict(
        checked.reference or (head.reference if head else ""), checked.events, checked.hash, tuple(findings)
    )


class Verification:
    """One pass over the ledger in one snapshot, with the memory of one subject. Counts what it has read."""

    def __init__(self, progress: Callable[[int], object] = lambda _count: None) -> None:
        """`progress` is told now and then how many more events were read."""
        self.anchors = 0
        self._progress = progress
        self.chains = Chains()
        self._head: chains.Head | None = None
        self._kind = ""

    def findings(self) -> Iterator[Finding]:
        """Read it all and hand out what is wrong as it is found. Must be inside `chains.one_snapshot()`."""
        anchors = [as_text(anchor) for anchor in LedgerAnchor.objects.order_by("day")]
        self.anchors = len(anchors)
        yield from check_anchors(anchors, signing.trusted_keys())
        self.chains = Chains(sorted(anchors, key=lambda anchor: int(anchor["horizon"])))
        heads = chains.heads()
        head = next(heads, None)
        for event in chains.events():
            if event["subject_id"] != self.chains.subject_id:
                yield from self._end_subject()
                while head is not None and head.subject_id < event["subject_id"]:
                    yield from self.chains.head(_as_text(head))
                    head = next(heads, None)
                self._kind = event["subject_kind"]
                self._head = head if head is not None and head.subject_id == event["subject_id"] else None
                head = next(heads, None) if self._head is not None else head
            yield from self.chains.event(event)
            if self.chains.events % _STRIDE == 0:
                self._progress(_STRIDE)
        yield from self._end_subject()
        for rest in [head, *heads] if head is not None else []:
            yield from self.chains.head(_as_text(rest))
        yield from self.chains.heads.findings()

    def _end_subject(self) -> Iterator[Finding]:
        """Compare the chain that has just ended with the row of its subject."""
        if not self.chains.subject_id:
            return
        if self._head is None:
            yield Finding(
                "subject_missing", self.chains.reference, "", f"has events, but there is no such {self._kind}"
            )
        else:
            yield from self.chains.head(_as_text(self._head))
            if self._head.kind != self._kind:
                what = f"is a {self._head.kind}, its events are about a {self._kind}"
                yield Finding("subject_kind", self._head.reference, "", what)
        self.chains.close()


def _as_text(head: chains.Head) -> dict[str, Any]:
    return {
        "subject_id": head.subject_id,
        "reference": head.reference,
        "version": head.version,
        "hash": head.hash,
        "status": head.status,
    }

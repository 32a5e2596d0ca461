"""Take messages in: keep each as it came, once, before anything is made of it; then work on it, or leave it to others.

A sender that gets an answer may forget its message: it is kept, and has been committed. A repeat (the same key of the
same system) is answered with what became of the first one and has no second effect. A key that comes again with
another content is kept beside the first and rejected, so that a person sees both.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction

from integrations import sql
from integrations.actions.working import Stored, Verdict, problem, settle, work
from integrations.facts import LONGEST_KEY, Piece
from integrations.senders import Sender
from integrations.statuses import MessageStatus, Way
from parts.documents import as_text
from parts.errors import Invalid
from parts.keys import new_key
from parts.sentences import sentence

MOST_AT_ONCE = 1000
#: How long whoever takes a message in may work on it before a worker takes it over.
CLAIM_LASTS = timedelta(minutes=2)
#: What is long enough to tell two contents apart, and short enough to stand beside a key.
_SHORT_PRINT = 12


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one message so far: its row, its status, and why if it was not accepted."""

    id: UUID
    key: str
    status: str
    cause: str = ""
    problems: Sequence[dict[str, Any]] = ()
    facts: Sequence[dict[str, Any]] = ()
    is_repeat: bool = False


def take_in(
    *,
    sender: Sender,
    body: bytes,
    way: Way,
    at: datetime,
    content_type: str = "",
    key: str = "",
    at_once: bool = True,
) -> list[Taken]:
    """Keep the messages in `body` and, `at_once`, work on them; return what became of each, in their order.

    `key` is that of the message where it comes beside it; else each brings its own, or is known by a hash of itself.
    Keeping is one transaction and its effects are another: what is killed between is finished by a worker. The number
    of statements does not depend on how many messages there are. Raises Unreadable where `body` cannot be cut into
    messages and Invalid for more than 1,000, which both leave nothing, and Forbidden
    (`integrations.send_inboundmessage`).
    """
    sender.actor.require("integrations.send_inboundmessage")
    pieces = sender.form.split(body)
    if len(pieces) > MOST_AT_ONCE:
        raise Invalid(
            sentence("At most {most} messages in one call.", most=MOST_AT_ONCE),
            {"body": [sentence("At most {most}.", most=MOST_AT_ONCE)]},
        )
    if key and len(pieces) == 1:
        pieces = [Piece(key, pieces[0].body)]
    return take_pieces(sender=sender, pieces=pieces, way=way, at=at, content_type=content_type, at_once=at_once)


def take_pieces(
    *,
    sender: Sender,
    pieces: Sequence[Piece],
    way: Way,
    at: datetime,
    content_type: str = "",
    at_once: bool = True,
) -> list[Taken]:
    """Take in messages that were cut already, as `take_in` does; at most 1,000."""
    names, kept = _keep(sender, pieces, way, content_type, at, at + CLAIM_LASTS if at_once else None)
    verdicts: dict[UUID, Verdict] = {}
    new = [one for one in kept.values() if one.is_new and one.taken.status == MessageStatus.RECEIVED]
    if at_once and new:
        with transaction.atomic():
            verdicts = work(stored=[Stored(one.taken.id, sender, one.taken.key, one.body, at) for one in new], at=at)
            settle(verdicts=verdicts, at=at)
    answers, seen = [], set[str]()
    for name in names:
        answers.append(_answer(kept[name], verdicts, is_repeat=name in seen or not kept[name].is_new))
        seen.add(name)
    return answers


@dataclass(frozen=True, slots=True)
class _Kept:
    """A message as it is kept, now or before."""

    taken: Taken
    body: bytes
    is_new: bool


#: Messages to keep, by their keys: what came, and its fingerprint.
_Given = dict[str, tuple[bytes, bytes]]


def _keep(
    sender: Sender, pieces: Sequence[Piece], way: Way, content_type: str, at: datetime, until: datetime | None
) -> tuple[list[str], dict[str, _Kept]]:
    """Keep messages; return the key that each is kept under, in their order, and what is kept by key."""
    given, others, names = _Given(), _Given(), []
    for piece in pieces:
        fingerprint = hashlib.sha256(piece.body).digest()
        name = piece.key or f"sha256:{fingerprint.hex()}"
        if given.setdefault(name, (piece.body, fingerprint))[1] != fingerprint:
            name = _beside(name, fingerprint)
            others[name] = (piece.body, fingerprint)
        names.append(name)
    with transaction.atomic():
        kept = _insert(sender, given, way, content_type, at, until)
        taken = {name: _beside(name, given[name][1]) for name in given if name not in kept}
        others |= {beside: given[name] for name, beside in taken.items()}
        if others:
            beside = _insert(sender, others, way, content_type, at, until)
            settle(verdicts={one.taken.id: _REUSED for one in beside.values() if one.is_new}, at=at)
            kept |= {name: replace(one, taken=_judged(one.taken, _REUSED)) for name, one in beside.items()}
    return [taken.get(name, name) for name in names], kept


def _beside(key: str, fingerprint: bytes) -> str:
    """Return the key of a message that came under a key which another content has."""
    return f"{key[: LONGEST_KEY - _SHORT_PRINT - 1]}#{fingerprint.hex()[:_SHORT_PRINT]}"


def _insert(
    sender: Sender, given: _Given, way: Way, content_type: str, at: datetime, until: datetime | None
) -> dict[str, _Kept]:
    ids = {name: new_key() for name in given}
    came = [{"id": ids[name], "key": name, "body": b64encode(body).decode()} for name, (body, _print) in given.items()]
    rows = sql.KEEP_MESSAGES.rows(
        given=as_text(came),
        system=sender.system_id,
        interface=sender.interface_id,
        way=way.value,
        content_type=content_type[:100],
        at=at,
        claimed_until=until,
    )
    return {
        name: _Kept(
            Taken(key, name, status, cause, orjson.loads(problems), orjson.loads(facts)),
            given[name][0],
            key == ids[name],
        )
        for key, name, status, cause, problems, facts in rows
    }


_REUSED = Verdict(
    status=MessageStatus.REJECTED.value,
    cause="message_key_reused",
    problems=(problem("message_key_reused", sentence("This key came before, with another content.")),),
)


def _judged(taken: Taken, verdict: Verdict) -> Taken:
    return replace(taken, status=verdict.status, cause=verdict.cause, problems=verdict.problems, facts=verdict.facts)


def _answer(kept: _Kept, verdicts: Mapping[UUID, Verdict], *, is_repeat: bool) -> Taken:
    verdict = verdicts.get(kept.taken.id)
    return replace(_judged(kept.taken, verdict) if verdict else kept.taken, is_repeat=is_repeat)

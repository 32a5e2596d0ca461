"""The code lists that are shipped: one TOML file for each in `code_lists/`, brought into *Status codes of others*.

They are data that grows, so they are no migration: after every whole migrate what is missing is added, and nothing that
is there is changed. What a list says anew comes as a new row with its own `effective_from`; what people decided stands
above all of it (`code_book.chosen`).

A code with a `source` was read there and is acted upon. One with a `check` waits for a person, who reads why: its
meaning was not read, or what is to come of it is not ours to guess.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.db import transaction

from integrations.actions.working_off import wake_all
from integrations.facts import Code
from integrations.models import StatusCode
from integrations.statuses import Certainty, CodeSubject, Effect

_FOLDER = Path(__file__).parent / "code_lists"


@dataclass(frozen=True, slots=True)
class ShippedCode:
    """A code as a file has it."""

    code: Code
    says: str
    subject: str
    status: str
    effect: str
    certainty: str
    effective_from: date
    source: str
    reason: str

    @property
    def place(self) -> tuple[str, str, str, date]:
        """What makes it one row: two with the same are the same edition of the same code."""
        return (self.code.code_list, self.code.release, self.code.code, self.effective_from)


@dataclass(frozen=True, slots=True)
class ShippedList:
    """A list: its code, what it is, and its codes (none where its owner's licence forbids to ship them)."""

    code: str
    name: str
    codes: tuple[ShippedCode, ...]


@cache
def shipped_lists() -> tuple[ShippedList, ...]:
    """Return every list that is shipped, by its code."""
    return tuple(read_list(path.read_text("utf-8")) for path in sorted(_FOLDER.glob("*.toml")))


def read_list(text: str) -> ShippedList:
    """Read a list's file. Raises KeyError or ValueError where it is not as `docs/integrations/codes.md` says."""
    given = tomllib.loads(text)
    return ShippedList(given["code_list"], given["name"], tuple(_codes(given)))


def write_code_lists(at: datetime, lists: Iterable[ShippedList] | None = None) -> int:
    """Add what the shipped lists have and the database has not, and wake what waited for it; return how many came."""
    shipped = [code for one in (shipped_lists() if lists is None else lists) for code in one.codes]
    known = set(
        StatusCode.objects.filter(
            system__isnull=True, code_list__in={one.code.code_list for one in shipped}
        ).values_list("code_list", "release", "code", "effective_from")
    )
    missing = [one for one in shipped if one.place not in known]
    if not missing:
        return 0
    with transaction.atomic():
        StatusCode.objects.bulk_create([_row(one) for one in missing], ignore_conflicts=True)
        wake_all(at=at, waits_for=[one.code.key for one in missing if one.certainty == Certainty.READ])
    return len(missing)


def _row(one: ShippedCode) -> StatusCode:
    return StatusCode(
        code_list=one.code.code_list,
        release=one.code.release,
        code=one.code.code,
        says=one.says,
        subject=one.subject,
        status=one.status,
        effect=one.effect,
        certainty=one.certainty,
        effective_from=one.effective_from,
        source=one.source,
        reason=one.reason,
    )


def _codes(given: Mapping[str, Any]) -> Iterator[ShippedCode]:
    for release in given["releases"]:
        for entry in release["codes"]:
            yield _code(given, release, entry)


def _code(given: Mapping[str, Any], release: Mapping[str, Any], entry: Mapping[str, Any]) -> ShippedCode:
    unknown = entry.keys() - {"code", "says", "status", "effect", "source", "reason", "check", "effective_from"}
    check, source, status = entry.get("check", ""), entry.get("source", ""), entry.get("status", "")
    if unknown or not (check or source):
        raise ValueError(f"{given['code_list']} {entry['code']}: {sorted(unknown) or 'neither read nor to be checked'}")
    return ShippedCode(
        code=Code(given["code_list"], release["release"], entry["code"]),
        says=entry["says"],
        subject=CodeSubject(given.get("subject", CodeSubject.LINE)).value,
        status=status,
        effect=Effect(entry.get("effect") or (Effect.STATUS if status else Effect.INFORMATION)).value,
        certainty=(Certainty.TO_CHECK if check else Certainty.READ).value,
        effective_from=entry.get("effective_from", release.get("effective_from", given["effective_from"])),
        source=given["sources"][source] if source else "",
        reason=check or entry.get("reason", given.get("reason", "")),
    )

"""Import of catalogue, stock and purchase orders from a file, in two steps: look at what it would do, then do it.

docs/imports.md describes the columns. A door shows the plan and applies it; between two requests it keeps the file and
plans again, since what is applied is worked out anew under locks anyway.
"""

from __future__ import annotations

from datetime import datetime
from typing import BinaryIO

from django.db import IntegrityError, transaction

from parts.actions.imports import catalogue, purchase_orders, stock
from parts.actions.imports.kind import ImportKind
from parts.actors import Actor
from parts.errors import Invalid
from parts.importing import ImportPlan, ImportRefused, ImportResult, read_rows
from parts.progress import CHUNK, Progress, silent
from parts.rules import Problems
from parts.sentences import sentence

KINDS: dict[str, ImportKind] = {kind.name: kind for kind in (catalogue.KIND, stock.KIND, purchase_orders.KIND)}


def plan_import(*, kind: str, file: BinaryIO, name: str, by: Actor, progress: Progress = silent) -> ImportPlan:
    """Read a file and work out what it would do to what is there; nothing is changed.

    Every row that cannot be imported is among the plan's errors, with its line. Raises Invalid for an unknown kind,
    Forbidden for who may not import it, and UnreadableFile where it is no file of this kind at all.
    """
    its = _kind(kind)
    by.require(its.permission)
    rows, errors = read_rows(file, its.columns, progress)
    difference = its.compare(rows, progress)
    difference.errors = sorted([*errors, *difference.errors], key=lambda error: error.line)
    return ImportPlan(kind, name, tuple(rows), difference)


def apply_import(
    *,
    plan: ImportPlan,
    by: Actor,
    source: str,
    at: datetime,
    progress: Progress = silent,
    shown: str | None = None,
) -> ImportResult:
    """Do what the plan's file says, all of it or nothing; what that is, is worked out again under locks.

    A second time finds everything as the file has it and changes nothing. `shown`, if given, is the digest of the
    difference that a person decided on: it is that one, or nothing. Raises Forbidden, Invalid, and ImportRefused where
    the plan has errors, or has them by now, or would do something else than what was shown.
    """
    its = _kind(plan.kind)
    by.require(its.permission)
    problems = Problems()
    problems.origin(source, at)
    problems.raise_if_any()
    plan.difference.refuse_errors()
    try:
        with transaction.atomic():
            result = its.apply(plan.rows, by=by, source=source, at=at, progress=progress, shown=shown)
            if result.created + result.changed >= CHUNK:
                its.analyze.rows()
            return result
    except IntegrityError as error:
        raise ImportRefused(
            sentence("Somebody changed the same rows at the same moment; import the file again.")
        ) from error


def _kind(name: str) -> ImportKind:
    if name not in KINDS:
        raise Invalid(
            sentence("kind must be one of {allowed}.", allowed=list(KINDS)),
            {"kind": [sentence("must be one of {allowed}", allowed=list(KINDS))]},
        )
    return KINDS[name]

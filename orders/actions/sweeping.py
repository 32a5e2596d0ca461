"""Delete files that no row names: left by who died between a file and its row, or between a removal and its file."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import chain, islice

from django.core.files.storage import default_storage

from orders.models import Attachment, OverrideRequest
from orders.models.attachments import FOLDER

logger = logging.getLogger(__name__)

#: How old a file is before it is judged: the transaction that writes its row has ended by then.
SETTLED = timedelta(hours=1)
#: Of how many files one query asks.
_ASKED_AT_ONCE = 5000


def sweep_files(*, at: datetime) -> int:
    """Delete what lies in the store, is older than an hour, and belongs to no row; return how many. Safe to repeat.

    A removal whose file could not be deleted is done again by this: its row names no file any more.
    """
    gone, stored = 0, _stored()
    while names := list(islice(stored, _ASKED_AT_ONCE)):
        for name in sorted(set(names) - _known(names)):
            gone += _delete(name, at)
    if gone:
        logger.warning("files without a row were deleted", extra={"files": gone})
    return gone


def _stored() -> Iterator[str]:
    """Yield the names of all files; whatever is not put there by `random_path` is nobody's business here."""
    with suppress(FileNotFoundError):
        for folder in sorted(default_storage.listdir(FOLDER)[0]):
            for name in default_storage.listdir(f"{FOLDER}/{folder}")[1]:
                yield f"{FOLDER}/{folder}/{name}"


def _known(names: Collection[str]) -> set[str]:
    of_jobs = Attachment.objects.exclude(file="").filter(file__in=names).values_list("file", flat=True)
    of_overrides = OverrideRequest.objects.exclude(evidence="").filter(evidence__in=names)
    return set(chain(of_jobs, of_overrides.values_list("evidence", flat=True)))


def _delete(name: str, at: datetime) -> bool:
    try:
        if default_storage.get_modified_time(name) > at - SETTLED:
            return False
        default_storage.delete(name)
    except FileNotFoundError:
        return False  # another run was quicker
    except OSError:
        logger.exception("a file without a row cannot be deleted", extra={"file": name})
        return False
    return True

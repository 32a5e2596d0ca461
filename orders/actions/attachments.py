"""Files on a job: added, shown or kept from the customer, taken away. Each is an event of the job."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.db.models.fields.files import FieldFile

from orders.actions.service_orders import Moved, locked, moved, write
from orders.errors import NothingToDo, ReasonRequired
from orders.files import FileRefused, Judged, judge
from orders.ledger import Cause, Ledger
from orders.models import Attachment
from orders.rules import LONGEST_NOTE, check_texts
from parts.actors import Actor
from parts.errors import Forbidden, NotFound, Refused
from parts.keys import new_key
from parts.sentences import sentence


def attach(
    *,
    service_order_id: UUID,
    name: str,
    content: bytes,
    by: Actor,
    source: str,
    at: datetime,
    note: str = "",
    public: bool = False,
    key: UUID | None = None,
) -> Attachment:
    """Put a file on a job, whatever its status: a photo also belongs to a job that is done.

    What it is, is told from its bytes; a picture loses all that is not a pixel. `key`, if given, becomes the
    attachment's key: the same key again for the same job changes nothing and answers with the attachment as it is.
    Raises Forbidden, NotFound, Invalid, FileRefused (kind, size, damage, too many), Refused for another job's key.
    """
    by.require("orders.add_attachment")
    check_texts(note=(note, LONGEST_NOTE))
    if known := _known(key, service_order_id):
        return known
    kept = checked(name, content)
    row = Attachment(
        id=key or new_key(),
        service_order_id=service_order_id,
        name=kept.name,
        content_type=kept.kind.content_type,
        size=len(kept.content),
        sha256=hashlib.sha256(kept.content).hexdigest(),
        visibility="public" if public else "internal",
        added_by_id=by.user_id,
        added_at=at,
    )
    try:
        with together_with(row.file):
            _write(row, kept.content, Cause(by=by, source=source, at=at), note)
    except IntegrityError:
        if known := _known(key, service_order_id):  # the same file, sent twice at once
            return known
        raise
    return row


@contextmanager
def together_with(file: FieldFile) -> Iterator[None]:
    """Run a transaction in which this file is saved; where it fails, for whatever reason, the file goes as well."""
    is_kept = False
    try:
        with transaction.atomic():
            yield
        is_kept = True
    finally:
        if not is_kept and file.name:
            with suppress(OSError):
                file.storage.delete(file.name)


def delete_with_commit(file: FieldFile) -> None:
    """Delete a stored file once the transaction that forgets it has committed. Where that fails, it has still
    committed, and `sweeping.sweep_files` deletes the file within the hour."""
    path, storage = str(file.name), file.storage

    def delete() -> None:
        storage.delete(path)

    transaction.on_commit(delete, robust=True)


def checked(name: str, content: bytes) -> Judged:
    """Return a file as it is kept, by the settings. Raises FileRefused for its size, its kind, damage."""
    if len(content) > settings.ATTACHMENT_MOST_BYTES:
        raise FileRefused(
            sentence(
                "The file is larger than {most} MB.",
                most=settings.ATTACHMENT_MOST_BYTES // 1024 // 1024,
            )
        )
    return judge(
        content, name, allowed=settings.ATTACHMENT_KINDS, most_pixels=settings.ATTACHMENT_MOST_MEGAPIXELS * 1_000_000
    )


def _known(key: UUID | None, service_order_id: UUID) -> Attachment | None:
    row = Attachment.objects.filter(pk=key).first() if key else None
    if row is not None and row.service_order_id != service_order_id:
        raise Refused(sentence("This key belongs to a file of another job."))
    return row


def _write(row: Attachment, content: bytes, cause: Cause, note: str) -> None:
    job = locked(row.service_order_id, None)
    if job and row.service_order.attachments.filter(removed_at__isnull=True).count() >= settings.ATTACHMENT_MOST:
        raise FileRefused(
            sentence(
                "{reference} has {most} files already; remove one first.",
                reference=job.reference,
                most=settings.ATTACHMENT_MOST,
            )
        )
    row.file.save(row.name, ContentFile(content), save=False)
    row.save(force_insert=True)
    ledger = Ledger(cause)
    facts = {"attachment": str(row.id), "name": row.name, "size": row.size, "sha256": row.sha256}
    ledger.record(job, "attachment.added", data=facts, note=note.strip(), public=row.visibility == "public")
    write([job], ledger)


def remove(*, attachment_id: UUID, reason: str, by: Actor, source: str, at: datetime) -> Moved:
    """Take a file off a job. Its row stays without the file; the event says why. A repeat changes nothing.

    Where the file itself cannot be deleted right then, `sweeping.sweep_files` does it within the hour.

    Whoever added it may take it away again, others need `orders.delete_attachment`. Raises Forbidden, NotFound,
    ReasonRequired.
    """
    if not reason.strip():
        raise ReasonRequired(
            sentence("Say why this file is removed."), fields={"reason": [sentence("A reason is required.")]}
        )
    check_texts(reason=(reason, LONGEST_NOTE))
    with transaction.atomic():
        row, job = _locked(attachment_id)
        is_own = by.user_id is not None and row.added_by_id == by.user_id and by.may("orders.add_attachment")
        if not is_own:
            by.require("orders.delete_attachment")
        if row.removed_at is not None:
            return moved(job)
        delete_with_commit(row.file)
        row.file, row.removed_at = "", at
        row.save(update_fields=["file", "removed_at"])
        ledger = Ledger(Cause(by=by, source=source, at=at))
        facts = {"attachment": str(row.id), "name": row.name, "sha256": row.sha256}
        ledger.record(job, "attachment.removed", data=facts, note=reason.strip(), public=row.visibility == "public")
        write([job], ledger)
    return moved(job)


def show_to(*, attachment_id: UUID, public: bool, by: Actor, source: str, at: datetime) -> Moved:
    """Let the customer see a file, or not any more. Raises Forbidden, NotFound, NothingToDo."""
    by.require("orders.add_attachment")
    if not by.may("orders.change_serviceorder"):
        raise Forbidden(sentence("You are not allowed to do this."), permission="orders.change_serviceorder")
    with transaction.atomic():
        row, job = _locked(attachment_id)
        visibility = "public" if public else "internal"
        if row.removed_at is not None or row.visibility == visibility:
            raise NothingToDo(sentence("{name} is shown so already, or is gone.", name=row.name))
        facts: dict[str, Any] = {"attachment": str(row.id), "name": row.name, "from": row.visibility, "to": visibility}
        row.visibility = visibility
        row.save(update_fields=["visibility"])
        ledger = Ledger(Cause(by=by, source=source, at=at))
        ledger.record(job, "attachment.shown" if public else "attachment.hidden", data=facts)
        write([job], ledger)
    return moved(job)


def _locked(attachment_id: UUID) -> tuple[Attachment, Any]:
    """Lock the job of a file and return both as they stand then. Raises NotFound."""
    row = Attachment.objects.filter(pk=attachment_id).first()
    if row is None:
        raise NotFound(sentence("There is no such file."), id=str(attachment_id))
    job = locked(row.service_order_id, None)
    row.refresh_from_db()
    return row, job

"""Why something was not done, in words for a technician: what happened meanwhile, and what can be done now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from orders.event_words import title_of
from orders.models import OrderEvent, ServiceOrder
from orders.statuses import LineStatus, ServiceOrderStatus
from parts.labels import names_of, written

#: How many events since then are named.
MOST_CHANGES = 6
_JOB_WORDS: dict[str, Any] = dict(ServiceOrderStatus.choices)
_LINE_WORDS: dict[str, Any] = dict(LineStatus.choices)


@dataclass(frozen=True, slots=True)
class Explained:
    """A refusal in words: what is wrong, what happened meanwhile, and the version that a new try would name."""

    says: str
    changes: tuple[str, ...] = ()
    version: int | None = None

    @property
    def whole(self) -> str:
        """All of it in one text."""
        return " ".join([self.says, *self.changes])

    def as_document(self, code: str) -> dict[str, Any]:
        """Return what the queue keeps with the entry."""
        return {"code": code, "says": self.says, "changes": list(self.changes), "version": self.version}


def explain(
    code: str, detail: str, extra: Mapping[str, Any], *, job: ServiceOrder | None, seen: int | None
) -> Explained:
    """Explain a refusal. `seen` is the version of the job that the person had before their eyes."""
    if job is not None and code in ("version_conflict", "transition_refused", "refused"):
        return _of_job(code, detail, extra, job, seen)
    words = _BY_CODE.get(code)
    if words is not None:
        return words(detail, extra)
    return Explained(_sentence(detail, extra))


def _of_job(code: str, detail: str, extra: Mapping[str, Any], job: ServiceOrder, seen: int | None) -> Explained:
    job = ServiceOrder.objects.select_related("technician").get(pk=job.pk)
    changes = _changes(job, seen)
    facts = {"what": job.reference, "status": job.get_status_display()}
    if code == "version_conflict":
        says = _("%(what)s has changed since you saw it; it is %(status)s now.") % facts
    elif code == "transition_refused":
        allowed = ", ".join(str(_JOB_WORDS.get(status, status)) for status in extra.get("allowed", ()))
        says = _("Not possible: %(what)s is %(status)s. From there: %(allowed)s.") % {
            **facts,
            "allowed": allowed or _("nowhere, it is final"),
        }
    elif "current" in extra:
        says = _("%(what)s is %(status)s; nothing is added to it any more.") % facts
    elif job.technician is not None:
        name = job.technician.get_full_name() or job.technician.get_username()
        says = _("%(name)s has %(what)s already.") % {**facts, "name": name}
    else:
        says = detail
    return Explained(says, changes, job.version)


def _changes(job: ServiceOrder, seen: int | None) -> tuple[str, ...]:
    """Say what happened to the job after the version that was seen, the latest last."""
    if seen is None or seen >= job.version:
        return ()
    rows = list(OrderEvent.objects.filter(subject_id=job.pk, version__gt=seen).order_by("-version")[:MOST_CHANGES])
    names = names_of(row.actor for row in rows)
    said = []
    for row in reversed(rows):
        what = title_of(row.kind)
        if row.to_status:
            what = f"{what}: {_JOB_WORDS.get(row.to_status, row.to_status)}"
        at = date_format(timezone.localtime(row.occurred_at), "SHORT_DATETIME_FORMAT")
        said.append(f"{at} {names[row.actor]}: {what}.")
    return tuple(said)


def _sentence(detail: str, extra: Mapping[str, Any]) -> str:
    fields = [" ".join(str(one) for one in said) for said in extra.get("fields", {}).values()]
    return " ".join([detail, *fields])


def _outdated(detail: str, extra: Mapping[str, Any]) -> Explained:
    return Explained(
        _("The books of the van changed after you counted. If your figures still hold, try again: then they count."),
        tuple(
            _("%(part)s: %(then)s then, %(now)s now.")
            % {"part": row["part"], "then": written(Decimal(row["expected"])), "now": written(Decimal(row["now"]))}
            for row in extra.get("changed", ())
        ),
    )


def _not_on_its_way(detail: str, extra: Mapping[str, Any]) -> Explained:
    return Explained(
        _("This has not been sent, as far as we know. If it is here, write a note on the job."),
        tuple(f"{row['line']}: {_LINE_WORDS.get(row['status'], row['status'])}." for row in extra.get("lines", ())),
    )


def _ambiguous(detail: str, extra: Mapping[str, Any]) -> Explained:
    return Explained(
        _("This part is on its way for more than one job. Confirm it at its line: %(lines)s.")
        % {"lines": ", ".join(extra.get("references", ()))}
    )


def _not_found(detail: str, extra: Mapping[str, Any]) -> Explained:
    if "code_read" in extra:
        return Explained(
            _("Nothing is known here by the code “%(code)s”. Compare it with the box, or confirm at the line.")
            % {"code": extra["code_read"]}
        )
    return Explained(_("This is not there any more, or not for you."))


def _forbidden(detail: str, extra: Mapping[str, Any]) -> Explained:
    return Explained(_("You may not do this. Ask dispatch."))


def _key_reused(detail: str, extra: Mapping[str, Any]) -> Explained:
    return Explained(_("This was sent before with other content. Look whether that is there, then send it anew."))


_BY_CODE: dict[str, Callable[[str, Mapping[str, Any]], Explained]] = {
    "count_outdated": _outdated,
    "not_on_its_way": _not_on_its_way,
    "code_ambiguous": _ambiguous,
    "not_found": _not_found,
    "forbidden": _forbidden,
    "idempotency_key_reused": _key_reused,
}

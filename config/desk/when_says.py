"""The answer to "when?", in sentences: for us with the reasons, and for the customer in their words. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backorders.dossiers import Row
from backorders.waiting import Case
from config.desk.orders_why import why_expected
from orders.statuses import SERVICE_ORDER_CLOSED
from orders.wording import LINE, SERVICE_ORDER, Wording
from parts.labels import inside, written
from parts.units import unit_word
from parts.zones import known_zones

#: The unit of what is counted.
COUNTED = "C62"


@dataclass(frozen=True, slots=True)
class Promise:
    """What was promised, and whether it holds, in words; what that means (late, waiting, done, neutral).

    `on` and `brief` say the same in a table: the day, and a word or two about it. What is broken is worse than what is
    in danger.
    """

    text: str
    meaning: str
    on: date | None = None
    brief: str = ""
    is_broken: bool = False

    @property
    def in_danger(self) -> bool:
        """Whether it is broken or will be."""
        return self.meaning == "late"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a line waits for (`why`, with its meaning), when it is expected, and how that stands to its promise."""

    row: Row
    why: str
    queue: str
    meaning: str
    expected_on: date | None
    promise: Promise

    @property
    def line(self) -> Any:
        """The line."""
        return self.row.line

    @property
    def how_much(self) -> str:
        """Its quantity with the unit."""
        return how_much(self.row.line)

    @property
    def has_no_day(self) -> bool:
        """Whether it waits and nobody knows until when."""
        return self.row.prospect is not None and self.expected_on is None


def how_much(line: Any) -> str:
    """Return a line's quantity: `2 ×` of what is counted, `2.5 m` of what is measured."""
    unit = line.part.unit
    return (
        f"{written(line.quantity)} ×"
        if unit.code == COUNTED
        else f"{written(line.quantity)} {unit_word(unit, line.quantity)}"
    )


def day(value: date) -> str:
    """Return a day, short, in the language spoken."""
    return date_format(value, "SHORT_DATE_FORMAT")


def answer(row: Row, today: date) -> Answer:
    """Answer for one open line."""
    why = why_expected(row, today)
    expected = row.back_order.expected_on if row.back_order is not None and row.prospect is not None else None
    text, meaning = why.text, why.meaning
    if not text:
        text = _("It is %(status)s.") % {"status": inside(row.line.get_status_display())}
    return Answer(row, text, why.queue, meaning, expected, promise(row, expected, today))


def promise(row: Row, expected: date | None, today: date) -> Promise:
    """Say what was promised for a line and whether it is in danger."""
    promised = row.line.promised_on
    if promised is None:
        return Promise(_("Nothing was promised."), "neutral")
    facts = {"day": day(promised)}
    if row.line.status == "shipped":
        return Promise(_("Promised for %(day)s; it is on its way.") % facts, "done", promised, _("On its way"))
    if promised < today:
        late = (today - promised).days
        text = ngettext(
            "Promised for %(day)s: broken, %(count)s day late.",
            "Promised for %(day)s: broken, %(count)s days late.",
            late,
        )
        brief = ngettext("%(count)s day late", "%(count)s days late", late) % {"count": late}
        return Promise(text % {**facts, "count": late}, "late", promised, brief, is_broken=True)
    if row.prospect is None:
        return Promise(_("Promised for %(day)s: can be kept.") % facts, "done", promised, _("Can be kept"))
    if expected is None:
        text = _("Promised for %(day)s: in danger, no day is known for it.") % facts
        return Promise(text, "late", promised, _("In danger, no day"))
    if expected > promised:
        late = (expected - promised).days
        text = ngettext(
            "Promised for %(day)s: in danger, it comes %(count)s day later.",
            "Promised for %(day)s: in danger, it comes %(count)s days later.",
            late,
        )
        brief = ngettext("In danger by %(count)s day", "In danger by %(count)s days", late) % {"count": late}
        return Promise(text % {**facts, "count": late}, "late", promised, brief)
    return Promise(_("Promised for %(day)s: in time.") % facts, "done", promised, _("In time"))


def about_job(job: Any, now: datetime) -> tuple[str, str]:
    """Say when a job is done, or begins; and what that means."""
    if job.status in SERVICE_ORDER_CLOSED:
        return _("It is %(status)s.") % {"status": inside(job.get_status_display())}, "done"
    if job.status == "ready_for_return":
        return _("It is repaired and waits to go back."), "done"
    if job.estimated_completion_at:
        facts = {"day": day(job.estimated_completion_at.date())}
        if job.estimated_completion_at < now:
            return _("It was to be done by %(day)s and is late.") % facts, "late"
        return _("It will be done by about %(day)s.") % facts, "neutral"
    if job.scheduled_for:
        return _("It is planned for %(day)s.") % {"day": day(job.scheduled_for)}, "neutral"
    return _("No day is set for it."), "waiting"


# --- For the customer ------------------------------------------------------------------------------------------------


def tell(customer: Any, cases: Iterable[Case], wording: Wording, now: datetime) -> str:
    """Return what to tell a customer, in their language and their words: nothing of suppliers, stock or others."""
    zone = ZoneInfo(customer.time_zone) if customer.time_zone in known_zones() else ZoneInfo("UTC")
    today = now.astimezone(zone).date()
    with translation.override(wording.language):
        said = [_("As of %(day)s:") % {"day": _long(today)}]
        for case in cases:
            said += ["", _heading(case, wording, zone)]
            said += [f"- {_tell_line(row, wording, today)}" for row in case.rows]
        return "\n".join(said)


def _long(value: date) -> str:
    return date_format(value, "DATE_FORMAT")


def _heading(case: Case, wording: Wording, zone: ZoneInfo) -> str:
    subject = case.subject
    theirs = f" ({subject.external_reference})" if subject.external_reference else ""
    if case.job is None:
        return f"{subject.reference}{theirs}"
    job = case.job
    text = f"{job.reference}{theirs} {job.title}: {wording.word(SERVICE_ORDER, job.status)}"
    if job.estimated_completion_at and job.status not in SERVICE_ORDER_CLOSED:
        done = job.estimated_completion_at.astimezone(zone)
        return f"{text}, " + _("done by about %(day)s") % {"day": _long(done.date())}
    return text


def _tell_line(row: Row, wording: Wording, today: date) -> str:
    line = row.line
    text = f"{how_much(line)} {line.part.description} ({line.part.number}): "
    text += wording.word(LINE, line.status)
    expected = row.back_order.expected_on if row.prospect is not None else None
    promised = line.promised_on
    if row.prospect is not None:
        if expected is None:
            text += "; " + _("we have no date for it yet")
        else:
            text += "; " + _("we expect it on %(day)s") % {"day": _long(expected)}
    if promised is None or line.status == "shipped":
        return text
    facts = {"day": _long(promised)}
    if expected is not None and expected > promised:
        return text + "; " + _("that is later than the promised %(day)s") % facts
    if promised < today:
        return text + "; " + _("it was promised for %(day)s") % facts
    return text + "; " + _("promised for %(day)s") % facts

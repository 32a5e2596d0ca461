"""What other systems say has happened: late, twice, in any order, and always with the same end.

A report names a status and when it was reached by the sender's clock. Rules:
1. The same message (source and message id) about the same subject has one effect.
2. A line only goes forward: of several reports the most advanced status wins, whenever each arrives.
3. A job stands where its newest report (by the sender's clock) says; a final status wins over all others.
4. A report that moves nothing any more is filed on the timeline, at the time it tells of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from orders.actions import lines as line_actions
from orders.actions import service_orders
from orders.actions.service_orders import Job
from orders.actions.work import LineWork
from orders.errors import ReasonRequired, TransitionRefused
from orders.ledger import Cause, Ledger
from orders.models import OrderEvent
from orders.rules import service_order_way
from orders.statuses import (
    LINE_PATH,
    LINE_POSITION,
    SERVICE_ORDER_CLOSED,
    SERVICE_ORDER_PATH,
    SERVICE_ORDER_STEPS,
    LineStatus,
    ServiceOrderStatus,
)
from orders.trees import Line
from parts.actors import Actor
from parts.errors import Invalid, NotFound, Refused

MOST_REPORTS = 1000


@dataclass(frozen=True, slots=True)
class Report:
    """One status of one subject. `subject` is `line` or `service_order`; a `message_id` makes a repeat harmless."""

    subject: str
    id: UUID
    status: str
    occurred_at: datetime
    message_id: str = ""
    note: str = ""
    public: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a report: `moved`, `filed` (late or nothing new), `repeated`, or `refused` with the refusal."""

    outcome: str
    status: str = ""
    version: int = 0
    reference: str = ""
    refusal: Refused | None = None


def report_many(*, reports: Sequence[Report], by: Actor, source: str, at: datetime) -> list[Result]:
    """Take in up to 1,000 reports in one transaction, with a result for each in the order given.

    `at` is our clock, `occurred_at` of each report the sender's; one from the future (by more than a day) is refused.
    A refused report changes nothing and does not hinder the others. The number of statements does not depend on how
    many reports there are.
    """
    if len(reports) > MOST_REPORTS:
        raise Invalid(f"At most {MOST_REPORTS} reports in one call.", {"reports": [f"At most {MOST_REPORTS}."]})
    intake = _Intake(reports, Cause(by=by, source=source, at=at))
    with transaction.atomic():
        return intake.run()


class _Intake:
    def __init__(self, reports: Sequence[Report], cause: Cause) -> None:
        self.reports, self.cause = reports, cause
        self.results: list[Result | None] = [None] * len(reports)

    def run(self) -> list[Result]:
        known = self._known_messages()
        line_ids = [report.id for report in self.reports if report.subject == "line"]
        job_ids = [report.id for report in self.reports if report.subject == "service_order"]
        touches_stock = any(
            LINE_POSITION.get(report.status, 0) >= LINE_POSITION["picking"]
            for report in self.reports
            if report.subject == "line"
        )
        work = LineWork(self.cause, line_ids=line_ids, touches_stock=touches_stock)
        lines = work.trees.by_line()
        jobs = service_orders.lock(job_ids) if job_ids else {}
        ledger = Ledger(self.cause)
        # In the order things happened, so that what comes together needs no filing.
        for index in sorted(range(len(self.reports)), key=lambda index: self.reports[index].occurred_at):
            report = self.reports[index]
            subject: Line | Job | None = lines.get(report.id) or jobs.get(report.id)
            try:
                self.results[index] = self._take(report, subject, known, work, ledger)
            except Refused as refusal:
                status = subject.status if subject else ""
                self.results[index] = Result("refused", status=status, refusal=refusal)
        work.finish()
        service_orders.write_walked(jobs.values(), ledger)
        delivered = [r.id for r in self.reports if r.subject == "line" and r.status == "delivered"]
        if delivered:
            line_actions.note_arrivals(delivered, self.cause.at)
        return [result for result in self.results if result is not None]

    def _known_messages(self) -> set[tuple[str, UUID]]:
        ids = [report.message_id for report in self.reports if report.message_id]
        if not ids:
            return set()
        found = OrderEvent.objects.filter(source=self.cause.source, message_id__in=ids)
        return set(found.values_list("message_id", "subject_id"))

    def _take(
        self,
        report: Report,
        subject: Line | Job | None,
        known: set[tuple[str, UUID]],
        work: LineWork,
        ledger: Ledger,
    ) -> Result:
        if subject is None:
            raise NotFound(f"There is no such {report.subject.replace('_', ' ')}.", id=str(report.id))
        if (report.occurred_at - self.cause.at).days >= 1:
            raise Invalid("The report is from the future.", {"occurred_at": ["Lies more than a day ahead."]})
        if report.message_id and (report.message_id, subject.id) in known:
            return _result("repeated", subject)
        if isinstance(subject, Line):
            outcome = self._take_line(report, subject, work)
        else:
            outcome = self._take_job(report, subject, ledger)
        if report.message_id:
            known.add((report.message_id, subject.id))
        return _result(outcome, subject)

    def _take_line(self, report: Report, line: Line, work: LineWork) -> str:
        by = self.cause.by
        by.require("orders.move_orderline")
        if report.status not in LineStatus.values:
            raise Invalid("There is no such status.", {"status": [f"Must be one of {', '.join(LineStatus.values)}."]})
        if line.is_split:
            raise TransitionRefused(line.reference, line.status, report.status, [], split=True)
        facts: dict[str, Any] = {"at": report.occurred_at, "message_id": report.message_id}
        if report.status not in LINE_PATH:
            line_actions.check(line, line_actions.Step(report.id, report.status, note=report.note), by)
            work.step(line, report.status, note=report.note, public=report.public, **facts)
            return "moved"
        if LINE_POSITION[report.status] <= LINE_POSITION[line.status]:
            _file(work.ledger, line, report, "line.status_filed")
            line.touched = True
            return "filed"
        if line.status not in LINE_PATH:
            raise TransitionRefused(
                line.reference, line.status, report.status, line_actions.allowed_by_hand(line.status)
            )
        if LINE_POSITION[report.status] >= LINE_POSITION["shipped"]:
            by.require("orders.ship_orderline")
        if line.tree.on_hold and LINE_POSITION[line.status] < LINE_POSITION["shipped"]:
            raise Refused(f"{line.tree.reference} is on hold.", current=line.status)
        way = LINE_PATH[LINE_PATH.index(line.status) + 1 : LINE_PATH.index(report.status) + 1]
        for status in way[:-1]:
            work.step(line, status, passed_through=True, **facts)
        work.step(line, report.status, note=report.note, public=report.public, **facts)
        return "moved"

    def _take_job(self, report: Report, job: Job, ledger: Ledger) -> str:
        self.cause.by.require("orders.move_serviceorder")
        if report.status not in ServiceOrderStatus.values:
            raise Invalid(
                "There is no such status.", {"status": [f"Must be one of {', '.join(ServiceOrderStatus.values)}."]}
            )
        if not _is_news(job, report):
            _file(ledger, job, report, "service_order.status_filed")
            return "filed"
        if report.status == "cancelled" and not report.note.strip():
            raise ReasonRequired("Say why it is cancelled.", fields={"note": ["A reason is required."]})
        way = service_order_way(job.status, report.status)
        if not way:
            raise TransitionRefused(job.reference, job.status, report.status, SERVICE_ORDER_STEPS[job.status])
        facts: dict[str, Any] = {"at": max(report.occurred_at, job.status_since), "message_id": report.message_id}
        for status in way[:-1]:
            job.check_step(status)
            ledger.record(job, "service_order.status_changed", to=status, passed_through=True, **facts)
        job.check_step(report.status)
        ledger.record(
            job, "service_order.status_changed", to=report.status, note=report.note, public=report.public, **facts
        )
        return "moved"


def _is_news(job: Job, report: Report) -> bool:
    """Tell whether a report says something newer than where the job stands."""
    if report.status == job.status:
        return False
    if report.status in SERVICE_ORDER_CLOSED:
        return True
    if job.status in SERVICE_ORDER_CLOSED:
        return report.occurred_at >= job.status_since
    if report.occurred_at != job.status_since:
        return report.occurred_at > job.status_since
    return SERVICE_ORDER_PATH.index(report.status) > SERVICE_ORDER_PATH.index(job.status)


def _file(ledger: Ledger, subject: Line | Job, report: Report, kind: str) -> None:
    ledger.record(
        subject,
        kind,
        at=report.occurred_at,
        message_id=report.message_id,
        note=report.note,
        data={"reported": report.status},
    )


def _result(outcome: str, subject: Line | Job) -> Result:
    return Result(outcome, subject.status, subject.version, subject.reference)

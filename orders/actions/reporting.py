"""What other systems say has happened: late, twice, in any order, and always with the same end.

A report names a status and when it was reached by the sender's clock. Rules:
1. The same message (source and message id) about the same subject has one effect.
2. A line only goes forward: of several reports the most advanced status wins, whenever each arrives.
3. A job stands where its newest report (by the sender's clock) says; a final status wins over all others. Of two
   final ones that contradict each other the first to arrive stays, since final is final: the other is refused, so that
   its sender knows, and a person decides (override). This alone depends on the order of arrival.
4. A report that moves nothing any more is filed on the timeline, at the time it tells of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction

from orders.actions import lines as line_actions
from orders.actions import service_orders
from orders.actions.departing import Departure, Departures
from orders.actions.parts_rule import Jobs, jobs_last
from orders.actions.service_orders import Job
from orders.actions.work import LineWork
from orders.errors import ReasonRequired, TransitionRefused
from orders.ledger import Cause, Ledger
from orders.models import OrderEvent
from orders.rules import (
    ENTERED_WITHIN,
    KITTING,
    LONGEST_NOTE,
    LONGEST_REFERENCE,
    before_it_began,
    check_texts,
    line_way,
    service_order_way,
)
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
from parts.errors import Forbidden, Invalid, NotFound, Refused
from parts.rules import moment_problem, text_problem
from parts.sentences import Sentence, sentence

MOST_REPORTS = 1000

#: How it is said that there is no such subject of a report.
UNKNOWN: dict[str, Sentence] = {
    "line": sentence("There is no such line."),
    "service_order": sentence("There is no such service order."),
}

#: Read once: the classes look their values up anew each time.
LINE_STATUSES, JOB_STATUSES = tuple(LineStatus.values), tuple(ServiceOrderStatus.values)

S = TypeVar("S", Line, Job)


@dataclass(frozen=True, slots=True)
class Report:
    """One status of one subject. `subject` is `line` or `service_order`; a `message_id` makes a repeat harmless.

    With a `departure` it tells how a line left (its status is `shipped`): in part perhaps, which a status cannot say.
    """

    subject: str
    id: UUID
    status: str
    occurred_at: datetime
    message_id: str = ""
    note: str = ""
    public: bool = False
    departure: Departure | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a report: `moved`, `filed` (late or nothing new), `repeated`, or `refused` with the refusal.

    Of a departure it is about the part that left, and `behind` is how much of the line is still to leave.
    """

    outcome: str
    status: str = ""
    version: int = 0
    reference: str = ""
    refusal: Refused | None = None
    behind: Decimal | None = None


def report_many(*, reports: Sequence[Report], by: Actor, source: str, at: datetime) -> list[Result]:
    """Take in up to 1,000 reports in one transaction, with a result for each in the order given.

    `at` is our clock, `occurred_at` of each report the sender's; one from the future (by more than a day) is refused.
    A refused report changes nothing and does not hinder the others. The number of statements does not depend on how
    many reports there are.
    """
    if len(reports) > MOST_REPORTS:
        raise Invalid(
            sentence("At most {most} reports in one call.", most=MOST_REPORTS),
            {"reports": [sentence("At most {most}.", most=MOST_REPORTS)]},
        )
    intake = _Intake(reports, Cause(by=by, source=source, at=at))
    with transaction.atomic(savepoint=False):  # what breaks here breaks the whole
        return intake.run()


class _Intake:
    def __init__(self, reports: Sequence[Report], cause: Cause) -> None:
        self.reports, self.cause = reports, cause
        self.results: list[Result | None] = [None] * len(reports)

    def run(self) -> list[Result]:
        # Lines first, to their end: their stock may let a job go on by rule, and a job is locked after all orders. The
        # jobs that follow their lines are locked in one round with those that are reported on.
        with jobs_last(self.cause) as jobs:
            self._run_lines(self._permitted("line", "orders.move_orderline"))
            self._run_jobs(self._permitted("service_order", "orders.move_serviceorder"), jobs)
        unknown = NotFound(sentence("A report is about a line or a service order."))
        return [result or Result("refused", refusal=unknown) for result in self.results]

    def _permitted(self, kind: str, permission: str) -> list[Report]:
        """Return the reports about one kind of subject; where they may not be made, refuse them and look at nothing."""
        places = [place for place, report in enumerate(self.reports) if report.subject == kind]
        try:
            self.cause.by.require(permission)
        except Forbidden as refusal:
            for place in places:
                self.results[place] = Result("refused", refusal=refusal)
            return []
        return [self.reports[place] for place in places]

    def _run_lines(self, reports: Sequence[Report]) -> None:
        if not reports:
            return
        statuses = {report.status for report in reports}
        work = LineWork(
            self.cause,
            line_ids=[report.id for report in reports],
            touches_stock=any(LINE_POSITION.get(status, 0) >= LINE_POSITION["picking"] for status in statuses),
            frees_stock=LineStatus.CANCELLED.value in statuses,
            delivers=LineStatus.DELIVERED.value in statuses,
        )
        departures = Departures(reports, work)
        take = partial(self._take_line, work=work, departures=departures)
        self._take_all("line", work.trees.by_line(), take)
        departures.finish()
        work.finish()

    def _run_jobs(self, reports: Sequence[Report], followers: Jobs) -> None:
        if not reports:
            return
        jobs = followers.follow(also={report.id for report in reports})
        ledger = Ledger(self.cause)
        self._take_all("service_order", jobs, lambda report, job: self._take_job(report, job, ledger))
        service_orders.write_walked(jobs.values(), ledger)

    def _take_all(self, kind: str, subjects: Mapping[UUID, S], take: Callable[[Report, S], Result]) -> None:
        """Take the reports about one kind of subject, in the order things happened, so that little needs filing."""
        places = [place for place, report in enumerate(self.reports) if report.subject == kind]
        known = self._known_messages([self.reports[place] for place in places])
        began = self._beginnings([self.reports[place] for place in places], subjects)
        for place in sorted(places, key=lambda place: _comparable(self.reports[place].occurred_at)):
            report, subject = self.reports[place], subjects.get(self.reports[place].id)
            try:
                self.results[place] = self._take(report, subject, known, began, take)
            except Refused as refusal:
                status = subject.status if subject else ""
                self.results[place] = Result("refused", status=status, refusal=refusal)

    def _known_messages(self, reports: Sequence[Report]) -> set[tuple[str, UUID]]:
        """Return which messages had their effect on whom. Read under the subjects' locks: what waited, sees it."""
        said = {report.message_id for report in reports if report.message_id}
        ids = [name for name in said if not text_problem(name, LONGEST_REFERENCE)]
        if not ids:
            return set()
        found = OrderEvent.objects.filter(source=self.cause.source, message_id__in=ids)
        return set(found.values_list("message_id", "subject_id"))

    def _beginnings(self, reports: Sequence[Report], subjects: Mapping[UUID, S]) -> dict[UUID, datetime]:
        """Return when the orders of lines began of which something long ago is told. No query, or one.

        A part of a line is as old as its order, however late it was split off. A job's time never goes back.
        """
        late = self.cause.at - ENTERED_WITHIN
        told = {report.id for report in reports if _comparable(report.occurred_at) < late and report.id in subjects}
        origins: dict[UUID, UUID] = {}
        for key in told:
            subject: Line | Job = subjects[key]
            if isinstance(subject, Line):
                origins[key] = subject.tree.id
        if not origins:
            return {}
        first = OrderEvent.objects.filter(subject_id__in=set(origins.values()), version=1)
        times = dict(first.values_list("subject_id", "occurred_at"))
        return {key: times[origin] for key, origin in origins.items() if origin in times}

    def _take(
        self,
        report: Report,
        subject: S | None,
        known: set[tuple[str, UUID]],
        began: Mapping[UUID, datetime],
        take: Callable[[Report, S], Result],
    ) -> Result:
        if subject is None:
            raise NotFound(UNKNOWN[report.subject], id=str(report.id))
        problem = moment_problem(report.occurred_at, self.cause.at)
        if problem := problem or before_it_began(report.occurred_at, began.get(report.id)):
            raise Invalid(sentence("The time of the report {problem}.", problem=problem), {"occurred_at": [problem]})
        check_texts(note=(report.note, LONGEST_NOTE), message_id=(report.message_id, LONGEST_REFERENCE))
        if report.message_id and any((report.message_id, key) in known for key in _family(report, subject)):
            return _result("repeated", subject)
        result = take(report, subject)
        if report.message_id:
            known.add((report.message_id, subject.id))
        return result

    def _take_line(self, report: Report, line: Line, work: LineWork, departures: Departures) -> Result:
        by = self.cause.by
        if report.departure is not None:
            return self._take_departure(report, line, report.departure, work, departures)
        if report.status not in LINE_STATUSES:
            raise Invalid(
                sentence("There is no such status."),
                {"status": [sentence("Must be one of {allowed}.", allowed=list(LINE_STATUSES))]},
            )
        if line.is_split:
            raise TransitionRefused(line.reference, line.status, report.status, [], split=True)
        facts: dict[str, Any] = {"at": report.occurred_at, "message_id": report.message_id}
        if report.status not in (*LINE_PATH, KITTING):
            line_actions.check(line, line_actions.Step(report.id, report.status, note=report.note), by)
            work.step(line, report.status, note=report.note, public=report.public, **facts)
            return _result("moved", line)
        if LINE_POSITION[report.status] <= LINE_POSITION[line.status]:
            _file(work.ledger, line, report, "line.status_filed")
            line.touched = True
            return _result("filed", line)
        if not line_way(line.status, report.status):
            raise TransitionRefused(
                line.reference, line.status, report.status, line_actions.allowed_by_hand(line.status)
            )
        if LINE_POSITION[report.status] >= LINE_POSITION["shipped"]:
            by.require("orders.ship_orderline")
        if line.tree.on_hold and LINE_POSITION[line.status] < LINE_POSITION["shipped"]:
            raise Refused(sentence("{reference} is on hold.", reference=line.tree.reference), current=line.status)
        for status in line_way(line.status, report.status)[:-1]:
            work.step(line, status, passed_through=True, **facts)
        work.step(line, report.status, note=report.note, public=report.public, **facts)
        return _result("moved", line)

    def _take_departure(
        self, report: Report, line: Line, departure: Departure, work: LineWork, departures: Departures
    ) -> Result:
        self.cause.by.require("orders.ship_orderline")
        left = departures.take(
            line,
            departure,
            note=report.note,
            public=report.public,
            at=report.occurred_at,
            message_id=report.message_id,
        )
        if left is None:
            _file(work.ledger, line, report, "line.status_filed")
            line.touched = True
            return _result("filed", line)
        return replace(_result("moved", left.line), behind=left.behind)

    def _take_job(self, report: Report, job: Job, ledger: Ledger) -> Result:
        if report.status not in JOB_STATUSES:
            raise Invalid(
                sentence("There is no such status."),
                {"status": [sentence("Must be one of {allowed}.", allowed=list(JOB_STATUSES))]},
            )
        if not _is_news(job, report):
            _file(ledger, job, report, "service_order.status_filed")
            return _result("filed", job)
        if report.status == "cancelled" and not report.note.strip():
            raise ReasonRequired(
                sentence("Say why it is cancelled."), fields={"note": [sentence("A reason is required.")]}
            )
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
        return _result("moved", job)


def _family(report: Report, subject: Line | Job) -> list[UUID]:
    """Return the keys on which a message that had its effect has left its trace: of a departure, also the parts."""
    if report.departure is None or not isinstance(subject, Line) or not subject.is_split:
        return [subject.id]
    return [subject.id, *(leaf.id for leaf in subject.tree.children_of(subject))]


def _comparable(time: datetime) -> datetime:
    """Give a time without a zone any, so that its report finds a place among the others before it is refused."""
    return time if time.utcoffset() is not None else time.replace(tzinfo=UTC)


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

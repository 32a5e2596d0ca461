"""What runs by the clock: one table, written into the task queue's database after every migration.

Schedules of these names belong to this table: one that is no longer here is removed, a changed one is changed, and when
each runs next stays as it is. Schedules of other names are an administrator's own and are left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.db import connection, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _
from django_q.models import Schedule

#: How the names of our schedules begin.
PREFIX = "backline: "


@dataclass(frozen=True, slots=True)
class Planned:
    """A task and when it runs: every so many minutes, or daily at a time (UTC)."""

    name: str
    task: str
    minutes: int | None = None
    daily_at: time | None = None

    def first_run(self, now: datetime) -> datetime:
        """Return the first time after now."""
        if self.daily_at is None:
            return now + timedelta(minutes=self.minutes or 1)
        today = datetime.combine(now.astimezone(UTC), self.daily_at, UTC)
        return today if today > now else today + timedelta(days=1)

    @property
    def fields(self) -> dict[str, object]:
        """What the row says beside its name and its next run."""
        kind = Schedule.MINUTES if self.daily_at is None else Schedule.DAILY
        return {"func": self.task, "schedule_type": kind, "minutes": self.minutes, "repeats": -1}


SCHEDULES = (
    Planned(_("read on in the ledger"), "config.tasks.consume_events", minutes=1),
    Planned(_("send messages that are due"), "notifications.tasks.send_messages", minutes=1),
    Planned(_("raise alerts for times that ran out"), "notifications.tasks.raise_alerts", minutes=1),
    Planned(_("write the digests whose hour has come"), "notifications.tasks.fire_digests", minutes=1),
    Planned(_("release what may leave"), "orders.tasks.release_ready_orders", minutes=5),
    Planned(_("give back lapsed reservations"), "orders.tasks.expire_reservations", minutes=15),
    Planned(_("let requests for consent lapse"), "orders.tasks.expire_override_requests", minutes=15),
    Planned(_("delete files that no row names"), "orders.tasks.sweep_files", minutes=60),
    Planned(_("serve who was missed"), "backorders.tasks.serve_who_was_missed", minutes=10),
    Planned(_("date queues that new weights moved"), "backorders.tasks.date_due_queues", minutes=1),
    Planned(_("take back expected dates that have passed"), "backorders.tasks.date_queues_anew", daily_at=time(0, 5)),
    Planned(_("add up the figures of touched days"), "reports.tasks.roll_up_figures", minutes=1),
    Planned(_("add up how soon people were told"), "notifications.tasks.add_up_timeliness", minutes=1),
    Planned(
        _("add up anew how soon people were told"), "notifications.tasks.add_up_all_timeliness", daily_at=time(1, 15)
    ),
    Planned(_("add up all figures anew"), "reports.tasks.roll_up_all_figures", daily_at=time(1, 30)),
    Planned(_("anchor the ledger"), "orders.tasks.anchor_ledger", daily_at=time(0, 10)),
    Planned(_("check all laws and chains"), "config.tasks.check_integrity", daily_at=time(2, 30)),
    Planned(_("clear exports away"), "reports.tasks.clear_exports_away", minutes=15),
    Planned(_("work off what other systems sent"), "integrations.tasks.work_inbox", minutes=1),
    Planned(_("compare inventory snapshots"), "integrations.tasks.load_snapshots", minutes=1),
    Planned(_("tell subscribers what is due"), "integrations.tasks.deliver_events", minutes=1),
    Planned(_("tell whose webhooks were switched off"), "config.tasks.tell_switched_off", minutes=5),
    Planned(_("forget old deliveries of events"), "integrations.tasks.forget_deliveries", minutes=60),
    Planned(_("compare logs of other systems"), "integrations.tasks.compare_logs", minutes=1),
    Planned(_("escalate overdue cases"), "integrations.tasks.escalate_overdue_cases", minutes=5),
    Planned(_("open cases for counts"), "integrations.tasks.open_cases_for_counts", minutes=5),
    Planned(_("forget old idempotency keys"), "integrations.tasks.prune_idempotent_requests", minutes=60),
    Planned(_("forget old inventory snapshots"), "integrations.tasks.forget_old_snapshots", daily_at=time(4, 0)),
    Planned(_("forget expired tokens and sessions"), "config.tasks.forget_expired", daily_at=time(3, 30)),
)


def word_of(name: str | None) -> str:
    """Return what a schedule does, in the reader's language; one of an administrator's own is called what it is."""
    return gettext(name.removeprefix(PREFIX)) if name and name.startswith(PREFIX) else name or ""


def write_schedules(now: datetime) -> None:
    """Make the database hold exactly this table's schedules. A repeat changes nothing."""
    wanted = {PREFIX + planned.name: planned for planned in SCHEDULES}
    with transaction.atomic():
        with connection.cursor() as cursor:  # two migrations at once would write them twice: no key forbids it
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('backline schedules', 0))")
        found = {row.name: row for row in Schedule.objects.filter(name__startswith=PREFIX)}
        Schedule.objects.filter(pk__in=[row.pk for name, row in found.items() if name not in wanted]).delete()
        changed = []
        for name in wanted.keys() & found.keys():
            planned, row = wanted[name], found[name]
            if any(getattr(row, field) != value for field, value in planned.fields.items()):
                for field, value in planned.fields.items():
                    setattr(row, field, value)
                row.next_run = planned.first_run(now)
                changed.append(row)
        Schedule.objects.bulk_update(changed, ["func", "schedule_type", "minutes", "repeats", "next_run"])
        Schedule.objects.bulk_create(
            Schedule(name=name, next_run=planned.first_run(now), **planned.fields)
            for name, planned in wanted.items()
            if name not in found
        )

"""What runs by itself for the machines that talk to us. Each task is safe to repeat."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from integrations import idempotency, inbox
from integrations.actions import cases, delivering, reconciling, snapshots
from integrations.outbound import deliverer


def prune_idempotent_requests() -> int:
    """Delete the kept answers that are past their time; return how many."""
    total = 0
    for _ in range(100):  # bounded: what is left waits for the next run
        deleted = idempotency.prune(at=timezone.now())
        total += deleted
        if not deleted:
            break
    return total


def escalate_overdue_cases() -> int:
    """Hand overdue discrepancy cases to the next role; return how many."""
    return cases.escalate_overdue(at=timezone.now())


def open_cases_for_counts() -> int:
    """Open a case for each count beyond its tolerance; return how many."""
    return cases.open_for_counts(at=timezone.now())


def deliver_events() -> int:
    """Do what `manage.py deliver_events` does, where it does not run; return how many deliveries were tried."""
    return deliverer.catch_up(seconds=40.0)


def forget_deliveries() -> int:
    """Delete deliveries that were done so long ago that nobody asks for them; return how many."""
    before, total = timezone.now() - timedelta(days=settings.OUTBOUND_KEEP_DAYS), 0
    for _ in range(100):  # bounded: what is left waits for the next run
        deleted = delivering.forget(before=before)
        total += deleted
        if not deleted:
            break
    return total


def work_inbox() -> int:
    """Do what `manage.py work_inbox` does, where it does not run; return how many messages were taken up."""
    return inbox.catch_up(seconds=40.0)


def compare_logs() -> int:
    """Compare the logs that people asked for, one after the other; return how many."""
    for done in range(20):  # bounded: what is left waits for the next run
        if reconciling.compare_next() is None:
            return done
    return 20


def forget_old_snapshots() -> int:
    """Delete the files of snapshots that were compared long ago, and what newer ones replaced; return how many rows."""
    return snapshots.forget_old(at=timezone.now())


def load_snapshots() -> int:
    """Compare the inventory snapshots that came in, one after the other; return how many."""
    for done in range(20):  # bounded: what is left waits for the next run
        if snapshots.load_next() is None:
            return done
    return 20

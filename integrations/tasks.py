"""What runs by itself for the machines that talk to us. Each task is safe to repeat."""

from django.utils import timezone

from integrations import idempotency


def prune_idempotent_requests() -> int:
    """Delete the kept answers that are past their time; return how many."""
    total = 0
    for _ in range(100):  # bounded: what is left waits for the next run
        deleted = idempotency.prune(at=timezone.now())
        total += deleted
        if not deleted:
            break
    return total

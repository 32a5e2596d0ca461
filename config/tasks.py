"""What needs several floors and runs by the clock. Each task is safe to run twice and at the same time."""

from __future__ import annotations

import logging

from django.core.management import call_command
from django.utils import timezone
from oauth2_provider.models import clear_expired

from config import outbound_notices
from config.consumers import CONSUMERS
from config.consuming import catch_up, consumers_of
from config.integrity import check_all
from orders import chains
from orders.verifying import Verification

logger = logging.getLogger(__name__)

#: Well under the task's time limit and under the minute after which the next one comes.
_SECONDS = 50.0


def consume_events() -> int:
    """Do what `manage.py consume_events` does, where it does not run; return how many events were read."""
    return catch_up(consumers_of(CONSUMERS), seconds=_SECONDS)


def check_integrity() -> int:
    """Prove every law and every chain, and log what is broken; return how much that is."""
    broken = 0
    for verdict in check_all(20):
        broken += verdict.finding.total
        if verdict.finding.total:
            rows = [f"{breach.subject}: {breach.what_is}" for breach in verdict.finding.breaches]
            logger.error(
                "law broken: %s",
                verdict.law.name,
                extra={"law": verdict.law.name, "rows": verdict.finding.total, "first": rows},
            )
    with chains.one_snapshot():
        verification, findings = Verification(), 0
        for finding in verification.findings():
            findings += 1
            if findings <= 20:
                logger.error("ledger finding: %s", finding, extra={"finding": str(finding), "code": finding.code})
    events = verification.chains.events
    level = logging.ERROR if broken or findings else logging.INFO
    logger.log(level, "integrity checked", extra={"broken": broken, "findings": findings, "events": events})
    return broken + findings


def tell_switched_off() -> int:
    """Tell whoever answers for subscribers that they were switched off because they fail; return how many."""
    return outbound_notices.tell_switched_off(timezone.now())


def forget_expired() -> None:
    """Delete access tokens and sessions that have expired: nobody can come in by them any more."""
    clear_expired()
    call_command("clearsessions")

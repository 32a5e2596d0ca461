"""Reports of statuses, as floor 1 takes them, with a case for each that contradicts what has ended."""

from __future__ import annotations

from collections.abc import Sequence

from integrations.actions.reporting import report_many
from orders.actions.reporting import Report, Result
from orders.api import StatusUpdateViewSet as OrdersStatusUpdateViewSet


class StatusUpdateViewSet(OrdersStatusUpdateViewSet):
    """Reports of statuses that were reached outside."""

    def take(self, reports: Sequence[Report]) -> list[Result]:
        """Take the reports in, and open a case for each that contradicts a final status."""
        return report_many(reports=reports, **self.cause())

"""What the demo's people say of the words for statuses: some wait for an answer, one has it; new ones are to come."""

from __future__ import annotations

from datetime import datetime, timedelta

from config.demo.jobs import SOURCE
from config.demo.people import Cast
from notifications.actions import proposals
from notifications.actions.proposals import Proposed
from notifications.models import RootCause
from orders.actions import wording
from orders.actions.wording import Words
from orders.models import ServiceOrder
from orders.wording import SERVICE_ORDER

#: The status, what is happening, the root cause by its place in the list, and a better word in English.
SAID = (
    ("awaiting_parts", "The parts are here; we wait for the customer to agree to the offer.", 1, "Waiting for you"),
    ("awaiting_parts", "The part is held in customs, nobody knows how long.", 1, ""),
    ("in_progress", "The technician was called away; the work goes on on Monday.", 3, "Paused until Monday"),
    ("scheduled", "The customer took this for the day on which it is done.", 2, "Our visit is planned"),
)
ANSWER = "The day stands right beside it on the page; we watch whether it comes up again."
TO_COME = {
    "en": Words("At the manufacturer's workshop", "They tell us when it comes back; you read the day here."),
    "de": Words("In der Werkstatt des Herstellers", "Er meldet uns die Rückkehr; den Tag lesen Sie hier."),
    "es": Words("En el taller del fabricante", "Nos avisa cuándo vuelve; aquí leerá el día."),
}


def tell(cast: Cast, now: datetime) -> None:
    """Let them say it."""
    causes = list(RootCause.objects.order_by("name"))
    for number, (status, said, place, word) in enumerate(SAID):
        job = ServiceOrder.objects.filter(status=status, is_test=False).order_by("-id").first()
        if job is None or not causes:
            continue
        row = proposals.propose(
            kind=SERVICE_ORDER,
            order_id=job.pk,
            status=status,
            proposed=Proposed(said, causes[place % len(causes)].pk, "en", word),
            form_key=f"demo {number}",
            by=cast.dispatcher,
            source=SOURCE,
            at=now - timedelta(hours=3 * number + 2),
        )
        if status == "scheduled":
            proposals.decline(proposal_id=row.pk, answer=ANSWER, by=cast.manager, source=SOURCE, at=now)
    wording.publish(
        subject=SERVICE_ORDER,
        status="with_manufacturer",
        words=TO_COME,
        effective_from=(now + timedelta(days=14)).replace(hour=6, minute=0, second=0, microsecond=0),
        why="Customers asked where their machine is.",
        by=cast.manager,
        source=SOURCE,
        at=now,
    )

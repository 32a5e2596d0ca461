"""A partner who is told by webhook: what it was told and answered. It is off, so that nothing leaves the demo."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from config.demo.people import Cast
from integrations.actions import delivering, publishing, subscribing
from integrations.actions.delivering import Claimed, Outcome
from integrations.actions.subscribing import Wish
from integrations.envelope import CONTENT_TYPE
from integrations.models import OutboundDelivery
from integrations.outbound.ways import Said
from parts.errors import Refused

ADDRESS = "https://portal.dealer.example/backline"
_WENT = (Said(status=200, answer="ok"), Said(status=204), Said(status=200, answer="ok"))
_BROKE = Said(error="answered 503", status=503, answer="Service Unavailable", is_busy=True)


def tell(cast: Cast, now: datetime) -> None:
    """Let the partner be told of its customers' orders of the last days; one it could not take."""
    assert cast.partner.user_id is not None
    begins = now - timedelta(days=3)
    wish = Wish(name="Dealer's portal", address=ADDRESS, contact="it@dealer.example")
    row, _secret = subscribing.add(
        code="dealer-portal", account=cast.partner.user_id, wish=wish, by=cast.partner, at=begins
    )
    try:
        publishing.replay_since(subscriber=row.pk, since=begins, by=cast.partner, at=begins)
    except Refused:
        return  # nothing has happened to its orders
    batch = delivering.claim(subscriber=row.pk, most=12, at=now)
    if batch is None:
        return
    outcomes = [
        Outcome(one, now, 80 + 7 * number, _said(one, _WENT[number % len(_WENT)]))
        for number, one in enumerate(batch.claimed[:-1])
    ]
    outcomes.append(Outcome(batch.claimed[-1], now, 2_040, _said(batch.claimed[-1], _BROKE)))
    delivering.record(batch=batch, outcomes=outcomes)
    OutboundDelivery.objects.filter(subscriber=row, state="waiting", attempts=0).delete()  # a list to look at
    subscribing.switch_off(subscriber=row.pk, by=cast.partner, at=now, reason="The portal is rebuilt")


def _said(claimed: Claimed, said: Said) -> Said:
    """Return what was said to a message that was asked as all are."""
    return replace(said, request_headers={"Content-Type": CONTENT_TYPE, "webhook-id": claimed.message_id})

"""What providers of SMS report of our messages: that one arrived, or did not, and whether anything ever will there."""

from __future__ import annotations

from collections.abc import Mapping

from notifications.actions.reporting import Fate, Report
from notifications.statuses import Channel
from parts.errors import Invalid
from parts.sentences import sentence

#: What Twilio says of a message (https://www.twilio.com/docs/messaging/api/message-resource#message-status-values);
#: what it says on the way there (queued, sending, sent, accepted, scheduled) says nothing yet.
_ARRIVED = {"delivered": Fate.DELIVERED, "read": Fate.OPENED}
_NOT_ARRIVED = ("undelivered", "failed")
#: Nothing will ever arrive at this number. 30006: a landline, or a carrier that our kind of sender cannot reach
#: (https://www.twilio.com/docs/api/errors/30006); 30005: unknown, or no longer in service, as Twilio's customers
#: describe it. 30003 is a handset that is off or out of reach, which passes
#: (https://www.twilio.com/docs/api/errors/30003).
_FOR_GOOD = ("30005", "30006")
#: The number stopped all SMS of ours at Twilio.
_STOPPED = "21610"

#: What any other provider says in the plain form.
_PLAIN = {"delivered": Fate.DELIVERED, "failed": Fate.FAILED, "unreachable": Fate.BOUNCED}


def of_twilio(given: Mapping[str, str]) -> Report | None:
    """Return what Twilio says of a message; None where that is nothing final. Raises Invalid for no such call."""
    sid, status, code = given.get("MessageSid", ""), given.get("MessageStatus", ""), given.get("ErrorCode", "")
    if not sid or not status:
        said = sentence("This says nothing of an SMS.")
        raise Invalid(said, {"MessageSid": [said]})
    fate = _ARRIVED.get(status)
    if status in _NOT_ARRIVED:
        fate = Fate.BOUNCED if code in _FOR_GOOD else Fate.UNSUBSCRIBED if code == _STOPPED else Fate.FAILED
    if fate is None:
        return None
    why = f"Twilio: {status}, {code}" if code else f"Twilio: {status}"
    return Report(fate, sid, Channel.SMS.value, given.get("To", ""), why=why)


def plain(given: Mapping[str, str]) -> Report:
    """Return what any other provider says: `notice`, our key of it; `status`; and `why`. Raises Invalid."""
    fate, notice = _PLAIN.get(given.get("status", "")), given.get("notice", "")
    if fate is None or not notice:
        said = sentence("Say of which notice, and whether it was delivered, failed, or is unreachable for good.")
        raise Invalid(said, {"status": [said]})
    return Report(fate, notice, Channel.SMS.value, "", why=given.get("why", "")[:300])

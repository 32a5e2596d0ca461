"""The words of this floor: over which ways people are told, who is meant, when, and where a notice stands."""

from datetime import UTC, datetime

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Channel(models.TextChoices):
    """The ways to a person. A rule names one and what to fall back on."""

    EMAIL = "email", _("Email")
    SMS = "sms", _("SMS")
    CHAT = "chat", _("Chat")
    PUSH = "push", _("Push to the phone page")
    INBOX = "inbox", _("Inbox")


#: They need an address of the reader's own; the inbox needs none, it is in the house.
ADDRESSED = (Channel.EMAIL.value, Channel.SMS.value, Channel.CHAT.value, Channel.PUSH.value)


class Audience(models.TextChoices):
    """Who is meant by a rule."""

    CUSTOMER = "customer", _("The customer's contacts")
    REQUESTER = "requester", _("Who asked for the order")
    TECHNICIAN = "technician", _("The technician of the job")
    DISPATCHERS = "dispatchers", _("Dispatchers")
    PARTS_MANAGERS = "parts_managers", _("Parts managers")
    ADMINISTRATORS = "administrators", _("Administrators")
    WATCHERS = "watchers", _("Who watches the order or its customer")


#: Audiences that are a role (config.roles): the name of its group.
ROLE_OF = {
    Audience.DISPATCHERS.value: "Dispatcher",
    Audience.PARTS_MANAGERS.value: "Parts manager",
    Audience.ADMINISTRATORS.value: "Administrator",
}


class Timing(models.TextChoices):
    """When what a rule chose goes out."""

    AT_ONCE = "at_once", _("At once")
    DELAYED = "delayed", _("After a while, with what came meanwhile")
    DIGEST = "digest", _("With the reader's daily digest")


class Trigger(models.TextChoices):
    """What no event says because nothing happened: a time ran out. Looked for by the clock."""

    LINE_WAITS = "line.waits_too_long", _("A line waits longer than allowed")
    PROMISE_NEAR = "promise.about_to_break", _("A promise is about to break")
    PROMISE_BROKEN = "promise.broken", _("A promise has broken")
    SLA_NEAR = "sla.near", _("A contract's time is nearly over")
    SLA_BROKEN = "sla.broken", _("A contract's time is over")
    ORDER_STUCK = "order.stuck", _("An order stays in one status for long")
    UNTOLD = "message.undelivered", _("A message about a machine that is down could not be delivered")


class WhenStale(models.TextChoices):
    """What happens to news that waited so long that the order is back where its reader last knew it."""

    TELL = "tell", _("Say where it stands now")
    DROP = "drop", _("Say nothing")


class NoticeState(models.TextChoices):
    """Where a notice stands on its way to its reader."""

    WAITING = "waiting", _("Waiting")
    SENDING = "sending", _("Being sent")
    SENT = "sent", pgettext_lazy("notice", "Sent")
    DELIVERED = "delivered", pgettext_lazy("notice", "Delivered")
    DEAD = "dead", _("Could not be sent")
    DROPPED = "dropped", _("Not sent, no longer of use")
    DISCARDED = "discarded", _("Discarded")
    REPLAYED = "replayed", _("Sent again as another")
    TOLD = "told", _("Told by telephone")


#: It was handed over.
HANDED_OVER = (NoticeState.SENT.value, NoticeState.DELIVERED.value)
#: It never reached its reader over its channel.
LOST = (
    NoticeState.DEAD.value,
    NoticeState.DISCARDED.value,
    NoticeState.REPLAYED.value,
    NoticeState.TOLD.value,
)
#: Whether it was in time is known for ever.
SETTLED = (*HANDED_OVER, *LOST)


class DeadCause(models.TextChoices):
    """Why nobody could be told: what decides what to do about it."""

    REJECTED = "rejected", _("The address was rejected")
    NO_ADDRESS = "no_address", _("No address at all")
    PROVIDER = "provider", _("The provider was down")
    REFUSED = "refused", _("The provider refused the message")
    IN_DOUBT = "in_doubt", _("Nobody knows whether it went out")


class DeadState(models.TextChoices):
    """What came of a dead letter."""

    OPEN = "open", _("To be seen to")
    REPLAYED = "replayed", pgettext_lazy("dead letter", "Sent again")
    TOLD = "told", _("Told by telephone")
    DISCARDED = "discarded", _("Discarded")


class Kind(models.TextChoices):
    """What a contact of a customer may not want to hear of: kinds of news as customers tell them apart."""

    STEPS = "steps", _("Each step of the work")
    PARTS = "parts", _("Parts that are missing, have come in or are on their way")
    DAYS = "days", _("New days and promises")
    NOTES = "notes", _("What the workshop writes")


#: How the kinds of events begin that are of a kind of news; the first that fits counts.
_BEGINNINGS = (
    ("note.", Kind.NOTES.value),
    ("line.promise_", Kind.DAYS.value),
    ("back_order.promise_", Kind.DAYS.value),
    ("service_order.rescheduled", Kind.DAYS.value),
    ("service_order.estimate", Kind.DAYS.value),
    ("service_order.", Kind.STEPS.value),
    ("line.", Kind.PARTS.value),
    ("back_order.", Kind.PARTS.value),
    ("parts_order.", Kind.PARTS.value),
    ("shipment.", Kind.PARTS.value),
)


def kind_of(event_kind: str) -> str:
    """Return of which kind of news an event is; empty where customers do not tell it apart."""
    return next((kind for begins, kind in _BEGINNINGS if event_kind.startswith(begins)), "")


#: Muted until then: for ever.
FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)


class Unheard(models.TextChoices):
    """Why somebody who was meant is not told over a channel, nor over another."""

    NO_ADDRESS = "no_address", _("No address")
    MUTED = "muted", _("Muted by the reader")
    STOPPED = "stopped", _("The customer wants no messages about this order")
    UNWANTED = "unwanted", _("The reader does not want to hear of this")


class ProposalState(models.TextChoices):
    """What became of a proposal for the words of a status."""

    OPEN = "open", pgettext_lazy("proposal", "Waits for an answer")
    ACCEPTED = "accepted", pgettext_lazy("proposal", "Accepted")
    DECLINED = "declined", pgettext_lazy("proposal", "Declined")


class AddressState(models.TextChoices):
    """Whether an address may be written to."""

    UNCONFIRMED = "unconfirmed", _("Not confirmed yet")
    CONFIRMED = "confirmed", _("Confirmed")
    OFF = "off", _("Switched off")


class OffReason(models.TextChoices):
    """Why an address was switched off."""

    BOUNCED = "bounced", _("Messages came back")
    COMPLAINED = "complained", _("The reader complained")
    READER = "reader", _("The reader wants none")
    STAFF = "staff", _("Switched off by staff")
    REPLACED = "replaced", _("Another address took its place")


class SmsMeant(models.TextChoices):
    """What somebody meant by an SMS to us."""

    STOP = "stop", _("No more SMS")
    START = "start", _("SMS again")
    HELP = "help", _("Help")
    ANSWER = "answer", _("An answer, put on the order")
    NOTHING = "nothing", _("Nothing that we know of")


class LiftedBecause(models.TextChoices):
    """Why a number that had stopped all SMS is asked again."""

    ASKED = "asked", _("Its owner asked us for SMS again")
    ANOTHER = "another", _("The number has another owner now")
    MISTAKE = "mistake", _("It was stopped by mistake")


class DigestOutcome(models.TextChoices):
    """What came of a digest on one day."""

    TOLD = "told", _("Told")
    NOTHING = "nothing", _("Nothing to say")
    MISSED = "missed", _("Too late to be of use")
    MUTED = "muted", _("Muted by the reader")
    FORBIDDEN = "forbidden", _("The reader may not see orders any more")

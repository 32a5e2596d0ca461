"""Who listens: set up, changed, switched off and on, and given another secret."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from integrations.envelope import PRESENT_VERSION, VERSIONS
from integrations.models import SigningSecret, Subscriber
from integrations.models.systems import CODE
from integrations.outbound.kinds import KINDS
from integrations.outbound.signing import new_secret
from integrations.statuses import OffBecause, Road, SubscriberState
from orders.errors import NothingToDo
from orders.rules import check_texts
from parts import public_hosts, sealing
from parts.actors import Actor
from parts.errors import Invalid, NotFound, NumberUsed, Refused
from parts.public_hosts import NotPublic
from parts.sentences import Says, sentence

OWN = "integrations.own_subscriber"
CHANGES, ADDS, REPLAYS = (
    "integrations.change_subscriber",
    "integrations.add_subscriber",
    "integrations.replay_outbounddelivery",
)
#: How long a secret lives on when another has taken its place.
BOTH_LIVE = timedelta(hours=24)
#: So many addresses may one account have.
MOST_OF_ONE = 20


class TooMany(Refused):
    """There are as many already as there may be."""

    code = "too_many"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a subscriber is to be."""

    name: str
    address: str
    event_types: tuple[str, ...] = ()
    newest_only: bool = False
    per_second: int = 50
    burst: int = 100
    contact: str = ""
    schema_version: int = PRESENT_VERSION


#: What an owner may wish for.
WISHES = tuple(one.name for one in fields(Wish))


def require(by: Actor, subscriber: Subscriber) -> None:
    """Raise Forbidden unless an actor may change a subscriber: their own account's, or any with the right to.

    What is neither is not there for them: NotFound.
    """
    if by.may(CHANGES):
        return
    by.require(OWN)
    if by.user_id is None or subscriber.account_id != by.user_id:
        raise NotFound(sentence("There is no such subscriber."), id=str(subscriber.pk))


def require_replay(by: Actor, subscriber: Subscriber) -> None:
    """Raise Forbidden, NotFound unless an actor may tell a subscriber again."""
    if not by.may(REPLAYS):
        require(by, subscriber)


def subscriber_of(key: UUID) -> Subscriber:
    """Return a subscriber. Raises NotFound."""
    row = Subscriber.objects.filter(pk=key).first()
    if row is None:
        raise NotFound(sentence("There is no such subscriber."), id=str(key))
    return row


def add(*, code: str, account: int, wish: Wish, by: Actor, at: datetime) -> tuple[Subscriber, str]:
    """Let an account be told by webhook from now on; return the subscriber and its secret, which nobody reads again.

    Raises Forbidden, Invalid, NumberUsed, TooMany, NoSealingKey.
    """
    if not by.may(ADDS):
        by.require(OWN)
        if by.user_id != account:
            by.require(ADDS)
    _check(wish)
    if not re.fullmatch(CODE.removeprefix("^").removesuffix("$"), code) or len(code) > 40:
        raise _wrong("code", sentence("Small letters, digits and hyphens, beginning with a letter; at most 40."))
    owner = User.objects.filter(pk=account, is_active=True).first()
    if owner is None or not owner.has_perm(OWN):
        raise _wrong("account", sentence("This account may not be told. It needs the role of a partner or a system."))
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=account)  # of two at once, one counts after the other
        if Subscriber.objects.filter(account=account).count() >= MOST_OF_ONE:
            raise TooMany(sentence("An account has at most {most} addresses.", most=MOST_OF_ONE))
        if Subscriber.objects.filter(code=code).exists():
            raise NumberUsed(sentence("There is a subscriber of this code."), numbers=[code])
        row = Subscriber(
            code=code, account=owner, road=Road.WEBHOOK, created_at=at, **_kept(wish), tokens=wish.burst, tokens_at=at
        )
        sign(row, by)
        row.save()
        secret = _new_secret(row, at)
    return row, secret


def change(*, subscriber: UUID, wish: Wish, by: Actor, at: datetime, reason: str = "") -> Subscriber:
    """Change where it is told, of what and how fast. Raises Forbidden, NotFound, Invalid, NothingToDo."""
    check_texts(reason=(reason, 100))
    _check(wish)
    with transaction.atomic():
        row = _locked(subscriber, by)
        wanted = _kept(wish)
        changed = [name for name, value in wanted.items() if getattr(row, name) != value]
        if not changed:
            raise NothingToDo(sentence("Nothing was changed."))
        for name in changed:
            setattr(row, name, wanted[name])
        sign(row, by, reason)
        row.save(update_fields=changed)
        if "address" in changed:  # the new one has not failed yet
            _forget_failures(row)
    return row


def rotate_secret(*, subscriber: UUID, by: Actor, at: datetime) -> str:
    """Give a subscriber another secret and return it; the present one signs beside it for 24 hours more.

    One that was replaced before ends at once: two are alive, never three. Raises Forbidden, NotFound, NoSealingKey.
    """
    with transaction.atomic():
        row = _locked(subscriber, by)
        SigningSecret.objects.filter(subscriber=row, ends_at__isnull=False).delete()
        SigningSecret.objects.filter(subscriber=row, ends_at__isnull=True).update(ends_at=at + BOTH_LIVE)
        secret = _new_secret(row, at)
        sign(row, by, "Secret replaced")
        row.save(update_fields=["name"])  # in its history stands who did it
    return secret


def switch_off(
    *, subscriber: UUID, by: Actor, at: datetime, because: OffBecause = OffBecause.BY_HAND, reason: str = ""
) -> Subscriber:
    """Tell a subscriber nothing more. What waits for it waits on. Raises Forbidden, NotFound, NothingToDo."""
    check_texts(reason=(reason, 100))
    with transaction.atomic():
        row = _locked(subscriber, by)
        if row.state == SubscriberState.OFF:
            raise NothingToDo(sentence("{code} is switched off already.", code=row.code))
        row.state, row.off_because, row.off_since = SubscriberState.OFF, because, at
        sign(row, by, reason or str(because.value))
        row.save(update_fields=["state", "off_because", "off_since"])
        Subscriber.objects.filter(pk=row.pk).update(told_off_at=None)
    return row


def switch_on(*, subscriber: UUID, by: Actor, at: datetime, reason: str = "") -> Subscriber:
    """Tell a subscriber again: what waits, and what happens from now on. What happened meanwhile it can be told by
    `publishing.replay_since`. Raises Forbidden, NotFound, NothingToDo."""
    check_texts(reason=(reason, 100))
    with transaction.atomic():
        row = _locked(subscriber, by)
        if row.state == SubscriberState.ACTIVE:
            raise NothingToDo(sentence("{code} is not switched off.", code=row.code))
        row.state, row.off_because, row.off_since = SubscriberState.ACTIVE, "", None
        sign(row, by, reason)
        row.save(update_fields=["state", "off_because", "off_since"])
        _forget_failures(row)
    return row


def seal_all_anew() -> int:
    """Seal every secret with the first key; return how many. Raises NoSealingKey."""
    with transaction.atomic():
        rows = list(SigningSecret.objects.select_for_update().order_by("pk"))
        for row in rows:
            row.sealed = sealing.seal_anew(bytes(row.sealed))
        SigningSecret.objects.bulk_update(rows, ["sealed"], batch_size=500)
    return len(rows)


def secrets_of(subscribers: Collection[UUID], at: datetime) -> dict[UUID, list[str]]:
    """Return the secrets that are alive, the present one of each subscriber first. One query. Raises NoSealingKey."""
    found: dict[UUID, list[str]] = {key: [] for key in subscribers}
    rows = SigningSecret.objects.filter(subscriber__in=subscribers).order_by("-begins_at", "-id")
    for row in rows:
        if row.ends_at is None or row.ends_at > at:
            found[row.subscriber_id].append(sealing.open_sealed(bytes(row.sealed)))
    return found


def _locked(key: UUID, by: Actor) -> Subscriber:
    row = Subscriber.objects.select_for_update(no_key=True).filter(pk=key).first()
    if row is None:
        raise NotFound(sentence("There is no such subscriber."), id=str(key))
    require(by, row)
    return row


def _forget_failures(row: Subscriber) -> None:
    Subscriber.objects.filter(pk=row.pk).update(
        failures=0, failing_since=None, failing_because="", paused_until=None, pace_ms=0, told_off_at=None
    )


def _new_secret(row: Subscriber, at: datetime) -> str:
    secret = new_secret()
    SigningSecret.objects.create(subscriber=row, sealed=sealing.seal(secret), begins_at=at)
    return secret


def _kept(wish: Wish) -> dict[str, Any]:
    return {**asdict(wish), "event_types": sorted(set(wish.event_types))}


def sign(row: Any, by: Actor, reason: str = "") -> None:
    """Say in the history of a subscriber who does it, and why."""
    row._history_user = User.objects.filter(pk=by.user_id).first() if by.user_id else None
    row._change_reason = reason.strip()[:100] or by.reference


def _check(wish: Wish) -> None:
    """Raise Invalid for what cannot be wished for."""
    if not wish.name.strip() or len(wish.name) > 120:
        raise _wrong("name", sentence("It needs a name of at most {most} letters.", most=120))
    check_texts(name=(wish.name, 120))
    if len(wish.address) > 500:
        raise _wrong("address", sentence("At most {most} letters.", most=500))
    try:
        public_hosts.check(wish.address, private=settings.WEBHOOKS_TO_PRIVATE_HOSTS)
    except NotPublic as error:
        raise _wrong("address", _WHY[str(error)]) from error
    if unknown := [kind for kind in wish.event_types if kind not in KINDS]:
        raise _wrong("event_types", sentence("There are no such events: {kinds}.", kinds=unknown))
    if wish.schema_version not in VERSIONS:
        raise _wrong("schema_version", sentence("There is no such version."))
    for name, value in (("per_second", wish.per_second), ("burst", wish.burst)):
        if not 1 <= value <= 10_000:
            raise _wrong(name, sentence("From {least} to {most}.", least=1, most=10_000))
    if wish.contact:
        try:
            validate_email(wish.contact)
        except ValidationError as error:
            raise _wrong("contact", sentence("It is no address.")) from error


#: What is wrong with an address, in words that are translated.
_WHY: Mapping[str, Says] = {
    said.text: said
    for said in (
        sentence("It is no address."),
        sentence("It has to begin with https:// and to name no port."),
        sentence("It names no public host."),
    )
}


def _wrong(field: str, says: Says) -> Invalid:
    return Invalid(sentence("The subscriber cannot be kept as it is."), {field: [says]})

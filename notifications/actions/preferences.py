"""How a person of the house wants to be told: what they say of themselves, and nobody else's."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from notifications.actions import digests
from notifications.actions.addresses import own_reader
from notifications.models import Address, Recipient
from notifications.statuses import AddressState
from parts.actors import Actor
from parts.errors import Invalid
from parts.models import Region
from parts.sentences import sentence
from parts.zones import known_zone


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a reader wishes. `wanted` names the addresses that are written to; no `regions` means all."""

    language: str
    time_zone: str
    quiet_from: time | None
    quiet_until: time | None
    muted_until: datetime | None
    digest_hour: int
    regions: Collection[UUID]
    wanted: Collection[UUID]


def change(*, wishes: Wishes, by: Actor, at: datetime) -> Recipient:
    """Keep one's own wishes. What cannot be muted comes all the same. Raises Invalid, NotFound."""
    _check(wishes, at)
    with transaction.atomic():
        reader = own_reader(by)
        reader.language, reader.time_zone = wishes.language, wishes.time_zone
        reader.quiet_from, reader.quiet_until = wishes.quiet_from, wishes.quiet_until
        reader.muted_until, reader.digest_hour = wishes.muted_until, wishes.digest_hour
        reader.regions = sorted(wishes.regions)
        reader.save()
        digests.reschedule(reader_id=reader.pk, at=at)
        for address in Address.objects.filter(recipient=reader, state=AddressState.CONFIRMED):
            if address.is_wanted != (address.pk in wishes.wanted):
                address.is_wanted = address.pk in wishes.wanted
                address.save()  # one of each channel at most
    return reader


def _check(wishes: Wishes, at: datetime) -> None:
    faults = {}
    if wishes.language and wishes.language not in dict(settings.LANGUAGES):
        faults["language"] = [sentence("We do not write in this language.")]
    if wishes.time_zone:
        try:
            known_zone(wishes.time_zone)
        except ValidationError:
            faults["time_zone"] = [sentence("There is no time zone of this name.")]
    if (wishes.quiet_from is None) != (wishes.quiet_until is None):
        faults["quiet_until"] = [sentence("Quiet hours have a beginning and an end.")]
    if not 0 <= wishes.digest_hour <= 23:
        faults["digest_hour"] = [sentence("An hour of the day, from 0 to 23.")]
    if wishes.muted_until is not None and wishes.muted_until <= at:
        faults["muted_until"] = [sentence("This has passed.")]
    if Region.objects.filter(pk__in=wishes.regions).count() != len(set(wishes.regions)):
        faults["regions"] = [sentence("There is no such region.")]
    if faults:
        raise Invalid(sentence("This cannot be kept as it is."), faults)

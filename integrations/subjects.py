"""Who the subjects of facts are here: by our reference, our key, or the number that their sender has for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from uuid import UUID

from django.contrib.auth.models import User

from integrations.facts import Subject
from integrations.models import NumberElsewhere
from orders.models import OrderLine, ServiceOrder

#: `PO-000017/2`, and `PO-000017/2.1` for a part of it.
_LINE = re.compile(r"(?P<order>.{1,40})/(?P<position>[0-9]{1,5})(?:\.(?P<child>[0-9]{1,5}))?")


def look_up(subjects: Iterable[Subject], *, system_id: UUID, account: User) -> dict[Subject, UUID]:
    """Return the key of each subject that there is and that the system's account may see. Five queries at most."""
    wanted = set(subjects)
    found = {subject: key for subject in wanted if subject.by == "id" and (key := _key(subject.value))}
    found |= _by_number([one for one in wanted if one.by not in ("id", "reference")], system_id)
    visible = _visible(found, account)
    found = {subject: key for subject, key in found.items() if key in visible}
    found |= _lines([one for one in wanted if one.kind == "line" and one.by == "reference"], account)
    found |= _jobs([one for one in wanted if one.kind == "service_order" and one.by == "reference"], account)
    return found


def _key(value: str) -> UUID | None:
    with suppress(ValueError):
        return UUID(value)
    return None


def _by_number(subjects: list[Subject], system_id: UUID) -> dict[Subject, UUID]:
    if not subjects:
        return {}
    rows = NumberElsewhere.objects.filter(
        system=system_id, kind__in={one.by for one in subjects}, number__in={one.value for one in subjects}
    ).values_list("subject_kind", "kind", "number", "subject_id")
    known = {(of, kind, number): key for of, kind, number, key in rows}
    return {one: known[one.kind, one.by, one.value] for one in subjects if (one.kind, one.by, one.value) in known}


def _visible(found: Mapping[Subject, UUID], account: User) -> set[UUID]:
    """Return which of the keys the account may see; a key of the wrong kind is not there."""
    lines = [key for subject, key in found.items() if subject.kind == "line"]
    jobs = [key for subject, key in found.items() if subject.kind == "service_order"]
    visible: set[UUID] = set()
    if lines:
        visible |= set(OrderLine.objects.visible_to(account).filter(pk__in=lines).values_list("pk", flat=True))
    if jobs:
        visible |= set(ServiceOrder.objects.visible_to(account).filter(pk__in=jobs).values_list("pk", flat=True))
    return visible


def _lines(subjects: list[Subject], account: User) -> dict[Subject, UUID]:
    read = {one: match for one in subjects if (match := _LINE.fullmatch(one.value))}
    if not read:
        return {}
    orders = {match["order"] for match in read.values()}
    rows = (
        OrderLine.objects.visible_to(account)
        .filter(order__reference__in=orders)
        .values_list("order__reference", "position", "child_number", "pk")
    )
    known = {(order, position, child): key for order, position, child, key in rows}
    places = {one: (match["order"], int(match["position"]), int(match["child"] or 0)) for one, match in read.items()}
    return {one: known[place] for one, place in places.items() if place in known}


def _jobs(subjects: list[Subject], account: User) -> dict[Subject, UUID]:
    if not subjects:
        return {}
    rows = (
        ServiceOrder.objects.visible_to(account)
        .filter(reference__in={one.value for one in subjects})
        .values_list("reference", "pk")
    )
    known = dict(rows)
    return {one: known[one.value] for one in subjects if one.value in known}

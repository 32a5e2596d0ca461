"""Who the subjects of facts are here: by our reference, our key, or the number that their sender has for them.

Of orders, lines and jobs only those are found that the sender's account may see; of purchase orders, where it speaks
for one supplier, only that supplier's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from uuid import UUID

from django.db.models import Model, QuerySet

from integrations.facts import Subject
from integrations.models import NumberElsewhere
from integrations.senders import Sender
from orders.models import Customer, Equipment, OrderLine, PartsOrder, ServiceOrder
from orders.querysets import sees_all
from parts.lookups import Key, key_of
from parts.models import Part, PartNumber, PurchaseOrderLine, Region, Supplier, Warehouse
from parts.resolving import parts_called

#: `P-000017/2`, and `P-000017/2.1` for a part of it.
_LINE = re.compile(r"(?P<order>.{1,40})/(?P<position>[0-9]{1,5})(?:\.(?P<child>[0-9]{1,5}))?")
#: `PUR-000012/3`; a number of an order may have a slash of its own.
_ORDERED = re.compile(r"(?P<order>.{1,40})/(?P<position>[0-9]{1,5})")
#: Kinds whose sender mostly uses our own code: where nobody has linked its number to anything, it is looked for so.
_BY_CODE = ("warehouse", "customer", "region", "supplier")

Found = dict[Subject, UUID]


def look_up(subjects: Iterable[Subject], sender: Sender) -> Found:
    """Return the key of each subject that there is, and for its sender. Four queries at most for each kind."""
    by_kind: dict[str, set[Subject]] = {}
    for subject in subjects:
        by_kind.setdefault(subject.kind, set()).add(subject)
    numbers = _by_number([one for some in by_kind.values() for one in some if _is_number(one)], sender)
    found: Found = {}
    for kind, wanted in by_kind.items():
        if kind in _KINDS:
            rows, find = _KINDS[kind]
            named = {one: key for one in wanted if one.by == "id" and (key := _key(one.value))}
            named |= {one: key for one, key in numbers.items() if one in wanted}
            found |= _there(named, rows(sender))
            found |= find([one for one in wanted if one not in named], sender)
    return found


def _is_number(subject: Subject) -> bool:
    return subject.by not in ("id", "reference") and "\x00" not in subject.value


def _key(value: str) -> UUID | None:
    with suppress(ValueError):
        return UUID(value)
    return None


def _by_number(subjects: list[Subject], sender: Sender) -> Found:
    """Return what numbers of the sender's mean, or of the system whose numbers it uses; its own come first."""
    if not subjects:
        return {}
    systems = [sender.system_id, *([sender.numbers_of] if sender.numbers_of else [])]
    rows = NumberElsewhere.objects.filter(
        system__in=systems, kind__in={one.by for one in subjects}, number__in={one.value for one in subjects}
    ).values_list("system_id", "subject_kind", "kind", "number", "subject_id")
    known = {(system, of, kind, number): key for system, of, kind, number, key in rows}
    found: Found = {}
    for one in subjects:
        for system in systems:
            key = known.get((system, one.kind, one.by, one.value))
            if key is not None:
                found.setdefault(one, key)
    return found


def _there(named: Mapping[Subject, UUID], rows: QuerySet[Model]) -> Found:
    """Return those of the named rows that there are; a key of the wrong kind is not there."""
    if not named:
        return {}
    there = set(rows.filter(pk__in=set(named.values())).order_by().values_list("pk", flat=True))
    return {subject: key for subject, key in named.items() if key in there}


def _lines(subjects: list[Subject], sender: Sender) -> Found:
    read = {one: match for one in subjects if one.by == "reference" and (match := _LINE.fullmatch(one.value))}
    if not read:
        return {}
    rows = (
        OrderLine.objects.visible_to(sender.account)
        .filter(order__reference__in=_plain(match["order"] for match in read.values()))
        .values_list("order__reference", "position", "child_number", "pk")
    )
    known = {(order, position, child): key for order, position, child, key in rows}
    places = {one: (match["order"], int(match["position"]), int(match["child"] or 0)) for one, match in read.items()}
    return {one: known[place] for one, place in places.items() if place in known}


def _ordered(subjects: list[Subject], sender: Sender) -> Found:
    read = {one: match for one in subjects if one.by == "reference" and (match := _ORDERED.fullmatch(one.value))}
    if not read:
        return {}
    rows = (
        _ordered_rows(sender)
        .filter(purchase_order__number__in=_plain(match["order"] for match in read.values()))
        .values_list("purchase_order__number", "position", "pk")
    )
    known = {(order, position): key for order, position, key in rows}
    places = {one: (match["order"], int(match["position"])) for one, match in read.items()}
    return {one: known[place] for one, place in places.items() if place in known}


def _ordered_rows(sender: Sender) -> QuerySet[PurchaseOrderLine]:
    rows = PurchaseOrderLine.objects.all()
    return rows.filter(purchase_order__supplier=sender.supplier_id) if sender.supplier_id else rows


def _referenced(rows: Callable[[Sender], QuerySet[Model]], field: str) -> Callable[[list[Subject], Sender], Found]:
    """Return how rows are found by the text of one field."""

    def find(subjects: list[Subject], sender: Sender) -> Found:
        wanted = [one for one in subjects if one.by == "reference" or (one.kind in _BY_CODE and one.by != "id")]
        texts = _plain(one.value for one in wanted)
        if not texts:
            return {}
        known = dict(rows(sender).filter(**{f"{field}__in": texts}).values_list(field, "pk"))
        return {one: known[one.value] for one in wanted if one.value in known}

    return find


def _parts(subjects: list[Subject], sender: Sender) -> Found:
    """Find parts: by our number or anybody's, if it means one part only; or by that of one system."""
    called = [one for one in subjects if one.by == "reference"]
    found: Found = {}
    if called:
        meant = parts_called({one.value for one in called})
        found |= {one: parts[0].pk for one in called if len(parts := meant[one.value]) == 1}
    elsewhere = [one for one in subjects if one.by not in ("reference", "id")]
    texts = _plain(one.value for one in elsewhere)
    if texts:
        rows = PartNumber.objects.filter(system__in={one.by for one in elsewhere}, number__in=texts)
        known = {(system, number): key for system, number, key in rows.values_list("system", "number", "part_id")}
        found |= {one: known[one.by, one.value] for one in elsewhere if (one.by, one.value) in known}
    return found


def _machines(subjects: list[Subject], sender: Sender) -> Found:
    """Find machines by their serial number, however it is spelled, where one machine only has it."""
    wanted = {one: key_of(one.value) for one in subjects if one.by == "reference" and "\x00" not in one.value}
    keys = set(wanted.values()) - {""}
    if not keys:
        return {}
    known: dict[str, list[UUID]] = {}
    rows = _machine_rows(sender).annotate(key=Key("serial_number")).filter(key__in=keys).order_by()
    for key, pk in rows.values_list("key", "pk"):
        known.setdefault(key, []).append(pk)
    return {one: known[key][0] for one, key in wanted.items() if len(known.get(key, ())) == 1}


def _customer_rows(sender: Sender) -> QuerySet[Customer]:
    rows = Customer.objects.filter(is_active=True)
    return rows if sees_all(sender.account) else rows.filter(access__user=sender.account.pk)


def _machine_rows(sender: Sender) -> QuerySet[Equipment]:
    return Equipment.objects.filter(customer__in=_customer_rows(sender).values("pk"))


def _plain(texts: Iterable[str]) -> set[str]:
    """Leave out what no text of the database can be."""
    return {text for text in texts if "\x00" not in text}


_Rows = Callable[[Sender], QuerySet[Model]]
_Find = Callable[[list[Subject], Sender], Found]


def _by_field(rows: _Rows, field: str) -> tuple[_Rows, _Find]:
    return rows, _referenced(rows, field)


#: Of each kind, the rows that a sender may mean, and how they are found by what is no key and no number.
_KINDS: dict[str, tuple[_Rows, _Find]] = {
    "line": (lambda sender: OrderLine.objects.visible_to(sender.account), _lines),
    "parts_order": _by_field(lambda sender: PartsOrder.objects.visible_to(sender.account), "reference"),
    "service_order": _by_field(lambda sender: ServiceOrder.objects.visible_to(sender.account), "reference"),
    "purchase_order_line": (_ordered_rows, _ordered),
    "part": (lambda sender: Part.objects.all(), _parts),
    "warehouse": _by_field(lambda sender: Warehouse.objects.all(), "code"),
    "customer": _by_field(_customer_rows, "code"),
    "region": _by_field(lambda sender: Region.objects.all(), "code"),
    "supplier": _by_field(lambda sender: Supplier.objects.all(), "code"),
    "equipment": (_machine_rows, _machines),
}

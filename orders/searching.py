"""Finds jobs, parts orders, lines, units, customers and machines by what people have in hand.

References, codes, tracking and serial numbers are found by their beginning, without case and separators, and `so 12` is
SO-000012. Names and titles are found by the beginnings of their words; titles of open jobs only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import F, Q, QuerySet, Value
from django.utils.translation import gettext as _

from orders.models import Customer, Equipment, OrderLine, PartsOrder, ServiceOrder, Shipment, ShippedSerial
from orders.querysets import sees_all
from orders.statuses import SERVICE_ORDER_OPEN
from parts.lookups import Key, beginnings, key_of
from parts.models import DeliverySerial, Part
from parts.searching import by_key, by_words, is_searchable, together

#: `so 12`, `P-7/2.1`, `12`: letters, number, and of a line its place.
_NUMBERED = re.compile(r"\s*(?P<letters>[A-Za-z]*)[\s\-#]*(?P<number>[0-9]{1,9})\s*(?P<place>/[0-9./]*)?\s*")
JOB, ORDER, BACK_ORDER = "SO", "P", "B"
#: How many digits a reference has at least.
DIGITS = 6
#: How many customers or machines a text may mean where their orders are looked for.
MOST = 300


@dataclass(frozen=True, slots=True)
class Found:
    """A row, whether it is exactly what was asked for, and by what else than its reference it was found."""

    row: Any
    is_exact: bool
    via: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody typed: the text, and the reference it would be of a job, an order and a line (empty: of none)."""

    text: str
    job: str = ""
    order: str = ""
    line: str = ""

    @classmethod
    def of(cls, text: str) -> Asked:
        """Read a text. The back order B-000012/1.1 is that of the line P-000012/1.1; `SO-00` is only a beginning."""
        found = _NUMBERED.fullmatch(text)
        if found is None or (found["letters"] and found["number"].startswith("0") and len(found["number"]) < DIGITS):
            return cls(text)
        letters, number, place = found["letters"].upper(), f"{int(found['number']):0{DIGITS}d}", found["place"] or ""
        is_order = letters in ("", ORDER, BACK_ORDER)
        return cls(
            text,
            job=f"{JOB}-{number}" if letters in ("", JOB) and not place else "",
            order=f"{ORDER}-{number}" if is_order else "",
            line=f"{ORDER}-{number}{place.rstrip('/')}" if is_order and len(place) > 1 else "",
        )


def find_jobs(text: str, person: User | AnonymousUser, most: int) -> list[Found]:
    """Return jobs by reference, the customer's reference, or words of their title. Two statements."""
    asked, rows = Asked.of(text), ServiceOrder.objects.visible_to(person)
    if not (is_searchable(text) or asked.job):
        return []
    ways = [
        by_key(rows, "reference", asked.job or text, most),
        by_key(rows.exclude(external_reference=""), "external_reference", text, most, via=Value(_("Reference"))),
    ]
    if beginnings(text):
        ways.append(by_words(rows.open(), "title", text, most))
    return _rows(rows.select_related("customer", "equipment"), ways, (text, asked.job), most)


def find_parts_orders(text: str, person: User | AnonymousUser, most: int) -> list[Found]:
    """Return parts orders by reference, the customer's reference, or a shipment of theirs. Two statements."""
    asked, rows = Asked.of(text), PartsOrder.objects.visible_to(person)
    if not (is_searchable(text) or asked.order):
        return []
    left = Shipment.objects.filter(order__in=rows) if not sees_all(person) else Shipment.objects.all()
    ways = [
        by_key(rows, "reference", asked.order or text, most),
        by_key(rows.exclude(external_reference=""), "external_reference", text, most, via=Value(_("Reference"))),
        by_key(left, "reference", text, most, row="order_id", via=Value(_("Shipment"))),
        by_key(left.exclude(tracking_number=""), "tracking_number", text, most, row="order_id", via=F("carrier")),
    ]
    wanted = (text, "" if asked.line else asked.order)
    return _rows(rows.select_related("customer", "destination", "service_order"), ways, wanted, most)


def find_lines(text: str, person: User | AnonymousUser, most: int) -> list[Found]:
    """Return the lines of a parts order by their reference, or by that of their back order. One statement."""
    asked = Asked.of(text)
    if not asked.line:
        return []
    rows = OrderLine.objects.visible_to(person).filter(order__reference=asked.order, reference__startswith=asked.line)
    lines = rows.select_related("order__customer", "part__unit").order_by("position", "child_number", "id")[:most]
    return [Found(line, line.reference == asked.line) for line in lines]


def find_customers(text: str, person: User | AnonymousUser, most: int) -> list[Found]:
    """Return customers by code or words of their name; for the house only. Two statements."""
    if not (is_searchable(text) and sees_all(person)):
        return []
    rows = Customer.objects.all()
    ways = [by_key(rows, "code", text, most)]
    if beginnings(text):
        ways.append(by_words(rows, "name", text, most))
    found = _rows(rows.select_related("region"), ways, (text,), most)
    named = text.strip().casefold()
    return [Found(hit.row, hit.is_exact or hit.row.name.casefold() == named, hit.via) for hit in found]


def find_equipment(text: str, person: User | AnonymousUser, most: int) -> list[Found]:
    """Return machines by serial number or model; for the house only. Two statements."""
    if not (is_searchable(text) and sees_all(person)):
        return []
    rows = Equipment.objects.all()
    ways = [by_key(rows, "serial_number", text, most), by_key(rows, "model", text, most)]
    found = _rows(rows.select_related("customer"), ways, (text,), most)
    # A model is many machines: only its serial number is exactly one.
    return [Found(hit.row, key_of(hit.row.serial_number) == key_of(text)) for hit in found]


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of a part that was named by its serial number: with which order it left, or the note it came with."""

    serial: str
    part: Part
    order: PartsOrder | None = None
    shipment: Shipment | None = None
    note: str = ""


def find_units(text: str, person: User | AnonymousUser, most: int) -> list[Found]:
    """Return units by serial number, the latest leaving of each; one that did not leave, by its delivery.

    Others than staff find only what left for them. Two queries, one for them.
    """
    if not is_searchable(text):
        return []
    found: dict[tuple[UUID, str], Unit] = {}
    gone = ShippedSerial.objects.filter(serial__key_begins=text).select_related(
        "part", "shipment_line__shipment__order__customer", "shipment_line__shipment__order__destination"
    )
    if not sees_all(person):
        gone = gone.filter(shipment_line__shipment__order__in=PartsOrder.objects.visible_to(person))
    for row in gone.order_by(Key("serial"), "-id")[:most]:
        sent = row.shipment_line.shipment
        found.setdefault((row.part_id, key_of(row.serial)), Unit(row.serial, row.part, sent.order, sent))
    if sees_all(person):
        came = DeliverySerial.objects.filter(serial__key_begins=text).select_related("line__part", "line__delivery")
        for read in came.order_by(Key("serial"), "-id")[:most]:
            unit = Unit(read.serial, read.line.part, note=read.line.delivery.note_number)
            found.setdefault((read.line.part_id, key_of(read.serial)), unit)
    hits = [Found(unit, key == key_of(text)) for (_part, key), unit in found.items()]
    return sorted(hits, key=lambda hit: (not hit.is_exact, key_of(hit.row.serial)))[:most]


def _rows(rows: QuerySet[Any], ways: list[Any], wanted: tuple[str, ...], most: int) -> list[Found]:
    """Fetch what was found; exactly what was asked for comes first, then the newest."""
    found = together(ways, *{text for text in wanted if text})
    fetched = rows.in_bulk(list(found))
    hits = [Found(fetched[key], exact, via) for key, (exact, via) in found.items() if key in fetched]
    return sorted(hits, key=lambda hit: not hit.is_exact)[:most]


def customers_named(text: str) -> list[UUID]:
    """Return the keys of the customers with this code, or with words in their name that begin so; MOST at most.

    Keys, not a subquery: told them, PostgreSQL goes to their orders by index.
    """
    named = Q(code__key_is=text)
    if beginnings(text):
        named |= Q(name__has_words=text)
    return list(Customer.objects.filter(named).order_by().values_list("pk", flat=True)[:MOST])


def parts_numbered(text: str) -> list[UUID]:
    """Return the keys of the parts whose number begins so; MOST at most. Keys, for the reason above."""
    return list(Part.objects.filter(number__key_begins=text).order_by().values_list("pk", flat=True)[:MOST])


def orders_with(text: str) -> Q:
    """Return the condition on parts orders of a text: references by their beginning, and the customer."""
    if not is_searchable(text):
        return Q(pk__in=[])
    return (
        Q(reference__key_begins=Asked.of(text).order or text)
        | ~Q(external_reference="") & Q(external_reference__key_begins=text)
        | Q(customer__in=customers_named(text))
    )


def jobs_with(text: str, *, closed_too: bool = False) -> Q:
    """Return the condition on open jobs of a text: references and serials by their beginning, words of the title.

    With `closed_too` on all jobs; titles still of open ones only.
    """
    if not is_searchable(text):
        return Q(pk__in=[])
    machines = Equipment.objects.filter(serial_number__key_begins=text).order_by().values_list("pk", flat=True)
    found = (
        Q(reference__key_begins=Asked.of(text).job or text)
        | ~Q(external_reference="") & Q(external_reference__key_begins=text)
        | Q(equipment__in=list(machines[:MOST]))
        | Q(customer__in=customers_named(text))
    )
    if not beginnings(text):
        return found
    titled = Q(title__has_words=text)  # words, as indexed: of open jobs
    return found | (titled & Q(status__in=SERVICE_ORDER_OPEN) if closed_too else titled)

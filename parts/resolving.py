"""Which parts are meant by what somebody wrote down: numbers of any system, all of a list at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from parts.lookups import Key, key_of
from parts.models import Part, PartNumber, PartRelation, SupplierPart

#: Longer than any number; what is longer is not looked for.
LONGEST = 80


def parts_called(texts: Collection[str]) -> dict[str, list[Part]]:
    """Return by text the parts that have exactly this number, but for case and separators; none for an unknown one.

    Our own numbers come before those of other systems, these before suppliers': only where the first say nothing, the
    next are asked. Four statements at most, however many texts.
    """
    keys = {key_of(text) for text in texts if 0 < len(text) <= LONGEST and "\x00" not in text} - {""}
    found: dict[str, set[UUID]] = {}
    _add(found, Part.objects.annotate(key=Key("number")).filter(key__in=keys).values_list("key", "pk"))
    elsewhere = (
        (PartNumber.objects.all(), "number"),
        (SupplierPart.objects.exclude(supplier_number=""), "supplier_number"),
    )
    for rows, field in elsewhere:
        if missing := keys - set(found):
            _add(found, rows.annotate(key=Key(field)).filter(key__in=missing).values_list("key", "part_id"))
    wanted = {key for keys_of_text in found.values() for key in keys_of_text}
    parts = Part.objects.select_related("unit").in_bulk(wanted) if wanted else {}
    by_key = {
        key: sorted((parts[each] for each in known), key=lambda part: part.number) for key, known in found.items()
    }
    return {text: by_key.get(key_of(text), []) for text in texts}


def _add(found: dict[str, set[UUID]], rows: Iterable[tuple[str, UUID]]) -> None:
    for key, part_id in rows:
        found.setdefault(key, set()).add(part_id)


@dataclass(frozen=True, slots=True)
class StandIn:
    """A part that may take another's place: so many of it for one of the other. `supersedes` tells the newer from a
    mere substitute."""

    part: Part
    supersedes: bool
    factor: Decimal


def stand_ins(part_ids: Collection[UUID], *, on: date, equipment_model: str = "") -> dict[UUID, list[StandIn]]:
    """Return what may take the place of these parts on a day, in a machine of this model (empty: not known).

    A relation that is only for some models is left out unless the model is known and one of them; so are parts that
    can no longer be ordered. Newer ones come first. One statement.
    """
    in_effect = Q(effective_from__isnull=True) | Q(effective_from__lte=on)
    in_effect &= Q(effective_until__isnull=True) | Q(effective_until__gte=on)
    meant = Q(other__in=part_ids) | Q(part__in=part_ids, both_ways=True)
    rows = PartRelation.objects.filter(meant & in_effect).select_related("part__unit", "other__unit")
    found: dict[UUID, list[StandIn]] = {}
    wanted = set(part_ids)
    for row in rows.order_by("-kind", "part__number", "other__number", "id"):
        if row.equipment_models and equipment_model not in row.equipment_models:
            continue
        if row.other_id in wanted and row.part.is_active:
            supersedes = row.kind == "supersedes"
            found.setdefault(row.other_id, []).append(StandIn(row.part, supersedes, row.quantity_factor))
        if row.both_ways and row.part_id in wanted and row.other.is_active:
            found.setdefault(row.part_id, []).append(StandIn(row.other, False, 1 / row.quantity_factor))
    return found

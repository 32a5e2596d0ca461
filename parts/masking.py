"""What is for people of the house and for nobody else: one table, asked by the API, pages, webhooks and exports alike.

A field that is not named here is read by everybody who may see its row. Whether somebody may see the row at all is
decided by the querysets (`visible_to`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

#: Of what → the fields that staff reads, and what others read in their place.
FOR_STAFF: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "part": {"unit_cost": None, "core_charge": None},
        "parts_order": {"hold_reason": None},
        "event": {"actor": None, "source": None, "data": {}},
    }
)


def is_hidden(what: str, field: str, *, for_staff: bool) -> bool:
    """Tell whether a field is kept from a reader. Raises KeyError for what the table does not know."""
    return not for_staff and field in FOR_STAFF[what]


def masked(what: str, shown: Mapping[str, Any], *, for_staff: bool) -> dict[str, Any]:
    """Return the fields as a reader may read them: those for staff emptied for all others. Raises KeyError."""
    hidden = {} if for_staff else FOR_STAFF[what]
    return {name: hidden.get(name, value) for name, value in shown.items()}

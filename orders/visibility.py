"""Which stock somebody is shown: what any order may be promised, and of special stock what a rule lets them see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from parts.actors import Actor

VIEW_ALL_STOCK = "parts.view_all_stock"


@dataclass(frozen=True, slots=True)
class Sight:
    """Whose eyes look at stock, and whose order they look for (None: nobody's in particular)."""

    sees_all: bool
    person_id: int | None = None
    customer_id: UUID | None = None


def sight_of(actor: Actor, customer_id: UUID | None = None) -> Sight:
    """Return what an actor may see of stock while they serve an order of this customer. May query their rights."""
    return Sight(actor.may(VIEW_ALL_STOCK), actor.user_id, customer_id)


#: The kind of special stock of `level` in `warehouse`; NULL for what everybody sees. As `parts.querysets.IS_SPECIAL`.
SPECIAL_KIND = """
    CASE
        WHEN level.condition IN ('in_repair', 'loaner') THEN level.condition
        WHEN level.owner <> 'own' OR warehouse.kind = 'consignment' AND NOT warehouse.allocatable THEN 'consigned'
    END
"""

#: Whether `level` in `warehouse` may be seen. Parameters: sees_all, person, customer.
MAY_BE_SEEN = f"""
    %(sees_all)s::boolean
    OR ({SPECIAL_KIND}) IS NULL
    OR EXISTS (
        SELECT FROM orders_stockvisibilityrule AS rule
        WHERE rule.stock = ({SPECIAL_KIND})
            AND (rule.warehouse_id IS NULL OR rule.warehouse_id = warehouse.id)
            AND (rule.customer_id IS NULL OR rule.customer_id = %(customer)s::uuid)
            AND (rule.person_id IS NULL OR rule.person_id = %(person)s::integer)
    )
"""


def parameters(sight: Sight) -> dict[str, Any]:
    """Return what MAY_BE_SEEN needs to be told."""
    return {"sees_all": sight.sees_all, "person": sight.person_id, "customer": sight.customer_id}

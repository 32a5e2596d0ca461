"""The statement by which queues are looked at as they stand and as they would stand."""

from backorders.models import AllocationPolicy
from backorders.sql import DECADES, WAITING, rank

#: The names of the weights.
WEIGHTS = tuple(
    field.name for field in AllocationPolicy._meta.get_fields() if getattr(field, "decimal_places", None) is not None
)

#: A mark of all that an effect on all queues is worked out from: who waits, as what, and what is on order.
STATE = f"""
SELECT
    (SELECT revision FROM backorders_allocationpolicy WHERE name = 'default'),
    (
        SELECT sum(hashtextextended(concat_ws(' ', id, version, rank), 0)::numeric)
        FROM backorders_backorder
        WHERE status IN {WAITING}
    ),
    (
        SELECT sum(hashtextextended(
            concat_ws(' ', line.id, line.quantity - line.received - line.cancelled, line.expected_on), 0
        )::numeric)
        FROM parts_purchaseorderline AS line
        JOIN parts_purchaseorder AS purchase_order ON purchase_order.id = line.purchase_order_id
        WHERE line.is_open AND purchase_order.status = 'ordered'
    )
"""

#: The queues of some parts (NULL: all) as they stand and as they would, as deep as what is on order reaches in either.
#: Those on hold count on nothing and are left out. Who is to fill a warehouse may pass some supply by, and so does not
#: count for those behind. Parameters: the weights by name, pin, unpin, part_ids, changed (only parts in which a place
#: changes), deeper (units beyond what is on order), shallow, most. Returns per row also how many places change in all.
QUEUES = f"""
WITH policy AS MATERIALIZED (
    SELECT {", ".join(f"%({name})s::numeric AS {name}" for name in WEIGHTS)}
),
facts AS MATERIALIZED (
    SELECT
        waiting.id, waiting.part_id, waiting.quantity, waiting.excluded_warehouse_id, waiting.version, waiting.rank,
        waiting.minimum_fill,
        rank_facts ->> 'kind' AS kind, rank_facts ->> 'tier' AS tier, rank_facts ->> 'criticality' AS criticality,
        (rank_facts ->> 'downtime_cost')::numeric AS downtime_cost,
        (rank_facts ->> 'contract_points')::numeric AS contract_points, waiting.opened_at,
        CASE
            WHEN waiting.id = ANY(%(pin)s::uuid[]) THEN waiting.opened_at
            WHEN waiting.id <> ALL(%(unpin)s::uuid[]) THEN waiting.pinned_at
        END AS pinned_at
    FROM backorders_backorder AS waiting
    WHERE waiting.status IN {WAITING} AND NOT waiting.on_hold
        AND (%(part_ids)s::uuid[] IS NULL OR waiting.part_id = ANY(%(part_ids)s::uuid[]))
),
{DECADES},
ranked AS (
    SELECT facts.*, {rank("facts", "decades.decades")} AS new_rank
    FROM policy CROSS JOIN facts JOIN decades USING (downtime_cost)
),
placed AS MATERIALIZED (
    SELECT
        id, part_id, quantity, excluded_warehouse_id, version, minimum_fill,
        row_number() OVER present AS place, row_number() OVER proposed AS new_place,
        sum(CASE WHEN excluded_warehouse_id IS NULL THEN quantity ELSE 0 END) OVER present
            - quantity AS before,
        sum(CASE WHEN excluded_warehouse_id IS NULL THEN quantity ELSE 0 END) OVER proposed
            - quantity AS new_before
    FROM ranked
    WINDOW
        present AS (PARTITION BY part_id ORDER BY rank DESC, id ROWS UNBOUNDED PRECEDING),
        proposed AS (PARTITION BY part_id ORDER BY new_rank DESC, id ROWS UNBOUNDED PRECEDING)
),
moving AS (
    SELECT part_id, count(*) AS rows FROM placed WHERE place <> new_place GROUP BY part_id
),
coming AS (
    SELECT line.part_id, sum(line.quantity - line.received - line.cancelled) AS total
    FROM parts_purchaseorderline AS line
    JOIN parts_purchaseorder AS purchase_order ON purchase_order.id = line.purchase_order_id
    WHERE line.is_open AND purchase_order.status = 'ordered'
        AND (%(part_ids)s::uuid[] IS NULL OR line.part_id = ANY(%(part_ids)s::uuid[]))
    GROUP BY line.part_id
)
SELECT
    placed.id, placed.part_id, placed.quantity, placed.excluded_warehouse_id, placed.version, placed.place,
    placed.new_place, placed.minimum_fill, (SELECT coalesce(sum(rows), 0) FROM moving)
FROM placed
LEFT JOIN moving ON moving.part_id = placed.part_id
LEFT JOIN coming ON coming.part_id = placed.part_id
WHERE (NOT %(changed)s OR moving.part_id IS NOT NULL)
    AND (
        least(placed.before, placed.new_before) < coalesce(coming.total, 0) + %(deeper)s
        OR least(placed.place, placed.new_place) <= %(shallow)s
    )
ORDER BY placed.part_id, placed.place
LIMIT %(most)s + 1
"""

"""The hand-written statements of the queue: opening, reading its head, writing an allocation, pegging, ranking anew."""

from backorders.priority import PIN
from backorders.statuses import BACK_ORDER_WAITING
from orders.sql import APPEND_EVENTS

#: In the queue: what `status IN` asks.
WAITING = f"({', '.join(f'{status!r}' for status in BACK_ORDER_WAITING)})"


def rank(facts: str, decades: str = "") -> str:
    """Return the SQL of backorders.priority.rank over `policy` and a row with the facts' columns, `opened_at` and
    `pinned_at`. `decades` names the decimal logarithm of 1 + its cost of downtime where it is at hand (DECADES)."""
    decades = decades or f"log(1 + {facts}.downtime_cost)"
    return f"""(
    round(CASE {facts}.kind
        WHEN 'emergency' THEN policy.emergency WHEN 'service' THEN policy.service
        WHEN 'stock' THEN policy.stock ELSE policy.transfer END, 6)
    + round(CASE {facts}.tier
        WHEN 'platinum' THEN policy.platinum WHEN 'gold' THEN policy.gold
        WHEN 'silver' THEN policy.silver WHEN 'bronze' THEN policy.bronze ELSE 0 END, 6)
    + round(CASE {facts}.criticality
        WHEN 'A' THEN policy.criticality_a WHEN 'B' THEN policy.criticality_b ELSE policy.criticality_c END, 6)
    + CASE WHEN {facts}.downtime_cost = 0 THEN 0 ELSE round(policy.downtime * {decades}, 6) END
    + round(policy.contract * {facts}.contract_points, 6)
    - round(policy.ageing_per_day
        * extract(epoch FROM {facts}.opened_at - timestamptz '2000-01-01 00:00+00') / 86400, 6)
    + CASE WHEN {facts}.pinned_at IS NULL THEN 0 ELSE {PIN} END
)"""


#: The logarithms of the costs of downtime of many back orders, each cost once: one takes as long as the rest of a rank
#: ten times over, and a hundred thousand back orders have a few hundred costs. Over the CTE `facts`.
DECADES = """
decades AS MATERIALIZED (
    SELECT downtime_cost, log(1 + downtime_cost) AS decades
    FROM (SELECT DISTINCT downtime_cost FROM facts) AS cost
)
"""

#: Open back orders. The policy row is locked against a change of weights, so that no rank is computed by old ones.
#: Where supply is on order, the expected date is that of the purchase order line that covers all who stand before
#: and the new one: only what goes into a warehouse that serves orders and that the new one may be served from, and is
#: not overdue. It is never too early; the pegging that follows knows better who takes what.
#: Parameters: shortages, today, recorded_at and the ledger's. Returns (line, back order, reference, expected date).
OPEN = f"""
WITH policy AS MATERIALIZED (
    SELECT * FROM backorders_allocationpolicy WHERE name = 'default' FOR SHARE
),
{APPEND_EVENTS},
ranked AS (
    SELECT item.*, {rank("item")} AS rank
    FROM policy, json_to_recordset(%(shortages)s::json) AS item (
        id uuid, line_id uuid, reference text, part_id uuid, customer_id uuid, excluded_warehouse_id uuid,
        quantity numeric, minimum_fill numeric, kind text, tier text, criticality text, downtime_cost numeric,
        contract_points numeric, rank_facts text, opened_at timestamptz, pinned_at timestamptz, version integer,
        chain_hash text
    )
),
shortage AS (
    SELECT ranked.*, sum(quantity) OVER (PARTITION BY part_id ORDER BY ranked.rank DESC, id) AS upto
    FROM ranked
)
INSERT INTO backorders_backorder (
    id, line_id, part_id, customer_id, region_id, is_test, excluded_warehouse_id, status, quantity, opened_quantity,
    minimum_fill, on_hold, rank, rank_facts, opened_at, expected_on, reference, version, chain_hash, status_since,
    created_at
)
SELECT
    shortage.id, shortage.line_id, shortage.part_id, shortage.customer_id, parts_order.region_id, parts_order.is_test,
    shortage.excluded_warehouse_id, 'open', shortage.quantity, shortage.quantity, shortage.minimum_fill, false,
    shortage.rank, shortage.rank_facts::jsonb, shortage.opened_at,
    CASE WHEN EXISTS (
        SELECT FROM parts_purchaseorderline AS supply WHERE supply.part_id = shortage.part_id AND supply.is_open
    ) THEN (
        SELECT min(coverage.expected_on)
        FROM (
            SELECT
                supply.expected_on,
                sum(supply.quantity - supply.received - supply.cancelled) OVER (
                    ORDER BY supply.expected_on, supply.id
                ) AS covered
            FROM parts_purchaseorderline AS supply
            JOIN parts_purchaseorder AS purchase_order ON purchase_order.id = supply.purchase_order_id
            JOIN parts_warehouse AS warehouse ON warehouse.id = purchase_order.warehouse_id
            WHERE supply.part_id = shortage.part_id AND supply.is_open AND purchase_order.status = 'ordered'
                AND warehouse.allocatable AND warehouse.id IS DISTINCT FROM shortage.excluded_warehouse_id
                AND supply.expected_on >= %(today)s
        ) AS coverage
        WHERE coverage.covered >= shortage.upto + coalesce((
            SELECT sum(ahead.quantity)
            FROM backorders_backorder AS ahead
            WHERE ahead.part_id = shortage.part_id AND ahead.status IN {WAITING} AND NOT ahead.on_hold
                AND ahead.rank >= shortage.rank
        ), 0)
    ) END,
    shortage.reference, shortage.version, decode(shortage.chain_hash, 'hex'), shortage.opened_at, %(recorded_at)s
FROM shortage
JOIN orders_orderline AS line ON line.id = shortage.line_id
JOIN orders_partsorder AS parts_order ON parts_order.id = line.order_id
RETURNING line_id, id, reference, expected_on
"""


def _page(wanted: str, condition: str = "") -> str:
    """Return the SQL that reads so many back orders of each wanted part, by rank."""
    return f"""
SELECT
    head.id, head.line_id, line.order_id, head.part_id, head.quantity, head.minimum_fill, head.rank,
    head.excluded_warehouse_id, head.on_hold
FROM unnest({wanted}
CROSS JOIN LATERAL (
    SELECT waiting.*
    FROM backorders_backorder AS waiting
    WHERE waiting.part_id = wanted.part_id AND waiting.status IN {WAITING}{condition}
    ORDER BY waiting.rank DESC, waiting.id
    LIMIT wanted.most
) AS head
JOIN orders_orderline AS line ON line.id = head.line_id
ORDER BY head.part_id, head.rank DESC, head.id
"""


#: The head of the queue of each part. Parameters: part_ids, most (how many rows of each part at most).
QUEUE_HEAD = _page("%(part_ids)s::uuid[], %(most)s::bigint[]) AS wanted (part_id, most)")

#: Those behind a back order who could take some of what is left: they are not on hold, and accept what of it does not
#: lie in the warehouse that they are to fill. Parameters: part_ids, most, and for each part the rank and id of the one
#: before, what is left, and (a JSON object) how much of it lies in which warehouse.
QUEUE_FURTHER = _page(
    """
    %(part_ids)s::uuid[], %(most)s::bigint[], %(ranks)s::numeric[], %(ids)s::uuid[], %(left)s::numeric[],
    %(there)s::jsonb[]
) AS wanted (part_id, most, rank, id, left_over, there)""",
    """
        AND waiting.rank <= wanted.rank AND (waiting.rank < wanted.rank OR waiting.id > wanted.id)
        AND NOT waiting.on_hold AND waiting.minimum_fill <= wanted.left_over
        AND (
            waiting.excluded_warehouse_id IS NULL
            OR wanted.left_over - coalesce((wanted.there ->> waiting.excluded_warehouse_id::text)::numeric, 0)
                >= greatest(waiting.minimum_fill, 0.001)
        )""",
)

#: Back orders as they stand, their orders' locks in hand. Parameters: ids or line_ids.
READ = """
SELECT
    back_order.id, back_order.reference, back_order.version, back_order.chain_hash, back_order.status,
    back_order.status_since, back_order.line_id, line.order_id, back_order.part_id, back_order.quantity,
    back_order.minimum_fill, back_order.rank, back_order.excluded_warehouse_id, back_order.on_hold,
    back_order.opened_quantity, back_order.closed_at, back_order.pinned_at
FROM backorders_backorder AS back_order
JOIN orders_orderline AS line ON line.id = back_order.line_id
WHERE back_order.id = ANY(%(ids)s::uuid[]) OR back_order.line_id = ANY(%(line_ids)s::uuid[])
ORDER BY back_order.part_id, back_order.rank DESC, back_order.id
"""

#: CTEs that write changed back orders and their events. Pegs are the pegging's alone, which clears those of back orders
#: that wait no more: to delete them here could meet one who pegs the same part and waits for us. The policy is held
#: before the first back order is, as it is by whoever opens one: who changes the weights locks it first and then ranks
#: all back orders anew, and must not meet one who holds some of them and wants the policy.
WRITE_BACK_ORDERS = f"""
held_policy AS MATERIALIZED (
    SELECT name FROM backorders_allocationpolicy WHERE name = 'default' FOR SHARE
),
{APPEND_EVENTS},
change AS (
    SELECT *
    FROM json_to_recordset(%(changes)s::json) AS item (
        id uuid, read_version integer, status text, quantity numeric, opened_quantity numeric, minimum_fill numeric,
        on_hold boolean, closed_at timestamptz, pinned_at timestamptz, version integer, chain_hash text,
        status_since timestamptz
    )
),
changed AS (
    UPDATE backorders_backorder AS back_order
    SET status = change.status, quantity = change.quantity, opened_quantity = change.opened_quantity,
        minimum_fill = change.minimum_fill, on_hold = change.on_hold, closed_at = change.closed_at,
        pinned_at = change.pinned_at,
        expected_on = CASE WHEN change.closed_at IS NULL AND NOT change.on_hold THEN back_order.expected_on END,
        version = change.version, chain_hash = decode(change.chain_hash, 'hex'), status_since = change.status_since
    FROM change, held_policy
    WHERE back_order.id = change.id AND back_order.version = change.read_version
    RETURNING back_order.id
)"""

#: Write changed back orders alone. Parameters: changes and the ledger's. Returns how many.
WRITE = f"WITH {WRITE_BACK_ORDERS}\nSELECT count(*) FROM changed"

#: Write an allocation: the run, its decisions, what was allocated, and the back orders.
WRITE_ALLOCATION = f"""
WITH {WRITE_BACK_ORDERS},
new_run AS (
    INSERT INTO backorders_allocationrun (id, cause, actor, source, policy_revision, ran_at, parts)
    SELECT %(run_id)s, %(cause)s, %(actor)s, %(source)s, policy.revision, %(at)s, %(parts)s::jsonb
    FROM backorders_allocationpolicy AS policy
    WHERE policy.name = 'default'
),
new_decisions AS (
    INSERT INTO backorders_allocationdecision (
        id, run_id, back_order_id, part_id, outcome, rule, rank, asked, given, free_before, place
    )
    SELECT id, %(run_id)s, back_order_id, part_id, outcome, rule, rank, asked, given, free_before, place
    FROM json_to_recordset(%(decisions)s::json) AS item (
        id uuid, back_order_id uuid, part_id uuid, outcome text, rule text, rank numeric, asked numeric, given numeric,
        free_before numeric, place integer
    )
),
new_allocations AS (
    INSERT INTO backorders_allocation (
        id, back_order_id, line_id, movement_id, delivery_line_id, decision_id, quantity, allocated_at
    )
    SELECT id, back_order_id, line_id, movement_id, delivery_line_id, decision_id, quantity, %(at)s
    FROM json_to_recordset(%(allocations)s::json) AS item (
        id uuid, back_order_id uuid, line_id uuid, movement_id uuid, delivery_line_id uuid, decision_id uuid,
        quantity numeric
    )
)
SELECT count(*) FROM changed
"""

#: Rank waiting back orders anew by the weights as they are now. Parameter: ids (NULL: all, and the queues that count on
#: something are to be dated). Returns how many changed.
RERANK = f"""
WITH policy AS MATERIALIZED (
    SELECT * FROM backorders_allocationpolicy WHERE name = 'default' FOR SHARE
),
facts AS MATERIALIZED (
    SELECT
        back_order.id, rank_facts ->> 'kind' AS kind, rank_facts ->> 'tier' AS tier,
        rank_facts ->> 'criticality' AS criticality, (rank_facts ->> 'downtime_cost')::numeric AS downtime_cost,
        (rank_facts ->> 'contract_points')::numeric AS contract_points, back_order.opened_at, back_order.pinned_at
    FROM backorders_backorder AS back_order
    WHERE back_order.status IN {WAITING} AND (%(ids)s::uuid[] IS NULL OR back_order.id = ANY(%(ids)s::uuid[]))
),
{DECADES},
ranked AS MATERIALIZED (
    SELECT facts.id, {rank("facts", "decades.decades")} AS rank
    FROM policy CROSS JOIN facts JOIN decades USING (downtime_cost)
),
changed AS (
    UPDATE backorders_backorder AS back_order
    SET rank = ranked.rank
    FROM ranked
    WHERE back_order.id = ranked.id AND back_order.rank <> ranked.rank
    RETURNING back_order.part_id
),
due AS (
    INSERT INTO backorders_duequeue (part_id)
    SELECT DISTINCT part_id FROM changed
    WHERE %(ids)s::uuid[] IS NULL AND part_id IN (
        SELECT line.part_id
        FROM parts_purchaseorderline AS line
        JOIN parts_purchaseorder AS purchase_order ON purchase_order.id = line.purchase_order_id
        WHERE line.is_open AND purchase_order.status = 'ordered'
    )
)
SELECT count(*) FROM changed
"""

#: What is still to come of some parts into warehouses that serve orders. Parameter: part_ids.
SUPPLY = """
SELECT
    line.id, line.part_id, purchase_order.warehouse_id, line.quantity - line.received - line.cancelled,
    line.expected_on
FROM parts_purchaseorderline AS line
JOIN parts_purchaseorder AS purchase_order ON purchase_order.id = line.purchase_order_id
JOIN parts_warehouse AS warehouse ON warehouse.id = purchase_order.warehouse_id
WHERE line.part_id = ANY(%(part_ids)s::uuid[]) AND line.is_open AND purchase_order.status = 'ordered'
    AND warehouse.allocatable
"""

#: The queues of some parts by rank, as deep as what is on order reaches. Who waits to fill a warehouse into which some
#: of it goes may pass that by, and so does not count for those behind. Parameters: part_ids, and for each part the
#: total on order and the warehouses it goes into (a JSON list).
QUEUE_FOR_SUPPLY = f"""
SELECT queue.id, wanted.part_id, queue.quantity, queue.excluded_warehouse_id
FROM unnest(%(part_ids)s::uuid[], %(totals)s::numeric[], %(warehouses)s::jsonb[])
    AS wanted (part_id, total, warehouses)
CROSS JOIN LATERAL (
    SELECT
        waiting.id, waiting.quantity, waiting.excluded_warehouse_id, waiting.rank,
        sum(CASE WHEN wanted.warehouses ? waiting.excluded_warehouse_id::text THEN 0 ELSE waiting.quantity END) OVER (
            ORDER BY waiting.rank DESC, waiting.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS before
    FROM backorders_backorder AS waiting
    WHERE waiting.part_id = wanted.part_id AND waiting.status IN {WAITING} AND NOT waiting.on_hold
) AS queue
WHERE coalesce(queue.before, 0) < wanted.total
ORDER BY wanted.part_id, queue.rank DESC, queue.id
"""

#: Write the pegs of some parts' queues and the expected days that follow: NULL where no supply, or none with a day,
#: covers all that a back order misses. A back order that somebody has changed meanwhile, or is just changing, is left
#: to the pegging that its own event asks for. Parameters: part_ids, pegs, days (of those that have one).
#: Returns (back order, expected before, expected now) of each day that changed.
PEG = f"""
WITH part AS (
    SELECT unnest(%(part_ids)s::uuid[]) AS id
),
waiting AS MATERIALIZED (
    SELECT back_order.id, back_order.version, back_order.on_hold, back_order.expected_on
    FROM backorders_backorder AS back_order
    WHERE back_order.part_id IN (SELECT id FROM part) AND back_order.status IN {WAITING}
),
peg AS MATERIALIZED (
    SELECT item.*
    FROM json_to_recordset(%(pegs)s::json) AS item (
        back_order_id uuid, purchase_order_line_id uuid, quantity numeric, expected_on date
    )
    JOIN waiting ON waiting.id = item.back_order_id AND NOT waiting.on_hold
),
dropped AS (
    DELETE FROM backorders_peg AS old
    USING backorders_backorder AS back_order
    WHERE back_order.id = old.back_order_id AND back_order.part_id IN (SELECT id FROM part)
      AND NOT EXISTS (
          SELECT FROM peg
          WHERE peg.back_order_id = old.back_order_id AND peg.purchase_order_line_id = old.purchase_order_line_id
      )
),
written AS (
    INSERT INTO backorders_peg (id, back_order_id, purchase_order_line_id, quantity, expected_on)
    SELECT gen_random_uuid(), back_order_id, purchase_order_line_id, quantity, expected_on FROM peg
    ON CONFLICT (back_order_id, purchase_order_line_id) DO UPDATE
    SET quantity = excluded.quantity, expected_on = excluded.expected_on
    WHERE (backorders_peg.quantity, backorders_peg.expected_on)
        IS DISTINCT FROM (excluded.quantity, excluded.expected_on)
),
moved AS MATERIALIZED (
    SELECT waiting.id, waiting.version, waiting.expected_on AS before, expected.day AS now
    FROM waiting
    LEFT JOIN json_to_recordset(%(days)s::json) AS expected (back_order_id uuid, day date)
        ON expected.back_order_id = waiting.id AND NOT waiting.on_hold
    WHERE waiting.expected_on IS DISTINCT FROM expected.day
),
free AS MATERIALIZED (
    SELECT back_order.id, moved.before, moved.now
    FROM backorders_backorder AS back_order
    JOIN moved ON moved.id = back_order.id AND moved.version = back_order.version
    ORDER BY back_order.id
    FOR NO KEY UPDATE OF back_order SKIP LOCKED
),
changed AS (
    UPDATE backorders_backorder AS back_order
    SET expected_on = free.now
    FROM free
    WHERE back_order.id = free.id
    RETURNING back_order.id, free.before, free.now
)
SELECT * FROM changed
"""

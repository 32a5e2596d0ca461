"""The statements by which stock is locked and reserved; placing an order weaves RESERVE into its own statement."""

#: Lock every level of some parts by key, and read those that serve orders with what sourcing must know.
#: All are locked, so that whoever needs more of them later in the transaction never locks out of order.
#: `soft` is the part of `reserved` that softer demand holds and service demand may take back.
LOCK_LEVELS = """
WITH level AS MATERIALIZED (
    SELECT level.*
    FROM parts_stocklevel AS level
    WHERE level.part_id = ANY(%(part_ids)s::uuid[])
    ORDER BY level.id
    FOR NO KEY UPDATE
)
SELECT
    level.id, level.part_id, level.warehouse_id, level.condition, level.on_hand - level.unfit - level.reserved,
    warehouse.region_id, warehouse.latitude, warehouse.longitude, warehouse.cut_off, region.time_zone,
    coalesce((
        SELECT sum(reservation.quantity)
        FROM parts_reservation AS reservation
        WHERE reservation.level_id = level.id AND reservation.status = 'active' AND reservation.strength = 'soft'
    ), 0)
FROM level
JOIN parts_warehouse AS warehouse ON warehouse.id = level.warehouse_id
JOIN parts_region AS region ON region.id = warehouse.region_id
WHERE warehouse.allocatable AND level.owner = 'own' AND level.condition IN ('new', 'refurbished')
"""

#: Soft reservations of some parts in places that serve orders, the newest first. Parameters: part_ids, besides (a
#: warehouse to leave out).
SOFT_HOLDERS = """
SELECT reservation.demand_id, level.part_id, reservation.quantity
FROM parts_reservation AS reservation
JOIN parts_stocklevel AS level ON level.id = reservation.level_id
JOIN parts_warehouse AS warehouse ON warehouse.id = level.warehouse_id
WHERE level.part_id = ANY(%(part_ids)s::uuid[]) AND warehouse.allocatable
  AND level.owner = 'own' AND level.condition IN ('new', 'refurbished')
  AND level.warehouse_id IS DISTINCT FROM %(besides)s::uuid
  AND reservation.status = 'active' AND reservation.strength = 'soft'
ORDER BY reservation.created_at DESC, reservation.id DESC
"""

#: CTEs that write reservations, their movements and the levels. The levels are locked and hold enough; the constraint
#: `stock_level_nothing_promised_twice` refuses what a mistake would promise twice.
#: Parameters: reservations (JSON), at, recorded_at, actor, source.
RESERVE = """
wanted AS (
    SELECT *
    FROM json_to_recordset(%(reservations)s::json) AS item (
        id uuid, movement_id uuid, level_id uuid, demand_id uuid, quantity numeric, purpose text, strength text,
        expires_at timestamptz
    )
),
reserved_levels AS (
    UPDATE parts_stocklevel AS level
    SET reserved = level.reserved + total.quantity
    FROM (SELECT level_id, sum(quantity) AS quantity FROM wanted GROUP BY level_id) AS total
    WHERE level.id = total.level_id
    RETURNING level.id
),
new_reservations AS (
    INSERT INTO parts_reservation (
        id, level_id, demand_id, purpose, strength, status, quantity, expires_at, created_at
    )
    SELECT id, level_id, demand_id, purpose, strength, 'active', quantity, expires_at, %(at)s FROM wanted
),
new_movements AS (
    INSERT INTO parts_stockmovement (
        id, level_id, kind, on_hand_change, reserved_change, unfit_change, reservation_id, occurred_at, recorded_at,
        actor, source
    )
    SELECT
        movement_id, level_id, 'reservation', 0, quantity, 0, id, %(at)s, %(recorded_at)s, %(actor)s, %(source)s
    FROM wanted
)"""

#: RESERVE as a statement of its own.
RESERVE_ALONE = f"WITH {RESERVE}\nSELECT count(*) FROM reserved_levels"

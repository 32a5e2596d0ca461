"""Statements that read and write stock. Each writes all its rows at once; levels always follow from the movements.

Lock order, each by primary key: parts, levels, reservations, purchase orders, their lines; then what higher floors
lock. Whoever adds a level first takes its part FOR UPDATE. Whoever must not miss a new level, or frees stock (which
lets a higher floor write rows that refer to the part), takes the part FOR KEY SHARE before the levels: a foreign key
that asked for it later could meet one who holds the part and waits for the level.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from parts.keys import new_key
from parts.rules import ZERO
from parts.sql.statement import Statement
from parts.statuses import MovementKind

# --- Building blocks of the writing statements -----------------------------------------------------------------------

#: Reads `movements` from the document and sums them up per level.
MOVEMENTS = """
WITH given AS (
    SELECT %(document)s::jsonb AS d
), movement AS (
    SELECT m.*
    FROM given, jsonb_to_recordset(d -> 'movements') AS m(
        id uuid, level_id uuid, kind text, on_hand_change numeric, reserved_change numeric, unfit_change numeric,
        reservation_id uuid, delivery_line_id uuid, correction_id uuid, transfer_id uuid, demand_id uuid
    )
), change AS (
    SELECT level_id, sum(on_hand_change) AS on_hand, sum(reserved_change) AS reserved, sum(unfit_change) AS unfit
    FROM movement
    GROUP BY level_id
)"""

#: Brings the levels that exist up to date.
LEVELS_CHANGED = """, level_changed AS (
    UPDATE parts_stocklevel AS level
    SET on_hand = level.on_hand + change.on_hand,
        reserved = level.reserved + change.reserved,
        unfit = level.unfit + change.unfit
    FROM change
    WHERE level.id = change.level_id
)"""

#: Adds the document's new `levels`, with what its movements bring them.
LEVELS_ADDED = """, level_added AS (
    INSERT INTO parts_stocklevel (id, part_id, warehouse_id, condition, owner, on_hand, reserved, unfit)
    SELECT n.id, n.part_id, n.warehouse_id, n.condition, n.owner, change.on_hand, change.reserved, change.unfit
    FROM given, jsonb_to_recordset(d -> 'levels') AS n(
        id uuid, part_id uuid, warehouse_id uuid, condition text, owner text
    )
    JOIN change ON change.level_id = n.id
)"""

#: Writes the movements down; the end of each statement.
MOVEMENTS_ADDED = """
INSERT INTO parts_stockmovement (
    id, level_id, kind, on_hand_change, reserved_change, unfit_change,
    reservation_id, delivery_line_id, correction_id, transfer_id, demand_id, occurred_at, actor, source
)
SELECT id, level_id, kind, on_hand_change, reserved_change, unfit_change,
    reservation_id, delivery_line_id, correction_id, transfer_id, demand_id,
    %(at)s::timestamptz, %(actor)s::text, %(source)s::text
FROM movement
"""


def movement(kind: MovementKind, level_id: UUID, **values: Any) -> dict[str, Any]:
    """Return one movement for a document: its changes (`on_hand_change` …, zero where not given) and its cause."""
    return {
        "id": new_key(),
        "level_id": level_id,
        "kind": kind.value,
        "on_hand_change": ZERO,
        "reserved_change": ZERO,
        "unfit_change": ZERO,
        **values,
    }


# --- Reservations ----------------------------------------------------------------------------------------------------

#: Locks the parts that these demands hold, and all their levels, before what they hold is given to whoever waits.
LOCK_LEVELS_OF_DEMANDS = Statement(
    "parts.lock_levels_of_demands",
    """
WITH part AS MATERIALIZED (
    SELECT id
    FROM parts_part
    WHERE id IN (
        SELECT level.part_id
        FROM parts_reservation AS reservation
        JOIN parts_stocklevel AS level ON level.id = reservation.level_id
        WHERE reservation.demand_id = ANY(%(demand_ids)s::uuid[]) AND reservation.status = ANY(%(statuses)s::text[])
    )
    ORDER BY id
    FOR KEY SHARE
)
SELECT level.id
FROM parts_stocklevel AS level
WHERE level.part_id IN (SELECT id FROM part)
ORDER BY level.id
FOR NO KEY UPDATE OF level
""",
)

#: Locks the levels of these demands' reservations, then the reservations, and reads both as they are under the lock.
LOCK_RESERVATIONS = Statement(
    "parts.lock_reservations",
    """
SELECT reservation.id, reservation.demand_id, reservation.level_id, level.part_id, reservation.status,
    reservation.quantity
FROM parts_reservation AS reservation
JOIN parts_stocklevel AS level ON level.id = reservation.level_id
WHERE reservation.demand_id = ANY(%(demand_ids)s::uuid[]) AND reservation.status = ANY(%(statuses)s::text[])
ORDER BY level.id, reservation.id
FOR NO KEY UPDATE OF level, reservation
""",
)

#: Ends reservations: by their release or by the issue of the goods, as the document's movements say.
CLOSE_RESERVATIONS = Statement(
    "parts.close_reservations",
    MOVEMENTS
    + LEVELS_CHANGED
    + """, reservation_closed AS (
    UPDATE parts_reservation AS reservation
    SET status = %(status)s::text, closed_at = %(at)s::timestamptz
    FROM movement
    WHERE reservation.id = movement.reservation_id
)"""
    + MOVEMENTS_ADDED,
)

#: Takes the quantities of the document's `splits` out of their reservations into new ones; the levels stay as they are.
SPLIT_RESERVATIONS = Statement(
    "parts.split_reservations",
    """
WITH split AS (
    SELECT s.*
    FROM jsonb_to_recordset(%(document)s::jsonb -> 'splits') AS s(
        id uuid, reservation_id uuid, demand_id uuid, quantity numeric
    )
), taken AS (
    SELECT reservation_id, sum(quantity) AS quantity FROM split GROUP BY reservation_id
), reduced AS (
    UPDATE parts_reservation AS reservation
    SET quantity = reservation.quantity - taken.quantity
    FROM taken
    WHERE reservation.id = taken.reservation_id
)
INSERT INTO parts_reservation (
    id, level_id, demand_id, purpose, strength, status, quantity, expires_at, created_at
)
SELECT split.id, origin.level_id, split.demand_id, origin.purpose, origin.strength, origin.status, split.quantity,
    origin.expires_at, %(at)s::timestamptz
FROM split
JOIN parts_reservation AS origin ON origin.id = split.reservation_id
""",
)

#: Gives reservations to other demands, as the document's `moves` say.
REASSIGN_RESERVATIONS = Statement(
    "parts.reassign_reservations",
    """
UPDATE parts_reservation AS reservation
SET demand_id = move.demand_id
FROM jsonb_to_recordset(%(document)s::jsonb -> 'moves') AS move(reservation_id uuid, demand_id uuid)
WHERE reservation.id = move.reservation_id
""",
)

#: Writes goods that came back to the levels they were issued from.
RETURN_TO_STOCK = Statement("parts.return_to_stock", MOVEMENTS + LEVELS_CHANGED + MOVEMENTS_ADDED)

#: Writes goods that arrived where they were ordered for, and the levels they bring into being.
BOOK_ARRIVALS = Statement("parts.book_arrivals", MOVEMENTS + LEVELS_CHANGED + LEVELS_ADDED + MOVEMENTS_ADDED)

#: Takes arrivals back out of their levels.
TAKE_BACK_ARRIVALS = Statement("parts.take_back_arrivals", MOVEMENTS + LEVELS_CHANGED + MOVEMENTS_ADDED)

# --- Levels ----------------------------------------------------------------------------------------------------------

#: Tells for each of the document's `keys` whether part and warehouse exist, how many decimals the part's unit has, and
#: whether the level is there already. Read without a lock: levels are never deleted, so a level found stays.
READ_LEVEL_FACTS = Statement(
    "parts.read_level_facts",
    """
SELECT unit.decimals, warehouse.id IS NOT NULL, level.id
FROM jsonb_to_recordset(%(document)s::jsonb -> 'keys') AS key(
    place int, part_id uuid, warehouse_id uuid, condition text, owner text
)
LEFT JOIN parts_part AS part ON part.id = key.part_id
LEFT JOIN parts_unitofmeasure AS unit ON unit.code = part.unit_id
LEFT JOIN parts_warehouse AS warehouse ON warehouse.id = key.warehouse_id
LEFT JOIN parts_stocklevel AS level
    ON level.part_id = key.part_id AND level.warehouse_id = key.warehouse_id
    AND level.condition = key.condition AND level.owner = key.owner
ORDER BY key.place
""",
)

#: Locks parts against new levels being added by anybody else, and against orders that would overlook one.
LOCK_PARTS = Statement(
    "parts.lock_parts",
    """
SELECT id FROM parts_part WHERE id = ANY(%(part_ids)s::uuid[]) ORDER BY id FOR UPDATE
""",
)

#: Holds parts against new levels being added by anybody else. Levels locked by a later statement are all there are.
HOLD_PARTS = Statement(
    "parts.hold_parts",
    """
SELECT id FROM parts_part WHERE id = ANY(%(part_ids)s::uuid[]) ORDER BY id FOR KEY SHARE
""",
)

#: Holds parts, locks all their levels and reads these as they are under the lock. All of them, although an action may
#: change one: what it frees may go to an order that looks at the part's other levels too. A level that was being added
#: while this waited is not among them; who needs it takes LOCK_PARTS first.
LOCK_LEVELS_OF_PARTS = Statement(
    "parts.lock_levels_of_parts",
    """
WITH part AS MATERIALIZED (
    SELECT id FROM parts_part WHERE id = ANY(%(part_ids)s::uuid[]) ORDER BY id FOR KEY SHARE
)
SELECT level.id, level.part_id, level.warehouse_id, level.condition, level.owner,
    level.on_hand, level.reserved, level.unfit
FROM parts_stocklevel AS level
WHERE level.part_id IN (SELECT id FROM part)
ORDER BY level.id
FOR NO KEY UPDATE OF level
""",
)

#: Writes corrections with their reasons, and the levels they bring into being.
CORRECT_STOCK = Statement(
    "parts.correct_stock",
    MOVEMENTS
    + LEVELS_CHANGED
    + LEVELS_ADDED
    + """, correction_added AS (
    INSERT INTO parts_stockcorrection (id, level_id, reason, note, reference, actor, created_at)
    SELECT c.id, c.level_id, c.reason, c.note, c.reference, %(actor)s::text, %(at)s::timestamptz
    FROM given, jsonb_to_recordset(d -> 'corrections') AS c(
        id uuid, level_id uuid, reason text, note text, reference text
    )
)"""
    + MOVEMENTS_ADDED,
)

#: Writes a transfer: out of one level, into another, which it may bring into being.
TRANSFER_STOCK = Statement(
    "parts.transfer_stock",
    MOVEMENTS
    + LEVELS_CHANGED
    + LEVELS_ADDED
    + """, transfer_added AS (
    INSERT INTO parts_stocktransfer (id, source_id, destination_id, quantity, reason, actor, created_at)
    VALUES (
        %(transfer_id)s::uuid, %(source_id)s::uuid, %(destination_id)s::uuid, %(quantity)s::numeric, %(reason)s::text,
        %(actor)s::text, %(at)s::timestamptz
    )
)"""
    + MOVEMENTS_ADDED,
)

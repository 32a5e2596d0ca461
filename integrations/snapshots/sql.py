"""The hand-written statements that compare millions of rows with the books.

What a file says lies in temporary tables of the loader's own session, so that it costs no log, bloats no table and is
gone with the loader. Only the comparison touches the books, a slice of the parts at a time, and locks nothing.
"""

from parts.sql.statement import Statement

_KEY = "translate(upper({text}), ' -./_#:()+,*', '') COLLATE \"C\""

#: What the rows of the file say, as they are copied in.
STAGE = Statement(
    "integrations.snapshot_stage",
    """
CREATE TEMPORARY TABLE snapshot_row (
    part_number text NOT NULL, warehouse text NOT NULL, condition text NOT NULL, owner text NOT NULL,
    on_hand numeric NOT NULL, unfit numeric
)
""",
)

COPY_ROWS = "COPY pg_temp.snapshot_row (part_number, warehouse, condition, owner, on_hand, unfit) FROM STDIN"

#: Forget what an earlier file left in this session.
CLEAR = Statement(
    "integrations.snapshot_clear",
    "DROP TABLE IF EXISTS pg_temp.snapshot_row, pg_temp.snapshot_called, pg_temp.snapshot_place,"
    " pg_temp.snapshot_stock",
)

#: Which part each number means: as the system itself calls it, else our own number, else whatever anybody calls so.
#: `part_id` is null where nothing is called so, or more than one thing. Parameters: system (its code).
FIND_PARTS = Statement(
    "integrations.snapshot_find_parts",
    f"""
CREATE TEMPORARY TABLE snapshot_called AS
WITH called AS (
    SELECT part_number, {_KEY.format(text="part_number")} AS key
    FROM (SELECT DISTINCT part_number FROM pg_temp.snapshot_row) AS named
),
theirs AS (
    SELECT called.part_number, min(number.part_id::text) AS part_id
    FROM called
    JOIN parts_partnumber AS number
        ON {_KEY.format(text="number.number")} = called.key AND lower(number.system) = lower(%(system)s)
    GROUP BY called.part_number HAVING count(DISTINCT number.part_id) = 1
),
ours AS (
    SELECT called.part_number, min(part.id::text) AS part_id
    FROM called
    JOIN parts_part AS part ON {_KEY.format(text="part.number")} = called.key
    GROUP BY called.part_number HAVING count(*) = 1
),
anybodys AS (
    SELECT called.part_number, min(number.part_id::text) AS part_id
    FROM called
    JOIN parts_partnumber AS number ON {_KEY.format(text="number.number")} = called.key
    GROUP BY called.part_number HAVING count(DISTINCT number.part_id) = 1
)
SELECT called.part_number, coalesce(theirs.part_id, ours.part_id, anybodys.part_id)::uuid AS part_id
FROM called
LEFT JOIN theirs USING (part_number)
LEFT JOIN ours USING (part_number)
LEFT JOIN anybodys USING (part_number)
""",
)

FIND_PLACES = Statement(
    "integrations.snapshot_find_places",
    """
CREATE TEMPORARY TABLE snapshot_place AS
SELECT named.warehouse, place.id AS warehouse_id
FROM (SELECT DISTINCT warehouse FROM pg_temp.snapshot_row) AS named
LEFT JOIN parts_warehouse AS place ON lower(place.code) = lower(named.warehouse)
""",
)

#: What the file says of each stock, its bins and batches added up; `named` is how it calls what we do not know.
ADD_UP = Statement(
    "integrations.snapshot_add_up",
    """
CREATE TEMPORARY TABLE snapshot_stock AS
SELECT
    called.part_id, place.warehouse_id, item.condition, item.owner,
    CASE WHEN called.part_id IS NULL OR place.warehouse_id IS NULL
        THEN item.part_number || ' · ' || item.warehouse ELSE '' END AS named,
    sum(item.on_hand) AS on_hand, sum(item.unfit) AS unfit, count(*) AS rows
FROM pg_temp.snapshot_row AS item
JOIN pg_temp.snapshot_called AS called USING (part_number)
JOIN pg_temp.snapshot_place AS place USING (warehouse)
GROUP BY 1, 2, 3, 4, 5
""",
)

INDEX = Statement(
    "integrations.snapshot_index", "CREATE INDEX snapshot_stock_by_part ON pg_temp.snapshot_stock (part_id)"
)

ANALYZE = Statement("integrations.snapshot_analyze", "ANALYZE pg_temp.snapshot_stock")

#: Where the slices end: the keys of parts, each so many stocks further on. Parameters: size. The last goes on to the
#: end of the keys.
SLICES = Statement(
    "integrations.snapshot_slices",
    """
SELECT part_id FROM (
    SELECT part_id, row_number() OVER (ORDER BY part_id) AS place
    FROM pg_temp.snapshot_stock WHERE part_id IS NOT NULL AND warehouse_id IS NOT NULL
) AS ordered
WHERE place %% %(size)s = 0
GROUP BY part_id ORDER BY part_id
""",
)

#: How many stocks the file is about.
COUNT = Statement("integrations.snapshot_count", "SELECT count(*) FROM pg_temp.snapshot_stock")

#: What has happened to levels since a moment, but for what puts the past right: counts, imports.
_SINCE = """
    SELECT movement.level_id, sum(movement.on_hand_change) AS on_hand, sum(movement.unfit_change) AS unfit
    FROM parts_stockmovement AS movement
    LEFT JOIN parts_stockcorrection AS correction ON correction.id = movement.correction_id
    WHERE {which} AND movement.occurred_at > %(as_of)s
        AND (correction.id IS NULL OR correction.reason NOT IN ('count', 'import'))
        AND (movement.on_hand_change <> 0 OR movement.unfit_change <> 0)
    GROUP BY movement.level_id
"""

#: Compare a slice: the parts after `first`, up to `last`. Writes down what differs, as pending, and returns how many
#: are the same, different, only in our books, and beyond the tolerance, and what they are worth. Parameters: snapshot,
#: first, last, as_of, since (the smallest key of a movement that can be younger), is_complete.
COMPARE = Statement(
    "integrations.snapshot_compare",
    f"""
WITH since AS ({_SINCE.format(which="movement.id >= %(since)s")}),
theirs AS (
    SELECT part_id, warehouse_id, condition, owner, on_hand, unfit
    FROM pg_temp.snapshot_stock
    WHERE part_id > %(first)s AND part_id <= %(last)s AND warehouse_id IS NOT NULL
),
ours AS (
    SELECT
        level.id AS level_id, level.part_id, level.warehouse_id, level.condition, level.owner,
        level.on_hand - coalesce(since.on_hand, 0) AS on_hand, level.unfit - coalesce(since.unfit, 0) AS unfit
    FROM parts_stocklevel AS level
    LEFT JOIN since ON since.level_id = level.id
    WHERE level.part_id > %(first)s AND level.part_id <= %(last)s
        AND level.warehouse_id IN (SELECT warehouse_id FROM pg_temp.snapshot_place)
),
beside AS (
    SELECT
        part_id, warehouse_id, condition, owner, ours.level_id, theirs.on_hand IS NULL AS is_missing,
        coalesce(theirs.on_hand, 0) AS theirs, coalesce(ours.on_hand, 0) AS ours,
        theirs.unfit AS theirs_unfit, coalesce(ours.unfit, 0) AS ours_unfit
    FROM theirs FULL JOIN ours USING (part_id, warehouse_id, condition, owner)
    WHERE theirs.on_hand IS NOT NULL OR (%(is_complete)s AND ours.on_hand <> 0)
),
judged AS (
    SELECT beside.*, theirs <> ours OR coalesce(theirs_unfit <> ours_unfit, false) AS differs FROM beside
),
valued AS (
    SELECT
        judged.*, abs(theirs - ours) * part.unit_cost AS value,
        abs(theirs - ours) > abs(ours) * coalesce(tolerance.share, 0) / 100
            OR abs(theirs - ours) * part.unit_cost > tolerance.value AS is_beyond
    FROM judged
    JOIN parts_part AS part ON part.id = judged.part_id
    LEFT JOIN integrations_counttolerance AS tolerance ON tolerance.criticality = part.criticality
    WHERE differs
),
written AS (
    INSERT INTO integrations_snapshotdifference (
        id, snapshot_id, kind, part_id, warehouse_id, level_id, named, condition, owner, theirs, ours, theirs_unfit,
        ours_unfit, value, is_beyond, status, decided_by, reason, problem
    )
    SELECT
        gen_random_uuid(), %(snapshot)s, CASE WHEN is_missing THEN 'not_listed' ELSE 'quantity' END, part_id,
        warehouse_id, level_id, '', condition, owner, theirs, ours, theirs_unfit,
        CASE WHEN theirs_unfit IS NULL THEN NULL ELSE ours_unfit END, value, coalesce(is_beyond, false), 'pending', '',
        '', '{{}}'
    FROM valued
    RETURNING value
)
SELECT
    (SELECT count(*) FROM judged WHERE NOT differs AND NOT is_missing),
    (SELECT count(*) FROM judged WHERE differs AND NOT is_missing),
    (SELECT count(*) FROM judged WHERE differs AND is_missing),
    (SELECT count(*) FROM valued WHERE is_beyond),
    (SELECT coalesce(sum(value), 0) FROM written)
""",
)

#: Write down what the file names and we do not know. Parameters: snapshot, most. Returns how many there are.
UNKNOWN = Statement(
    "integrations.snapshot_unknown",
    """
WITH strange AS (
    SELECT * FROM pg_temp.snapshot_stock WHERE part_id IS NULL OR warehouse_id IS NULL
),
written AS (
    INSERT INTO integrations_snapshotdifference (
        id, snapshot_id, kind, part_id, warehouse_id, named, condition, owner, theirs, theirs_unfit, value, is_beyond,
        status, decided_by, reason, problem
    )
    SELECT
        gen_random_uuid(), %(snapshot)s, CASE WHEN warehouse_id IS NULL THEN 'unknown_place' ELSE 'unknown_part' END,
        part_id, warehouse_id, left(named, 200), condition, owner, on_hand, unfit, 0, false, 'pending', '', '', '{}'
    FROM strange
    ORDER BY on_hand DESC
    LIMIT %(most)s
)
SELECT count(*) FROM strange
""",
)

#: Let what a snapshot found be decided on, and what older ones of its system found of the same places be past.
#: Parameters: snapshot, system. In the session that compared it.
OPEN_DIFFERENCES = Statement(
    "integrations.snapshot_open",
    """
WITH older AS (
    UPDATE integrations_snapshotdifference AS old
    SET status = 'superseded'
    FROM integrations_inventorysnapshot AS snapshot
    WHERE snapshot.id = old.snapshot_id AND snapshot.system_id = %(system)s AND snapshot.id <> %(snapshot)s
        AND old.status = 'open'
        AND (old.warehouse_id IS NULL OR old.warehouse_id IN (SELECT warehouse_id FROM pg_temp.snapshot_place))
)
UPDATE integrations_snapshotdifference SET status = 'open' WHERE snapshot_id = %(snapshot)s AND status = 'pending'
""",
)

#: Per warehouse, how many differences are beyond the tolerance, their value, and the one that is worth most.
BEYOND = Statement(
    "integrations.snapshot_beyond",
    """
SELECT DISTINCT ON (found.warehouse_id)
    place.code, count(*) OVER places, sum(found.value) OVER places, found.level_id, part.number, found.theirs,
    found.ours
FROM integrations_snapshotdifference AS found
JOIN parts_warehouse AS place ON place.id = found.warehouse_id
JOIN parts_part AS part ON part.id = found.part_id
WHERE found.snapshot_id = %(snapshot)s AND found.is_beyond
WINDOW places AS (PARTITION BY found.warehouse_id)
ORDER BY found.warehouse_id, found.level_id IS NULL, found.value DESC, found.id
""",
)

#: What has happened to these levels since a moment. Parameters: levels, as_of.
SINCE = Statement("integrations.snapshot_since", _SINCE.format(which="movement.level_id = ANY(%(levels)s::uuid[])"))

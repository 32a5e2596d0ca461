"""How the ledger is searched: the newest events that fit, read along one index, and never more than so many of them.

Each way reads along the index of the rarest thing that is asked for and looks at the rest row by row. A way that reads
in order stops as soon as the page is full or LOOK_AT events were looked at, so that no question takes longer than that;
the page says then how far back it has looked. `{more}` are the other conditions.
"""

from orders.models.ledger import COMMON_KINDS

#: How many events one page looks at most.
LOOK_AT = 50_000

_RARE = ", ".join(f"'{kind}'" for kind in COMMON_KINDS)

#: What begins a way: a condition that its index answers. Those of partial indexes repeat the index's own condition.
ALL = "true"
PERSON = "event.actor = %(actor)s AND (event.actor LIKE 'user:%%' OR event.actor LIKE 'link:%%')"
RARE_KIND = f"event.kind = %(kind)s AND NOT event.kind IN ({_RARE})"
OVERRIDES = "event.is_override"
SUBJECTS = "event.subject_id = ANY(%(subjects)s::uuid[])"
SOURCE = "event.source = %(source)s"
MACHINE = "event.actor = %(actor)s"

#: The newest that fit, in the order of an index: it stops by itself. Parameters: before, since_id, look_at, size.
IN_ORDER = """
SELECT id
FROM (
    SELECT event.* FROM orders_orderevent AS event
    WHERE {way} AND event.id < %(before)s AND event.id >= %(since_id)s
    ORDER BY event.id DESC
    LIMIT %(look_at)s
) AS event
WHERE {more}
ORDER BY id DESC
LIMIT %(size)s
"""

#: Where IN_ORDER has stopped looking; no row where it came to the end.
STOPPED_AT = """
SELECT event.id FROM orders_orderevent AS event
WHERE {way} AND event.id < %(before)s AND event.id >= %(since_id)s
ORDER BY event.id DESC
OFFSET %(look_at)s - 1 LIMIT 1
"""

#: The newest of the few that there are; all of them are read, in no order.
OF_FEW = """
WITH event AS MATERIALIZED (
    SELECT event.* FROM orders_orderevent AS event
    WHERE {way} AND event.id < %(before)s AND event.id >= %(since_id)s
)
SELECT id FROM event
WHERE {more}
ORDER BY id DESC
LIMIT %(size)s
"""

#: How common the common values of some columns are, as PostgreSQL has counted. Parameters: names.
SHARES = """
SELECT stats.attname, common.value, common.share
FROM pg_stats AS stats
CROSS JOIN LATERAL unnest(stats.most_common_vals::text::text[], stats.most_common_freqs) AS common (value, share)
WHERE stats.schemaname = current_schema() AND stats.tablename = 'orders_orderevent'
    AND stats.attname = ANY(%(names)s)
"""

#: An order or job and all that belongs to it: its parts orders, their lines, and what `others` finds by those.
#: Parameters: jobs, orders, lines (keys), most.
SUBJECTS_OF = """
WITH job AS (
    SELECT unnest(%(jobs)s::uuid[]) AS id
),
parts_order AS (
    SELECT id FROM orders_partsorder WHERE id = ANY(%(orders)s::uuid[]) OR service_order_id = ANY(%(jobs)s::uuid[])
),
line AS (
    SELECT id FROM orders_orderline
    WHERE order_id IN (SELECT id FROM parts_order) OR id = ANY(%(lines)s::uuid[]) OR parent_id = ANY(%(lines)s::uuid[])
)
SELECT id FROM job
UNION ALL SELECT id FROM parts_order
UNION ALL SELECT id FROM line
UNION ALL {others}
LIMIT %(most)s
"""
SUBJECTS_OF_OTHERS = "SELECT id FROM {table} WHERE {column} IN (SELECT id FROM {of})"

#: A subject by its own reference. Parameter: reference.
SUBJECT_CALLED = "SELECT id FROM {table} WHERE reference = %(reference)s"

"""What SQL itself promises: the ledger is append-only, statuses move along their flow, and references are drawn in order.

The step lists are those of orders.statuses at this time; a test tries every pair of statuses against the database.
"""

from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION backline_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'append_only: % on % is refused; the ledger is only ever added to', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_TABLE_NAME || '_append_only';
END
$$;

CREATE TRIGGER orders_orderevent_append_only
    BEFORE UPDATE OR DELETE ON orders_orderevent
    FOR EACH STATEMENT EXECUTE FUNCTION backline_append_only();
CREATE TRIGGER orders_orderevent_no_truncate
    BEFORE TRUNCATE ON orders_orderevent
    FOR EACH STATEMENT EXECUTE FUNCTION backline_append_only();
CREATE TRIGGER orders_ledgeranchor_append_only
    BEFORE UPDATE OR DELETE ON orders_ledgeranchor
    FOR EACH STATEMENT EXECUTE FUNCTION backline_append_only();
CREATE TRIGGER orders_ledgeranchor_no_truncate
    BEFORE TRUNCATE ON orders_ledgeranchor
    FOR EACH STATEMENT EXECUTE FUNCTION backline_append_only();
"""

#: Refuse a status that is not one step away, unless this very row is being overridden in this transaction, or an
#: action walks several steps at once (then each step has its event). A status never changes without version and hash.
STATUS_GUARD = """
CREATE FUNCTION backline_status_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.version <= OLD.version OR NEW.chain_hash = OLD.chain_hash THEN
        RAISE EXCEPTION 'status_without_event: % of % may not change from % to % without its event',
            TG_ARGV[0], OLD.reference, OLD.status, NEW.status
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_ARGV[0] || '_status_without_event';
    END IF;
    IF OLD.status || '>' || NEW.status = ANY (TG_ARGV[1]::text[])
        OR current_setting('backline.override', true) = OLD.id::text
        OR current_setting('backline.walk', true) = 'on'
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'status_step: % % cannot go from % to %', TG_ARGV[0], OLD.reference, OLD.status, NEW.status
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_ARGV[0] || '_status_step';
END
$$;
"""

SERVICE_ORDER_STEPS = """
    'draft>scheduled', 'draft>cancelled', 'scheduled>new', 'scheduled>draft', 'scheduled>cancelled',
    'new>in_progress', 'new>scheduled', 'new>cancelled', 'in_progress>awaiting_parts', 'in_progress>new',
    'in_progress>cancelled', 'awaiting_parts>with_manufacturer', 'awaiting_parts>in_progress',
    'awaiting_parts>cancelled', 'with_manufacturer>ready_for_return', 'with_manufacturer>awaiting_parts',
    'with_manufacturer>cancelled', 'ready_for_return>completed', 'ready_for_return>with_manufacturer',
    'ready_for_return>cancelled'
"""

LINE_STEPS = """
    'open>reserved', 'open>back_ordered', 'open>cancelled', 'back_ordered>reserved', 'back_ordered>cancelled',
    'reserved>released', 'reserved>back_ordered', 'reserved>cancelled', 'released>picking',
    'released>reserved', 'released>back_ordered', 'released>cancelled', 'picking>awaiting_kitting',
    'picking>packed', 'picking>cancelled', 'awaiting_kitting>packed', 'awaiting_kitting>cancelled',
    'packed>shipped', 'packed>cancelled', 'shipped>delivered', 'shipped>returned', 'delivered>returned'
"""


def guard(table: str, name: str, steps: str, condition: str = "") -> str:
    """Return the SQL of a table's status trigger; `steps` are `from>to` pairs."""
    listed = "{" + ",".join(step.strip().strip("'") for step in steps.replace("\n", " ").split(",")) + "}"
    return f"""
CREATE TRIGGER {name}_status_guard
    BEFORE UPDATE OF status ON {table}
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status{condition})
    EXECUTE FUNCTION backline_status_guard('{name}', '{listed}');
"""


NO_DELETE = """
CREATE TRIGGER {table}_no_delete
    BEFORE DELETE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION backline_append_only();
"""

#: A reservation's demand is a line of this floor; parts cannot name it, so the reference is made here. Deferred, since a
#: reservation may be written in the same transaction before its line.
DEMAND_IS_A_LINE = """
ALTER TABLE parts_reservation
    ADD CONSTRAINT reservation_demand_is_a_line FOREIGN KEY (demand_id) REFERENCES orders_orderline (id)
    DEFERRABLE INITIALLY DEFERRED;
"""

SEQUENCES = """
CREATE SEQUENCE orders_service_order_number AS bigint;
CREATE SEQUENCE orders_parts_order_number AS bigint;
CREATE SEQUENCE orders_shipment_number AS bigint;
"""

DROP = """
DROP SEQUENCE orders_shipment_number, orders_parts_order_number, orders_service_order_number;
ALTER TABLE parts_reservation DROP CONSTRAINT reservation_demand_is_a_line;
DROP TRIGGER orders_serviceorder_no_delete ON orders_serviceorder;
DROP TRIGGER orders_partsorder_no_delete ON orders_partsorder;
DROP TRIGGER orders_orderline_no_delete ON orders_orderline;
DROP TRIGGER service_order_status_guard ON orders_serviceorder;
DROP TRIGGER line_status_guard ON orders_orderline;
DROP FUNCTION backline_status_guard();
DROP TRIGGER orders_ledgeranchor_no_truncate ON orders_ledgeranchor;
DROP TRIGGER orders_ledgeranchor_append_only ON orders_ledgeranchor;
DROP TRIGGER orders_orderevent_no_truncate ON orders_orderevent;
DROP TRIGGER orders_orderevent_append_only ON orders_orderevent;
DROP FUNCTION backline_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]

    operations = [
        migrations.RunSQL(
            APPEND_ONLY
            + STATUS_GUARD
            + guard("orders_serviceorder", "service_order", SERVICE_ORDER_STEPS)
            + guard("orders_orderline", "line", LINE_STEPS, " AND NOT NEW.is_split")
            + NO_DELETE.format(table="orders_serviceorder")
            + NO_DELETE.format(table="orders_partsorder")
            + NO_DELETE.format(table="orders_orderline")
            + DEMAND_IS_A_LINE
            + SEQUENCES,
            DROP,
        ),
    ]

"""What SQL itself promises: movements are append-only, and purchase orders draw their numbers from a sequence."""

from django.db import migrations

CREATE_TRIGGERS = """
CREATE FUNCTION parts_stock_movement_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'stock_movement_append_only: % on % is refused; what was wrong is put right by a new movement',
        TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_movement_append_only';
END
$$;

CREATE TRIGGER stock_movement_append_only
    BEFORE UPDATE OR DELETE ON parts_stockmovement
    FOR EACH STATEMENT EXECUTE FUNCTION parts_stock_movement_append_only();

CREATE TRIGGER stock_movement_no_truncate
    BEFORE TRUNCATE ON parts_stockmovement
    FOR EACH STATEMENT EXECUTE FUNCTION parts_stock_movement_append_only();
"""

DROP_TRIGGERS = """
DROP TRIGGER stock_movement_no_truncate ON parts_stockmovement;
DROP TRIGGER stock_movement_append_only ON parts_stockmovement;
DROP FUNCTION parts_stock_movement_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("parts", "0001_initial")]

    operations = [
        migrations.RunSQL(CREATE_TRIGGERS, DROP_TRIGGERS),
        migrations.RunSQL(
            "CREATE SEQUENCE parts_purchase_order_number AS bigint OWNED BY parts_purchaseorder.number",
            "DROP SEQUENCE parts_purchase_order_number",
        ),
    ]

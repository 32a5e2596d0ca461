"""What SQL itself promises of the queue, and the one policy row that ranks it.

The step list is that of backorders.statuses at this time; a test tries every pair of statuses against the database.
"""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

STEPS = """
    'open>sourcing', 'open>supply_confirmed', 'open>allocated', 'open>substituted', 'open>cancelled',
    'sourcing>open', 'sourcing>supply_confirmed', 'sourcing>allocated', 'sourcing>substituted',
    'sourcing>cancelled', 'supply_confirmed>open', 'supply_confirmed>sourcing', 'supply_confirmed>allocated',
    'supply_confirmed>substituted', 'supply_confirmed>cancelled', 'allocated>open', 'allocated>fulfilled',
    'allocated>cancelled'
"""

LISTED = "{" + ",".join(step.strip().strip("'") for step in STEPS.replace("\n", " ").split(",")) + "}"

RULES = f"""
CREATE TRIGGER back_order_status_guard
    BEFORE UPDATE OF status ON backorders_backorder
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION backline_status_guard('back_order', '{LISTED}');
CREATE TRIGGER backorders_backorder_no_delete
    BEFORE DELETE ON backorders_backorder
    FOR EACH STATEMENT EXECUTE FUNCTION backline_append_only();
CREATE TRIGGER backorders_allocationdecision_append_only
    BEFORE UPDATE OR DELETE ON backorders_allocationdecision
    FOR EACH STATEMENT EXECUTE FUNCTION backline_append_only();
"""

DROP = """
DROP TRIGGER backorders_allocationdecision_append_only ON backorders_allocationdecision;
DROP TRIGGER backorders_backorder_no_delete ON backorders_backorder;
DROP TRIGGER back_order_status_guard ON backorders_backorder;
"""


def add_default_policy(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Add the policy with the weights that Backline ships with."""
    apps.get_model("backorders", "AllocationPolicy").objects.get_or_create(name="default")


class Migration(migrations.Migration):
    dependencies = [("backorders", "0001_initial"), ("orders", "0002_rules_in_sql")]

    operations = [
        migrations.RunSQL(RULES, DROP),
        migrations.RunPython(add_default_policy, migrations.RunPython.noop),
    ]

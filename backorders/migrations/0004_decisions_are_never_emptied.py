"""The decisions of allocations refuse TRUNCATE as they refuse UPDATE and DELETE."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("backorders", "0003_a_decision_may_draw_on_several_levels")]

    operations = [
        migrations.RunSQL(
            """
            CREATE TRIGGER backorders_allocationdecision_no_truncate
                BEFORE TRUNCATE ON backorders_allocationdecision
                FOR EACH STATEMENT EXECUTE FUNCTION backline_append_only();
            """,
            "DROP TRIGGER backorders_allocationdecision_no_truncate ON backorders_allocationdecision;",
        ),
    ]

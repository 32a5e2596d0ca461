"""Why an order is on hold lies in the vault with every other free text; the order names the event that says it."""

import django.db.models.deletion
from django.db import migrations, models

#: The text of a hold has always been kept with its event too, so that nothing is lost.
NAME_THE_EVENTS = """
UPDATE orders_partsorder AS parts_order
SET hold_event_id = (
    SELECT id FROM orders_orderevent WHERE subject_id = parts_order.id AND kind = 'parts_order.held'
    ORDER BY version DESC LIMIT 1
)
WHERE on_hold;
SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0011_the_desks_search_board_and_rules")]

    operations = [
        migrations.AddField(
            model_name="partsorder",
            name="hold_event",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="orders.orderevent",
            ),
        ),
        migrations.RunSQL(NAME_THE_EVENTS, migrations.RunSQL.noop),
        migrations.RemoveField(model_name="historicalpartsorder", name="hold_reason"),
        migrations.RemoveField(model_name="partsorder", name="hold_reason"),
    ]

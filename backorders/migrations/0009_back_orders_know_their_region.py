import django.db.models.deletion
from django.db import migrations, models

#: What the orders say goes to their back orders. The checks that wait for the end of the transaction are made at once:
#: the table is altered next.
TAKE_OVER = """
UPDATE backorders_backorder AS back_order
SET region_id = parts_order.region_id, is_test = parts_order.is_test
FROM orders_orderline AS line
JOIN orders_partsorder AS parts_order ON parts_order.id = line.order_id
WHERE line.id = back_order.line_id;
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""


class Migration(migrations.Migration):
    """A back order keeps its order's region and whether it is for training, so that the queue is counted by itself."""

    dependencies = [
        ("backorders", "0008_queues_to_be_dated"),
        ("orders", "0024_how_long_lines_have_stood"),
        ("parts", "0010_numbers_and_relations_of_controlled_parts"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="backorder", name="back_order_by_age"),
        migrations.AddField(
            model_name="backorder",
            name="is_test",
            field=models.BooleanField(default=False, editable=False, verbose_name="test or training"),
        ),
        migrations.AddField(
            model_name="backorder",
            name="region",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="back_orders",
                to="parts.region",
            ),
        ),
        migrations.RunSQL(TAKE_OVER, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="backorder",
            name="region",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="back_orders",
                to="parts.region",
            ),
        ),
        migrations.AddIndex(
            model_name="backorder",
            index=models.Index(
                condition=models.Q(("status__in", ("open", "sourcing", "supply_confirmed"))),
                fields=["opened_at", "id"],
                include=["part", "customer", "region", "is_test", "quantity"],
                name="back_order_by_age",
            ),
        ),
    ]

"""A line whose shipment was overridden leaves a second time, with a second shipment line."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0003_anchors_name_their_horizon")]

    operations = [
        migrations.AlterField(
            model_name="shipmentline",
            name="line",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="shipment_lines", to="orders.orderline"
            ),
        ),
    ]

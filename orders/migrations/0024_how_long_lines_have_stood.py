from django.db import migrations, models


class Migration(migrations.Migration):
    """Which lines have stood how long where, and what figures ask of them, lies in one index."""

    dependencies = [("orders", "0023_a_promise_goes_with_what_is_sent_instead")]

    operations = [
        migrations.RemoveIndex(model_name="orderline", name="order_line_open_leaves"),
        migrations.AddIndex(
            model_name="orderline",
            index=models.Index(
                condition=models.Q(
                    ("is_split", False),
                    models.Q(("status__in", ["delivered", "returned", "cancelled"]), _negated=True),
                ),
                fields=["status", "status_since", "id"],
                include=["order", "part", "warehouse"],
                name="order_line_open_leaves",
            ),
        ),
    ]

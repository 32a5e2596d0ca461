"""The smallest part delivery that a line accepts stays with the line, for whenever it is short again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0005_arrivals_are_of_a_line"),
        ("parts", "0004_arrivals_are_movements"),
    ]

    operations = [
        migrations.AddField(
            model_name="orderline",
            name="minimum_fill",
            field=models.DecimalField(
                db_default=0,
                decimal_places=3,
                default=0,
                editable=False,
                help_text="The smallest part delivery that is accepted whenever it is short.",
                max_digits=14,
                verbose_name="minimum fill",
            ),
        ),
        migrations.AddConstraint(
            model_name="orderline",
            constraint=models.CheckConstraint(
                condition=models.Q(("minimum_fill__gte", 0)), name="order_line_minimum_fill_not_negative"
            ),
        ),
    ]

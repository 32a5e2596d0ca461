"""What our own warehouses ordered arrives in their stock by a movement of its own, linked to the order line."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("parts", "0003_units_of_measure"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="stockmovement",
            name="stock_movement_has_its_cause",
        ),
        migrations.RemoveConstraint(
            model_name="stockmovement",
            name="stock_movement_goes_the_way_of_its_kind",
        ),
        migrations.AddField(
            model_name="stockmovement",
            name="demand_id",
            field=models.UUIDField(null=True, verbose_name="order line"),
        ),
        migrations.AlterField(
            model_name="stockmovement",
            name="kind",
            field=models.CharField(
                choices=[
                    ("receipt", "Receipt from a delivery"),
                    ("correction", "Correction"),
                    ("transfer", "Transfer"),
                    ("reservation", "Reservation"),
                    ("release", "Reservation given back"),
                    ("issue", "Goods issue"),
                    ("return", "Return to stock"),
                    ("arrival", "Arrival where it was ordered for"),
                    ("reversal", "Arrival taken back"),
                ],
                max_length=12,
                verbose_name="kind",
            ),
        ),
        migrations.AddIndex(
            model_name="stockmovement",
            index=models.Index(
                condition=models.Q(("demand_id__isnull", False)),
                fields=["demand_id"],
                name="stock_movement_by_order_line",
            ),
        ),
        migrations.AddConstraint(
            model_name="stockmovement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("correction__isnull", True),
                        ("delivery_line__isnull", True),
                        ("demand_id__isnull", True),
                        ("kind__in", ["reservation", "release", "issue", "return"]),
                        ("reservation__isnull", False),
                        ("transfer__isnull", True),
                    ),
                    models.Q(
                        ("correction__isnull", True),
                        ("delivery_line__isnull", False),
                        ("demand_id__isnull", True),
                        ("kind", "receipt"),
                        ("reservation__isnull", True),
                        ("transfer__isnull", True),
                    ),
                    models.Q(
                        ("correction__isnull", False),
                        ("delivery_line__isnull", True),
                        ("demand_id__isnull", True),
                        ("kind", "correction"),
                        ("reservation__isnull", True),
                        ("transfer__isnull", True),
                    ),
                    models.Q(
                        ("correction__isnull", True),
                        ("delivery_line__isnull", True),
                        ("demand_id__isnull", True),
                        ("kind", "transfer"),
                        ("reservation__isnull", True),
                        ("transfer__isnull", False),
                    ),
                    models.Q(
                        ("correction__isnull", True),
                        ("delivery_line__isnull", True),
                        ("demand_id__isnull", False),
                        ("kind__in", ["arrival", "reversal"]),
                        ("reservation__isnull", True),
                        ("transfer__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="stock_movement_has_its_cause",
            ),
        ),
        migrations.AddConstraint(
            model_name="stockmovement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("kind", "reservation"), ("on_hand_change", 0), ("reserved_change__gt", 0), ("unfit_change", 0)
                    ),
                    models.Q(
                        ("kind", "release"), ("on_hand_change", 0), ("reserved_change__lt", 0), ("unfit_change", 0)
                    ),
                    models.Q(
                        ("kind", "issue"),
                        ("on_hand_change__lt", 0),
                        ("reserved_change", models.F("on_hand_change")),
                        ("unfit_change", 0),
                    ),
                    models.Q(
                        ("kind__in", ["receipt", "return"]),
                        ("on_hand_change__gt", 0),
                        ("reserved_change", 0),
                        ("unfit_change__gte", 0),
                        ("unfit_change__lte", models.F("on_hand_change")),
                    ),
                    models.Q(("kind", "correction"), ("reserved_change", 0)),
                    models.Q(("kind", "transfer"), ("reserved_change", 0), ("unfit_change", 0)),
                    models.Q(
                        ("kind", "arrival"), ("on_hand_change__gt", 0), ("reserved_change", 0), ("unfit_change", 0)
                    ),
                    models.Q(
                        ("kind", "reversal"),
                        ("on_hand_change__lt", 0),
                        ("reserved_change", 0),
                        ("unfit_change__gte", models.F("on_hand_change")),
                        ("unfit_change__lte", 0),
                    ),
                    _connector="OR",
                ),
                name="stock_movement_goes_the_way_of_its_kind",
            ),
        ),
    ]

"""A van knows its technician, and what was counted is kept beside what the books said, append-only."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import parts.keys

CREATE_TRIGGERS = """
CREATE FUNCTION parts_stock_count_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'stock_count_append_only: % on % is refused; what was wrong is put right by a new count',
        TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'stock_count_append_only';
END
$$;

CREATE TRIGGER stock_count_append_only
    BEFORE UPDATE OR DELETE ON parts_stockcount
    FOR EACH STATEMENT EXECUTE FUNCTION parts_stock_count_append_only();
CREATE TRIGGER stock_count_no_truncate
    BEFORE TRUNCATE ON parts_stockcount
    FOR EACH STATEMENT EXECUTE FUNCTION parts_stock_count_append_only();
CREATE TRIGGER stock_count_line_append_only
    BEFORE UPDATE OR DELETE ON parts_stockcountline
    FOR EACH STATEMENT EXECUTE FUNCTION parts_stock_count_append_only();
CREATE TRIGGER stock_count_line_no_truncate
    BEFORE TRUNCATE ON parts_stockcountline
    FOR EACH STATEMENT EXECUTE FUNCTION parts_stock_count_append_only();
"""

DROP_TRIGGERS = """
DROP TRIGGER stock_count_line_no_truncate ON parts_stockcountline;
DROP TRIGGER stock_count_line_append_only ON parts_stockcountline;
DROP TRIGGER stock_count_no_truncate ON parts_stockcount;
DROP TRIGGER stock_count_append_only ON parts_stockcount;
DROP FUNCTION parts_stock_count_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("parts", "0004_arrivals_are_movements"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="StockCount",
            fields=[
                ("id", models.UUIDField(default=parts.keys.new_key, editable=False, primary_key=True, serialize=False)),
                ("note", models.CharField(blank=True, max_length=300, verbose_name="note")),
                ("counted_at", models.DateTimeField(verbose_name="counted at")),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="recorded at"
                    ),
                ),
                ("actor", models.CharField(max_length=80, verbose_name="by")),
                ("source", models.CharField(max_length=40, verbose_name="source")),
            ],
            options={
                "verbose_name": "stock count",
                "verbose_name_plural": "stock counts",
                "ordering": ("-id",),
                "permissions": [("count_van", "Can count the stock of one's own van")],
            },
        ),
        migrations.CreateModel(
            name="StockCountLine",
            fields=[
                ("id", models.UUIDField(default=parts.keys.new_key, editable=False, primary_key=True, serialize=False)),
                ("expected", models.DecimalField(decimal_places=3, max_digits=14, verbose_name="in the books")),
                ("counted", models.DecimalField(decimal_places=3, max_digits=14, verbose_name="counted")),
            ],
            options={
                "verbose_name": "counted level",
                "verbose_name_plural": "counted levels",
                "ordering": ("count", "id"),
            },
        ),
        migrations.AddField(
            model_name="historicalwarehouse",
            name="technician",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                help_text="Whose van it is: they see and count its stock on their phone.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="technician",
            ),
        ),
        migrations.AddField(
            model_name="warehouse",
            name="technician",
            field=models.OneToOneField(
                blank=True,
                help_text="Whose van it is: they see and count its stock on their phone.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="van",
                to=settings.AUTH_USER_MODEL,
                verbose_name="technician",
            ),
        ),
        migrations.AddConstraint(
            model_name="warehouse",
            constraint=models.CheckConstraint(
                condition=models.Q(("technician__isnull", True), ("kind", "van"), _connector="OR"),
                name="warehouse_of_a_technician_is_a_van",
            ),
        ),
        migrations.AddField(
            model_name="stockcount",
            name="warehouse",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="counts", to="parts.warehouse"
            ),
        ),
        migrations.AddField(
            model_name="stockcountline",
            name="correction",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="counted",
                to="parts.stockcorrection",
            ),
        ),
        migrations.AddField(
            model_name="stockcountline",
            name="count",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="parts.stockcount"
            ),
        ),
        migrations.AddField(
            model_name="stockcountline",
            name="level",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="count_lines", to="parts.stocklevel"
            ),
        ),
        migrations.AddConstraint(
            model_name="stockcountline",
            constraint=models.UniqueConstraint(fields=("count", "level"), name="stock_count_line_unique_per_count"),
        ),
        migrations.AddConstraint(
            model_name="stockcountline",
            constraint=models.CheckConstraint(
                condition=models.Q(("counted__gte", 0), ("expected__gte", 0)), name="stock_count_line_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="stockcountline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("correction__isnull", True),
                    models.Q(("counted", models.F("expected")), _negated=True),
                    _connector="OR",
                ),
                name="stock_count_line_corrects_a_difference",
            ),
        ),
        migrations.RunSQL(CREATE_TRIGGERS, DROP_TRIGGERS),
    ]

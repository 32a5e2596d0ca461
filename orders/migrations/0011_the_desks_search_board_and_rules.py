"""What finds orders by key and words, the clocks of contracts, saved views, and rules by which stock is shown."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.comparison
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import orders.querysets
import parts.keys
import parts.lookups

#: Starts the clocks of the jobs that are there, as `orders.actions.service_orders.create` does for new ones.
CLOCKS = """
UPDATE orders_serviceorder AS job
SET response_due_at = job.created_at + contract.response_hours * interval '1 hour',
    repair_due_at = job.created_at + contract.repair_hours * interval '1 hour'
FROM orders_servicecontract AS contract
WHERE contract.id = job.contract_id
    AND (job.created_at AT TIME ZONE 'UTC')::date
        BETWEEN contract.valid_from AND coalesce(contract.valid_until, 'infinity')
"""


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0010_a_customers_link_and_words"),
        ("parts", "0006_found_by_key_and_loaner_stock"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoricalStockVisibilityRule",
            fields=[
                ("id", models.UUIDField(db_index=True, default=parts.keys.new_key, editable=False)),
                (
                    "stock",
                    models.CharField(
                        choices=[("consigned", "Consigned"), ("loaner", "Loaner"), ("in_repair", "In repair")],
                        max_length=10,
                        verbose_name="stock",
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="why")),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
            ],
            options={
                "verbose_name": "historical stock visibility rule",
                "verbose_name_plural": "historical stock visibility rules",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.UUIDField(default=parts.keys.new_key, editable=False, primary_key=True, serialize=False)),
                ("page", models.CharField(max_length=20, verbose_name="page")),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                ("query", models.CharField(max_length=600, verbose_name="filters")),
                ("created_at", models.DateTimeField(verbose_name="saved at")),
            ],
            options={
                "verbose_name": "saved view",
                "verbose_name_plural": "saved views",
                "ordering": ("name", "id"),
            },
        ),
        migrations.CreateModel(
            name="StockVisibilityRule",
            fields=[
                ("id", models.UUIDField(default=parts.keys.new_key, editable=False, primary_key=True, serialize=False)),
                (
                    "stock",
                    models.CharField(
                        choices=[("consigned", "Consigned"), ("loaner", "Loaner"), ("in_repair", "In repair")],
                        max_length=10,
                        verbose_name="stock",
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="why")),
            ],
            options={
                "verbose_name": "stock visibility rule",
                "verbose_name_plural": "stock visibility rules",
                "ordering": ("stock", "warehouse", "customer", "person", "id"),
            },
        ),
        migrations.AddField(
            model_name="historicalserviceorder",
            name="repair_due_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="By the contract, from when it came in.",
                null=True,
                verbose_name="repair due",
            ),
        ),
        migrations.AddField(
            model_name="historicalserviceorder",
            name="response_due_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="By the contract, from when it came in.",
                null=True,
                verbose_name="response due",
            ),
        ),
        migrations.AddField(
            model_name="serviceorder",
            name="repair_due_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="By the contract, from when it came in.",
                null=True,
                verbose_name="repair due",
            ),
        ),
        migrations.AddField(
            model_name="serviceorder",
            name="response_due_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="By the contract, from when it came in.",
                null=True,
                verbose_name="response due",
            ),
        ),
        migrations.RunSQL(CLOCKS, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="serviceorder",
            name="due_at",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Case(
                    models.When(
                        status__in=("draft", "scheduled", "new"),
                        then=django.db.models.functions.comparison.Least("response_due_at", "repair_due_at"),
                    ),
                    models.When(
                        status__in=("in_progress", "awaiting_parts", "with_manufacturer"), then="repair_due_at"
                    ),
                ),
                output_field=models.DateTimeField(null=True),
                verbose_name="due",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(parts.lookups.Key("code"), name="customer_by_key"),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=django.contrib.postgres.indexes.GinIndex(parts.lookups.Words("name"), name="customer_by_words"),
        ),
        migrations.AddIndex(
            model_name="equipment",
            index=models.Index(parts.lookups.Key("serial_number"), name="equipment_by_serial_key"),
        ),
        migrations.AddIndex(
            model_name="equipment",
            index=models.Index(parts.lookups.Key("model"), name="equipment_by_model_key"),
        ),
        migrations.AddIndex(
            model_name="partsorder",
            index=models.Index(parts.lookups.Key("reference"), name="parts_order_by_key"),
        ),
        migrations.AddIndex(
            model_name="partsorder",
            index=models.Index(
                parts.lookups.Key("external_reference"),
                condition=models.Q(("external_reference", ""), _negated=True),
                name="parts_order_by_their_key",
            ),
        ),
        migrations.AddIndex(
            model_name="serviceorder",
            index=models.Index(
                models.F("status"), orders.querysets.Urgency("due_at"), models.F("id"), name="service_order_by_urgency"
            ),
        ),
        migrations.AddIndex(
            model_name="serviceorder",
            index=models.Index(parts.lookups.Key("reference"), name="service_order_by_key"),
        ),
        migrations.AddIndex(
            model_name="serviceorder",
            index=models.Index(
                parts.lookups.Key("external_reference"),
                condition=models.Q(("external_reference", ""), _negated=True),
                name="service_order_by_their_key",
            ),
        ),
        migrations.AddIndex(
            model_name="serviceorder",
            index=django.contrib.postgres.indexes.GinIndex(
                parts.lookups.Words("title"),
                condition=models.Q(
                    (
                        "status__in",
                        (
                            "draft",
                            "scheduled",
                            "new",
                            "in_progress",
                            "awaiting_parts",
                            "with_manufacturer",
                            "ready_for_return",
                        ),
                    )
                ),
                name="service_order_open_by_words",
            ),
        ),
        migrations.AddIndex(
            model_name="shipment",
            index=models.Index(parts.lookups.Key("reference"), name="shipment_by_key"),
        ),
        migrations.AddIndex(
            model_name="shipment",
            index=models.Index(
                parts.lookups.Key("tracking_number"),
                condition=models.Q(("tracking_number", ""), _negated=True),
                name="shipment_by_tracking_key",
            ),
        ),
        migrations.AddField(
            model_name="historicalstockvisibilityrule",
            name="customer",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                help_text="Empty: whoever it is for. Otherwise it is seen only while an order of this customer is served.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="orders.customer",
                verbose_name="for orders of",
            ),
        ),
        migrations.AddField(
            model_name="historicalstockvisibilityrule",
            name="history_user",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="historicalstockvisibilityrule",
            name="person",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                help_text="Empty: by everybody who may see stock.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="seen by",
            ),
        ),
        migrations.AddField(
            model_name="historicalstockvisibilityrule",
            name="warehouse",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                help_text="Empty: in every warehouse.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="parts.warehouse",
                verbose_name="warehouse",
            ),
        ),
        migrations.AddField(
            model_name="savedview",
            name="person",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="saved_views",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="stockvisibilityrule",
            name="customer",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: whoever it is for. Otherwise it is seen only while an order of this customer is served.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="visibility_rules",
                to="orders.customer",
                verbose_name="for orders of",
            ),
        ),
        migrations.AddField(
            model_name="stockvisibilityrule",
            name="person",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: by everybody who may see stock.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="visibility_rules",
                to=settings.AUTH_USER_MODEL,
                verbose_name="seen by",
            ),
        ),
        migrations.AddField(
            model_name="stockvisibilityrule",
            name="warehouse",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: in every warehouse.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="visibility_rules",
                to="parts.warehouse",
                verbose_name="warehouse",
            ),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.UniqueConstraint(
                fields=("person", "page", "name"), name="saved_view_name_unique_per_person"
            ),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True), name="saved_view_has_a_name"
            ),
        ),
        migrations.AddConstraint(
            model_name="stockvisibilityrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("stock__in", ["consigned", "loaner", "in_repair"])),
                name="stock_visibility_rule_known",
            ),
        ),
    ]

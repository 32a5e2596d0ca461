"""An anchor says which transactions it covers; exporting the ledger and erasing texts have permissions of their own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_rules_in_sql")]

    operations = [
        migrations.AddField(
            model_name="ledgeranchor",
            name="horizon",
            field=models.BigIntegerField(
                help_text="It covers the events of all transactions below this number.", verbose_name="horizon"
            ),
        ),
        migrations.AlterModelOptions(
            name="orderevent",
            options={
                "ordering": ("-id",),
                "permissions": [("export_orderevent", "Can export the ledger")],
                "verbose_name": "event",
                "verbose_name_plural": "events",
            },
        ),
        migrations.AlterModelOptions(
            name="eventtext",
            options={
                "permissions": [("erase_eventtext", "Can erase what people wrote")],
                "verbose_name": "event text",
                "verbose_name_plural": "event texts",
            },
        ),
    ]

"""A line that a person takes back from release stays until a person lets it go."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0006_a_line_keeps_its_minimum_fill"),
    ]

    operations = [
        migrations.AddField(
            model_name="orderline",
            name="kept_back",
            field=models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                help_text="Taken back from release: no rule releases it before a person does, or lets it go.",
                verbose_name="kept back",
            ),
        ),
    ]

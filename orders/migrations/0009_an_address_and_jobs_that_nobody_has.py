"""Where a technician drives to, and the jobs that nobody has, those first where a machine stands still."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0008_files_on_a_job"),
        ("parts", "0005_a_van_has_its_technician_and_counts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="address",
            field=models.CharField(
                blank=True,
                help_text="Where a technician finds the machine: street, town, gate.",
                max_length=300,
                verbose_name="address",
            ),
        ),
        migrations.AddField(
            model_name="historicalcustomer",
            name="address",
            field=models.CharField(
                blank=True,
                help_text="Where a technician finds the machine: street, town, gate.",
                max_length=300,
                verbose_name="address",
            ),
        ),
        migrations.AddIndex(
            model_name="serviceorder",
            index=models.Index(
                condition=models.Q(("status__in", ("scheduled", "new")), ("technician__isnull", True)),
                fields=["region", "-machine_down", "id"],
                name="service_order_unclaimed",
            ),
        ),
    ]

"""The customer's link, the words that customers read, and since when a customer wants no messages."""

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

import parts.keys

STOPPED = {
    "blank": True,
    "editable": False,
    "help_text": "The customer wants no messages about this order since then.",
    "null": True,
    "verbose_name": "messages stopped at",
}
SUBJECTS = [("service_order", "Service order"), ("line", "Order line")]


def words():
    """Return the fields that a row and its history have in common."""
    return [
        ("subject", models.CharField(choices=SUBJECTS, max_length=16, verbose_name="of a")),
        ("status", models.CharField(max_length=20, verbose_name="status")),
        ("language", models.CharField(max_length=10, verbose_name="language")),
        (
            "word",
            models.CharField(
                blank=True, help_text="Empty: the product's own word.", max_length=60, verbose_name="word for customers"
            ),
        ),
        (
            "next_step",
            models.CharField(
                blank=True,
                help_text="Empty: the product's own sentence.",
                max_length=200,
                verbose_name="what happens next",
            ),
        ),
    ]


def to(model, verbose_name, **more):
    """Return the way from a link to what it is about."""
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT,
        related_name="tracking_links",
        to=model,
        verbose_name=verbose_name,
        **more,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0009_an_address_and_jobs_that_nobody_has"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("partsorder", "messages_stopped_at", models.DateTimeField(**STOPPED)),
        migrations.AddField("serviceorder", "messages_stopped_at", models.DateTimeField(**STOPPED)),
        migrations.CreateModel(
            name="CustomerWord",
            fields=[
                (
                    "id",
                    models.UUIDField(default=parts.keys.new_key, editable=False, primary_key=True, serialize=False),
                ),
                *words(),
            ],
            options={
                "verbose_name": "word for customers",
                "verbose_name_plural": "words for customers",
                "ordering": ("subject", "status", "language", "id"),
                "constraints": [
                    models.UniqueConstraint(fields=("subject", "status", "language"), name="customer_word_unique"),
                    models.CheckConstraint(
                        condition=Q(subject__in=("service_order", "line")), name="customer_word_subject_known"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalCustomerWord",
            fields=[
                ("id", models.UUIDField(db_index=True, default=parts.keys.new_key, editable=False)),
                *words(),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical word for customers",
                "verbose_name_plural": "historical words for customers",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="TrackingLink",
            fields=[
                (
                    "id",
                    models.UUIDField(default=parts.keys.new_key, editable=False, primary_key=True, serialize=False),
                ),
                ("token_hash", models.BinaryField(max_length=32, unique=True)),
                (
                    "requester",
                    models.CharField(
                        blank=True,
                        help_text="Who gets it, such as a name or an address.",
                        max_length=120,
                        verbose_name="made for",
                    ),
                ),
                ("created_by", models.CharField(max_length=80, verbose_name="made by")),
                ("created_at", models.DateTimeField(verbose_name="made at")),
                ("expires_at", models.DateTimeField(verbose_name="works until")),
                ("revoked_by", models.CharField(blank=True, max_length=80, verbose_name="revoked by")),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="revoked at")),
                ("last_seen_at", models.DateTimeField(blank=True, null=True, verbose_name="last opened")),
                ("customer", to("orders.customer", "customer")),
                ("parts_order", to("orders.partsorder", "parts order", blank=True, null=True)),
                ("service_order", to("orders.serviceorder", "service order", blank=True, null=True)),
            ],
            options={
                "verbose_name": "customer's link",
                "verbose_name_plural": "customers' links",
                "ordering": ("-id",),
                "permissions": [
                    ("issue_trackinglink", "Can make a customer's link"),
                    ("revoke_trackinglink", "Can revoke a customer's link"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(service_order__isnull=False, parts_order__isnull=True)
                        | Q(service_order__isnull=True, parts_order__isnull=False),
                        name="tracking_link_is_to_one_order",
                    ),
                    models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="tracking_link_expires"),
                    models.CheckConstraint(
                        condition=Q(revoked_at__isnull=True, revoked_by="")
                        | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
                        name="tracking_link_revoked_by_somebody",
                    ),
                ],
            },
        ),
    ]

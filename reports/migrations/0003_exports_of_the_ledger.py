"""Exports of the ledger, and who took them away."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import parts.keys


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0002_daily_figures"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ExportRun",
            fields=[
                ("id", models.UUIDField(default=parts.keys.new_key, editable=False, primary_key=True, serialize=False)),
                ("made_by", models.CharField(max_length=80, verbose_name="asked for by")),
                (
                    "format",
                    models.CharField(
                        choices=[("jsonl", "JSON Lines"), ("csv", "CSV"), ("xlsx", "Excel")],
                        max_length=5,
                        verbose_name="format",
                    ),
                ),
                ("filter", models.JSONField(default=dict, verbose_name="filter")),
                ("words", models.JSONField(default=list, verbose_name="filter in words")),
                ("with_notes", models.BooleanField(default=False, verbose_name="with notes")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "Waits for a worker"),
                            ("running", "Is being made"),
                            ("done", "Ready"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                            ("expired", "File deleted, its time was over"),
                            ("withdrawn", "File deleted, a text in it was erased"),
                        ],
                        default="waiting",
                        max_length=9,
                        verbose_name="status",
                    ),
                ),
                ("asked_at", models.DateTimeField(verbose_name="asked for")),
                ("started_at", models.DateTimeField(null=True, verbose_name="started")),
                ("beat_at", models.DateTimeField(null=True, verbose_name="last sign of life")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended")),
                ("expires_at", models.DateTimeField(null=True, verbose_name="kept until")),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("is_stopped", models.BooleanField(default=False, verbose_name="to be stopped")),
                ("trouble", models.TextField(blank=True, verbose_name="what went wrong")),
                ("expected", models.PositiveBigIntegerField(null=True, verbose_name="events expected")),
                ("written", models.PositiveBigIntegerField(default=0, verbose_name="events written")),
                ("events", models.PositiveBigIntegerField(null=True, verbose_name="events")),
                ("bytes", models.PositiveBigIntegerField(null=True, verbose_name="bytes")),
                ("sha256", models.CharField(blank=True, max_length=64, verbose_name="SHA-256")),
                ("public_key", models.CharField(blank=True, max_length=64, verbose_name="public key")),
                ("horizon", models.BigIntegerField(null=True, verbose_name="horizon")),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="asked for by",
                    ),
                ),
            ],
            options={
                "verbose_name": "export",
                "verbose_name_plural": "exports",
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="ExportDownload",
            fields=[
                ("id", models.UUIDField(default=parts.keys.new_key, editable=False, primary_key=True, serialize=False)),
                ("file", models.CharField(max_length=80, verbose_name="file")),
                ("by", models.CharField(max_length=80, verbose_name="by")),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="downloads",
                        to="reports.exportrun",
                        verbose_name="export",
                    ),
                ),
            ],
            options={
                "verbose_name": "download",
                "verbose_name_plural": "downloads",
                "ordering": ("-id",),
            },
        ),
        migrations.AddIndex(
            model_name="exportrun",
            index=models.Index(
                condition=models.Q(("status__in", ["waiting", "running", "done"])),
                fields=["status"],
                name="export_live",
            ),
        ),
        migrations.AddConstraint(
            model_name="exportrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["waiting", "running", "done", "failed", "cancelled", "expired", "withdrawn"])
                ),
                name="export_run_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="exportrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("format__in", ["jsonl", "csv", "xlsx"])), name="export_run_format_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="exportrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "done"), _negated=True),
                    models.Q(("events__isnull", False), ("expires_at__isnull", False), ("horizon__isnull", False)),
                    _connector="OR",
                ),
                name="export_run_done_says_what_is_in_it",
            ),
        ),
    ]

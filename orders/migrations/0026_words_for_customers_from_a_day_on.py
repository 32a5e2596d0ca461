"""Words for customers are published from a moment on and stay as they were; what was changed before is kept so, too."""

from datetime import UTC, datetime

from django.db import migrations, models
from django.db.models import F, Q
from django.utils import timezone, translation

import parts.keys
from orders.statuses import (
    LINE_CUSTOMER_WORDS,
    LINE_NEXT_STEPS,
    SERVICE_ORDER_CUSTOMER_WORDS,
    SERVICE_ORDER_NEXT_STEPS,
)

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
SUBJECTS = [("service_order", "Service order"), ("line", "Order line")]
OWN = {
    "service_order": (SERVICE_ORDER_CUSTOMER_WORDS, SERVICE_ORDER_NEXT_STEPS),
    "line": (LINE_CUSTOMER_WORDS, LINE_NEXT_STEPS),
}

#: What was published stays; before it is in force it may be withdrawn, and nothing else of it changes.
STAYS = """
CREATE FUNCTION orders_customer_word_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.withdrawn_at IS NULL AND NEW.withdrawn_at IS NOT NULL
        AND (NEW.id, NEW.subject, NEW.status, NEW.language, NEW.word, NEW.next_step, NEW.effective_from, NEW.why,
             NEW.published_by, NEW.published_at)
            = (OLD.id, OLD.subject, OLD.status, OLD.language, OLD.word, OLD.next_step, OLD.effective_from, OLD.why,
               OLD.published_by, OLD.published_at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'customer_word_stays: % on % is refused; other words are published from a later moment on',
        TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'customer_word_stays';
END
$$;
CREATE TRIGGER customer_word_stays
    BEFORE UPDATE OR DELETE ON orders_customerword
    FOR EACH ROW EXECUTE FUNCTION orders_customer_word_stays();
"""
DROP = """
DROP TRIGGER customer_word_stays ON orders_customerword;
DROP FUNCTION orders_customer_word_stays();
"""


def own(subject, status, language):
    """Return Backline's own word and sentence for a status."""
    with translation.override(language):
        return tuple(str(texts.get(status, status)) for texts in OWN[subject])


def take_over(apps, schema_editor):
    """Make of each row Backline's own words, and of what people wrote in it words from when they wrote it."""
    word_model = apps.get_model("orders", "CustomerWord")
    changes = {}
    for row in apps.get_model("orders", "HistoricalCustomerWord").objects.order_by("history_date", "history_id"):
        changes.setdefault(row.id, []).append(
            (row.history_date, row.word, row.next_step, row.history_user_id, row.history_change_reason or "")
        )
    now = timezone.now()
    added = []
    for row in list(word_model.objects.all()):
        word, next_step = own(row.subject, row.status, row.language)
        said = (word, next_step)
        states = changes.get(row.id, [])
        if not states or states[-1][1:3] != (row.word, row.next_step):
            states = [*states, (now, row.word, row.next_step, None, "")]
        seen = {BEGINNING}
        for moment, its_word, its_next_step, person, reason in states:
            then = (its_word or word, its_next_step or next_step)
            if then == said or moment in seen:
                continue
            seen.add(moment)
            said = then
            added.append(
                word_model(
                    id=parts.keys.new_key(),
                    subject=row.subject,
                    status=row.status,
                    language=row.language,
                    word=then[0],
                    next_step=then[1],
                    effective_from=moment,
                    why=reason[:300] or "changed",
                    published_by=f"user:{person}" if person else "system:backline",
                    published_at=moment,
                )
            )
        word_model.objects.filter(pk=row.pk).update(
            word=word,
            next_step=next_step,
            effective_from=BEGINNING,
            why="shipped",
            published_by="system:backline",
            published_at=now,
        )
    word_model.objects.bulk_create(added)


def give_back(apps, schema_editor):
    """Keep of each status and language what is in force, as the one row that there was."""
    word_model = apps.get_model("orders", "CustomerWord")
    newest = {}
    now = timezone.now()
    for row in word_model.objects.filter(withdrawn_at=None, effective_from__lte=now).order_by("effective_from"):
        newest[row.subject, row.status, row.language] = row
    word_model.objects.exclude(pk__in=[row.pk for row in newest.values()]).delete()
    for row in newest.values():
        word, next_step = own(row.subject, row.status, row.language)
        row.word = "" if row.word == word else row.word
        row.next_step = "" if row.next_step == next_step else row.next_step
        row.save()


def key():
    return models.UUIDField(default=parts.keys.new_key, editable=False, primary_key=True, serialize=False)


class Migration(migrations.Migration):
    dependencies = [("orders", "0025_a_serial_number_leaves_once")]

    operations = [
        migrations.RemoveConstraint("customerword", "customer_word_unique"),
        migrations.AddField(
            "customerword", "effective_from", models.DateTimeField(default=BEGINNING, verbose_name="in force from")
        ),
        migrations.AddField(
            "customerword", "why", models.CharField(default="shipped", max_length=300, verbose_name="why")
        ),
        migrations.AddField(
            "customerword",
            "published_by",
            models.CharField(default="system:backline", max_length=80, verbose_name="published by"),
        ),
        migrations.AddField(
            "customerword", "published_at", models.DateTimeField(default=BEGINNING, verbose_name="published at")
        ),
        migrations.AddField(
            "customerword", "withdrawn_by", models.CharField(blank=True, max_length=80, verbose_name="withdrawn by")
        ),
        migrations.AddField(
            "customerword",
            "withdrawn_at",
            models.DateTimeField(blank=True, null=True, verbose_name="withdrawn at"),
        ),
        migrations.RunPython(take_over, give_back),
        migrations.DeleteModel("HistoricalCustomerWord"),
        migrations.AlterField(
            "customerword", "word", models.CharField(max_length=60, verbose_name="word for customers")
        ),
        migrations.AlterField(
            "customerword", "next_step", models.CharField(max_length=200, verbose_name="what happens next")
        ),
        migrations.AlterField("customerword", "effective_from", models.DateTimeField(verbose_name="in force from")),
        migrations.AlterField("customerword", "why", models.CharField(max_length=300, verbose_name="why")),
        migrations.AlterField(
            "customerword", "published_by", models.CharField(max_length=80, verbose_name="published by")
        ),
        migrations.AlterField("customerword", "published_at", models.DateTimeField(verbose_name="published at")),
        migrations.AlterModelOptions(
            "customerword",
            {
                "ordering": ("subject", "status", "language", "-effective_from", "-id"),
                "permissions": [("publish_customerword", "Can publish and withdraw words for customers")],
                "verbose_name": "word for customers",
                "verbose_name_plural": "words for customers",
            },
        ),
        migrations.AddConstraint(
            "customerword",
            models.UniqueConstraint(
                condition=Q(withdrawn_at__isnull=True),
                fields=("subject", "language", "status", "effective_from"),
                name="customer_word_one_from_a_moment",
            ),
        ),
        migrations.AddConstraint(
            "customerword",
            models.CheckConstraint(condition=~Q(word="") & ~Q(next_step=""), name="customer_word_says_something"),
        ),
        migrations.AddConstraint(
            "customerword", models.CheckConstraint(condition=~Q(why=""), name="customer_word_published_with_why")
        ),
        migrations.AddConstraint(
            "customerword",
            models.CheckConstraint(
                condition=Q(effective_from__gte=F("published_at")) | Q(why="shipped"),
                name="customer_word_changes_no_past",
            ),
        ),
        migrations.AddConstraint(
            "customerword",
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, withdrawn_by="")
                | (Q(withdrawn_at__lt=F("effective_from")) & ~Q(withdrawn_by="")),
                name="customer_word_withdrawn_before_it_begins",
            ),
        ),
        migrations.RunSQL(STAYS, DROP),
        migrations.CreateModel(
            name="CustomerWordDraft",
            fields=[
                ("id", key()),
                ("subject", models.CharField(choices=SUBJECTS, max_length=16, verbose_name="of a")),
                ("status", models.CharField(max_length=20, verbose_name="status")),
                ("words", models.JSONField(help_text="Language → word and next_step.", verbose_name="words")),
                ("effective_from", models.DateTimeField(blank=True, null=True, verbose_name="in force from")),
                ("why", models.CharField(blank=True, max_length=300, verbose_name="why")),
                ("written_by", models.CharField(max_length=80, verbose_name="written by")),
                ("written_at", models.DateTimeField(verbose_name="written at")),
            ],
            options={
                "verbose_name": "draft of words for customers",
                "verbose_name_plural": "drafts of words for customers",
                "ordering": ("subject", "status", "id"),
                "constraints": [
                    models.UniqueConstraint(fields=("subject", "status"), name="customer_word_one_draft"),
                    models.CheckConstraint(
                        condition=Q(subject__in=("service_order", "line")), name="customer_word_draft_subject_known"
                    ),
                ],
            },
        ),
    ]

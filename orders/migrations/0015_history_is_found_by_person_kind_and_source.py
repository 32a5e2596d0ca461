"""Finds history by person, by what seldom happens, and by which system said it, at little cost to who writes it.

The last is a BRIN index, which keeps of each stretch of the table what may be in it: writing pays nothing for it, and a
system that has said little is found without reading all of the table.
"""

from django.db import migrations, models

BY_SOURCE = """
CREATE INDEX order_event_by_source ON orders_orderevent USING brin (
    source text_bloom_ops (n_distinct_per_range = 64), actor text_bloom_ops (n_distinct_per_range = 128)
) WITH (pages_per_range = 64, autosummarize = on)
"""


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0014_promises_of_lines_that_wait"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="orderevent",
            index=models.Index(
                condition=models.Q(("actor__startswith", "user:"), ("actor__startswith", "link:"), _connector="OR"),
                fields=["actor", "id"],
                name="order_event_by_person",
            ),
        ),
        migrations.AddIndex(
            model_name="orderevent",
            index=models.Index(
                condition=models.Q(
                    (
                        "kind__in",
                        (
                            "back_order.opened",
                            "back_order.status_changed",
                            "line.placed",
                            "line.status_changed",
                            "line.status_derived",
                            "note.added",
                            "parts_order.placed",
                            "parts_order.status_derived",
                            "service_order.status_changed",
                        ),
                    ),
                    _negated=True,
                ),
                fields=["kind", "id"],
                name="order_event_rare_kinds",
            ),
        ),
        migrations.RunSQL(BY_SOURCE, "DROP INDEX order_event_by_source"),
    ]

"""Lines in which another part was put aside are under the promise of the line that they stand in for."""

from django.db import migrations

PROMISE_THEM = """
UPDATE orders_orderline AS line
SET first_promised_on = gone.first_promised_on, promised_on = gone.promised_on
FROM orders_orderline AS gone
JOIN orders_orderevent AS event ON event.subject_id = gone.id AND event.to_status = 'cancelled'
WHERE gone.status = 'cancelled' AND gone.first_promised_on IS NOT NULL
    AND line.order_id = gone.order_id AND line.first_promised_on IS NULL
    AND line.reference = event.data ->> 'substituted_by'
"""


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0022_what_needed_consent_is_found_by_when_it_was_decided"),
    ]

    operations = [
        migrations.RunSQL(PROMISE_THEM, migrations.RunSQL.noop),
    ]

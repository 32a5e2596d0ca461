"""Say on which day something happened where a customer is, and let all figures be added up anew by what they mean now."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# A zone that this server does not know must not stop the figures of all others: its days are those of UTC.
DAY_IN = """
CREATE FUNCTION backline_day_in(zone text, moment timestamptz) RETURNS date LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (moment AT TIME ZONE zone)::date;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN (moment AT TIME ZONE 'UTC')::date;
END
$$;
"""


def add_up_all_anew(apps: Apps, _schema: BaseDatabaseSchemaEditor) -> None:
    """Begin a pass over all days, or begin the one that is under way anew; the task of every minute goes on with it."""
    cursors = apps.get_model("orders", "EventCursor").objects
    if cursors.filter(name="figures").exclude(transaction_id=0).exists():
        cursors.update_or_create(name="figures anew", defaults={"transaction_id": 1, "events_read": 0})
    else:
        cursors.filter(name="figures anew").update(events_read=0)


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0005_an_exports_trouble_in_any_language"),
        ("orders", "0023_a_promise_goes_with_what_is_sent_instead"),
    ]

    operations = [
        migrations.RunSQL(DAY_IN, "DROP FUNCTION backline_day_in(text, timestamptz)"),
        migrations.RunPython(add_up_all_anew, migrations.RunPython.noop),
    ]

"""The order line that an arrival belongs to is a line of this floor, as a reservation's is."""

from django.db import migrations

ADD = """
ALTER TABLE parts_stockmovement
    ADD CONSTRAINT stock_movement_demand_is_a_line FOREIGN KEY (demand_id) REFERENCES orders_orderline (id)
    DEFERRABLE INITIALLY DEFERRED;
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0004_a_line_may_leave_again"), ("parts", "0004_arrivals_are_movements")]

    operations = [
        migrations.RunSQL(ADD, "ALTER TABLE parts_stockmovement DROP CONSTRAINT stock_movement_demand_is_a_line"),
    ]

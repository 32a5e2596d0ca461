"""The units nearly every catalogue needs, by their UN/ECE Recommendation 20 codes; `C62` is a part's default unit."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

UNITS = [
    ("C62", "Piece", 0),
    ("PR", "Pair", 0),
    ("SET", "Set", 0),
    ("MTR", "Metre", 3),
    ("MTK", "Square metre", 3),
    ("KGM", "Kilogram", 3),
    ("LTR", "Litre", 3),
]


def add_units(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    units = apps.get_model("parts", "UnitOfMeasure")
    units.objects.bulk_create(
        [units(code=code, name=name, decimals=decimals) for code, name, decimals in UNITS], ignore_conflicts=True
    )


class Migration(migrations.Migration):
    dependencies = [("parts", "0002_append_only_movements_and_numbers")]

    # Going back leaves the units where they are: parts may use them, and the table itself goes with 0001.
    operations = [migrations.RunPython(add_units, migrations.RunPython.noop)]

"""Forms with lines: a few rows of a part and a quantity below the fields of the whole."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from parts.admin.deeds import DeedForm

#: How many rows a form offers; what has more lines comes from a file, through the API or in two.
ROWS_OFFERED = 8


class RowsForm(DeedForm):
    """Asks for up to ROWS_OFFERED lines; rows that stay empty are left out. `cleaned_data["lines"]` are the others."""

    def columns(self) -> dict[str, forms.Field]:
        """Return the fields of one row by name, `part` and `quantity` among them; for subclasses."""
        raise NotImplementedError

    def line(self, row: dict[str, Any]) -> object:
        """Return what a filled row asks for; for subclasses."""
        raise NotImplementedError

    def shape(self) -> None:
        """Add the rows."""
        self._names: list[str] = []
        for index in range(ROWS_OFFERED):
            columns = self.columns()
            self._names = list(columns)
            self.fields |= {f"{name}_{index}": field for name, field in columns.items()}

    def heads(self) -> list[forms.BoundField]:
        """Give the fields above the rows."""
        below = {field.name for row in self.rows() for field in row}
        return [field for field in self.visible_fields() if field.name not in below]

    def rows(self) -> list[list[forms.BoundField]]:
        """Give the fields of each row."""
        return [[self[f"{name}_{index}"] for name in self._names] for index in range(ROWS_OFFERED)]

    def clean(self) -> dict[str, Any]:
        """Turn the filled rows into lines."""
        cleaned = super().clean() or {}
        cleaned["lines"] = []
        for index in range(ROWS_OFFERED):
            row = {name: cleaned.get(f"{name}_{index}") for name in self._names}
            if row["part"] is None and row["quantity"] is None:
                continue
            if row["part"] is None or row["quantity"] is None:
                self.add_error(f"part_{index}", _("A line needs a part and a quantity."))
                continue
            cleaned["lines"].append(self.line(row))
        if not cleaned["lines"] and not self.errors:
            self.add_error(None, _("Order at least one part."))
        return cleaned

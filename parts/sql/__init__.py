"""The hand-written, set-based statements of the ground floor."""

from parts.sql import imports, stock, supply
from parts.sql.law import Breach, Finding, Law
from parts.sql.statement import Statement, document

__all__ = ["Breach", "Finding", "Law", "Statement", "document", "imports", "stock", "supply"]

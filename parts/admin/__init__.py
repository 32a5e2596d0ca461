"""The ground floor's rooms in the back office, and what every floor's are made of."""

from parts.admin import catalogue, stock, supply

__all__ = ["catalogue", "stock", "supply"]

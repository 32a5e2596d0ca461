"""Inventory snapshots: millions of rows of what a system has, beside what our books said at that moment."""

"""The customer's link: one order on a page that needs no log-in. See docs/tracking.md."""

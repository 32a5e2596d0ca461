"""What the figures' floor writes."""

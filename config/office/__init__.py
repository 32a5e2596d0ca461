"""What the back office shows first."""

"""What machines and people do about each other's contradictions."""

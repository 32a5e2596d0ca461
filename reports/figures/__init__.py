"""Figures: what each is made of (facts), what it says (definitions), its daily roll-up, and how it is read."""

"""How fast Backline is, as ratios to hand-written SQL with the same effect on the same schema, measured in one run."""

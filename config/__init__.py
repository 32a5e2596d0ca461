"""The roof: settings, addresses, logging, health and what starts the parts of the house together."""

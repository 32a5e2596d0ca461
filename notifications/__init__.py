"""Third floor: what people are told, when, how and in which language."""

"""Third floor: figures and exports."""

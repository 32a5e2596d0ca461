"""What `make bench` measures: the groups of the floors below, and those that span floors, as only the roof may."""

"""Many climbs together, with DVC underneath."""

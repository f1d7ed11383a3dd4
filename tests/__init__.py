"""The tests: `unit` mirrors the rooms, `paths` holds the straight lines end to end."""

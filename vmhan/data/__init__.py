"""Data sets, read to one schema: a row for each entity pair."""

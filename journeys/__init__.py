"""Use cases that cross rooms, a verb each; no HTTP, no SQL."""

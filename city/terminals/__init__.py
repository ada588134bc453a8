"""Handheld terminals: enrolled by a one-time code, signing each request with a key of their own."""

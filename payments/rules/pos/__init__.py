"""Standalone POS terminals: what they say (ISO 8583:1987, BCD), how it is proved, what it means."""

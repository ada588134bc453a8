"""Licence plates: reads of plates and what they are evidence of."""

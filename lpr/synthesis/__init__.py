"""Plates and scenes made by ourselves: what models learn from and what tests read."""

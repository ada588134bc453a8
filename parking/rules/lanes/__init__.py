"""Lanes through gates: who stands before a barrier, what it is told to do, who passed."""

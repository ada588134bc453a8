"""Occupancy ahead: cleaning, a calendar profile, an online mixture of regressions, intervals.

The only place that needs NumPy on the parking side: import it where it is used, not at start-up.
"""

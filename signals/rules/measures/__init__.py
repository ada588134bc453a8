"""Measures of signal performance from high-resolution controller events: pure and vectorised."""

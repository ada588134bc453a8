"""Measurements: each script prints one JSON object, a figure beside its floor in the same run."""

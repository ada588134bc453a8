"""Adaptive control from point detectors: what is on the way, which stage next, and why."""

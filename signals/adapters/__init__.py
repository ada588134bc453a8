"""The outside world of signals."""

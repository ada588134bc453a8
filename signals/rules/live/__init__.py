"""A signal as it is now: what its detectors are worth, how its greens do, what is wrong."""

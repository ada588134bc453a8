"""Reading numbers out of frames."""

SIGNED: tuple[int, ...] = (*range(128), *range(-128, 0))
"""The two's-complement value of each byte; indexing is the cheapest way to it in Python."""

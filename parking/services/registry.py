"""What is registered, as its keepers ask for it."""

from typing import Final

from parking.store.registry import Hold, Registered, holds_of, registered

__all__ = ["MOST", "Hold", "Registered", "holds_of", "registered"]

MOST: Final = 500
"""Held times of a bay given at once."""

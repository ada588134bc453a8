"""Signals that choose their next stage while they run: what is shown, who chooses, by what rule."""

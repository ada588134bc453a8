"""Places: what they are, when they may be used, how their bays are counted and laid out."""

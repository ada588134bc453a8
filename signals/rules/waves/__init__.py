"""Green waves: corridors of signals, the widest bands through them, and a diagram of both."""

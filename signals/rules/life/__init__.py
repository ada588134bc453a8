"""A plan on its way to the street: parts of a network, what a plan does, how two plans differ."""

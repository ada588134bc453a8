"""Street controllers: their cabinets, what their monitors forbid, and how they are asked."""

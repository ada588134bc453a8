"""Tables of the payments room and every query on them."""

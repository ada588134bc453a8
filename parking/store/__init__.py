"""Tables of the parking room and every query on them."""

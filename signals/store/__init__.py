"""Tables of the signals room and every query on them."""

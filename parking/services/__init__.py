"""Use cases inside the parking room: load, decide, record, announce."""

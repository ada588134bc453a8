"""Use cases inside the signals room: load, decide, record, announce."""

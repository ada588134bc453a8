"""GA/T 1049.2 over TCP: sessions, the line to a signal system, and a simulated one."""

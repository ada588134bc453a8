"""NTCIP 1202 over SNMPv3: the line to a controller, and a simulated one."""

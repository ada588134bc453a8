"""NTCIP 1202: phases in rings, patterns and splits, as objects that SNMP carries."""

"""What parking knows: sensors, occupancy, stays and tariffs as frozen data and pure functions.

Nothing in here opens a connection, reads a clock or keeps state: every answer follows from
the arguments alone, so that each rule can be replayed on old frames and tested with literals.
"""

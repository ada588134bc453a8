"""Parking: bays, sensors, occupancy, stays, tariffs."""

"""Parking sensors: from a device's raw bytes to documented fields and observations of a bay.

`codecs` is the way in (`decode`, `decode_downlink`, `encode`, `MODELS`), one module per maker
holds the formats, `frames` builds real uplinks for simulated devices.
"""

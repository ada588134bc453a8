"""How far one statement of one sensor is believed, per mille, and why.

The scale is ordinal with anchors, not a calibrated probability: field accuracies of single
sensors run from 90 % (naive magnetic) over 96.6 % to above 99 % (magnet with a second
principle, arrival and departure by cross-correlation); the makers claim 99 % and more. Folding
weighs statements by these numbers and adds hysteresis (from 600 on, one statement turns a bay by
itself); nothing is ever fined from one of them.
"""

CHANGE = 950
"""A device reports a change that its own algorithm let settle. Nwave: about 3 s after
conditions stabilised; Bosch: magnetometer confirmed by radar."""

CONFIRMED = 950
"""A heartbeat repeats the state: as good as the change itself, and proof of life."""

MAGNET_ONLY = 700
"""A state from the magnetometer of a device that has a radar and did not use it: neighbours and
passing lorries pull the field; 90 % in naive field use."""

RESTARTED = 500
"""A start-up frame: the baseline was just taken, so a car that stood there while the device
started can be learnt as 'free'. Nwave: calibrate only while the bay is vacant."""

INFERRED = 700
"""The previous state, from the duration that the next message carries: measured by the device,
received late and without its own message."""

INFERRED_COARSE = 500
"""The same where the duration is quantised to 5 minutes or to an hour."""

UNDOCUMENTED = 650
"""The maker's meaning of the state is read off one public sample, not off a document."""

PARTLY_CONTRADICTED = 500
"""One of a device's two principles speaks against its own verdict."""

CAMERA_SEEN = 550
"""A camera followed a plate into the bay, out of it, or sees it stand: sure of the car, less of the
bay, since from a pole a plate in one bay may seem to stand in the next. Below what turns a bay by
itself, on purpose: the same camera says whose the stay is, and one witness alone charges nobody."""

WEAK = 300
"""The device says itself that it sees badly: obstruction, a hardware fault, both principles
against the verdict."""

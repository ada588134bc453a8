"""Preemptions and priority calls one by one: when asked, entered, served and over."""

from typing import Final

import numpy as np

from signals.rules.measures.events import Column, Events, Ints, Table, milliseconds, names, stamps

# Preemption: input on, gate down, input off, entry started, track clearance, dwell, exit call.
INPUT_ON, GATE_DOWN, INPUT_OFF, ENTRY, TRACK, DWELL, EXIT = 102, 103, 104, 105, 106, 107, 111
# Priority: check-in, early green, extended green, check-out.
CHECK_IN, EARLY, EXTENDED, CHECK_OUT = 112, 113, 114, 115
NEVER: Final = -1


def _first_in(events: Events, code: int, channel: Ints, start: Ints, limit: Ints) -> Ints:
    """Give the first event of a code on a channel from ``start`` and before ``limit``."""
    some = events.of(code).by_channel()
    result = np.full(len(channel), NEVER, dtype=np.int64)
    for number, each in enumerate(channel.tolist()):
        low, high = np.searchsorted(some.channel, [each, each + 1])
        place = int(low + np.searchsorted(some.at_us[low:high], start[number], "left"))
        if place < high and some.at_us[place] < limit[number]:
            result[number] = some.at_us[place]
    return result


def _asked(events: Events, code: int) -> tuple[Events, Ints]:
    """Give requests by channel, and when the next of the same channel comes."""
    asked = events.of(code).by_channel()
    last = np.iinfo(np.int64).max
    limit = np.full(len(asked), last, dtype=np.int64)
    same = np.diff(asked.channel) == 0
    limit[:-1] = np.where(same, asked.at_us[1:], last)
    return asked, limit


def _seconds(start: Ints, end: Ints) -> Column:
    lasted = milliseconds(start, end) / 1000
    return np.where((end == NEVER) | (start == NEVER), np.nan, lasted)


def _when(at_us: Ints) -> list[str]:
    """Give instants as text, empty where there is none."""
    return ["" if each == NEVER else str(np.datetime64(each, "us")) for each in at_us.tolist()]


def preemptions(events: Events) -> Table:
    """List each preemption: delay before entry, time to track clearance and dwell, how long held.

    Unknown durations are null; a request repeated before its end counts as another.
    """
    asked, limit = _asked(events, INPUT_ON)
    found = {
        name: _first_in(events, code, asked.channel, asked.at_us, limit)
        for name, code in (
            ("entry", ENTRY),
            ("track", TRACK),
            ("dwell", DWELL),
            ("off", INPUT_OFF),
            ("exit", EXIT),
        )
    }
    return {
        "DeviceId": names(events, asked.device),
        "Preempt": asked.parameter,
        "RequestedAt": stamps(asked.at_us),
        "EndedAt": _when(found["off"]),
        "DelayBeforeEntry": _seconds(asked.at_us, found["entry"]),
        "TimeToTrackClearance": _seconds(found["entry"], found["track"]),
        "TimeToDwell": _seconds(found["entry"], found["dwell"]),
        "InputOn": _seconds(asked.at_us, found["off"]),
        "TimeToExit": _seconds(asked.at_us, found["exit"]),
    }


def priority(events: Events) -> Table:
    """List each priority request: whether it had early or extended green, and how long it took."""
    asked, limit = _asked(events, CHECK_IN)
    out = _first_in(events, CHECK_OUT, asked.channel, asked.at_us, limit)
    until = np.where(out == NEVER, limit, out + 1)
    early = _first_in(events, EARLY, asked.channel, asked.at_us, until)
    extended = _first_in(events, EXTENDED, asked.channel, asked.at_us, until)
    return {
        "DeviceId": names(events, asked.device),
        "Request": asked.parameter,
        "CheckedInAt": stamps(asked.at_us),
        "CheckedOutAt": _when(out),
        "EarlyGreen": early != NEVER,
        "ExtendedGreen": extended != NEVER,
        "TimeToCheckOut": _seconds(asked.at_us, out),
    }

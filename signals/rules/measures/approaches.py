"""Volume and delay of approaches, where detectors allow."""

from typing import Final

import numpy as np

from signals.rules.measures.cycles import Arrivals, Tracks
from signals.rules.measures.events import (
    DETECTOR_ON,
    GREEN,
    MINUTE_US,
    SECOND_US,
    Bools,
    Events,
    Ints,
    Table,
    bin_of,
    grouped,
    means,
    names,
    stamps,
    with_phase,
)
from signals.rules.measures.settings import Configuration, Settings

COUNTING: Final = ("stop bar count", "count", "Advance")
"""Functions whose detectors count vehicles; of an approach the first that it has is taken."""
MOST_DELAY_US: Final = 10 * MINUTE_US


def approach_volume(events: Events, configuration: Configuration, settings: Settings) -> Table:
    """Count the vehicles of each phase, and their flow in vehicles an hour.

    An approach with stop-bar counters is counted there, else at its advance detectors; presence
    detectors count no vehicles and are not taken.
    """
    owner: dict[tuple[str, int], str] = {}
    uses: list[tuple[str, int, int]] = []
    for function in COUNTING:
        for device_name, served_phase, channel in configuration.of(function):
            if owner.setdefault((device_name, served_phase), function) == function:
                uses.append((device_name, served_phase, channel))
    seen, phase = with_phase(events.of(DETECTOR_ON), uses)
    bins = bin_of(seen.at_us, settings.bin_min * MINUTE_US)
    keys, _, sizes = grouped(bins, seen.device, phase)
    known = [events.devices[each] for each in keys[1].tolist()]
    counted = [owner[pair].casefold() for pair in zip(known, keys[2].tolist(), strict=True)]
    return {
        "TimeStamp": stamps(keys[0]),
        "DeviceId": names(events, keys[1]),
        "Phase": keys[2],
        "Volume": sizes,
        "FlowVph": sizes * 60 / settings.bin_min,
        "CountedBy": counted,
    }


def approach_delay(events: Events, tracks: Tracks, met: Arrivals, settings: Settings) -> Table:
    """Average the time from an arrival on yellow or red to the next green; 0 on green.

    It is delay by signal state alone: queues that stand over a green are not in it. Arrivals
    without a green within ten minutes are not counted.
    """
    known, waited_us = waits(tracks, met)
    delay_s = waited_us / SECOND_US
    bins = bin_of(met.at_us[known], settings.bin_min * MINUTE_US)
    keys, group, sizes = grouped(bins, met.device[known], met.phase[known])
    total = np.bincount(group, delay_s[known], len(sizes))
    return {
        "TimeStamp": stamps(keys[0]),
        "DeviceId": names(events, keys[1]),
        "Phase": keys[2],
        "Vehicles": sizes,
        "AvgDelay": means(delay_s[known], group, sizes),
        "TotalDelay": total,
    }


def waits(tracks: Tracks, met: Arrivals) -> tuple[Bools, Ints]:
    """Give of which arrivals the wait for green is known, and how long it is in microseconds."""
    green = tracks.events.code == GREEN
    places = np.flatnonzero(green)
    following = np.searchsorted(places, met.event, "right")
    place = places[np.minimum(following, len(places) - 1)] if len(places) else met.event
    inside = (following < len(places)) & (met.event >= 0)
    if len(places):
        inside &= tracks.track[place] == met.track
        wait_us = tracks.events.at_us[place] - met.at_us
    else:
        wait_us = np.zeros(len(met.at_us), dtype=np.int64)
    on_green = met.state == GREEN
    known = on_green | inside & (wait_us >= 0) & (wait_us <= MOST_DELAY_US)
    return known, np.where(on_green, 0, wait_us)

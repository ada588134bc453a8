"""When the times of events cannot be trusted: clock changes, log restarts, silences, lost bins."""

import numpy as np

from signals.rules.measures.counts import has_data
from signals.rules.measures.events import (
    DAY_US,
    MINUTE_US,
    SECOND_US,
    Bools,
    Events,
    Ints,
    bin_of,
    positions,
)
from signals.rules.measures.interval_kinds import CLOCK_DOUBT_S, CLOCK_UPDATE, LOG_START
from signals.rules.measures.settings import SIEMENS, Settings


def silences(events: Events, settings: Settings) -> tuple[Ints, Ints, Ints]:
    """Give (device, from, to) of the silences that are too long for their time of day."""
    start, end = events.at_us[:-1], events.at_us[1:]
    minute = start % DAY_US // MINUTE_US
    since = np.array([each[0] for each in settings.silence_s])
    limit = np.array([each[1] for each in settings.silence_s])
    # Before the first time of the day the last one's still holds.
    limits_ms = 1000 * limit[np.searchsorted(since, minute, "right") - 1]
    long = (np.diff(events.device) == 0) & (end // 1000 - start // 1000 > limits_ms)
    return events.device[1:][long], start[long], end[long]


def in_doubt(events: Events, settings: Settings, device: Ints, start: Ints, end: Ints) -> Bools:
    """Say which intervals touch a clock update, a silence or (Siemens) a log's restart."""
    owners, starts, ends = silences(events, settings)
    clock = events.of(CLOCK_UPDATE)
    owners = np.concatenate((owners, clock.device))
    starts = np.concatenate((starts, clock.at_us - CLOCK_DOUBT_S * SECOND_US))
    ends = np.concatenate((ends, clock.at_us + CLOCK_DOUBT_S * SECOND_US))
    if settings.controller == SIEMENS:
        restarted, since, until = _restarts(events)
        owners = np.concatenate((owners, restarted))
        starts, ends = np.concatenate((starts, since)), np.concatenate((ends, until))
    order = np.lexsort((ends, starts, owners))
    owners, starts, ends = owners[order], starts[order], ends[order]
    result = np.zeros(len(start), dtype=np.bool_)
    for each in np.unique(owners).tolist():
        theirs = owners == each
        latest = np.maximum.accumulate(ends[theirs])
        mine = np.flatnonzero(device == each)
        place = np.searchsorted(starts[theirs], end[mine], "left") - 1
        result[mine] = (place >= 0) & (latest[np.maximum(place, 0)] > start[mine])
    return result


def _restarts(events: Events) -> tuple[Ints, Ints, Ints]:
    began = events.of(LOG_START)
    hour = bin_of(began.at_us, 60 * MINUTE_US)
    since = np.array(
        [
            _last_before(events, device, at_us)
            for device, at_us in zip(began.device.tolist(), began.at_us.tolist(), strict=True)
        ],
        dtype=np.int64,
    )
    return began.device, np.maximum(since, hour), began.at_us + 1000


def _last_before(events: Events, device: int, at_us: int) -> int:
    low, high = np.searchsorted(events.device, [device, device + 1])
    place = int(low + np.searchsorted(events.at_us[low:high], at_us, "left")) - 1
    return int(events.at_us[place]) if place >= low else 0


def over_gaps(events: Events, settings: Settings, device: Ints, start: Ints, end: Ints) -> Bools:
    """Say which intervals touch a bin without data of their device.

    From the file's first bin on: nothing is known of bins before.
    """
    if not len(start):
        return np.zeros(0, dtype=np.bool_)
    bin_us = settings.bin_min * MINUTE_US
    owners, bins = has_data(events, settings)
    first = int(bin_of(events.at_us.min(), bin_us))
    span = max(int(events.at_us.max()), int(end.max())) // bin_us - first // bin_us + 2
    keys = np.sort(owners * span + (bins - first) // bin_us)
    low = np.maximum((start // bin_us * bin_us - first) // bin_us, 0)
    high = (end // bin_us * bin_us - first) // bin_us
    # As many bins with data as bins: count known ones between both ends.
    known = np.searchsorted(keys, device * span + high, "right") - np.searchsorted(
        keys, device * span + low, "left"
    )
    result: Bools = (known < high - low + 1) & (high >= low)
    return result


def incomplete(events: Events, settings: Settings, device: Ints, bins: Ints) -> Bools:
    """Say which bins of devices lost data."""
    owners, known = has_data(events, settings)
    keys = np.sort(owners * (1 << 40) + known // MINUTE_US)
    result: Bools = positions(keys, device * (1 << 40) + bins // MINUTE_US) < 0
    return result

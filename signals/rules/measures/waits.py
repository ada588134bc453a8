"""How long phases and people on foot waited, from the timeline."""

import numpy as np

from signals.rules.measures.events import (
    MINUTE_US,
    SECOND_US,
    Bools,
    Events,
    Floats,
    Ints,
    Table,
    bin_of,
    grouped,
    means,
    names,
    stamps,
)
from signals.rules.measures.intervals import PED_DELAY, WAIT, Intervals
from signals.rules.measures.settings import MAXTIME, Settings


def pedestrian_delay(events: Events, found: Intervals, settings: Settings) -> Table:
    """Average the time from a press to the walk, by the bin of the walk."""
    waited = found.of(PED_DELAY)
    bins = bin_of(waited.end_us, settings.bin_min * MINUTE_US)
    keys, group, sizes = grouped(bins, waited.device, waited.value)
    return {
        "TimeStamp": stamps(keys[0]),
        "DeviceId": names(events, keys[1]),
        "Phase": keys[2],
        "AvgPedDelay": means(waited.seconds, group, sizes),
        "Samples": sizes,
    }


def phase_wait(events: Events, found: Intervals, settings: Settings) -> Table:
    """Average and longest wait of called phases, and how often one was skipped.

    Waits near a preemption are left out; one longer than 1.5 cycles is a skip, 2 where a bus was
    given priority in it.
    """
    waits = found.of(WAIT)
    preempts = found.of("Preempt")
    recovery = round(settings.preempt_recovery_s * SECOND_US)
    near = _touching(waits, preempts.device, preempts.start_us, preempts.end_us + recovery)
    waits = waits.where(~near)
    cycle = np.maximum(
        _cycle_at(events, found, settings, waits.device, waits.start_us),
        _cycle_at(events, found, settings, waits.device, waits.end_us),
    )
    adjusted = found.of("TSP Adjustment")
    last = _latest(adjusted.device, adjusted.start_us, waits.device, waits.end_us)
    favoured = (last >= 0) & (
        adjusted.start_us[last] >= waits.start_us if len(adjusted.start_us) else last >= 0
    )
    most = cycle * np.where(favoured, settings.priority_skip_multiplier, settings.skip_multiplier)
    bins = bin_of(waits.end_us, settings.bin_min * MINUTE_US)
    keys, group, sizes = grouped(bins, waits.device, waits.value)
    longest = np.zeros(len(sizes))
    np.maximum.at(longest, group, waits.seconds)
    return {
        "TimeStamp": stamps(keys[0]),
        "DeviceId": names(events, keys[1]),
        "Phase": keys[2],
        "AvgPhaseWait": means(waits.seconds, group, sizes),
        "MaxPhaseWait": longest,
        "TotalSkips": np.bincount(group, waits.seconds > most, len(sizes)).astype(np.int64),
    }


def _touching(waits: Intervals, device: Ints, start: Ints, end: Ints) -> Bools:
    result = np.zeros(len(waits.device), dtype=np.bool_)
    for owner, since, until in zip(device.tolist(), start.tolist(), end.tolist(), strict=True):
        result |= (waits.device == owner) & (waits.start_us < until) & (since < waits.end_us)
    return result


def _cycle_at(
    events: Events, found: Intervals, settings: Settings, device: Ints, at_us: Ints
) -> Floats:
    """Give the cycle in force in seconds; an assumed one where none is said, or free."""
    if settings.controller == MAXTIME:
        said = events.of(316)
        owners, since, cycles = said.device, said.at_us, said.parameter
    else:
        changes = found.of("Cycle Length Change")
        owners, since, cycles = changes.device, changes.start_us, changes.value
    last = _latest(owners, since, device, at_us)
    cycle = cycles[last].astype(float) if len(cycles) else np.zeros(len(device))
    return np.where((last < 0) | (cycle == 0), settings.assumed_cycle_s, cycle)


def _latest(owners: Ints, since: Ints, device: Ints, at_us: Ints) -> Ints:
    """Give the last place of a device at or before an instant, -1 for none; owners are sorted."""
    result = np.full(len(device), -1, dtype=np.int64)
    for each in np.unique(device).tolist():
        low, high = np.searchsorted(owners, [each, each + 1])
        mine = np.flatnonzero(device == each)
        place = low + np.searchsorted(since[low:high], at_us[mine], "right") - 1
        result[mine] = np.where(place >= low, place, -1)
    return result

"""How each detector does, by day: what it counted, how long it was held, when it said nothing."""

from typing import Final

import numpy as np

from signals.rules.measures.events import (
    DAY_US,
    DETECTOR_OFF,
    DETECTOR_ON,
    MINUTE_US,
    Events,
    Floats,
    Ints,
    Table,
    bin_of,
    grouped,
    milliseconds,
    names,
    positions,
    served,
    stamps,
)
from signals.rules.measures.settings import Configuration, Settings

SHORT_MS: Final = 100
"""A vehicle holds a detector for longer."""


def detector_health(events: Events, configuration: Configuration, settings: Settings) -> Table:
    """Give the facts on each detector and day that its device sent anything.

    Detectors that the configuration names and the file does not are there with nothing counted.
    Silence is the longest time without an actuation between the first and last event of the
    device that day.
    """
    seen = events.of(DETECTOR_OFF, DETECTOR_ON).by_channel()
    days, first, last = _days(events)
    rows = _rows(events, configuration, seen, days)
    device, day, channel = rows
    span = (1 << 15) * (len(events.devices) + 1)
    key = day // DAY_US * span + device * (1 << 15) + channel
    order = np.argsort(key, kind="stable")
    key, device, day, channel = key[order], device[order], day[order], channel[order]
    mine = positions(key, bin_of(seen.at_us, DAY_US) // DAY_US * span + seen.channel)
    count = len(key)
    on = seen.code == DETECTOR_ON
    total = np.bincount(mine[on], minlength=count)
    same = np.append(np.diff(seen.channel) == 0, [False])[: len(seen)]
    code_after = np.append(seen.code[1:], [0])[: len(seen)]
    at_after = np.append(seen.at_us[1:], [0])[: len(seen)]
    held = on & same & (code_after == DETECTOR_OFF)
    held_ms = np.where(held, milliseconds(seen.at_us, at_after), 0)
    held_total = np.bincount(mine, held_ms, count)
    longest = np.zeros(count)
    np.maximum.at(longest, mine, held_ms)
    short = np.bincount(mine[held & (held_ms < SHORT_MS)], minlength=count)
    place = positions(days[0] * span + days[1] // DAY_US, device * span + day // DAY_US)
    begun, ended = first[place], last[place]
    bins = bin_of(seen.at_us[held], settings.bin_min * MINUTE_US)
    ratio, tau = _drift(mine[held], bins, held_ms[held], count)
    # Still held at the end of the file; one that never says off is not known to be held.
    final = on & ~same & np.isin(seen.channel, seen.channel[~on])
    np.maximum.at(longest, mine[final], (ended[mine[final]] - seen.at_us[final]) / 1000)
    return {
        "Day": stamps(day),
        "DeviceId": names(events, device),
        "Detector": channel,
        "Actuations": total,
        "HeldShare": np.minimum(held_total * 1000 / np.maximum(ended - begun, 1), 1.0),
        "LongestHeld": longest / 1000,
        "ShortPulses": short,
        "Unpaired": np.bincount(mine[on & same & (code_after == DETECTOR_ON)], minlength=count),
        "PeakPerMinute": _peak(seen.where(on), mine[on], count),
        "LongestSilence": _silence(seen.where(on), mine[on], begun, ended) / 1_000_000,
        "Watched": (ended - begun) / 1_000_000,
        "HeldDrift": ratio,
        "HeldTau": tau,
    }


def _days(events: Events) -> tuple[tuple[Ints, Ints], Ints, Ints]:
    """Give each (device, day) that sent, sorted, with its first and last event."""
    keys, group, sizes = grouped(events.device, bin_of(events.at_us, DAY_US))
    end = np.cumsum(sizes) - 1
    del group
    # Events are sorted by device and time: groups stand in their order.
    return (keys[0], keys[1]), events.at_us[end - sizes + 1], events.at_us[end]


def _rows(
    events: Events, configuration: Configuration, seen: Events, days: tuple[Ints, Ints]
) -> tuple[Ints, Ints, Ints]:
    uses = [
        (d, p, c)
        for d, p, c in zip(
            configuration.device, configuration.phase, configuration.parameter, strict=True
        )
    ]
    use_device, _, use_channel = served(events, uses)
    known = np.unique(np.concatenate((seen.channel, use_device * (1 << 15) + use_channel)))
    owner = known >> 15
    low = np.searchsorted(days[0], owner, "left")
    count = np.searchsorted(days[0], owner, "right") - low
    row = np.repeat(np.arange(len(known)), count)
    step = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    return owner[row], days[1][low[row] + step], known[row] & ((1 << 15) - 1)


def _peak(on: Events, mine: Ints, count: int) -> Ints:
    keys, _, sizes = grouped(mine, bin_of(on.at_us, MINUTE_US))
    most = np.zeros(count, dtype=np.int64)
    np.maximum.at(most, keys[0], sizes)
    return most


def _silence(on: Events, mine: Ints, begun: Ints, ended: Ints) -> Ints:
    """Give the longest time without an actuation of each detector and day, in microseconds."""
    rows = np.arange(len(begun))
    row = np.concatenate((mine, rows, rows))
    at_us = np.concatenate((on.at_us, begun, ended))
    order = np.lexsort((at_us, row))
    row, at_us = row[order], at_us[order]
    gap = np.where(np.diff(row) == 0, np.diff(at_us), 0)
    longest = np.zeros(len(begun), dtype=np.int64)
    np.maximum.at(longest, row[1:], gap)
    return longest


def _drift(mine: Ints, bins: Ints, held_ms: Ints, count: int) -> tuple[Floats, Floats]:
    """Give how the mean time held grew from the first to the last quarter of bins, and its tau."""
    ratio, tau = np.full(count, np.nan), np.full(count, np.nan)
    keys, group, sizes = grouped(mine, bins)
    mean = np.bincount(group, held_ms, len(sizes)) / np.maximum(sizes, 1)
    enough = sizes >= 5  # noqa: PLR2004 - fewer say little
    owner, mean = keys[0][enough], mean[enough]
    low = np.searchsorted(owner, np.arange(count + 1))
    for row in range(count):
        values = mean[low[row] : low[row + 1]]
        quarter = len(values) // 4
        if quarter < 1:
            continue
        first = float(np.median(values[:quarter]))
        ratio[row] = float(np.median(values[-quarter:])) / first if first > 0 else np.nan
        signs = np.sign(values[None, :] - values[:, None])[np.triu_indices(len(values), 1)]
        tau[row] = float(signs.mean())
    return ratio, tau

"""Measures that count events in bins: actuations, terminations, people on foot, patterns.

Each gives a table with the columns of the package ``atspm``. Cost grows as sorting what is
counted does.
"""

from typing import Final

import numpy as np

from signals.rules.measures.events import (
    DETECTOR_ON,
    MINUTE_US,
    Events,
    Ints,
    Table,
    bin_of,
    grouped,
    means,
    milliseconds,
    names,
    positions,
    stamps,
)
from signals.rules.measures.settings import Settings

STANDARD_CODES: Final = 218
"""Codes above are vendors' own."""
COORDINATION: Final = (131, 132, 316, 318)
SPLIT_CODES: Final = range(300, 318)
TERMINATIONS: Final = {4: "GapOut", 5: "MaxOut", 6: "ForceOff"}
WALK, OVERLAP_WALK, PRESS = 21, 67, 90
# Presses to people, from Oregon's study of counted crossings; per bin a quarter of the intercept.
PER_PRESS, PER_PRESS_SQUARED, INTERCEPT = 0.7167, 0.0599, 1.1063
ROLLING_BINS: Final = 4


def has_data(events: Events, settings: Settings) -> tuple[Ints, Ints]:
    """Give (device, bin start) of the bins in which a device sent all along."""
    few = events.where(events.code <= STANDARD_CODES)
    step_us = settings.no_data_min * MINUTE_US
    (device, step), _, sizes = grouped(few.device, bin_of(few.at_us, step_us))
    enough = sizes >= settings.min_data_points
    bins = bin_of(step[enough], settings.bin_min * MINUTE_US)
    (device, bins), _, sizes = grouped(device[enough], bins)
    whole = sizes * settings.no_data_min == settings.bin_min
    return device[whole], bins[whole]


def has_data_table(events: Events, settings: Settings) -> Table:
    """Give the bins with data as a table."""
    device, bins = has_data(events, settings)
    return {"TimeStamp": stamps(bins), "DeviceId": names(events, device)}


def actuations(events: Events, settings: Settings) -> Table:
    """Count each detector's actuations."""
    on = events.of(DETECTOR_ON)
    bins = bin_of(on.at_us, settings.bin_min * MINUTE_US)
    (bins, device, channel), _, sizes = grouped(bins, on.device, on.parameter)
    return {
        "TimeStamp": stamps(bins),
        "DeviceId": names(events, device),
        "Detector": channel,
        "Total": sizes,
    }


def communications(events: Events, settings: Settings) -> Table:
    """Average what controllers say of their line."""
    said = events.of(*settings.communication_codes)
    bins = bin_of(said.at_us, settings.bin_min * MINUTE_US)
    (bins, device, code), group, sizes = grouped(bins, said.device, said.code)
    return {
        "TimeStamp": stamps(bins),
        "DeviceId": names(events, device),
        "EventId": code,
        "Average": means(said.parameter.astype(float), group, sizes),
    }


def coordination(events: Events, settings: Settings) -> Table:
    """List changes of pattern and cycle, and the cycles and offsets that were."""
    said = events.of(*COORDINATION)
    return {
        "TimeStamp": stamps(bin_of(said.at_us, settings.bin_min * MINUTE_US)),
        "Raw_TimeStamp": stamps(said.at_us),
        "DeviceId": names(events, said.device),
        "EventId": said.code,
        "Parameter": said.parameter,
    }


def coordination_by_bin(events: Events, settings: Settings) -> Table:
    """Give pattern, cycle and offset of each bin with data, the last said holding on; 0: none."""
    bin_us = settings.bin_min * MINUTE_US
    device, bins = has_data(events, settings)
    order = np.lexsort((bins, device))
    device, bins = device[order], bins[order]
    table: Table = {"TimeStamp": stamps(bins), "DeviceId": names(events, device)}
    columns = ("Pattern", "CycleLength", "ActualCycleLength", "ActualOffset")
    for name, code in zip(columns, COORDINATION, strict=True):
        said = events.of(code)
        value = np.full(len(bins), -1, dtype=np.int64)
        # Said in a bin without data: not seen, as in the package whose measure this is.
        keys = device * (1 << 40) + bins // MINUTE_US
        place = positions(keys, said.device * (1 << 40) + bin_of(said.at_us, bin_us) // MINUTE_US)
        value[place[place >= 0]] = said.parameter[place >= 0]
        table[name] = _held(value, device)
    return table


def _held(value: Ints, device: Ints) -> Ints:
    place = np.where(value >= 0, np.arange(len(value)), -1)
    start = np.zeros(len(value), dtype=np.bool_)
    start[:1] = True
    start[1:] = np.diff(device) != 0
    begun = np.maximum.accumulate(np.where(start, np.arange(len(value)), 0))
    last = np.maximum.accumulate(place) if len(place) else place
    result: Ints = np.where((last >= begun) & (last >= 0), value[np.maximum(last, 0)], 0)
    return result


def splits(events: Events, settings: Settings) -> Table:
    """Average the splits that MAXTIME controllers write (codes 300 to 317)."""
    said = events.of(*SPLIT_CODES)
    bins = bin_of(said.at_us, settings.bin_min * MINUTE_US)
    (bins, device, code), group, sizes = grouped(bins, said.device, said.code)
    return {
        "TimeStamp": stamps(bins),
        "DeviceId": names(events, device),
        "EventId": code,
        "Services": sizes,
        "Average_Split": means(said.parameter.astype(float), group, sizes),
    }


def terminations(events: Events, settings: Settings) -> Table:
    """Count why greens ended."""
    ended = events.of(*TERMINATIONS)
    bins = bin_of(ended.at_us, settings.bin_min * MINUTE_US)
    (bins, device, phase, code), _, sizes = grouped(bins, ended.device, ended.parameter, ended.code)
    return {
        "TimeStamp": stamps(bins),
        "DeviceId": names(events, device),
        "Phase": phase,
        "PerformanceMeasure": [TERMINATIONS[each] for each in code.tolist()],
        "Total": sizes,
    }


def _walks_and_presses(events: Events, bin_us: int) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    seen = events.of(WALK, OVERLAP_WALK, PRESS)
    keys, group, sizes = grouped(bin_of(seen.at_us, bin_us), seen.device, seen.parameter)
    presses = np.bincount(group, seen.code == PRESS, len(sizes)).astype(np.int64)
    return keys[0], keys[1], keys[2], sizes - presses, presses


def walks(events: Events, settings: Settings) -> Table:
    """Count walks given and presses of buttons."""
    bins, device, phase, services, presses = _walks_and_presses(
        events, settings.bin_min * MINUTE_US
    )
    return {
        "TimeStamp": stamps(bins),
        "DeviceId": names(events, device),
        "Phase": phase,
        "PedServices": services,
        "PedActuation": presses,
    }


def _unique(events: Events, settings: Settings) -> tuple[Ints, Ints, Ints, Ints]:
    pressed = events.of(PRESS).by_channel()
    apart = np.zeros(len(pressed), dtype=np.bool_)
    gap_ms = milliseconds(pressed.at_us[:-1], pressed.at_us[1:])
    same = np.diff(pressed.channel) == 0
    apart[1:] = same & (gap_ms > 1000 * settings.seconds_between_presses)
    pressed = pressed.where(apart)
    bins = bin_of(pressed.at_us, settings.bin_min * MINUTE_US)
    (bins, device, phase), _, sizes = grouped(bins, pressed.device, pressed.parameter)
    return bins, device, phase, sizes


def unique_presses(events: Events, settings: Settings) -> Table:
    """Count presses that are not the same person's again; the first of a file is not known."""
    bins, device, phase, sizes = _unique(events, settings)
    return {
        "TimeStamp": stamps(bins),
        "DeviceId": names(events, device),
        "Phase": phase,
        "Unique_Actuations": sizes,
    }


def people_on_foot(events: Events, settings: Settings) -> Table:
    """Give walks, presses and an estimate of people in every bin of the file.

    The estimate takes the presses of the hour that follows: the last hour's are too low.
    """
    bin_us = settings.bin_min * MINUTE_US
    bins, device, phase, services, presses = _walks_and_presses(events, bin_us)
    unique_bins, unique_device, unique_phase, unique = _unique(events, settings)
    (devices, phases), _, _ = grouped(device, phase)
    if not len(devices):
        return {
            "TimeStamp": stamps(bins),
            "DeviceId": names(events, device),
            "Phase": phase,
            "PedServices": services,
            "PedActuation": presses,
            "Unique_Actuations": unique,
            "Estimated_Volumes": np.zeros(0),
        }
    first = int(bin_of(events.at_us.min(), bin_us))
    times = np.arange(first, int(events.at_us.max()) + 1, bin_us)
    shape = (len(devices), len(times))
    row_of = {pair: n for n, pair in enumerate(zip(devices.tolist(), phases.tolist(), strict=True))}

    def spread(bins: Ints, device: Ints, phase: Ints, value: Ints) -> Ints:
        filled = np.zeros(shape, dtype=np.int64)
        rows = [row_of[pair] for pair in zip(device.tolist(), phase.tolist(), strict=True)]
        filled[rows, (bins - first) // bin_us] = value
        return filled

    apart = spread(unique_bins, unique_device, unique_phase, unique)
    sums = np.zeros((shape[0], shape[1] + ROLLING_BINS), dtype=np.int64)
    for shift in range(min(ROLLING_BINS, shape[1])):
        sums[:, : shape[1]][:, : shape[1] - shift] += apart[:, shift:]
    hour = sums[:, : shape[1]].astype(float)
    hourly = PER_PRESS * hour + PER_PRESS_SQUARED * hour**2
    share = np.divide(apart, hour, out=np.zeros(shape), where=hour > 0)
    return {
        "TimeStamp": stamps(np.tile(times, shape[0])),
        "DeviceId": names(events, np.repeat(devices, shape[1])),
        "Phase": np.repeat(phases, shape[1]),
        "PedServices": spread(bins, device, phase, services).ravel(),
        "PedActuation": spread(bins, device, phase, presses).ravel(),
        "Unique_Actuations": apart.ravel(),
        "Estimated_Volumes": (hourly * share + INTERCEPT / 4).ravel(),
    }

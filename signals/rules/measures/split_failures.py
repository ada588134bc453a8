"""Split failures: greens that were full, and a queue that still stood when red had begun.

Detectors' missing ons and offs are put in between; a phase's detectors count together (or each
for itself). Source: the method of Purdue (green and red occupancy ratios), as in ``atspm``.
"""

from typing import Final

import numpy as np

from signals.rules.measures.events import (
    DETECTOR_OFF,
    DETECTOR_ON,
    GREEN,
    MINUTE_US,
    RED,
    SECOND_US,
    YELLOW,
    Events,
    Ints,
    Table,
    bin_of,
    grouped,
    means,
    milliseconds,
    names,
    served,
    stamps,
    with_phase,
)
from signals.rules.measures.settings import Configuration, Settings

RAPID_MS: Final = 2000
"""Two ons within this: the first ended when the second began."""
BARRIER: Final = 11
_LANES: Final = 1 << 15

Lines = tuple[Ints, Ints, Ints]
"""Group, instant (microseconds), code."""


def split_failures(events: Events, configuration: Configuration, settings: Settings) -> Table:
    """Count split failures, and average green time and both occupancies, of whole cycles.

    Cost grows as sorting the actuations of presence detectors does.
    """
    bin_us = settings.bin_min * MINUTE_US
    uses = configuration.of("Presence")
    # A group is what is judged together: device, phase and, by lane, detector.
    groups, lines = _timeline_of(events, uses, settings)
    group, at_us, code = lines
    cycle, state, held = _followed(group, at_us, code)
    following = np.append(at_us[1:], 0)
    lasts = np.append(np.diff(group) == 0, [False])[: len(group)]
    span_ms = np.where(lasts, milliseconds(at_us, following), 0)

    count = int(cycle.max()) + 1 if len(cycle) else 1
    whole = np.bincount(cycle[code == YELLOW], minlength=count) == 1
    whole &= np.bincount(cycle[code == BARRIER], minlength=count) == 1
    whole &= np.bincount(cycle[held < 0], minlength=count) == 0
    whole[0] = False
    on, off = held == 1, held == 0
    green_on = np.bincount(cycle, np.where(on & (state == GREEN), span_ms, 0), count)
    green_off = np.bincount(cycle, np.where(off & (state == GREEN), span_ms, 0), count)
    red_on = np.bincount(cycle, np.where(on & (state == RED), span_ms, 0), count)
    ended = np.zeros(count, dtype=np.int64)
    owner = np.zeros(count, dtype=np.int64)
    barrier = code == BARRIER
    ended[cycle[barrier]], owner[cycle[barrier]] = at_us[barrier], group[barrier]

    green_ms = green_on + green_off
    whole &= green_ms > 0
    green_time = (green_ms[whole] / 1000).astype(np.float32)
    green_share = (green_on[whole] / green_ms[whole]).astype(np.float32)
    red_share = (red_on[whole] / (1000 * settings.red_time_s)).astype(np.float32)
    failed = (red_share >= np.float32(settings.red_occupancy)) & (
        green_share >= np.float32(settings.green_occupancy)
    )
    keys, where, sizes = grouped(bin_of(ended[whole], bin_us), owner[whole])
    device, phase, lane = (column[keys[1]] for column in groups)
    table: Table = {"TimeStamp": stamps(keys[0]), "DeviceId": names(events, device)}
    if settings.by_lane:
        table["Detector"] = lane
    return table | {
        "Phase": phase,
        "Green_Time": means(green_time.astype(float), where, sizes),
        "Green_Occupancy": means(green_share.astype(float), where, sizes),
        "Red_Occupancy": means(red_share.astype(float), where, sizes),
        "Split_Failure": np.bincount(where, failed, len(sizes)).astype(np.int64),
        "Cycles": sizes,
    }


def _timeline_of(
    events: Events, uses: list[tuple[str, int, int]], settings: Settings
) -> tuple[tuple[Ints, Ints, Ints], Lines]:
    """Give the groups (device, phase, lane) and their lamps, barriers and detectors in order."""
    seen, phase = with_phase(events.of(DETECTOR_OFF, DETECTOR_ON), uses)
    device, channel = seen.device, seen.parameter
    keys, lane, _ = grouped(device, phase, channel)
    each_lane, at_us, code = imputed(lane, seen.at_us, seen.code)
    if settings.by_lane:
        groups, group = (keys[0], keys[1], keys[2]), each_lane
    else:
        approach, of_lane, _ = grouped(keys[0], keys[1])
        # Phases whose detectors were silent throughout have no group: nothing is known of them.
        groups = (approach[0], approach[1], np.zeros(len(approach[0]), dtype=np.int64))
        group, at_us, code = _together(of_lane[each_lane], at_us, code)
    use_device, use_phase, _ = served(events, uses)
    lamps = events.of(GREEN, YELLOW, RED)
    lamp_key = lamps.device * _LANES + lamps.parameter
    wanted = np.isin(lamp_key, use_device * _LANES + use_phase)
    lamps, lamp_key = lamps.where(wanted), lamp_key[wanted]
    group_key = groups[0] * _LANES + groups[1]
    rows, owners = _owners(group_key, lamp_key)
    lamp_at, lamp_code = lamps.at_us[rows], lamps.code[rows]
    red = lamp_code == RED
    barrier_at = lamp_at[red] + round(settings.red_time_s * SECOND_US)
    bin_us = settings.bin_min * MINUTE_US
    end = int(events.at_us.max()) // bin_us * bin_us + bin_us if len(events) else 0
    inside = barrier_at < end
    barrier_at, barrier_owner = barrier_at[inside], owners[red][inside]
    group = np.concatenate((owners, group, barrier_owner))
    at_us = np.concatenate((lamp_at, at_us, barrier_at))
    code = np.concatenate((lamp_code, code, np.full(len(barrier_at), BARRIER, dtype=np.int64)))
    order = np.lexsort((code, at_us, group))
    return groups, (group[order], at_us[order], code[order])


def _owners(group_key: Ints, lamp_key: Ints) -> tuple[Ints, Ints]:
    """Pair each lamp's event with every group of its phase: rows of events, and groups."""
    order = np.argsort(group_key, kind="stable")
    low = np.searchsorted(group_key[order], lamp_key, "left")
    count = np.searchsorted(group_key[order], lamp_key, "right") - low
    rows = np.repeat(np.arange(len(lamp_key)), count)
    step = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)
    return rows, order[low[rows] + step]


def imputed(lane: Ints, at_us: Ints, code: Ints) -> Lines:
    """Put in the offs and ons that a detector must have left out.

    Of two ons within 2 s the first ended at the second; further apart, or of two offs, the
    missing one lies in the middle. A lane that begins with an off was on a millisecond before.
    """
    order = np.lexsort((code, at_us, lane))
    lane, at_us, code = lane[order], at_us[order], code[order]
    same = np.concatenate(([False], np.diff(lane) == 0))[: len(lane)]
    before = np.concatenate(([0], at_us[:-1]))[: len(lane)]
    repeated = same & (code == np.concatenate(([0], code[:-1]))[: len(lane)])
    gap_ms = np.where(same, milliseconds(before, at_us), 0)
    rapid = repeated & (code == DETECTOR_ON) & (gap_ms <= RAPID_MS)
    middle = at_us - np.where(rapid, 0, gap_ms * 500)
    other = DETECTOR_OFF + DETECTOR_ON - code
    first_off = ~same & (code == DETECTOR_OFF)
    lane = np.concatenate((lane, lane[repeated], lane[first_off]))
    at_us = np.concatenate((at_us, middle[repeated], at_us[first_off] - 1000))
    code = np.concatenate(
        (code, other[repeated], np.full(int(first_off.sum()), DETECTOR_ON, dtype=np.int64))
    )
    return lane, at_us, code


def _together(group: Ints, at_us: Ints, code: Ints) -> Lines:
    """Give a phase's detectors as one that is on where any is."""
    order = np.lexsort((code, at_us, group))
    group, at_us, code = group[order], at_us[order], code[order]
    step = np.where(code == DETECTOR_ON, 1, -1)
    total = np.cumsum(step)
    start = np.concatenate(([True], np.diff(group) != 0))[: len(group)]
    base = (total - step)[start]
    number = np.cumsum(start) - 1
    total = total - base[number] if len(total) else total
    # What happens at one instant counts whole before the state is taken.
    last = np.concatenate(((np.diff(at_us) != 0) | (np.diff(group) != 0), [True]))[: len(group)]
    place = np.flatnonzero(last)
    upto = place[np.searchsorted(place, np.arange(len(group)))] if len(group) else place
    state = np.where(total[upto] > 0, DETECTOR_ON, DETECTOR_OFF)
    return group, at_us, state


def _followed(group: Ints, at_us: Ints, code: Ints) -> tuple[Ints, Ints, Ints]:
    """Give each line's cycle (0: before a group's first green), lamp state and detector state.

    The detector's state is 1, 0, or -1 where it is not known yet.
    """
    del at_us
    if not len(group):
        return group, group, group
    green = code == GREEN
    cycle = np.cumsum(green)
    start = np.concatenate(([True], np.diff(group) != 0))
    number = np.cumsum(start) - 1
    base = (cycle - green)[start][number]
    opened = cycle > base
    lamp = np.where(code < DETECTOR_OFF, code, 0)
    own = 2 * cycle + opened + 2 * number
    state = np.maximum.accumulate(own * 16 + lamp) % 16
    detector = code >= DETECTOR_OFF
    index = np.arange(len(code))
    last = np.maximum.accumulate(np.where(detector, index, -1))
    begun = np.maximum.accumulate(np.where(start, index, 0))
    held = np.where(last >= begun, code[np.maximum(last, 0)] - DETECTOR_OFF, -1)
    return np.where(opened, cycle, 0), state, held

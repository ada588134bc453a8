"""What a phase showed when: cycles from green to green, and where in them vehicles arrive."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from signals.rules.measures.events import (
    DETECTOR_ON,
    GREEN,
    MINUTE_US,
    RED,
    SECOND_US,
    YELLOW,
    Bools,
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
    with_phase,
)
from signals.rules.measures.settings import Configuration, Settings

PHASES: Final = 1 << 15
_MASKS: Final = 16
ARRIVAL_TYPES: Final = (0.50, 0.85, 1.15, 1.50, 2.00)
"""Upper ends of the platoon ratio for arrival types 1 to 5. Source: HCM, exhibit 19-14."""


@dataclass(frozen=True)
class Tracks:
    """Greens, yellows and reds of phases, sorted by phase and time.

    Parameters
    ----------
    events : Events
        Codes 1, 8 and 10, by device, phase and time.
    track : array
        Number of the (device, phase) of each event.
    cycle : array
        Number of the cycle over all tracks; an event before a track's first green has the last
        of the track before, or 0: ``opened`` tells it apart.
    opened : array
        Whether the track has shown a green before or at the event.
    state : array
        1, 8 or 10: the furthest that the cycle has come.
    """

    events: Events
    keys: Ints
    """Of each track: device * 32 768 + phase, sorted."""
    track: Ints
    cycle: Ints
    opened: Bools
    state: Ints
    start: Ints
    """Where each track begins among the events, and one end more."""

    def last_before(self, track: Ints, at_us: Ints) -> Ints:
        """Give the last event of a track at or before an instant, -1 where there is none."""
        result = np.full(len(track), -1, dtype=np.int64)
        order = np.argsort(track, kind="stable")
        lows = np.searchsorted(track[order], np.arange(len(self.keys) + 1))
        for number in range(len(self.keys)):
            rows = order[lows[number] : lows[number + 1]]
            if not len(rows):
                continue
            low, high = self.start[number], self.start[number + 1]
            found = low + np.searchsorted(self.events.at_us[low:high], at_us[rows], "right") - 1
            result[rows] = np.where(found >= low, found, -1)
        return result


def tracks_of(events: Events, uses: Sequence[tuple[str, int, int]] | None = None) -> Tracks:
    """Follow the phases that these detectors serve, or all."""
    lamps = events.of(GREEN, YELLOW, RED).by_channel()
    key = lamps.device * PHASES + lamps.parameter
    if uses is not None:
        device, phase, _ = served(events, uses)
        wanted = np.isin(key, np.unique(device * PHASES + phase))
        lamps, key = lamps.where(wanted), key[wanted]
    keys, track = np.unique(key, return_inverse=True)
    start = np.searchsorted(track, np.arange(len(keys) + 1))
    green = lamps.code == GREEN
    cycle = np.cumsum(green)
    before = np.concatenate(([0], cycle))[start[:-1]]
    opened = cycle > before[track] if len(keys) else green
    # A cycle's number grows, also from track to track, so that a running maximum starts anew in
    # each; events before a track's first green get a number of their own.
    own = 2 * cycle + np.where(opened, 1, 0) + 2 * track
    state = np.maximum.accumulate(own * _MASKS + lamps.code) % _MASKS if len(own) else own
    return Tracks(lamps, keys, track.astype(np.int64), cycle, opened, state, start)


@dataclass(frozen=True)
class Arrivals:
    """Actuations against what their phase showed."""

    at_us: Ints
    device: Ints
    phase: Ints
    track: Ints
    """-1 where the phase showed nothing in the file."""
    event: Ints
    """The last lamp event before, -1 for none."""
    state: Ints
    """1, 8, 10; 0 where not known."""


def arrivals(
    events: Events, tracks: Tracks, uses: Sequence[tuple[str, int, int]], latency_s: float
) -> Arrivals:
    """Say what each vehicle met that a detector of these uses saw."""
    seen, phase = with_phase(events.of(DETECTOR_ON), uses)
    at_us = seen.at_us - round(latency_s * SECOND_US)
    track = positions(tracks.keys, seen.device * PHASES + phase)
    last = np.full(len(at_us), -1, dtype=np.int64)
    known = track >= 0
    last[known] = tracks.last_before(track[known], at_us[known])
    state = np.where(last >= 0, tracks.state[last] if len(tracks.state) else 0, 0)
    return Arrivals(at_us, seen.device, phase, track, last, state)


@dataclass(frozen=True)
class GreenShares:
    """Arrivals on green of each bin, device and phase."""

    bins: Ints
    device: Ints
    phase: Ints
    total: Ints
    green: Ints


def green_shares(found: Arrivals, bin_us: int) -> GreenShares:
    """Count arrivals and those on green; bins without a single one on green are left out."""
    keys, group, sizes = grouped(bin_of(found.at_us, bin_us), found.device, found.phase)
    green = np.bincount(group, found.state == GREEN, len(sizes)).astype(np.int64)
    kept = green > 0
    return GreenShares(keys[0][kept], keys[1][kept], keys[2][kept], sizes[kept], green[kept])


def arrivals_on_green(events: Events, shares: GreenShares) -> Table:
    """Give the share of vehicles that met green."""
    return {
        "TimeStamp": stamps(shares.bins),
        "DeviceId": names(events, shares.device),
        "Phase": shares.phase,
        "Total_Actuations": shares.total,
        "Percent_AOG": shares.green / np.maximum(shares.total, 1),
    }


def green_seconds(tracks: Tracks, bin_us: int) -> tuple[Ints, Ints, Floats]:
    """Give (bin, track, seconds of green): greens are cut at the bins' edges.

    A file's first yellow without a green before was green from its bin's start; a last green
    without an end lasts to its bin's end.
    """
    seen = tracks.events.of(GREEN, YELLOW)
    chosen = np.isin(tracks.events.code, (GREEN, YELLOW))
    track, at_us, code = tracks.track[chosen], seen.at_us, seen.code
    none = np.zeros(0, dtype=np.int64)
    if not len(at_us):
        return none, none, np.zeros(0)
    same = np.diff(track) == 0
    following = np.append(np.where(same, at_us[1:], -1), -1)
    before = np.concatenate(([-1], np.where(same, code[:-1], -1)))
    edge = bin_of(at_us, bin_us)
    green = code == GREEN
    opening = (code == YELLOW) & ((before == -1) | (before == YELLOW))
    start = np.concatenate((at_us[green], edge[opening]))
    end = np.concatenate(
        (np.where(following >= 0, following, edge + bin_us)[green], at_us[opening])
    )
    owner = np.concatenate((track[green], track[opening]))
    longer = end > start
    start, end, owner = start[longer], end[longer], owner[longer]
    first = start // bin_us
    pieces = (end - 1000) // bin_us - first + 1
    pieces = np.maximum(pieces, 0)
    row = np.repeat(np.arange(len(start)), pieces)
    step = np.arange(len(row)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    bins = (first[row] + step) * bin_us
    shown_ms = milliseconds(np.maximum(start[row], bins), np.minimum(end[row], bins + bin_us))
    keys, group, sizes = grouped(bins, owner[row])
    return keys[0], keys[1], np.bincount(group, shown_ms, len(sizes)) / 1000


def platoon_ratio(events: Events, tracks: Tracks, shares: GreenShares, settings: Settings) -> Table:
    """Give how much better than at random vehicles meet green, and the arrival type.

    Source: HCM, chapter 19: Rp = P / (g/C).
    """
    bin_us = settings.bin_min * MINUTE_US
    bins, track, seconds = green_seconds(tracks, bin_us)
    span = len(tracks.keys) + 1
    keys = bins // MINUTE_US * span + track
    order = np.argsort(keys, kind="stable")
    own = positions(tracks.keys, shares.device * PHASES + shares.phase)
    place = positions(keys[order], shares.bins // MINUTE_US * span + own)
    kept = (place >= 0) & (own >= 0)
    shown = seconds[order][place[kept]] if len(seconds) else np.zeros(0)
    share = shares.green[kept] / np.maximum(shares.total[kept], 1)
    ratio = shown / (settings.bin_min * 60)
    platoon = np.divide(share, ratio, out=np.zeros(len(share)), where=ratio > 0)
    lit = shown > 0
    chosen = np.flatnonzero(kept)[lit]
    return {
        "TimeStamp": stamps(shares.bins[chosen]),
        "DeviceId": names(events, shares.device[chosen]),
        "Phase": shares.phase[chosen],
        "Total_Actuations": shares.total[chosen],
        "Green_Actuations": shares.green[chosen],
        "Percent_AOG": share[lit],
        "Green_Seconds": shown[lit],
        "Green_Ratio": ratio[lit],
        "Platoon_Ratio": platoon[lit],
        "Arrival_Type": np.searchsorted(ARRIVAL_TYPES, platoon[lit].astype(np.float32)) + 1,
    }


def whole_cycles(tracks: Tracks) -> tuple[Bools, Ints]:
    """Say which cycles have one yellow and one red, and when that red began (microseconds).

    Both by the number of the cycle, 0 standing for none.
    """
    count = int(tracks.cycle[-1]) + 1 if len(tracks.cycle) else 1
    code, cycle = tracks.events.code, np.where(tracks.opened, tracks.cycle, 0)
    yellows = np.bincount(cycle[code == YELLOW], minlength=count)
    reds = np.bincount(cycle[code == RED], minlength=count)
    whole = (yellows == 1) & (reds == 1)
    whole[0] = False
    red_at = np.zeros(count, dtype=np.int64)
    red_at[cycle[code == RED]] = tracks.events.at_us[code == RED]
    return whole, red_at


def yellow_red(events: Events, configuration: Configuration, settings: Settings) -> Table:
    """Count vehicles over the stop line by seconds after red began, half by half second."""
    uses = configuration.of("Yellow_Red")
    tracks = tracks_of(events, uses)
    met = arrivals(events, tracks, uses, settings.yellow_red_latency_s)
    whole, red_at = whole_cycles(tracks)
    known = met.event >= 0
    event = met.event[known]
    cycle = np.where(tracks.opened[event], tracks.cycle[event], 0)
    kept = whole[cycle]
    at_us, device, phase, state = (
        column[known][kept] for column in (met.at_us, met.device, met.phase, met.state)
    )
    red_us = red_at[cycle[kept]]
    halves = 2 * milliseconds(red_us, at_us) / 1000
    offset = np.trunc(halves + np.copysign(0.5, halves)).astype(np.int64)
    if settings.min_red_offset_s is not None:
        late = offset >= 2 * settings.min_red_offset_s
        red_us, device, phase, state, offset = (
            column[late] for column in (red_us, device, phase, state, offset)
        )
    bins = bin_of(red_us, settings.bin_min * MINUTE_US)
    keys, _, sizes = grouped(bins, device, phase, state, offset)
    return {
        "TimeStamp": stamps(keys[0]),
        "DeviceId": names(events, keys[1]),
        "Phase": keys[2],
        "Signal_State": keys[3],
        "Red_Offset": keys[4] / 2,
        "Count": sizes,
    }

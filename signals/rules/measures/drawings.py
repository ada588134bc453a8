"""Pictures of the measures: coordination, split monitor, terminations, arrivals on green.

Pure transformers from events and tables to SVG by file name; a picture a device and phase, or a
device. Words are in Chinese and English, since one drawing is printed for both.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from signals.rules.measures.cycles import Arrivals, Tracks, arrivals, tracks_of
from signals.rules.measures.events import GREEN, MINUTE_US, RED, YELLOW, Events, Ints, Table
from signals.rules.measures.intervals import Intervals
from signals.rules.measures.paper import (
    BLUE_INK,
    GREEN_INK,
    RED_INK,
    YELLOW_INK,
    Sheet,
)
from signals.rules.measures.settings import Configuration, Settings

MOST: Final = 200
"""Pictures of a kind; a city's file would else fill a disk."""
LONGEST_CYCLE_S: Final = 300.0
GAP_OUT, MAX_OUT, FORCE_OFF = 4, 5, 6
ENDINGS: Final = {
    GAP_OUT: (GREEN_INK, "间隔结束 gap out"),
    MAX_OUT: (RED_INK, "最大绿 max out"),
    FORCE_OFF: (BLUE_INK, "强制结束 force off"),
}


def drawings(
    events: Events,
    configuration: Configuration,
    found: Intervals,
    tables: dict[str, Table],
    settings: Settings,
) -> dict[str, str]:
    """Draw what there is to draw; give SVG by file name."""
    uses = configuration.of("Advance")
    tracks = tracks_of(events, uses)
    met = arrivals(events, tracks, uses, settings.latency_s)
    pictures: dict[str, str] = {}
    for kind in (
        _coordination(events, tracks, met),
        _split_monitors(events, found),
        _terminations(events),
        _arrivals_on_green(events, tables["arrival_on_green"], settings),
    ):
        for number, (name, picture) in enumerate(kind):
            if number >= MOST:
                break
            pictures[name] = picture
    return pictures


def _plain(name: str) -> str:
    """Give a device's name as a part of a file name."""
    return "".join(each if each.isalnum() or each in "-_" else "_" for each in name)[:60] or "_"


def _span(events: Events) -> tuple[int, int]:
    return int(events.at_us.min()), int(events.at_us.max())


def _coordination(events: Events, tracks: Tracks, met: Arrivals) -> Iterator[tuple[str, str]]:
    """Draw Purdue coordination diagrams: arrivals by time of day and seconds since red."""
    for number, key in enumerate(tracks.keys.tolist()):
        device, phase = events.devices[key >> 15], key & 32_767
        low, high = tracks.start[number], tracks.start[number + 1]
        at_us, code = tracks.events.at_us[low:high], tracks.events.code[low:high]
        reds = at_us[code == RED]
        if len(reds) < 2:  # noqa: PLR2004 - a cycle has two ends
            continue
        seen = met.at_us[met.track == number]
        share = _share(met, number)
        since_s = _since(reds, seen)
        inside = (since_s >= 0) & (since_s <= LONGEST_CYCLE_S) & (seen < reds[-1])
        cycles_s = np.diff(reds) / 1_000_000
        usual = cycles_s[cycles_s <= LONGEST_CYCLE_S]
        top = float(np.percentile(usual, 99)) * 1.08 if len(usual) else LONGEST_CYCLE_S
        sheet = Sheet(
            f"协调图 Coordination · {device} · 相位 phase {phase} · 绿灯到达 on green {share:.0%}",
            *_span(events),
            top,
            "s",
        )
        parts = [sheet.dots(seen[inside], since_s[inside], BLUE_INK)]
        for lamp, colour in ((GREEN, GREEN_INK), (YELLOW, YELLOW_INK)):
            begun = at_us[code == lamp]
            shown_s = _since(reds, begun)
            kept = (shown_s >= 0) & (shown_s <= LONGEST_CYCLE_S)
            parts.append(sheet.line(begun[kept], shown_s[kept], colour))
        kept = cycles_s <= LONGEST_CYCLE_S
        parts.append(sheet.line(reds[1:][kept], cycles_s[kept], RED_INK))
        legend = (
            (BLUE_INK, "到达 arrival"),
            (GREEN_INK, "绿灯开始 green begins"),
            (YELLOW_INK, "黄灯开始 yellow begins"),
            (RED_INK, "红灯开始 red begins"),
        )
        yield f"coordination-{_plain(device)}-{phase}.svg", sheet.svg(parts, legend)


def _share(met: Arrivals, track: int) -> float:
    mine = met.track == track
    return float((met.state[mine] == GREEN).mean()) if mine.any() else 0.0


def _since(reds: Ints, at_us: Ints) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    """Give seconds since the last red, -1 before the first."""
    place = np.searchsorted(reds, at_us, "right") - 1
    return np.where(place >= 0, (at_us - reds[np.maximum(place, 0)]) / 1_000_000, -1.0)


def _split_monitors(events: Events, found: Intervals) -> Iterator[tuple[str, str]]:
    """Draw each green's length, coloured by why it ended."""
    greens = found.of("Green", sure=False)
    # What lost its end is no green of that length.
    greens = greens.where(greens.seconds <= LONGEST_CYCLE_S)
    key = greens.device * 32_768 + greens.value
    why = _ending(events, greens)
    for each in np.unique(key).tolist():
        device, phase = events.devices[each >> 15], each & 32_767
        mine = key == each
        start, lasted, ended = greens.start_us[mine], greens.seconds[mine], why[mine]
        sheet = Sheet(
            f"绿信比监视 Split monitor · {device} · 相位 phase {phase}",
            *_span(events),
            float(np.percentile(lasted, 99)) * 1.1,
            "s",
        )
        parts = [
            sheet.dots(start[ended == code], lasted[ended == code], colour, 3.2)
            for code, (colour, _) in ENDINGS.items()
        ]
        parts.append(sheet.dots(start[ended == 0], lasted[ended == 0], YELLOW_INK, 3.2))
        legend = [*ENDINGS.values(), (YELLOW_INK, "未记 not told")]
        yield f"split-{_plain(device)}-{phase}.svg", sheet.svg(parts, legend)


def _ending(events: Events, greens: Intervals) -> Ints:
    """Give the code with which each green ended, 0 where none is told within it."""
    ended = events.of(*ENDINGS).by_channel()
    # The termination is written as the green ends, a moment before or with its end.
    why = np.zeros(len(greens.device), dtype=np.int64)
    key = greens.device * 32_768 + greens.value
    for each in np.unique(key).tolist():
        low, high = np.searchsorted(ended.channel, [each, each + 1])
        mine = np.flatnonzero(key == each)
        place = low + np.searchsorted(ended.at_us[low:high], greens.end_us[mine], "right") - 1
        inside = place >= low
        inside[inside] = ended.at_us[place[inside]] > greens.start_us[mine][inside]
        why[mine[inside]] = ended.code[place[inside]]
    return why


def _terminations(events: Events) -> Iterator[tuple[str, str]]:
    """Draw why greens ended: a row a phase, time to the right."""
    ended = events.of(*ENDINGS)
    for device in np.unique(ended.device).tolist():
        mine = ended.where(ended.device == device)
        phases, row = np.unique(mine.parameter, return_inverse=True)
        name = events.devices[device]
        sheet = Sheet(f"绿灯结束原因 Terminations · {name}", *_span(events), len(phases), "相位")
        # Each reason a little above the other, so that none hides another.
        parts = [
            sheet.dots(
                mine.at_us[mine.code == code],
                row[mine.code == code] + 0.3 + 0.2 * number,
                colour,
                3.0,
            )
            for number, (code, (colour, _)) in enumerate(ENDINGS.items())
        ]
        labels = [str(each) for each in phases.tolist()]
        yield f"terminations-{_plain(name)}.svg", sheet.svg(parts, list(ENDINGS.values()), labels)


def _arrivals_on_green(
    events: Events, table: Table, settings: Settings
) -> Iterator[tuple[str, str]]:
    """Draw the share of arrivals on green of each bin."""
    at_us = np.asarray(table["TimeStamp"]).astype("datetime64[us]").astype(np.int64)
    share = 100 * np.asarray(table["Percent_AOG"], dtype=float)
    owners = [str(each) for each in np.asarray(table["DeviceId"]).tolist()]
    phases = [int(each) for each in np.asarray(table["Phase"]).tolist()]
    pairs = list(zip(owners, phases, strict=True))
    for device, phase in sorted(set(pairs)):
        mine = np.array([each == (device, phase) for each in pairs])
        sheet = Sheet(
            f"绿灯到达 Arrivals on green · {device} · 相位 phase {phase}",
            *_span(events),
            100.0,
            "%",
        )
        width_us = settings.bin_min * MINUTE_US
        parts = [sheet.bars(at_us[mine], share[mine], GREEN_INK, width_us)]
        legend = ((GREEN_INK, "绿灯到达率 arrivals on green"),)
        yield f"arrivals-{_plain(device)}-{phase}.svg", sheet.svg(parts, legend)

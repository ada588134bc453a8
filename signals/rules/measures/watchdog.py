"""What an engineer should look at today, in plain Chinese and English."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from signals.rules.measures.events import (
    DAY_US,
    MINUTE_US,
    Events,
    Ints,
    Table,
    bin_of,
    names,
)
from signals.rules.measures.settings import Configuration, Settings, WatchLimits

WORDS: Final = {
    "detector_stuck": (
        "检测器 {subject} 持续有车 {value:.0f} 分钟，疑似卡死：请检查线圈或检测卡。",
        (
            "Detector {subject} was held on for {value:.0f} min on end: it seems stuck; check"
            " the loop or its card."
        ),
    ),
    "detector_chattering": (
        "检测器 {subject} 一分钟内触发 {value:.0f} 次，远超车辆所能：疑似抖动，其计数不可信。",
        (
            "Detector {subject} acted {value:.0f} times a minute, more than vehicles can: it seems"
            " to chatter, and its counts cannot be trusted."
        ),
    ),
    "detector_silent": (
        "检测器 {subject} 连续 {value:.1f} 小时没有触发，而信号机一直在上报：疑似断线。",
        (
            "Detector {subject} said nothing for {value:.1f} h while its controller sent on: it"
            " may be cut off."
        ),
    ),
    "detector_never_seen": (
        "检测器 {subject} 已配置，但当天一次也没有触发（观察了 {value:.1f} 小时）。",
        "Detector {subject} is configured and did not act once that day ({value:.1f} h watched).",
    ),
    "detector_drifting": (
        "检测器 {subject} 每车占用时间当天持续增长到 {value:.1f} 倍：疑似灵敏度漂移。",
        (
            "Detector {subject} holds {value:.1f} times as long a vehicle late as early,"
            " steadily: its sensitivity seems to drift."
        ),
    ),
    "phase_maxes_out": (
        "相位 {subject} 有 {value:.0%} 的绿灯以最大绿结束，几乎全天如此：绿灯不够，或检测器卡死。",
        (
            "Phase {subject} ended {value:.0%} of its greens at the maximum, all day: it has too"
            " little green, or a stuck detector."
        ),
    ),
    "pedestrian_stuck": (
        "行人相位 {subject} 的按钮在一个时段内按下 {value:.0f} 次：疑似按钮卡死。",
        (
            "The button of pedestrian phase {subject} was pressed {value:.0f} times in one bin: it"
            " seems stuck."
        ),
    ),
    "pedestrian_waits": (
        "行人相位 {subject} 多次等待过长，最长 {value:.0f} 秒：请检查行人请求与周期。",
        (
            "People at pedestrian phase {subject} waited too long, and often, up to {value:.0f} s:"
            " check the call and the cycle."
        ),
    ),
    "data_missing": (
        "信号机 {subject} 当天有 {value:.0%} 的时段缺数据：请检查通信或时钟。",
        "Controller {subject} lost data in {value:.0%} of that day's bins: check its line.",
    ),
}
"""Of each finding: Chinese, English."""
SEVERE: Final = frozenset({"detector_stuck", "pedestrian_stuck", "data_missing"})


@dataclass(frozen=True)
class Finding:
    """One thing to look at."""

    day: str
    device: str
    code: str
    subject: str
    value: float
    limit: float

    def document(self) -> dict[str, str | float]:
        """Give it with its words."""
        chinese, english = WORDS[self.code]
        return {
            "day": self.day,
            "device": self.device,
            "code": self.code,
            "subject": self.subject,
            "severity": "high" if self.code in SEVERE else "medium",
            "value": round(self.value, 4),
            "limit": self.limit,
            "zh": chinese.format(subject=self.subject, value=self.value),
            "en": english.format(subject=self.subject, value=self.value),
        }


def findings(
    events: Events,
    tables: dict[str, Table],
    configuration: Configuration,
    settings: Settings,
    limits: WatchLimits,
) -> list[dict[str, str | float]]:
    """Give the day's findings, the gravest first, each day and device for itself."""
    del configuration
    found = [
        *_detectors(tables["detector_health"], limits),
        *_greens(tables["terminations"], settings, limits),
        *_buttons(tables["ped"], limits),
        *_walkers(tables["timeline"], limits),
        *_gaps(events, tables["has_data"], settings, limits),
    ]
    found.sort(key=lambda each: (each.code not in SEVERE, each.day, each.device, each.code))
    return [each.document() for each in found]


def _day(at: object) -> str:
    return str(np.datetime64(str(at), "D"))


def _of_detector(
    day: str, device: str, subject: str, code: str, value: float, *, limit: float
) -> Finding:
    return Finding(day, device, code, subject, value, limit)


def _detectors(health: Table, limits: WatchLimits) -> Iterator[Finding]:
    columns = (
        "Actuations", "LongestHeld", "PeakPerMinute", "LongestSilence", "Watched",
        "HeldDrift", "HeldTau",
    )  # fmt: skip
    numbers = np.array([np.asarray(health[name], dtype=float) for name in columns]).T
    for row, (total, held, peak, silence, watched, drift, tau) in enumerate(numbers.tolist()):
        day, device = _day(health["Day"][row]), str(health["DeviceId"][row])
        subject = str(health["Detector"][row])

        finding = partial(_of_detector, day, device, subject)
        if held > limits.stuck_on_s:
            yield finding("detector_stuck", held / 60, limit=limits.stuck_on_s / 60)
        if peak > limits.chatter_per_min:
            yield finding("detector_chattering", peak, limit=limits.chatter_per_min)
        hours = limits.silent_s / 3600
        if total == 0 and watched >= limits.silent_s:
            yield finding("detector_never_seen", watched / 3600, limit=hours)
        elif (
            total >= limits.least_actuations
            and silence > max(limits.silent_s, limits.silent_share * watched)
            and held <= limits.stuck_on_s
        ):
            yield finding("detector_silent", silence / 3600, limit=hours)
        if (
            total >= limits.least_actuations
            and drift >= limits.drift_ratio
            and tau >= limits.drift_tau
        ):
            yield finding("detector_drifting", drift, limit=limits.drift_ratio)


def _greens(ended: Table, settings: Settings, limits: WatchLimits) -> Iterator[Finding]:
    del settings
    total: dict[tuple[str, str, int], dict[str, list[int]]] = {}
    for at, device, phase, why, count in zip(
        ended["TimeStamp"],
        ended["DeviceId"],
        ended["Phase"],
        ended["PerformanceMeasure"],
        ended["Total"],
        strict=True,
    ):
        # By bin: how many at the maximum, how many in all.
        bins = total.setdefault((_day(at), str(device), int(phase)), {})
        pair = bins.setdefault(str(at), [0, 0])
        pair[0] += int(count) if why == "MaxOut" else 0
        pair[1] += int(count)
    for (day, device, phase), bins in total.items():
        most, every = (sum(pair[side] for pair in bins.values()) for side in (0, 1))
        full = sum(pair[0] > limits.max_out_share * pair[1] for pair in bins.values())
        if (
            every >= limits.least_terminations
            and most > limits.max_out_share * every
            and full >= limits.max_out_bins * len(bins)
        ):
            yield Finding(
                day, device, "phase_maxes_out", str(phase), most / every, limits.max_out_share
            )


def _buttons(presses: Table, limits: WatchLimits) -> Iterator[Finding]:
    worst: dict[tuple[str, str, str], int] = {}
    for at, device, phase, count in zip(
        presses["TimeStamp"],
        presses["DeviceId"],
        presses["Phase"],
        presses["PedActuation"],
        strict=True,
    ):
        key = (_day(at), str(device), str(phase))
        worst[key] = max(worst.get(key, 0), int(count))
    for (day, device, phase), most in worst.items():
        if most > limits.presses_per_bin:
            yield Finding(day, device, "pedestrian_stuck", phase, most, limits.presses_per_bin)


def _walkers(timeline: Table, limits: WatchLimits) -> Iterator[Finding]:
    lasted = np.asarray(timeline["Duration"])
    sure = np.asarray(timeline["IsValid"])
    waits: dict[tuple[str, str, str], list[float]] = {}
    for row in np.flatnonzero(sure & (lasted > limits.walker_wait_s)).tolist():
        if timeline["EventClass"][row] == "Ped Delay":
            key = (
                _day(timeline["StartTime"][row]),
                str(timeline["DeviceId"][row]),
                str(timeline["EventValue"][row]),
            )
            waits.setdefault(key, []).append(float(lasted[row]))
    for (day, device, phase), each in waits.items():
        if len(each) >= limits.walker_waits:
            yield Finding(day, device, "pedestrian_waits", phase, max(each), limits.walker_wait_s)


def _gaps(
    events: Events, known: Table, settings: Settings, limits: WatchLimits
) -> Iterator[Finding]:
    """Bins without data between a day's first and last event in the whole file."""
    if not len(events):
        return
    bin_us = settings.bin_min * MINUTE_US
    told = np.asarray(known["TimeStamp"]).astype("datetime64[us]").astype(np.int64)
    owner = np.array([str(each) for each in known["DeviceId"]], dtype=str)
    first, last = int(events.at_us.min()), int(events.at_us.max())
    days: Ints = np.arange(first // DAY_US, last // DAY_US + 1) * DAY_US
    every = [str(each) for each in names(events, np.arange(len(events.devices)))]
    for day in days.tolist():
        low = max(day, first)
        high = min(day + DAY_US - 1, last)
        # The bin that the file ends in is not whole, nor the first where it begins within.
        begin, end = (int(bin_of(np.array(each), bin_us)) for each in (low + bin_us - 1, high))
        bins = (end - begin) // bin_us
        if high == day + DAY_US - 1:
            bins += 1
        if bins < 1:
            continue
        written = str(np.datetime64(day, "us").astype("datetime64[D]"))
        for device in every:
            have = int(((owner == device) & (told >= begin) & (told < begin + bins * bin_us)).sum())
            lost = 1 - have / bins
            if lost > limits.missing_share:
                yield Finding(written, device, "data_missing", device, lost, limits.missing_share)

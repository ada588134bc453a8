"""High-resolution events of invented junctions: eight phases, loops, buttons, buses.

The shape follows what a busy signal writes (about five events a second): lamps and terminations,
calls, advance, presence and stop-line loops. The same seed gives the same events.
"""

from typing import Final

import numpy as np

Ints = np.ndarray[tuple[int, ...], np.dtype[np.int64]]
START_US: Final = 1_713_139_200_000_000
"""2024-04-15 00:00."""
SECOND_US: Final = 1_000_000
PHASES: Final = 8
LOOPS: Final = ("Advance", "Presence", "Yellow_Red", "stop bar count")
Columns = tuple[Ints, Ints, Ints, Ints]
"""Instant, device, code, parameter."""


def config_rows(devices: int) -> list[tuple[int, int, int, str]]:
    """Give DeviceId, Phase, Parameter, Function of every loop."""
    return [
        (1000 + device, phase, _loop(phase, kind), LOOPS[kind])
        for device in range(devices)
        for phase in range(1, PHASES + 1)
        for kind in range(len(LOOPS))
    ]


def _loop(phase: int, kind: int) -> int:
    return (phase - 1) * len(LOOPS) + kind + 1


def junctions(devices: int, hours: float, seed: int = 1) -> Columns:
    """Give the events of junctions over hours, in the order of time."""
    random = np.random.default_rng(seed)
    parts = [_junction(1000 + device, hours, random) for device in range(devices)]
    columns = [np.concatenate([part[side] for part in parts]) for side in range(4)]
    order = np.argsort(columns[0], kind="stable")
    at_us, device, code, parameter = (column[order] for column in columns)
    return at_us, device, code, parameter


def _junction(device: int, hours: float, random: np.random.Generator) -> Columns:
    ats: list[Ints] = []
    codes: list[Ints] = []
    parameters: list[Ints] = []

    def add(at_s: object, code: object, parameter: int) -> None:
        times = np.asarray(at_s, dtype=float)
        ats.append(np.round(times * 10).astype(np.int64) * (SECOND_US // 10))
        codes.append(np.broadcast_to(np.asarray(code, dtype=np.int64), times.shape).copy())
        parameters.append(np.full(times.shape, parameter, dtype=np.int64))

    cycle_s = 90.0
    starts = np.arange(0, hours * 3600 - 2 * cycle_s, cycle_s)
    delay_s: float
    for phase in range(1, PHASES + 1):
        # Four stages one after the other; phases 5 to 8 run beside 1 to 4.
        stage = (phase - 1) % 4
        green = starts + stage * 22.5 + 0.1 * (phase > 4)
        lasted = random.uniform(8, 17, len(starts)).round(1)
        end = green + lasted
        for code, delay_s in ((0, 0), (1, 0), (2, 0), (3, 5)):
            add(green + delay_s, code, phase)
        add(end, random.choice([4, 5, 6], len(end), p=[0.5, 0.2, 0.3]), phase)
        for code, delay_s in ((7, 0), (8, 0), (9, 3.5), (10, 3.5), (11, 4.5), (12, 4.5)):
            add(end + delay_s, code, phase)
        add(green - random.uniform(1, 40, len(green)).round(1), 43, phase)
        add(green + 1, 44, phase)
        for kind in range(len(LOOPS)):
            count = random.poisson(hours * 3600 / 9)
            on = np.sort(random.uniform(0, hours * 3600 - 60, count)).round(1)
            held = random.uniform(0.2, 6.0 if kind == 1 else 0.8, count).round(1)
            held = np.minimum(held, np.append(np.diff(on), 1.0) * 0.9)
            loop = _loop(phase, kind)
            add(on, 82, loop)
            add(on + np.maximum(held, 0.1), 81, loop)
        if phase % 2 == 0:
            asked = random.random(len(green)) < 0.2
            add(green[asked] - 20, 90, phase)
            add(green[asked] - 20, 45, phase)
            add(green[asked], 21, phase)
            add(green[asked] + 7, 22, phase)
            add(green[asked] + 12, 23, phase)
    add(starts, 316, 90)
    add(starts, 318, 12)
    at_us = np.concatenate(ats) + START_US
    kept = at_us >= START_US
    at_us = at_us[kept]
    owner = np.full(len(at_us), device, dtype=np.int64)
    return at_us, owner, np.concatenate(codes)[kept], np.concatenate(parameters)[kept]

"""``coordinate``: the widest green waves along a corridor, with their proof."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from city.command_line import CommandLine
from signals.rules.waves.bandwidth import coordinate
from signals.rules.waves.corridor import KPH, Coordination, Corridor, read_corridor
from signals.rules.waves.diagram import time_space_svg

SUMMARY: Final = "find the offsets with the widest green waves along a corridor, with a proof"

_EXAMPLE: Final = """python -m signals coordinate corridor.json --plot corridor.svg

corridor.json:
  {"cycle_s": [60, 120], "weight": [1, 1], "speed_kph": {"out": [30, 50], "in": [30, 50]},
   "signals": [
     {"name": "A", "position_m": 0, "red": [0.45, 0.5], "red_centre_difference": 0.0},
     {"name": "B", "position_m": 420, "red": [0.5, 0.5], "queue_clearance": [0.05, 0]}]}
  shares of the cycle, outbound then inbound; per signal also: red_centre (0),
  left_turns ([0, 0]) with left_turn_patterns (of lead-lead, lead-lag, lag-lead, lag-lag)"""


def run(arguments: Sequence[str]) -> int:
    """Print the coordination; return 0, or 2 where the corridor cannot be read."""
    line = CommandLine("signals", "coordinate", SUMMARY, _EXAMPLE)
    line.add_argument("file", metavar="CORRIDOR.json", help="the corridor; - reads stdin")
    line.add_argument("--plot", metavar="FILE.svg", help="draw the time-space diagram")
    line.add_argument(
        "--time-limit", type=float, metavar="S", help="give the best known after so many seconds"
    )
    given = line.parse_args(arguments)
    if given.time_limit is not None and not given.time_limit > 0:
        line.error("--time-limit must be positive")
    corridor = read_corridor(line.read_json(given.file))
    if corridor.unknown:
        sys.stderr.write(f"{line.prog}: not read: {', '.join(corridor.unknown[:10])}\n")
    begun_s = time.perf_counter()
    found = coordinate(corridor, time_limit_s=given.time_limit)
    solve_s = time.perf_counter() - begun_s
    if given.plot is not None:
        try:
            Path(given.plot).write_text(time_space_svg(corridor, found), encoding="utf-8")
        except OSError as error:
            line.error(f"{given.plot}: {error.strerror or error}")
    line.answer({**answer(corridor, found), "solve_s": round(solve_s, 4)})
    return 0


def answer(corridor: Corridor, found: Coordination) -> dict[str, JsonValue]:
    """Give a coordination's document: seconds and kilometres an hour."""
    cycle_s = found.cycle_s
    widths = (found.outbound, found.inbound)
    # What is proven is the weighted sum; it is split as the bands are.
    rise = found.bound / found.objective if found.objective > 0 else 1.0
    result: dict[str, JsonValue] = {
        "cycle_s": round(cycle_s, 6),
        "offsets_s": [round(each * cycle_s, 6) for each in found.offsets],
        "bandwidth_s": [round(each * cycle_s, 6) for each in widths],
        "bound_s": [round(each * rise * cycle_s, 6) for each in widths],
        "gap": found.gap,
        "bandwidth_share": [round(each, 9) for each in widths],
        "speed_kph": {
            "out": _speeds(corridor, found.outbound_travel, cycle_s),
            "in": _speeds(corridor, found.inbound_travel, cycle_s),
        },
    }
    if any(found.patterns):
        result["left_turn_patterns"] = [
            None if each is None else each.value for each in found.patterns
        ]
    return result


def _speeds(corridor: Corridor, travel: Sequence[float], cycle_s: float) -> list[JsonValue]:
    return [
        round(length_m * KPH / (share * cycle_s), 6)
        for length_m, share in zip(corridor.links_m, travel, strict=True)
    ]

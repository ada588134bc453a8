"""``coordinate``: the widest green waves along a corridor, with their proof."""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from city.command_line import CommandLine
from signals.rules.waves.bandwidth import coordinate
from signals.rules.waves.corridor import KPH, Coordination, Corridor
from signals.rules.waves.corridor_documents import read_corridor
from signals.rules.waves.diagram import time_space_svg
from signals.rules.waves.link_answer import LinkCoordination

SUMMARY: Final = "find the offsets with the widest green waves along a corridor, with a proof"

_EXAMPLE: Final = """python -m signals coordinate corridor.json --plot corridor.svg

corridor.json:
  {"cycle_s": [60, 120], "weight": [1, 1], "speed_kph": {"out": [30, 50], "in": [30, 50]},
   "signals": [
     {"name": "A", "position_m": 0, "red": [0.45, 0.5], "red_centre_difference": 0.0},
     {"name": "B", "position_m": 420, "red": [0.5, 0.5], "queue_clearance": [0.05, 0]}]}
  shares of the cycle, outbound then inbound; per signal also: red_centre (0),
  left_turns ([0, 0]) with left_turn_patterns (of lead-lead, lead-lag, lag-lead, lag-lag),
  half_cycle ({"red": [0.5, 0.5], "red_centre_difference": 0, "only": false}), where its own
  cycle may be half of the corridor's: shares of its own cycle
  with --bands links: links, one fewer than signals, of {"flow_vph": [900, 400]} or
  {"weight": [1, 0.4]}, and least_through ([0, 0]), what goes through the whole street"""

LINKS_LIMIT_S: Final = 30.0
"""How long bands by link are looked for unless said otherwise."""


def run(arguments: Sequence[str]) -> int:
    """Print the coordination; return 0, or 2 where the corridor cannot be read."""
    line = CommandLine("signals", "coordinate", SUMMARY, _EXAMPLE)
    line.add_argument("file", metavar="CORRIDOR.json", help="the corridor; - reads stdin")
    line.add_argument("--plot", metavar="FILE.svg", help="draw the time-space diagram")
    line.add_argument(
        "--bands",
        choices=("street", "links"),
        default="street",
        help="one band each way through the street, or bands of each link by its demand",
    )
    line.add_argument(
        "--time-limit",
        type=float,
        metavar="S",
        help="give the best known after so many seconds; 30 with --bands links",
    )
    given = line.parse_args(arguments)
    if given.time_limit is not None and not given.time_limit > 0:
        line.error("--time-limit must be positive")
    corridor = read_corridor(line.read_json(given.file))
    if corridor.unknown:
        sys.stderr.write(f"{line.prog}: not read: {', '.join(corridor.unknown[:10])}\n")
    found: Coordination | LinkCoordination
    begun_s = time.perf_counter()
    if given.bands == "links":
        from signals.rules.waves.link_bands import coordinate_links  # noqa: PLC0415 - loads SciPy

        begun_s = time.perf_counter()
        with line.libraries_to_stderr():
            found = coordinate_links(corridor, time_limit_s=given.time_limit or LINKS_LIMIT_S)
        document = links_answer(corridor, found)
    else:
        found = coordinate(corridor, time_limit_s=given.time_limit)
        document = answer(corridor, found)
    solve_s = time.perf_counter() - begun_s
    if given.plot is not None:
        try:
            Path(given.plot).write_text(time_space_svg(corridor, found), encoding="utf-8")
        except OSError as error:
            line.error(f"{given.plot}: {error.strerror or error}")
    line.answer({**document, "solve_s": round(solve_s, 4)})
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
    if any(each.half is not None for each in corridor.signals):
        result["cycles"] = list(found.turns)
    return result


def links_answer(corridor: Corridor, found: LinkCoordination) -> dict[str, JsonValue]:
    """Give the document of bands by link: `bandwidth_s` and `bound_s` are their weighted means."""
    plan = found.plan
    weights = corridor.link_weights or (corridor.weight,) * len(found.outbound)
    widths = []
    for values, bands in (
        ([each.outbound for each in weights], found.outbound),
        ([each.inbound for each in weights], found.inbound),
    ):
        total = sum(values)
        worth = sum(value * band.width for value, band in zip(values, bands, strict=True))
        widths.append(worth / total if total > 0 else 0.0)
    document = answer(corridor, replace(plan, objective=found.objective, bound=found.bound))
    rise = found.bound / found.objective if found.objective > 0 else 1.0
    cycle_s = plan.cycle_s
    return document | {
        "bandwidth_s": [round(each * cycle_s, 6) for each in widths],
        "bound_s": [round(each * rise * cycle_s, 6) for each in widths],
        "gap": found.gap,
        "bandwidth_share": [round(each, 9) for each in widths],
        "through_s": [round(each * cycle_s, 6) for each in (plan.outbound, plan.inbound)],
        "link_bandwidth_s": {
            "out": [round(each.width * cycle_s, 6) for each in found.outbound],
            "in": [round(each.width * cycle_s, 6) for each in found.inbound],
        },
    }


def _speeds(corridor: Corridor, travel: Sequence[float], cycle_s: float) -> list[JsonValue]:
    return [
        round(length_m * KPH / (share * cycle_s), 6)
        for length_m, share in zip(corridor.links_m, travel, strict=True)
    ]

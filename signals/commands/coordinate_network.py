"""``coordinate-network``: the widest green waves of a network, with what is proven of them."""

import sys
import time
from collections.abc import Sequence
from typing import Final

from pydantic import JsonValue

from city.command_line import CommandLine
from signals.commands.coordinate import answer as street_answer
from signals.rules.waves.network import Network, NetworkCoordination, read_network
from signals.rules.waves.network_search import coordinate_network
from signals.rules.waves.plans import bands_of
from signals.rules.waves.platoons import refined, wait_of
from signals.rules.waves.ways import ways_of

SUMMARY: Final = "find offsets with wide green waves in a network of corridors, with a proven bound"

_EXAMPLE: Final = """python -m signals coordinate-network network.json --time-limit 60

network.json:
  {"cycle_s": [60, 120],
   "corridors": [
     {"name": "Lake Street", "weight": [2, 1], "speed_kph": {"out": [30, 50], "in": [30, 50]},
      "signals": [
        {"name": "A", "position_m": 0, "red": [0.45, 0.5], "red_centre": 0.1},
        {"name": "B", "position_m": 420, "red": [0.5, 0.5], "red_centre": 0.0}]},
     {"name": "Hill Street", "speed_kph": {"out": 45, "in": 45},
      "signals": [
        {"name": "B", "position_m": 0, "red": [0.5, 0.5], "red_centre": 0.5},
        {"name": "C", "position_m": 300, "red": [0.4, 0.4]}]}]}
  corridors as for coordinate; a signal named in two of them has one offset; with flow_vph and
  saturation_flow_vph ([out, in]) on every corridor also offsets of less delay"""

_TIME_LIMIT_S: Final = 60.0
_BANDS_SHARE: Final = 0.7
"""Share of the time for the bands where flows are given too."""


def run(arguments: Sequence[str]) -> int:
    """Print the coordination; return 0, or 2 where the network cannot be read."""
    line = CommandLine("signals", "coordinate-network", SUMMARY, _EXAMPLE)
    line.add_argument("file", metavar="NETWORK.json", help="the network; - reads stdin")
    line.add_argument(
        "--time-limit",
        type=float,
        metavar="S",
        default=_TIME_LIMIT_S,
        help=f"give the best known after so many seconds ({_TIME_LIMIT_S:g})",
    )
    given = line.parse_args(arguments)
    if not given.time_limit > 0:
        line.error("--time-limit must be positive")
    network = read_network(line.read_json(given.file))
    if network.unknown:
        sys.stderr.write(f"{line.prog}: not read: {', '.join(network.unknown[:10])}\n")
    begun_s = time.perf_counter()
    known = all(each.traffic is not None for each in network.corridors)
    bands_s = given.time_limit * (_BANDS_SHARE if known else 1.0)
    with line.libraries_to_stderr():
        found = coordinate_network(network, time_limit_s=bands_s)
    delay = delay_plan(network, found, given.time_limit - bands_s) if known else {}
    solve_s = time.perf_counter() - begun_s
    line.answer({**answer(network, found), **delay, "solve_s": round(solve_s, 4)})
    return 0


def delay_plan(
    network: Network, found: NetworkCoordination, time_limit_s: float
) -> dict[str, JsonValue]:
    """Give the delay of the plan of bands, and the plan of less delay that is reached from it."""
    traffic = [each for corridor in network.corridors for each in corridor.traffic or ()]
    ways, cycle_s = ways_of(network), found.cycle_s
    offsets = [found.offsets[name] for name in network.signals]
    until_s = time.monotonic() + time_limit_s
    better = refined(ways, traffic, offsets, cycle_s, lambda: time.monotonic() > until_s)
    bands = [round(each.width * cycle_s, 6) for each in bands_of(ways, better, 1 / cycle_s)]
    return {
        "waiting_vehicles": round(wait_of(ways, traffic, offsets, cycle_s), 4),
        "delay_plan": {
            "waiting_vehicles": round(wait_of(ways, traffic, better, cycle_s), 4),
            "offsets_s": {
                name: round(each * cycle_s, 6)
                for name, each in zip(network.signals, better, strict=True)
            },
            "bandwidth_s": {
                name: [bands[2 * number], bands[2 * number + 1]]
                for number, name in enumerate(network.names)
            },
        },
    }


def answer(network: Network, found: NetworkCoordination) -> dict[str, JsonValue]:
    """Give a network's document: seconds, kilometres an hour and shares of the cycle."""
    corridors: list[JsonValue] = []
    for name, corridor, street in zip(network.names, network.corridors, found.streets, strict=True):
        mine = street_answer(corridor, street)
        offsets: list[JsonValue] = [
            round(found.offsets[each.name] * found.cycle_s, 6) for each in corridor.signals
        ]
        told = ("bandwidth_s", "bandwidth_share", "speed_kph", "left_turn_patterns")
        corridors.append(
            {
                "name": name,
                "signals": [each.name for each in corridor.signals],
                "offsets_s": offsets,
                **{key: mine[key] for key in told if key in mine},
            }
        )
    return {
        "cycle_s": round(found.cycle_s, 6),
        "offsets_s": {name: round(each * found.cycle_s, 6) for name, each in found.offsets.items()},
        "corridors": corridors,
        "objective": round(found.objective, 9),
        "bound": round(found.bound, 9),
        "gap": found.gap,
    }

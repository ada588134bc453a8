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
  corridors as for coordinate; a signal named in two of them has one offset"""

_TIME_LIMIT_S: Final = 60.0


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
    found = coordinate_network(network, time_limit_s=given.time_limit)
    solve_s = time.perf_counter() - begun_s
    line.answer({**answer(network, found), "solve_s": round(solve_s, 4)})
    return 0


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

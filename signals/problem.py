"""What ``plan`` and ``evaluate`` are asked about: network, demand and profile, read from files."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from city.command_line import CommandLine
from city.errors import Invalid
from signals.rules.model.files import read_network
from signals.rules.model.junction import SignalledJunction, SignalNetwork
from signals.rules.model.plans import Programme
from signals.rules.model.sumo_export import network_file
from signals.rules.model.sumo_net import SumoFile, read_sumo
from signals.rules.plans.delay_of_plan import lanes_of
from signals.rules.plans.passing import LaneFlow
from signals.rules.plans.routes import TurningFlows, read_journeys, scaled, turning_flows
from signals.rules.safety.case import Case, prepare
from signals.rules.safety.profiles import PROFILES, Profile, profile_named

MOST_BYTES: Final = 512 * 1024 * 1024


@dataclass(frozen=True)
class Problem:
    """Signals to time, and for whom."""

    network: SignalNetwork
    own: tuple[Programme, ...]
    """The plans in force."""
    roads: SumoFile
    flows: TurningFlows
    profile: Profile
    content: bytes
    """The network's file."""
    demand: bytes
    scale: float = 1.0
    """By which the demand is multiplied; the flows are already."""
    closed_lanes: tuple[str, ...] = ()
    """Lanes that nobody may use when it is driven."""

    @property
    def junctions(self) -> tuple[str, ...]:
        """Names of the signals."""
        return tuple(junction.name for junction in self.network.junctions)

    @property
    def drivable(self) -> bool:
        """Whether SUMO can drive it: the network came as SUMO's."""
        return self.content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<"

    def case_of(self, name: str) -> Case:
        """Give a junction under the profile."""
        own = [each for each in self.own if each.junction == name]
        return prepare(self.network.junction_of[name], self.network, self.profile, own)

    def lanes_of(self, junction: SignalledJunction) -> tuple[LaneFlow, ...]:
        """Give a junction's lanes with their traffic, and its people where the profile counts them.

        Crossings come after the lanes.
        """
        flows = self.flows
        people = flows.people if self.profile.persons else None
        return lanes_of(
            junction,
            self.network,
            flows.flow_vph,
            flows.bicycles_vph,
            flows.drivers,
            people=people,
        )


def add_arguments(line: CommandLine) -> None:
    """Add the arguments that say what the problem is."""
    line.add_argument("--network", metavar="NET", required=True, help="the junctions")
    line.add_argument("--demand", metavar="ROUTES", required=True, help="who drives where")
    line.add_argument("--begin", type=float, metavar="S", help="who starts from then on")
    line.add_argument("--end", type=float, metavar="S", help="who starts up to then")
    line.add_argument(
        "--profile", metavar="NAME", default="gb", help=f"one of {', '.join(PROFILES)} (gb)"
    )


def read_problem(
    line: CommandLine,
    network: str,
    demand: str,
    profile: str,
    *,
    begin_s: float | None = None,
    end_s: float | None = None,
    scale: float = 1.0,
    closed_lanes: Sequence[str] = (),
) -> Problem:
    """Read the files; leave with status 2 and one line where one cannot be used."""
    try:
        known = profile_named(profile)
    except Invalid as error:
        line.error(str(error))
    if not (0 < scale < math.inf):
        line.error("--scale must be positive")
    try:
        content = line.read_bytes(network, MOST_BYTES)
        junctions, own = read_network(content)
        sumo = content.lstrip()[:1] == b"<"
        roads = read_sumo(content if sumo else network_file(junctions).encode())
    except Invalid as error:
        line.error(f"{network}: {error}")
    try:
        routes = line.read_bytes(demand, MOST_BYTES)
        flows = turning_flows(roads, read_journeys(routes), begin_s, end_s)
    except Invalid as error:
        line.error(f"{demand}: {error}")
    if scale != 1:
        flows = scaled(flows, scale)
    return Problem(junctions, own, roads, flows, known, content, routes, scale, tuple(closed_lanes))

"""Networks that we write for SUMO with people on foot and ways in parts: SUMO drives them."""

from __future__ import annotations

from pathlib import Path

import pytest

from signals.adapters.sumo.simulator import Simulator
from signals.rules.model.documents import network_from_json
from signals.rules.model.files import read_network
from signals.rules.model.sumo_export import network_file
from signals.rules.model.sumo_net import read_sumo
from signals.rules.plans.people import walkers_at_crossings
from tests.signals import crossroads

FILE = Path(__file__).with_name("tee_with_people.net.xml")
NETWORK, OWN = read_network(FILE.read_bytes())
WRITTEN = network_file(NETWORK, OWN).encode()
WAYS = (("e0_0-0", "0-0_s0"), ("s0_0-0", "0-0_w0"), ("w0_0-0", "0-0_e0"))
ROUTES = (
    "<routes>"
    + "".join(
        f'<trip id="c{number}" depart="{5 * number}" from="{start}" to="{end}" departLane="best"/>'
        f'<person id="p{number}" depart="{5 * number}"><walk from="{start}" to="{end}"/></person>'
        for number in range(60)
        for start, end in [WAYS[number % 3]]
    )
    + "</routes>"
).encode()


def test_reading_what_was_written_gives_the_same_model() -> None:
    assert read_network(WRITTEN) == (NETWORK, OWN)


def test_crossings_lead_over_the_same_roads_and_walks_over_the_same_crossings() -> None:
    walks = [((start, end), 1.0) for start, end in WAYS]
    before, after = read_sumo(FILE.read_bytes()), read_sumo(WRITTEN)

    assert walkers_at_crossings(after, walks) == walkers_at_crossings(before, walks) != {}
    for name, roads in (("c0", "e0"), ("c1", "s0"), ("c2", "w0")):
        over = {f"0-0_{roads}", f"{roads}_0-0"}
        line = next(each for each in WRITTEN.decode().splitlines() if f'id=":0-0_{name}"' in each)
        assert set(line.split('crossingEdges="')[1].split('"')[0].split()) == over


def test_sumo_drives_and_walks_what_we_wrote_as_the_network_that_it_came_from() -> None:
    runs = []
    for content in (FILE.read_bytes(), WRITTEN):
        with Simulator(content, ROUTES, 0.0, 300.0) as simulator:
            runs.append(simulator.drive(OWN, 1))
    ours, theirs = runs[1], runs[0]

    assert (len(ours.trips), len(ours.walks_s)) == (60, 60)
    assert all(each.arrived for each in ours.trips)
    assert ours.teleports == 0
    # Corners differ, so that who walks meets who turns at other times.
    assert ours.delay_s == pytest.approx(theirs.delay_s, rel=0.25)
    mean_s = sum(ours.walks_s) / 60
    assert mean_s == pytest.approx(sum(theirs.walks_s) / 60, rel=0.15)


def test_a_crossroads_of_our_own_json_with_crossings_is_driven() -> None:
    network = network_from_json(crossroads.document())
    written = network_file(network, [crossroads.plan(crossroads.case_of(network))]).encode()
    start, end = (network.roads[0].name, network.roads[1].name)
    into = [road.name for road in network.roads if road.end == crossroads.NAME]
    out = [road.name for road in network.roads if road.start == crossroads.NAME]
    trips = "".join(
        f'<trip id="{number}" depart="{number * 4}" from="{into[0]}" to="{out[number % 4]}"/>'
        for number in range(1, 20)
        if out[number % 4].split("-")[0] != into[0].split("-")[0]
    )
    assert start != end
    with Simulator(written, f"<routes>{trips}</routes>".encode(), 0.0, 100.0) as simulator:
        run = simulator.drive(None, 1)

    assert run.trips
    assert all(each.arrived for each in run.trips)

"""SPaT and MAP held against what an independent decoder reads in them."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from city.errors import Conflict, Invalid
from signals.rules.controllers.cabinet import Cabinet, step
from signals.rules.controllers.layout import layout_of, plan_of
from signals.rules.controllers.line import Control, ControllerState
from signals.rules.j2735.bits import Bits
from signals.rules.j2735.map import map_of
from signals.rules.j2735.spat import (
    MOST_BYTES,
    UNKNOWN_MARK,
    Intersection,
    Movement,
    Phase,
    Spat,
    encode_spat,
    spat_of,
)
from signals.rules.live.lights import Seen
from signals.rules.model.junction import SignalNetwork
from tests.signals import crossroads

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
PEERS = Path(os.environ.get("GREENBAY_PEERS", ROOT / ".venv-peers" / "bin" / "python"))
RECORDED: Mapping[str, Any] = json.loads(
    Path(__file__).with_name("j2735_decoded.json").read_text("utf-8")
)
NETWORK = crossroads.network()
WHERE = Intersection(86, 4711, 120.123456, 30.25)
AT = datetime(2026, 3, 2, 1, 59, 50, 250_000, tzinfo=UTC)
DECODE = """
import json, sys
from pycrate_asn1dir import ITS_IS
for line in sys.stdin:
    raw = bytes.fromhex(line)
    kind = {19: ITS_IS.DSRC.SPAT, 18: ITS_IS.DSRC.MapData}[raw[0] << 8 | raw[1]]
    body = raw[3:] if raw[2] < 128 else raw[4:]
    kind.from_uper(body)
    value = kind.get_val()
    kind.set_val(value)
    assert kind.to_uper() == body
    print(json.dumps(value))
"""


def seen(seconds: int = 20) -> Seen:
    case = crossroads.case_of(NETWORK)
    plan = crossroads.plan(case)
    layout = layout_of(case, [plan])
    at = Cabinet(layout, {1: plan_of(layout, plan, 1)}, 1)
    for _ in range(seconds):
        at = step(at)
    state = ControllerState(
        Control.FIXED, 1, at.stage, at.changing, at.elapsed_s, at.remaining_s, at.lamps
    )
    return Seen(AT, state, layout, at.plans[1])


def as_decoded(spat: Spat) -> dict[str, Any]:
    """Give a SPaT as the decoder gives it."""
    states = []
    for each in spat.movements:
        timing = {"minEndTime": UNKNOWN_MARK if each.min_end is None else each.min_end}
        timing |= {"maxEndTime": each.max_end} if each.max_end is not None else {}
        timing |= {"likelyTime": each.likely} if each.likely is not None else {}
        word = {
            Phase.STOP_AND_REMAIN: "stop-And-Remain",
            Phase.STOP_THEN_PROCEED: "stop-Then-Proceed",
            Phase.PRE_MOVEMENT: "pre-Movement",
            Phase.PERMISSIVE_MOVEMENT_ALLOWED: "permissive-Movement-Allowed",
            Phase.PROTECTED_MOVEMENT_ALLOWED: "protected-Movement-Allowed",
            Phase.PERMISSIVE_CLEARANCE: "permissive-clearance",
            Phase.PROTECTED_CLEARANCE: "protected-clearance",
            Phase.CAUTION_CONFLICTING_TRAFFIC: "caution-Conflicting-Traffic",
        }.get(each.state, each.state.name.lower())
        event = {"eventState": word, "timing": timing}
        states.append(
            {
                "movementName": each.name,
                "signalGroup": each.group,
                "state-time-speed": [event],
            }
        )
    shown = spat.as_json()
    state = {
        "id": {"region": spat.where.region, "id": spat.where.id},
        "revision": spat.revision,
        "status": [sum(1 << (15 - bit) for bit in spat.status), 16],
        "moy": shown["moy"],
        "timeStamp": shown["timeStamp"],
        "states": states,
    }
    return {"intersections": [state]}


def test_a_spat_is_what_an_independent_decoder_reads() -> None:
    spat = spat_of(WHERE, 3, seen(), {"south-through"})
    raw = encode_spat(spat)
    assert raw.hex() == RECORDED["spat"]["uper"]
    assert as_decoded(spat) == RECORDED["spat"]["decoded"]
    assert len(raw) <= MOST_BYTES
    known = {each.name: each for each in spat.movements}
    assert known["south-through"].state is Phase.PERMISSIVE_MOVEMENT_ALLOWED
    # 32 s to go at 59:50.2: 22.2 s into the next hour.
    assert known["south-through"].max_end == 222
    walk = known["south-walk"]
    assert (walk.min_end, walk.max_end, walk.likely) == (222, None, 432)


def test_a_map_is_what_an_independent_decoder_reads() -> None:
    found, raw = map_of(WHERE, 3, NETWORK)
    assert raw.hex() == RECORDED["map"]["uper"]
    assert len(raw) <= MOST_BYTES
    (decoded,) = RECORDED["map"]["decoded"]["intersections"]
    assert decoded["refPoint"] == {"lat": 302_500_000, "long": 1_201_234_560}
    for ours, theirs in zip(found.lanes, decoded["laneSet"], strict=True):
        assert ours.lane == theirs["laneID"]
        nodes = [tuple(each["delta"][1].values()) for each in theirs["nodeList"][1]]
        assert list(ours.nodes) == nodes
        leads = [
            (each["connectingLane"]["lane"], each["signalGroup"])
            for each in theirs.get("connectsTo", [])
        ]
        assert [(each.lane, each.group) for each in ours.connections] == leads
        used = theirs["laneAttributes"]["directionalUse"][0]
        assert used == 2 * ours.ingress + ours.egress
    # Every movement of the junction is there, under its own group.
    names = {each.lane: each.name for each in found.lanes}
    groups = [group.name for group in NETWORK.junctions[0].groups]
    told = {
        (names[lane.lane], names[each.lane], groups[each.group - 1])
        for lane in found.lanes
        for each in lane.connections
    }
    for way in NETWORK.junctions[0].movements:
        ends = (way.name, way.name) if way.turn == "crossing" else (way.from_lane, way.to_lane)
        assert (*ends, way.group) in told


def test_what_nobody_knows_is_said_to_be_unknown() -> None:
    last = seen()
    assert last.state is not None
    held = replace(last, state=replace(last.state, control=Control.MANUAL))
    spat = spat_of(WHERE, 3, held)
    assert {(each.min_end, each.max_end, each.likely) for each in spat.movements} == {(None,) * 3}
    assert spat.status == (0,)
    assert {each["minEndTime"] for each in spat.as_json()["states"]} == {UNKNOWN_MARK}
    dark = spat_of(WHERE, 3, replace(last, state=replace(last.state, lamps={})))
    assert {each.state for each in dark.movements} == {Phase.UNAVAILABLE}
    fault = replace(last.state, control=Control.FLASHING, faults=("green_conflict",))
    assert spat_of(WHERE, 3, replace(last, state=fault)).status == (2,)


def test_a_junction_too_large_for_a_packet_is_told_of() -> None:
    junction = NETWORK.junctions[0]
    many = tuple(
        replace(way, name=f"{way.name}-{copy}") for copy in range(40) for way in junction.movements
    )
    large = SignalNetwork(NETWORK.roads, (replace(junction, movements=many, conflicts=()),))
    with pytest.raises(Conflict, match="one radio packet"):
        map_of(WHERE, 3, large)
    with pytest.raises(Invalid, match="is not 0 to 65535"):
        encode_spat(spat_of(replace(WHERE, id=70_000), 3, seen()))


@given(st.lists(st.tuples(st.integers(0, 2**20 - 1), st.integers(20, 24)), max_size=30))
def test_bits_stand_one_after_another(parts: list[tuple[int, int]]) -> None:
    out = Bits()
    for value, width in parts:
        out.put(value, width)
    text = "".join(f"{value:0{width}b}" for value, width in parts)
    assert out.bytes() == bytes(
        int(text[at : at + 8].ljust(8, "0"), 2) for at in range(0, len(text), 8)
    )


_MARKS = st.none() | st.integers(0, UNKNOWN_MARK)


@pytest.mark.skipif(not PEERS.exists(), reason="the oracles are not installed")
@settings(max_examples=1, deadline=None)
@given(
    spats=st.lists(
        st.builds(
            Spat,
            st.builds(Intersection, st.integers(0, 65_535), st.integers(0, 65_535), st.just(0.0),
                      st.just(0.0)),
            st.integers(0, 127),
            st.lists(st.integers(0, 13), unique=True, max_size=4).map(tuple),
            st.integers(0, 86_400 * 300).map(lambda s: AT + timedelta(seconds=s)),
            st.lists(
                st.builds(
                    Movement,
                    st.integers(0, 255),
                    st.text("abcxyz -_019", min_size=1, max_size=63),
                    st.sampled_from(Phase),
                    _MARKS,
                    _MARKS,
                    _MARKS,
                ),
                min_size=1,
                max_size=60,
            ).map(tuple),
        ),
        min_size=20,
        max_size=20,
    )
)  # fmt: skip
def test_any_spat_is_read_by_the_peer(spats: list[Spat]) -> None:
    lines = "\n".join(encode_spat(each).hex() for each in spats)
    done = subprocess.run(
        [PEERS, "-c", DECODE], input=lines, capture_output=True, text=True, check=True, timeout=120
    )
    assert [json.loads(each) for each in done.stdout.splitlines()] == [
        as_decoded(each) for each in spats
    ]

"""NTCIP 1202: rings as stages, and a real process driven by our line and by net-snmp."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.errors import Invalid
from city.works.settings import settings
from signals.adapters.gbt20999.link import Patience
from signals.adapters.lines import dial
from signals.adapters.ntcip.line import NtcipLine
from signals.adapters.ntcip.session import SnmpSession
from signals.adapters.ntcip.users import SnmpUser, read_users
from signals.rules.controllers.address import CabinetAddress
from signals.rules.controllers.cabinet_plans import dry_run
from signals.rules.controllers.layout import ControllerPlan, Layout, PlanStage, refusals
from signals.rules.controllers.line import Control, ControllerState, NoAnswer, Refused
from signals.rules.controllers.ntcip import objects
from signals.rules.controllers.ntcip.demonstration import pattern, patterns, rings
from signals.rules.controllers.ntcip.rings import Rings, layout_of, pattern_of, plan_of
from signals.rules.model.aspects import GREENS
from signals.services.street import Outcome, Pace, put_in_force
from tests.signals.controller_process import controller, port_of
from tests.waiting import eventually

if TYPE_CHECKING:
    from pydantic import JsonValue

USER = SnmpUser("centre", "authentic-key", "private-key")
USERS = {"centre": {"authentication": "authentic-key", "privacy": "private-key"}}
SPEED = 50
PATIENT = Patience(timeout_s=3.0, tries=4)
QUICK = Pace(poll_s=0.02, safe_polls=1_000, take_up_polls=1_000, watch_polls=10)
SNMPSET = shutil.which("snmpset")


def anything(_layout: Layout, _plan: ControllerPlan) -> None:
    """Find every plan safe."""


def wanted(_layout: Layout, number: int) -> ControllerPlan:
    return plan_of(rings(), pattern(number, 18, 40, 18, 40, 18, 40, 18, 40))


# --- rings and stages ----------------------------------------------------------------------------


def test_two_rings_form_the_stages_that_their_barrier_lets_them() -> None:
    layout = layout_of(rings())
    greens = [sorted(each for each in stage.phases if each <= 8) for stage in layout.stages]
    assert greens == [[1, 5], [1, 6], [2, 5], [2, 6], [3, 7], [3, 8], [4, 7], [4, 8]]
    assert layout.stage_of[4].phases == {2, 6, 18, 22}
    assert (2, 4) in layout.conflicts
    assert (18, 4) in layout.conflicts
    assert (2, 6) not in layout.conflicts
    assert layout.intergreen_s[2, 3] == 6.0


def test_a_pattern_is_a_plan_from_its_coordinated_phase_on() -> None:
    day = plan_of(rings(), patterns()[0])
    assert [(each.stage, each.length_s) for each in day.stages] == [
        (3, 8),
        (4, 27),
        (5, 20),
        (8, 35),
        (1, 20),
    ]
    assert refusals(layout_of(rings()), day) == ()
    assert dry_run(layout_of(rings()), day) is None


@given(
    st.lists(st.integers(12, 50), min_size=4, max_size=4),
    st.integers(0, 60),
    st.sampled_from([1, 2]),
)
def test_what_rings_can_run_comes_back_the_same(
    times_s: list[int], offset_s: int, sequence: int
) -> None:
    first = pattern(9, *times_s, *times_s, sequence=sequence, coordinated=2)
    plan = plan_of(rings(), replace(first, offset_s=offset_s))
    assert sum(each.length_s for each in plan.stages) == plan.cycle_s
    assert plan_of(rings(), pattern_of(rings(), plan)) == plan


@pytest.mark.parametrize(
    ("stages", "why"),
    [
        ([(4, 40), (1, 20), (4, 40)], "no sequence"),
        ([(4, 40), (8, 40), (4, 30), (1, 20)], "must be green once"),
        ([(4, 200), (8, 60)], "longer than 255"),
    ],
)
def test_what_rings_cannot_run_is_refused(stages: list[tuple[int, int]], why: str) -> None:
    chain = tuple(PlanStage(*each) for each in stages)
    plan = ControllerPlan(9, sum(each.length_s for each in chain), 0, chain)
    with pytest.raises(Invalid, match=why):
        pattern_of(rings(), plan)


def test_phases_that_end_together_must_clear_in_the_same_time() -> None:
    # A real ring would let the one that clears faster be green longer than our checker has judged.
    faster = replace(rings().phases[1], red_clear_s=2.0)
    uneven = Rings({**rings().phases, 1: faster}, rings().sequences)
    plan = ControllerPlan(9, 80, 0, (PlanStage(2, 40), PlanStage(8, 40)))
    assert pattern_of(rings(), plan).cycle_s == 80
    with pytest.raises(Invalid, match="same whole seconds"):
        pattern_of(uneven, plan)


def test_keys_are_never_shown() -> None:
    assert "key" not in repr(USER)
    with pytest.raises(Invalid) as caught:
        read_users('{"centre": {"authentication": "short", "privacy": "private-key"}}')
    assert "short" not in str(caught.value)
    with pytest.raises(Invalid, match="is no JSON"):
        read_users("private-key")


# --- a real process ------------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def _known() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SNMP_USERS", json.dumps(USERS))
        settings.cache_clear()
        yield
    settings.cache_clear()


@pytest.fixture
def port() -> Iterator[int]:
    with controller("--speed", str(SPEED), protocol="ntcip") as ready:
        yield port_of(ready)


def line_to(port: int, user: SnmpUser = USER, patience: Patience = PATIENT) -> NtcipLine:
    session = SnmpSession("127.0.0.1", port, user, patience)
    return NtcipLine(session, tick=lambda: time.monotonic() * SPEED)


def test_a_plan_goes_to_the_street_over_snmp(port: int) -> None:
    line = line_to(port)
    assert line.read_layout() == layout_of(rings())
    assert line.read_plan(1) == plan_of(rings(), patterns()[0])
    assert line.read_plan(60) is None
    state = line.read_state()
    assert (state.control, state.plan, state.faults) == (Control.TIMETABLE, 1, ())
    done = put_in_force(line, wanted, anything, sleep=time.sleep, pace=QUICK)
    assert (done.outcome, done.number, done.former) == (Outcome.ACTIVE, 127, 1), done
    assert done.steps[1:3] == ("plan 127 written", "read back the same")
    after = line.read_state()
    assert (after.control, after.plan) == (Control.CENTRE, 127)
    assert set(after.lamps) == {1, 2, 3, 4, 5, 6, 7, 8, 18, 20, 22, 24}
    # The plan that runs is written over by nobody, and an unsafe one is kept by none.
    with pytest.raises(Refused, match="inconsistentValue"):
        line.write_plan(plan_of(rings(), pattern(127, *[20] * 8)))
    with pytest.raises(Refused, match="inconsistentValue"):
        line.write_plan(plan_of(rings(), pattern(60, 20, 12, 20, 35, 20, 12, 20, 35)))
    assert line.read_plan(60) is None
    # Without a backup time a stage would be held by a centre that is long gone.
    with pytest.raises(Refused, match="backup time"):
        line.hold_stage(4)
    with pytest.raises(Refused, match="no such order"):
        line.show(Control.ALL_RED)
    line.close()


@pytest.mark.skipif(SNMPSET is None, reason="needs net-snmp: sudo apt-get install snmp")
def test_another_client_drives_the_controller_and_orders_lapse(port: int) -> None:
    # Long: however late it is looked at, the order has not lapsed yet.
    snmpset(port, objects.BACKUP_TIME, 3_600)
    line = line_to(port)
    # A plan that it would leave again by itself is not put in force.
    with pytest.raises(Refused, match="after 3600 s of silence"):
        line.write_plan(wanted(line.read_layout(), 127))
    line.hold_stage(4)
    # For longer than the plan in force would show it: the stage is held, not only passed through.
    until(lambda: holds(line.read_state(), 4, {1, 2}, 60))
    # Nothing more is said: after its backup time the controller goes back to its timetable.
    snmpset(port, objects.BACKUP_TIME, 30)
    until(lambda: line.read_state().stage in {5, 8})
    snmpset(port, objects.BACKUP_TIME, 0)
    snmpset(port, objects.SYSTEM_PATTERN, 2)
    until(lambda: line.read_state().plan == 2)
    assert snmpget(port, objects.PATTERN_STATUS) == 2
    with pytest.raises(subprocess.CalledProcessError):
        snmpset(port, (*objects.PATTERNS, objects.CYCLE, 2), 0)
    assert line.read_state().control is Control.CENTRE
    snmpset(port, objects.BACKUP_TIME, 30)
    until(lambda: line.read_state().plan == 1)
    assert line.read_state().control is Control.TIMETABLE
    # Without a backup time, else the order to flash would lapse between two looks at it.
    snmpset(port, objects.BACKUP_TIME, 0)
    snmpset(port, objects.SYSTEM_PATTERN, objects.FLASH)
    until(lambda: line.read_state().control is Control.FLASHING)
    assert snmpget(port, objects.UNIT_FLASH) == objects.FLASH_AUTOMATIC
    assert line.read_state().lamps == {}
    line.close()


def test_a_bound_cabinet_is_dialled_from_any_thread(port: int) -> None:
    address = CabinetAddress("127.0.0.1", port, protocol="ntcip", dialect={"user": "centre"})
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        line = one.submit(dial, address, PATIENT).result()
        assert one.submit(line.read_state).result().plan == 1
        assert other.submit(line.read_plan, 2).result() is not None
        other.submit(line.close).result()
    with pytest.raises(Invalid, match="no keys of nobody"):
        dial(replace(address, dialect={"user": "nobody"}))
    wrong: tuple[dict[str, JsonValue], ...] = ({}, {"user": ""}, {"user": "centre", "version": 1})
    for dialect in wrong:
        with pytest.raises(Invalid, match="must name the SNMPv3 user"):
            replace(address, dialect=dialect)
    with pytest.raises(Invalid, match="must be udp"):
        replace(address, transport="tcp")


def test_lost_and_broken_answers_and_wrong_keys_are_no_answers() -> None:
    faults = "lose=0.1,corrupt=0.1,duplicate=0.2,seed=3"
    arguments = ("--speed", str(SPEED), "--faults", faults)
    with controller(*arguments, protocol="ntcip") as ready:
        line = line_to(port_of(ready), patience=Patience(0.5, 12))
        line.write_plan(wanted(line.read_layout(), 127))
        assert line.read_plan(127) == wanted(line.read_layout(), 127)
        line.close()
        stranger = replace(USER, authentication="another-key")
        other = line_to(port_of(ready), stranger, Patience(0.5, 3))
        with pytest.raises(NoAnswer):
            other.read_layout()
        other.close()


def test_a_tripped_monitor_is_told_and_left_alone() -> None:
    arguments = ("--speed", str(SPEED), "--faults", "weld=4")
    with controller(*arguments, protocol="ntcip") as ready:
        line = line_to(port_of(ready))
        until(lambda: line.read_state().faults != ())
        state = line.read_state()
        assert state.control is Control.FLASHING
        assert state.faults == ("conflict monitor flash", "critical alarm")
        done = put_in_force(line, wanted, anything, sleep=time.sleep, pace=QUICK)
        assert done.outcome is Outcome.NOT_SENT
        line.close()


def until(true: Callable[[], bool]) -> None:
    assert eventually(true, 120)


def holds(state: ControllerState, stage: int, phases: set[int], least_s: float) -> bool:
    green = {phase for phase, lamp in state.lamps.items() if lamp in GREENS}
    steady = state.stage == stage and not state.changing and bool(phases & green)
    return steady and state.elapsed_s is not None and state.elapsed_s > least_s


def snmpset(port: int, name: objects.Oid, value: int) -> None:
    told = by_net_snmp("snmpset", port, name, "i", str(value))
    assert int(told) == value


def snmpget(port: int, name: objects.Oid) -> int:
    return int(by_net_snmp("snmpget", port, name))


def by_net_snmp(command: str, port: int, name: objects.Oid, *value: str) -> str:
    """Ask by Debian's net-snmp, which shares no code with us."""
    keys = ("-a", "SHA-256", "-A", USER.authentication, "-x", "AES", "-X", USER.privacy)
    done = subprocess.run(
        [
            *(command, "-v3", "-l", "authPriv", "-u", USER.name, *keys, "-Oqv", "-t", "3"),
            *(f"127.0.0.1:{port}", ".".join(map(str, name)), *value),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()

"""Command platforms over GA/T 1049: asked by our own line, told what controllers said last."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from sqlalchemy import text

from city.errors import Invalid
from journeys.platform_host import reception
from signals.adapters.gat1049.line import Gat1049Line
from signals.adapters.gat1049.platforms import PlatformDesk, read_grants
from signals.adapters.gat1049.systems import Systems
from signals.adapters.gat1049.users import GatUser
from signals.adapters.gbt20999.link import Patience
from signals.adapters.lights import Lights
from signals.rules.controllers import cabinet as rules
from signals.rules.controllers.demonstration import cabinet, plan
from signals.rules.controllers.gat1049.desk import Denied, Guest
from signals.rules.controllers.gat1049.messages import Verb, question
from signals.rules.controllers.line import Control, ControllerState, NoAnswer, Refused
from signals.rules.live.lights import Seen
from tests.signals.gat1049_ears import Ears

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import redis

    from city.time import FixedClock
    from city.works.database import Database
    from signals.rules.controllers.cabinet import Cabinet

NETWORK = UUID("01a20b98-0c13-7974-804b-ad80f7fe50e8")
CROSS, OTHER, STRANGE = "11010180001001", "11010180001002", "11010180009999"
GRANTS = read_grants(
    json.dumps(
        {
            "city": {
                "password": "a-long-password",
                "network": str(NETWORK),
                "crosses": {CROSS: "north", OTHER: "south"},
            }
        }
    )
)
PATIENT = Patience(timeout_s=20.0, tries=1)


def at(seconds: int) -> Cabinet:
    found = cabinet()
    for _ in range(seconds):
        found = rules.step(found)
    return found


def seen(clock: FixedClock, here: Cabinet, *faults: str) -> Seen:
    state = ControllerState(
        Control.FIXED,
        here.plan,
        here.stage,
        here.changing,
        here.elapsed_s,
        here.remaining_s,
        here.lamps,
        faults,
    )
    return Seen(clock.now(), state, here.layout, here.plans[here.plan])


@pytest.fixture
def port(database: Database, valkey: redis.Redis, clock: FixedClock) -> Iterator[int]:
    listening = reception(valkey, database, clock, GRANTS, host="127.0.0.1", port=0)
    yield listening.port
    listening.close()


def test_a_platform_reads_what_controllers_said_last_and_orders_nothing(
    port: int, valkey: redis.Redis, clock: FixedClock, database: Database
) -> None:
    here = at(20)
    Lights(valkey).put((NETWORK, "north"), seen(clock, here))
    systems = Systems()
    session = systems.borrow("127.0.0.1", port, GatUser("city", "a-long-password"), PATIENT)
    line = Gat1049Line(session, CROSS, patience=PATIENT)
    layout = line.read_layout()
    assert layout.stages == here.layout.stages
    assert layout.conflicts == here.layout.conflicts
    assert [each.name for each in layout.phases] == [each.name for each in here.layout.phases]
    assert line.read_plan(1) == here.plans[1]
    assert line.read_plan(2) is None
    state = line.read_state()
    assert (state.control, state.plan, state.stage) == (Control.FIXED, 1, here.stage)
    assert (state.elapsed_s, state.lamps) == (here.elapsed_s, here.lamps)
    # What a controller reports of itself is told, and one that is silent is not spoken for.
    Lights(valkey).put((NETWORK, "north"), seen(clock, here, "green_conflict"))
    assert line.read_state().faults == ("the system says Error",)
    Lights(valkey).put((NETWORK, "north"), Seen(clock.now(), None, problem="no answer"))
    with pytest.raises(NoAnswer, match="lost the controller"):
        line.read_state()
    # Whoever logs in, orders are given at the duty desk.
    with pytest.raises(Refused, match="the controller is silent"):
        line.write_plan(plan(127, 40, 15, 35, 15))
    orders: tuple[Callable[[], None], ...] = (
        lambda: line.take_up(1, Control.FIXED),
        lambda: line.hold_stage(here.stage or 0),
        lambda: line.show(Control.FLASHING),
    )
    for order in orders:
        with pytest.raises(Refused, match=r"SDE_NotAllow .* at the duty desk"):
            order()
    strange = Gat1049Line(session, STRANGE, patience=PATIENT)
    with pytest.raises(Refused, match="no such junction"):
        strange.read_state()
    told = session.ask(Verb.GET, question("SysInfo", ""))
    listed = [each.text for each in told.objects[0].list_of("CrossIDList", "CrossID")]
    assert listed == [CROSS, OTHER]
    systems.give_back(session)
    with pytest.raises(Refused, match="SDE_Pwd"):
        systems.borrow("127.0.0.1", port, GatUser("city", "another-password"), PATIENT)
    query = text("select count(*) from audit.record where action = 'signals.platform_logged_in'")
    with database.read() as connection:
        assert connection.execute(query).scalar_one() == 1


def desk(valkey: redis.Redis, clock: FixedClock) -> PlatformDesk:
    return PlatformDesk(GRANTS, valkey, clock, sleep=lambda _seconds: None)


def test_what_was_seen_long_ago_or_never_is_not_told_and_is_asked_for(
    valkey: redis.Redis, clock: FixedClock
) -> None:
    told = desk(valkey, clock)
    assert Lights(valkey).wanted(clock.now()) == []
    with pytest.raises(Denied, match="ask again"):
        told.give("city", "CrossState", CROSS, None)
    assert Lights(valkey).wanted(clock.now()) == [(NETWORK, "north")]
    Lights(valkey).put((NETWORK, "north"), seen(clock, at(20)))
    assert told.give("city", "CrossState", CROSS, None)[0].said("Value") == "Online"
    clock.advance(6)
    for name in ("CrossState", "CrossStage", "CrossParam"):
        with pytest.raises(Denied, match="ask again"):
            told.give("city", name, CROSS, None)


def test_only_what_changes_and_was_subscribed_to_is_news(
    valkey: redis.Redis, clock: FixedClock
) -> None:
    told = desk(valkey, clock)
    everywhere = Guest("city", "token", frozenset({"CrossStage"}))
    here = at(20)
    Lights(valkey).put((NETWORK, "north"), seen(clock, here))
    first = told.news(everywhere)
    assert [(each.name, each.cross) for each in first] == [("CrossStage", CROSS)]
    assert Lights(valkey).wanted(clock.now()) == [(NETWORK, "north"), (NETWORK, "south")]
    clock.advance(1)
    Lights(valkey).put((NETWORK, "north"), seen(clock, rules.step(here)))
    # The stage is the same, one second older.
    assert [each.mark for each in told.news(everywhere)] == [each.mark for each in first]
    one = Guest("city", "token", reported=frozenset({("CrossSignalGroupStatus", OTHER)}))
    assert told.news(one) == ()
    assert told.news(Guest()) == ()


def test_changes_are_pushed_over_the_line(
    port: int, valkey: redis.Redis, clock: FixedClock
) -> None:
    lights = Lights(valkey)
    lights.put((NETWORK, "north"), seen(clock, at(20)))
    with Ears(port, "city", "a-long-password") as ears:
        ears.subscribe("CrossStage")
        assert ears.next("CrossStage").said("CurStageNo") == "1"
        lights.put((NETWORK, "north"), seen(clock, at(60)))
        assert ears.next("CrossStage").said("CurStageNo") == "2"


@pytest.mark.parametrize(
    "given",
    [
        "a-long-password",
        "[]",
        '{"city": {"password": "a-long-password"}}',
        json.dumps({"city": {"password": "short", "network": str(NETWORK), "crosses": {}}}),
        json.dumps({"city": {"password": "long-enough", "network": "1", "crosses": {}}}),
        json.dumps(
            {"city": {"password": "long-enough", "network": str(NETWORK), "crosses": {"x": "n"}}}
        ),
        json.dumps(
            {
                "city": {
                    "password": "long-enough",
                    "network": str(NETWORK),
                    "crosses": {},
                    "orders": 1,
                }
            }
        ),
    ],
)
def test_grants_are_whole_and_say_no_password(given: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_grants(given)
    assert "long" not in str(caught.value)
    assert "short" not in str(caught.value)

"""Keys of the live store lost, one by one and all: the state comes back from PostgreSQL."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import pytest

from city.time import WallClock, to_ms
from parking.adapters.live_keys import district_keys
from parking.adapters.live_store import LiveStore
from parking.rebuilding import LOOK_BACK_WINDOWS
from tests.faults.checking import Findings, check_live, truth_of
from tests.faults.draining import drain
from tests.faults.reference import POLICY
from tests.faults.town import DISTRICTS
from tests.faults.traffic import MINUTE_MS

if TYPE_CHECKING:
    from tests.faults.installation import Installation
    from tests.faults.ordeal import Outcome

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

KEYS = ("counts", "free", "due", "applied", "bays")
LOOK_BACK_MS = LOOK_BACK_WINDOWS * POLICY.lateness_ms


def live_problems(installation: Installation, ordeal: Outcome) -> dict[str, list[str]]:
    found = Findings()
    truth = truth_of(ordeal.frames, ordeal.ledger)
    check_live(found, installation, ordeal.town, truth, rebuilt=True)
    return found.problems()


def problems_in_the_end(
    installation: Installation, ordeal: Outcome, *, patience_s: float = 60.0
) -> dict[str, list[str]]:
    """Give what is still wrong with the live state when all was given time."""
    deadline = time.monotonic() + patience_s
    while (found := live_problems(installation, ordeal)) and time.monotonic() < deadline:
        time.sleep(0.2)
    return found


@pytest.mark.parametrize("name", KEYS)
def test_a_lost_key_comes_back_while_everything_runs(
    installation: Installation, ordeal: Outcome, name: str
) -> None:
    live = installation.live()
    try:
        for district in DISTRICTS:
            assert live.delete(getattr(district_keys(district), name)) == 1
    finally:
        live.connection_pool.disconnect()
    assert problems_in_the_end(installation, ordeal) == {}
    drain(installation)
    assert live_problems(installation, ordeal) == {}


def test_single_bays_that_were_lost_come_back(installation: Installation, ordeal: Outcome) -> None:
    live = installation.live()
    bays = [bay for bay in ordeal.town.bays if bay.district == DISTRICTS[0]][3:40:7]
    try:
        live.hdel(district_keys(DISTRICTS[0]).bays, *(bay.id.hex for bay in bays))
    finally:
        live.connection_pool.disconnect()
    assert problems_in_the_end(installation, ordeal) == {}


def test_after_losing_the_store_whole_bays_not_heard_from_since_are_unknown(
    installation: Installation, ordeal: Outcome
) -> None:
    drain(installation)
    assert installation.stop() == 0
    shutil.rmtree(installation.var / "valkey")
    truth = truth_of(ordeal.frames, ordeal.ledger)
    installation.start()
    lost_ms = to_ms(WallClock().now()) - LOOK_BACK_MS
    drain(installation)
    live = installation.live()
    try:
        store = LiveStore(live, WallClock())
        states = {
            bay_id: now
            for district in DISTRICTS
            for bay_id, now in store.bay_states(
                district, [bay.id for bay in ordeal.town.bays if bay.district == district]
            ).items()
        }
    finally:
        live.connection_pool.disconnect()
    wrong, recent, old = [], 0, 0
    for bay in ordeal.town.bays:
        known, now = truth.get(bay.id), states[bay.id]
        if known is None or known.heard_ms < lost_ms - 2 * MINUTE_MS:
            old += 1
            right = "unknown"
        elif known.heard_ms > lost_ms + MINUTE_MS:
            recent += 1
            right = known.state
        else:
            continue  # the look-back began at about then
        if now.state.value != right:
            wrong.append(f"{bay.label}: {now}, not {right}, {known}")
    assert wrong == []
    assert min(recent, old) > 20  # both kinds were there

"""SIGTERM under load: what is begun is finished in the stated time, nothing answered is lost."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import orjson
import pytest

from city.works.processes import ProcessPlan, process_plans
from city.works.settings import Settings
from tests.faults.checking import check
from tests.faults.draining import drain
from tests.faults.installation import until
from tests.faults.networks import Pace, Senders
from tests.faults.traffic import MINUTE_MS, Traffic

if TYPE_CHECKING:
    from tests.faults.installation import Installation
    from tests.faults.ordeal import Outcome

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

UPLINKS, SEED = 900, 7
PACE = Pace(senders=4, batch=4, pause_s=0.25)
"""Slow enough that the stop comes in the middle."""
SERVERS = ("valkey", "postgres")


def ends(installation: Installation) -> list[tuple[str, bool]]:
    """Give the processes in the order of their stops, and whether each finished in its time."""
    told = [
        orjson.loads(line)
        for line in (installation.var / "log" / "supervisor.log").read_text().splitlines()
    ]
    return [(entry["child"], entry["in_time"]) for entry in told if entry["event"] == "stopped"]


def test_a_stop_under_load_loses_nothing_and_kills_nobody(
    installation: Installation, ordeal: Outcome
) -> None:
    last_ms = max(frame.at_ms for frame in ordeal.frames.values())
    traffic = Traffic(
        ordeal.town,
        UPLINKS,
        SEED,
        last_ms + 1,
        last_ms + 8 * MINUTE_MS,
        first_number=max(ordeal.frames) + 1,
        spots=ordeal.town.spots[::2],
    )
    senders = Senders(traffic, installation.port, ordeal.town.token, PACE)
    senders.start()
    try:
        until(lambda: senders.answered > UPLINKS // 5, "a fifth is answered")
        begun = time.monotonic()
        assert installation.stop() == 0
        stopped_s = time.monotonic() - begun
        assert installation.leaks() == []
        installation.start()
        ledger = senders.finish(patience_s=120)
    finally:
        senders.halt()
    drain_s = {plan.name: plan.drain_s for plan in process_plans(Settings(GREENBAY_DEMO=False))}
    drain_s |= dict.fromkeys(SERVERS, ProcessPlan("", ()).drain_s)
    stops = ends(installation)[-len(drain_s) :]
    assert [name for name, _ in stops] == ["live", "api", "worker", "ingest", *SERVERS]
    # Who does not finish in its time is killed: nobody had to be.
    assert [name for name, in_time in stops if not in_time] == []
    assert stopped_s < sum(drain_s.values())
    assert ledger.strange == []
    assert ledger.statuses["none"] > 0  # it did come in the middle
    ordeal.add(traffic, ledger)
    drain(installation)
    found = check(installation, ordeal.town, ordeal.frames, ordeal.ledger)
    assert found.problems() == {}

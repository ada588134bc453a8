"""The demo's street before its detectors, and what its controllers report through the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from city.time import FixedClock
from signals.keeping import Keeper
from signals.rules.live.detectors import BIN, State
from signals.services import live_bins
from signals.services.detections import ZONE
from signals.store import bins, reporters
from signals.store.bins import bin_start
from tests.web.test_signal_detections_api import reporting
from web.demo.loops import OFF, ON, PRESENCE_FROM, Approach, Fault, Street

if TYPE_CHECKING:
    import pytest

    from tests.web.small_site import Site


def test_who_comes_upstream_waits_at_red_and_is_gone_after_green() -> None:
    street = Street([Approach(1, 720.0, 1)], Random(1))  # noqa: S311 - a street
    red = [pulse for _ in range(60) for pulse in street.step(frozenset(), 8.0)]
    came = sum(code == ON and channel == 1 for _, code, channel in red)
    assert 6 <= came <= 20
    assert [code for _, code, channel in red if channel == PRESENCE_FROM + 1] == [ON]
    green = [pulse for _ in range(60) for pulse in street.step(frozenset({1}), 3.0)]
    assert next(code for _, code, channel in green if channel == PRESENCE_FROM + 1) == OFF
    again = Street([Approach(1, 720.0, 1)], Random(1))  # noqa: S311 - a street
    assert red == [pulse for _ in range(60) for pulse in again.step(frozenset(), 8.0)]


def test_broken_detectors_are_found_by_the_fold_and_the_rest_is_believed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = reporting(site)
    network_id, name = home.split("/")[-3], "crossroads"
    faults = {1: Fault.CHATTERS, PRESENCE_FROM + 2: Fault.STUCK}
    street = Street([Approach(n, 600.0, 2) for n in (1, 2, 3)], Random(7), faults)  # noqa: S311
    now = datetime.now(UTC)
    end_at = bin_start(now - live_bins.LAG)
    start_at = end_at - 8 * BIN
    rows = []
    for second in range(int((end_at - start_at).total_seconds())):
        green = frozenset({1 + second // 30 % 3})
        at = start_at + timedelta(seconds=second)
        if second % 30 == 0:
            ended = 1 + (second // 30 - 1) % 3
            rows += [[at.isoformat(), 8, ended], [at.isoformat(), 10, ended]]
            rows.append([at.isoformat(), 1, min(green)])
        rows += [
            [(at + timedelta(seconds=after_s)).isoformat(), code, channel]
            for after_s, code, channel in street.step(green, 8.0)
        ]
    for first in range(0, len(rows), 10_000):
        body = {"rows": rows[first : first + 10_000]}
        answer = site.post("/api/v1/signal-events", "tsc-7", json=body)
        assert (answer.status_code, answer.get_json()) == (
            202,
            {"accepted": len(body["rows"]), "rejected": []},
        )
    uses = [
        {"channel": n + shift, "phase": n, "function": function}
        for n in (1, 2, 3)
        for shift, function in ((0, "advance"), (PRESENCE_FROM, "presence"))
    ]
    put = site.call("PUT", f"{home}/detectors", "engineer", json={"detectors": uses})
    assert put.status_code == 200
    Keeper(site.wiring.live, site.wiring.database).keep_all()
    database = site.wiring.database
    # The clock stands: no bin ends between two folds.
    monkeypatch.setattr(database, "wall", FixedClock(now))
    with database.unit_of_work() as uow:
        (network,) = reporters.networks(uow.connection)
        assert str(network) == network_id
        bins.move_mark(uow.connection, network, start_at)
    assert live_bins.fold_due(database) == 8
    assert live_bins.fold_due(database) == 0
    told = site.get(f"{home}/detector-health", "operator").get_json()["detectors"]
    states = {each["channel"]: each["state"] for each in told}
    assert states == {
        1: State.CHATTERING,
        2: State.OK,
        3: State.OK,
        PRESENCE_FROM + 1: State.OK,
        PRESENCE_FROM + 2: State.STUCK,
        PRESENCE_FROM + 3: State.OK,
    }
    with database.read() as connection:
        where = reporters.places_of(connection, network)[name]
        phases = bins.phase_bins(connection, [where], end_at - BIN, end_at)
    known = {each.phase: each for each in phases}
    # Each phase is green for a third of the time, and is met by about as many.
    assert 0.1 < (known[3].on_green or 0) < 0.6
    assert (known[3].cycles or 0) >= 2
    assert known[2].cycles is None or known[2].cycles == known[2].split_failures
    day = now.astimezone(ZONE).date()
    live_bins.watch_day(database, day)
    with database.read() as connection:
        found = bins.findings(connection, network, day)
    if start_at.astimezone(ZONE).date() == day:
        assert {"detector_stuck", "detector_chattering"} <= {each.code for each in found}
    hours = site.get(f"{home}/profile?days=working", "engineer").get_json()["hours"]
    assert all(each["days"] == 1 for each in hours)

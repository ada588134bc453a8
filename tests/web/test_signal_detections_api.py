"""Detector data over HTTP: from a device's batch to PostgreSQL and back as measures."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import text

from city.people.credentials import issue_token
from city.vault import mark_day
from signals.keeping import Keeper
from signals.rules.live.detectors import BIN, DetectorBin, Source, State
from signals.services.detections import ZONE
from signals.store import bins, partitions, reporters
from tests.web.test_signal_plans_api import imported

if TYPE_CHECKING:
    from tests.web.small_site import Site

NOW = datetime.now(UTC).replace(microsecond=0)
START = (NOW - timedelta(hours=2)).replace(minute=0, second=0)


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat()


def reporting(site: Site, subject: str = "tsc-7") -> str:
    """Register a reporter of the crossroads, with a credential; give the signal's address."""
    home = f"/api/v1/signal-networks/{imported(site)}/signals/crossroads"
    made = site.post(f"{home}/reporters", "engineer", json={"subject": subject})
    assert made.status_code == 201, made.get_json()
    with site.wiring.database.unit_of_work() as uow:
        site.tokens[subject] = issue_token(uow, "device", subject)
    return home


def keep(site: Site) -> int:
    return Keeper(site.wiring.live, site.wiring.database).keep_all()


def send(site: Site, rows: list[Any], what: str = "events", who: str = "tsc-7") -> Any:
    answer = site.post(f"/api/v1/signal-{what}", who, json={"rows": rows})
    assert answer.status_code == 202, answer.get_json()
    return answer.get_json()


def held(site: Site, table: str) -> list[Any]:
    with site.wiring.database.read() as connection:
        return list(connection.execute(text(f"select * from signals.{table} order by 1, 2, 3")))  # noqa: S608 - names of this test


def test_bad_rows_come_back_with_reasons_and_the_rest_is_kept_once(site: Site) -> None:
    home = reporting(site)
    rows = [
        [at(0), 1, 2],
        [at(0.1), 82, 5],
        ["yesterday", 1, 2],
        ["2026-03-02T08:00:00", 1, 2],
        [(NOW + timedelta(hours=9)).isoformat(), 1, 2],
        ["2001-01-01T00:00:00Z", 1, 2],
        [at(1), 1.5, 2],
        [at(1), 1, -2],
        [at(1), True, 2],
        [at(1), 1],
        {"time": at(1)},
    ]
    said = send(site, rows)
    assert said["accepted"] == 2
    assert [(each["index"], each["reason"]) for each in said["rejected"]] == [
        (2, "time"),
        (3, "time"),
        (4, "future"),
        (5, "old"),
        (6, "code"),
        (7, "parameter"),
        (8, "code"),
        (9, "malformed"),
        (10, "malformed"),
    ]
    send(site, rows[:2])
    assert keep(site) == 2
    send(site, rows[:2])
    assert keep(site) == 1
    assert [(row.at, row.code, row.parameter) for row in held(site, "controller_event")] == [
        (START, 1, 2),
        (START + timedelta(seconds=0.1), 82, 5),
    ]
    network = home.rpartition("/signals/")[0]
    (reporter,) = site.get(f"{network}/reporters", "operator").get_json()["items"]
    assert (reporter["refused_rows"], reporter["refused_reason"]) == (9, "time")
    assert datetime.fromisoformat(reporter["newest_at"]) == START + timedelta(seconds=0.1)
    (listed,) = site.get("/api/v1/signal-networks", "operator").get_json()["items"]
    assert listed["heard_at"] == reporter["heard_at"]
    (stream,) = site.wiring.live.keys("*detections")
    assert site.wiring.live.xlen(stream) == 0


def test_a_device_tells_of_its_own_signal_alone(site: Site) -> None:
    home = reporting(site)
    assert site.post("/api/v1/signal-events", "device", json={"rows": []}).status_code == 403
    assert site.post("/api/v1/signal-events", "engineer", json={"rows": []}).status_code == 403
    again = site.post(f"{home}/reporters", "engineer", json={"subject": "tsc-7"})
    assert (again.status_code, again.get_json()["errors"][0]["field"]) == (409, "subject")
    network = home.rpartition("/signals/")[0]
    (reporter,) = site.get(f"{network}/reporters", "auditor").get_json()["items"]
    gone = site.post(f"{home}/reporters/{reporter['id']}/removal", "engineer", json={})
    assert gone.status_code == 200
    assert site.get(f"{network}/reporters", "auditor").get_json()["items"] == []
    many = site.post("/api/v1/signal-events", "tsc-7", json={"rows": [0] * 10_001})
    assert many.status_code == 422


def test_a_count_told_again_counts_as_it_was_told_last(site: Site) -> None:
    reporting(site)
    bad = [
        [at(0), 0, 3, 5],
        [at(0), 900, 3, 5_000],
        [at(0), 900, 3, 5, 1.2],
        [at(0), 900, 3, 5, 0.2, 301],
        [at(7_200), 7_200, 3, 5],
    ]
    said = send(site, [[at(0), 900, 3, 40, 0.2, 31.5], *bad], "counts")
    assert [each["reason"] for each in said["rejected"]] == [
        "length",
        "vehicles",
        "occupancy",
        "speed",
        "future",
    ]
    send(site, [[at(0), 900, 3, 41], [at(0), 900, 4, 7]], "counts")
    keep(site)
    assert [(row.channel, row.vehicles) for row in held(site, "detector_count")] == [
        (3, 41),
        (4, 7),
    ]


def test_no_plate_is_kept_and_a_car_is_known_again_on_its_day_alone(site: Site) -> None:
    reporting(site)
    day = timedelta(days=1).total_seconds()
    rows = [[at(0), 1, "京A12345"], [at(60), 2, "京A·12345"], [at(-day), 1, "京A12345"]]
    said = send(site, [*rows, [at(0), 1, "?"], [at(0), 100, "京A12345"]], "passes")
    assert [each["reason"] for each in said["rejected"]] == ["plate", "lane"]
    waiting = [repr(site.wiring.live.xrange(key)) for key in site.wiring.live.keys("*detections")]
    assert len(waiting) == 1
    assert "A12345" not in waiting[0]
    keep(site)
    marks = [row.mark for row in sorted(held(site, "plate_pass"), key=lambda row: row.at)]
    same_day = mark_day(START) == mark_day(START + timedelta(minutes=1))
    assert (len(set(marks)), marks[1] == marks[2]) == (2, same_day)


def test_measures_of_what_was_reported_are_those_of_a_file(site: Site) -> None:
    home = reporting(site)
    uses = {"detectors": [{"channel": 5, "phase": 1, "function": "advance"}]}
    assert site.call("PUT", f"{home}/detectors", "operator", json=uses).status_code == 403
    wrong = {"detectors": [{"channel": 5, "phase": 99, "function": "advance"}]}
    assert site.call("PUT", f"{home}/detectors", "engineer", json=wrong).status_code == 422
    assert site.call("PUT", f"{home}/detectors", "engineer", json=uses).status_code == 200
    rows: list[list[Any]] = []
    for cycle in range(30):
        start = 60 * cycle
        rows += [[at(start), 1, 1], [at(start + 30), 8, 1], [at(start + 33), 10, 1]]
        rows += [[at(start + second), 82, 5] for second in (5, 10, 50)]
    send(site, rows)
    keep(site)
    until = (START + timedelta(hours=1)).isoformat()
    query = {"from_at": START.isoformat(), "until_at": until}
    told = site.get(f"{home}/measures", "engineer", query_string=query).get_json()
    table = told["measures"]["arrival_on_green"]
    assert datetime.fromisoformat(table["TimeStamp"][0]) == START
    # One in three comes 17 s after red has begun; the first cycle's red is not known.
    assert table["Percent_AOG"][1] == pytest.approx(2 / 3, abs=0.02)
    assert set(told["not_told"]) == {"split_failures", "yellow_red"}
    far = {"from_at": at(0), "until_at": at(3 * 86_400)}
    assert site.get(f"{home}/measures", "engineer", query_string=far).status_code == 422


def test_a_profile_has_whole_hours_of_the_street_by_their_own_names(site: Site) -> None:
    home = reporting(site)
    monday = datetime(2026, 3, 2, 8, tzinfo=ZONE)
    with site.wiring.database.unit_of_work() as uow:
        (where,) = reporters.places_of(uow.connection, UUID(home.split("/")[-3])).values()
        # From 07:30 on: of seven o'clock half is unknown, of eight a bin is imputed.
        rows = [
            DetectorBin(where, 5, monday + n * BIN, State.OK, 10, 9.0, None, None, 0.0)
            for n in range(-6, 11)
        ]
        broken = replace(rows[-1], from_at=monday + 11 * BIN, state=State.STUCK)
        rows.append(replace(broken, imputed=4.0, source=Source.PAST))
        bins.keep_detector_bins(uow.connection, rows)
        day = [(monday.replace(hour=0), monday.replace(hour=0) + timedelta(days=1))]
        (hour,) = bins.hours(uow.connection, where, day)
    assert (hour["hour"], hour["days"], hour["vehicles"]) == (8, 1, 114.0)
    assert hour["imputed_share"] == pytest.approx(1 / 12)


def test_partitions_are_made_ahead_and_dropped_after_their_time(site: Site) -> None:
    reporting(site)
    send(site, [[at(0), 1, 2]])
    keep(site)
    with site.wiring.database.unit_of_work() as uow:
        made = partitions.make_partitions(uow.connection, now=NOW)
    assert f"controller_event_{START:%Y%m%d}" in made
    assert held(site, "controller_event_default") == []
    assert len(held(site, f"controller_event_{START:%Y%m%d}")) == 1
    later = NOW + timedelta(days=40)
    with site.wiring.database.unit_of_work() as uow:
        dropped = partitions.drop_partitions(uow.connection, now=later)
    assert f"controller_event_{START:%Y%m%d}" in dropped
    assert not [each for each in dropped if each.startswith("detector_count")]
    assert held(site, "controller_event") == []

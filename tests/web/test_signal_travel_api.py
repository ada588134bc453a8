"""From plates at two stop lines to travel times and shares over HTTP, with nobody told apart."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from city.people.credentials import issue_token
from signals.keeping import Keeper
from tests.signals import drivable

if TYPE_CHECKING:
    from tests.web.small_site import Site

NOW = datetime.now(UTC)
START = (NOW - timedelta(hours=30)).replace(hour=2, minute=0, second=0, microsecond=0)
"""Ten in the morning of the street: a day of marks does not end."""
SIGNALS = [f"{n}-crossroads" for n in range(3)]


def row(seconds: float, lane: int, plate: str) -> list[Any]:
    return [(START + timedelta(seconds=seconds)).isoformat(), lane, plate]


@pytest.fixture
def home(site: Site) -> str:
    content = json.dumps(drivable.document(3) | {"plans": []})
    body = {"code": "row", "name": "三个路口 Three in a row", "content": content}
    answer = site.post("/api/v1/signal-networks", "engineer", json=body)
    assert answer.status_code == 201, answer.get_json()
    made = f"/api/v1/signal-networks/{answer.get_json()['id']}"
    for name in SIGNALS:
        signal = f"{made}/signals/{name}"
        assert (
            site.post(f"{signal}/reporters", "engineer", json={"subject": name}).status_code == 201
        )
        with site.wiring.database.unit_of_work() as uow:
            site.tokens[name] = issue_token(uow, "device", name)
    return made


def drive(site: Site) -> None:
    """Let a hundred pass the first; 60 pass the second a minute later, 36 of them the third.

    Every tenth stops for twenty minutes after the first.
    """
    rows: dict[str, list[list[Any]]] = {name: [] for name in SIGNALS}
    random = Random(1)  # noqa: S311 - traffic, not a secret
    for number in range(100):
        plate, left_s = f"京A{number:05d}", 30.0 * number
        rows[SIGNALS[0]].append(row(left_s, 1, plate))
        if number % 5 < 3:
            late_s = 1_200 if number % 10 == 0 else random.uniform(-5, 5)
            rows[SIGNALS[1]].append(row(left_s + 60 + late_s, 1, plate))
            if number % 25 < 15:
                rows[SIGNALS[2]].append(row(left_s + 100 + late_s, 2, plate))
    for name, told in rows.items():
        answer = site.post("/api/v1/signal-passes", name, json={"rows": told})
        assert answer.get_json()["accepted"] == len(told)
    Keeper(site.wiring.live, site.wiring.database).keep_all()


def ask(site: Site, address: str, hours: int = 1, **query: str) -> Any:
    span = {"from_at": START.isoformat(), "until_at": (START + timedelta(hours=hours)).isoformat()}
    answer = site.get(address, "auditor", query_string={**span, **query})
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()


def test_plates_at_two_stop_lines_tell_how_long_the_way_takes(site: Site, home: str) -> None:
    drive(site)
    told = ask(site, f"{home}/travel-times")
    assert (told["settled"], told["few"]) == (True, 0)
    pairs = {(each["from_signal"], each["to_signal"]): each for each in told["pairs"]}
    assert set(pairs) == {(SIGNALS[0], SIGNALS[1]), (SIGNALS[0], SIGNALS[2]),
                          (SIGNALS[1], SIGNALS[2])}  # fmt: skip
    first = pairs[SIGNALS[0], SIGNALS[1]]
    assert (first["time"]["drives"], first["time"]["stopped"]) == (50, 10)
    median = first["time"]["quantiles"][0]
    assert 57 < median["low_s"] <= median["seconds"] <= median["high_s"] < 63
    assert first["reached"]["share"] == pytest.approx(0.6)
    assert first["reached"]["low"] < 0.6 < first["reached"]["high"]
    assert first["hours"] == []
    (pair,) = ask(site, f"{home}/travel-times", 2, from_signal=SIGNALS[0], to_signal=SIGNALS[1])[
        "pairs"
    ]
    assert [each["time"]["drives"] for each in pair["hours"]] == [50, 0]
    assert "京A" not in json.dumps(told, ensure_ascii=False)


def test_shares_are_put_right_by_counts_beside_the_cameras(site: Site, home: str) -> None:
    drive(site)
    ends = ",".join(SIGNALS)
    (told,) = [
        each
        for each in ask(site, f"{home}/origins", ends=ends)["origins"]
        if each["signal"] == SIGNALS[0]
    ]
    bare = {each["signal"]: each["share"]["share"] for each in told["destinations"]}
    assert told["vehicles"] == 60
    for name, read in zip(SIGNALS, (90, 90, 45), strict=True):
        rate = {"vehicles": 100, "read": read}
        address = f"{home}/signals/{name}/reading-rate"
        assert site.call("PUT", address, "operator", json=rate).status_code == 403
        assert site.call("PUT", address, "engineer", json=rate).status_code == 200
    whole = ask(site, f"{home}/origins", ends=ends)
    (right,) = [each for each in whole["origins"] if each["signal"] == SIGNALS[0]]
    better = {each["signal"]: each["share"] for each in right["destinations"]}
    assert whole["corrected"] is True
    assert better[SIGNALS[2]]["share"] > bare[SIGNALS[2]]
    assert better[SIGNALS[2]]["low"] < better[SIGNALS[2]]["share"] < better[SIGNALS[2]]["high"]


def test_what_cannot_be_asked_is_refused_with_the_reason(site: Site, home: str) -> None:
    half = {"from_at": START.isoformat(), "until_at": (START + timedelta(minutes=90)).isoformat()}
    week = {"from_at": START.isoformat(), "until_at": (START + timedelta(days=7)).isoformat()}
    for query in (half, week):
        answer = site.get(f"{home}/travel-times", "engineer", query_string=query)
        assert answer.status_code == 422
    day = {"from_at": START.isoformat(), "until_at": (START + timedelta(days=1)).isoformat()}
    one = site.get(f"{home}/origins", "engineer", query_string={**day, "ends": SIGNALS[0]})
    assert one.status_code == 422
    unknown = site.get(
        f"{home}/travel-times", "engineer", query_string={**day, "from_signal": "nowhere"}
    )
    assert unknown.status_code == 404
    assert site.get(f"{home}/travel-times", "attendant", query_string=day).status_code == 403
    more = {"vehicles": 10, "read": 11}
    answer = site.call("PUT", f"{home}/signals/{SIGNALS[0]}/reading-rate", "engineer", json=more)
    assert answer.status_code == 422

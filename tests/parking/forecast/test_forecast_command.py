"""`python -m parking forecast-evaluate`: its answers, its refusals, real and dirty feeds."""

import json
import math
import os
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from parking.__main__ import main

MONDAY = datetime(2025, 3, 10)  # noqa: DTZ001 - on local clocks - a feed's wall time


def feed(days: int, *, step_min: int = 30, seed: int = 5) -> list[tuple[str, str, str]]:
    chance = random.Random(seed)  # noqa: S311 - cars, not secrets
    rows = []
    for i in range(days * 24 * 60 // step_min):
        at = MONDAY + timedelta(minutes=i * step_min)
        hour = at.hour + at.minute / 60
        share = 0.1 + 0.7 * math.exp(-(((hour - 13) / 4) ** 2)) * (0.5 if at.weekday() > 4 else 1)
        rows.append((at.isoformat(), str(round(200 * share + chance.gauss(0, 4))), "200"))
    return rows


def written(folder: Path, rows: Sequence[tuple[str, ...]], heading: str = "t,v,c") -> str:
    path = folder / "feed.csv"
    path.write_text("\n".join([heading, *(",".join(row) for row in rows)]) + "\n")
    return str(path)


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any, str]:
    try:
        status = main(["forecast-evaluate", *arguments])
    except SystemExit as left:
        status = int(left.code or 0)
    out, err = capsys.readouterr()
    return status, json.loads(out) if out else None, err


COLUMNS = ("--time-column", "t", "--value-column", "v")


def test_the_answer_has_the_figures_of_each_horizon(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, answer, err = asked(
        capsys,
        written(tmp_path, feed(40)),
        *COLUMNS,
        *("--capacity-column", "c", "--horizons-min", "30,120", "--test-share", "0.2", "--json"),
    )
    assert (status, err) == (0, "")
    assert [each["horizon_min"] for each in answer["horizons"]] == [30, 120]
    for each in answer["horizons"]:
        assert each["rows"] == 8 * 48
        assert 0 < each["mae"] <= each["rmse"]
        assert each["mae"] < each["persistence_mae"]
        assert 0.85 < each["coverage90"] < 0.95
    assert answer["seconds"] > 0
    assert (answer["days"], answer["test_days"]) == (40, 8)


def test_too_little_history_is_said_and_no_number_made_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, answer, _ = asked(capsys, written(tmp_path, feed(5)), *COLUMNS)
    assert status == 0
    assert answer["answer"] == "not enough history"
    assert {each["mae"] for each in answer["horizons"]} == {None}
    assert {each["rows"] for each in answer["horizons"]} == {0}


def test_dirt_is_counted_and_survived(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[tuple[str, ...]] = list(feed(40))
    chance = random.Random(3)  # noqa: S311 - cars, not secrets
    for i in chance.sample(range(len(rows)), 60):
        rows[i] = (rows[i][0], chance.choice(["-7", "9999", "", "n/a", "nan", "1e400"]), "200")
    rows[10] = ("not a time", "5", "200")
    rows[11] = ("2025-03-10",)
    rows[12] = (*rows[12], "too", "many")
    rows += rows[100:130]
    del rows[600:900]
    status, answer, err = asked(
        capsys, written(tmp_path, rows), *COLUMNS, "--capacity-column", "c", "--by-series"
    )
    assert (status, err) == (0, "")
    cleaning = answer["series"][0]["cleaning"]
    assert cleaning["duplicates"] >= 25
    assert cleaning["negative"] + cleaning["over_capacity_dropped"] + cleaning["unreadable"] > 45
    assert all(0 < each["mae"] < 0.05 for each in answer["horizons"])


@pytest.mark.parametrize(
    ("spelling", "zone"),
    [("%d/%m/%Y %H:%M", None), ("%Y-%m-%dT%H:%M:%S+00:00", "Europe/London"), (None, None)],
)
def test_instants_come_in_many_spellings(
    spelling: str | None, zone: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = []
    for at, value, capacity in feed(30):
        moment = datetime.fromisoformat(at)
        seconds = str(int((moment - datetime(1970, 1, 1)).total_seconds()))  # noqa: DTZ001 - on local clocks
        rows.append((moment.strftime(spelling) if spelling else seconds, value, capacity))
    given = ["--timezone", zone] if zone else []
    status, answer, _ = asked(capsys, written(tmp_path, rows), *COLUMNS, *given)
    assert status == 0
    # The last local day of a shifted feed is an hour long.
    assert answer["horizons"][0]["rows"] in range(5 * 48, 6 * 48 + 1)


def test_an_hour_that_comes_twice_in_autumn_is_two_hours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Berlin, 26 October 2025: 02:00-02:59 comes twice.
    wall = [
        datetime(2025, 10, 26, 1, 30),  # noqa: DTZ001 - on local clocks
        *[datetime(2025, 10, 26, 2, minute) for minute in (0, 30)],  # noqa: DTZ001 - on local clocks
        *[datetime(2025, 10, 26, 2, minute) for minute in (0, 30)],  # noqa: DTZ001 - on local clocks
        datetime(2025, 10, 26, 3, 0),  # noqa: DTZ001 - on local clocks
    ]
    rows = [(at.isoformat(), "5", "10") for at in wall]
    _, answer, _ = asked(
        capsys,
        written(tmp_path, rows),
        *COLUMNS,
        *("--timezone", "Europe/Berlin", "--by-series"),
    )
    assert answer["series"][0]["cleaning"]["duplicates"] == 0
    assert answer["series"][0]["step_min"] == 30


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--value-column", "absent"], "--value-column"),
        (["--capacity-column", "absent"], "--capacity-column"),
        (["--horizons-min", "30,soon"], "--horizons-min"),
        (["--horizons-min", "0"], "--horizons-min"),
        (["--horizons-min", "1441"], "--horizons-min"),
        (["--test-share", "1"], "--test-share"),
        (["--test-share", "nan"], "--test-share"),
        (["--timezone", "Mars/Olympus"], "--timezone"),
    ],
)
def test_a_bad_argument_is_named_in_one_line(
    arguments: list[str], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, answer, err = asked(capsys, written(tmp_path, feed(2)), *COLUMNS, *arguments)
    assert (status, answer) == (2, None)
    assert named in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("content", ["", "t,v,c\n", "t,v,c\nx,y,z\n", "\x00\x01\n", "t,v\n\n\n"])
def test_a_file_without_a_readable_row_is_refused(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "feed.csv"
    path.write_text(content)
    status, answer, err = asked(capsys, str(path), *COLUMNS)
    assert (status, answer) == (2, None)
    assert err.count("\n") == 1


def test_a_file_that_is_not_there_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = asked(capsys, str(tmp_path / "absent.csv"), *COLUMNS)
    assert status == 2
    assert "absent.csv" in err


def test_birmingham_is_forecast_better_than_by_six_feature_ridge(
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = os.environ.get("GREENBAY_DATA")
    if not data:
        pytest.skip("GREENBAY_DATA is not set: the real feed is not here")
    status, answer, _ = asked(
        capsys,
        str(Path(data) / "occupancy" / "birmingham.csv"),
        *("--time-column", "LastUpdated", "--value-column", "Occupancy"),
        *("--capacity-column", "Capacity", "--series-column", "SystemCodeNumber"),
        *("--horizons-min", "30,60,120", "--test-share", "0.2"),
    )
    assert status == 0
    for each, best in zip(answer["horizons"], [0.0130, 0.0214, 0.0343], strict=True):
        assert each["mae"] <= best
        assert 0.88 <= each["coverage90"] <= 0.92

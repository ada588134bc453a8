"""Measures from controller events: worked by hand, laws, bad rows, and the peer ``atspm``."""

from __future__ import annotations

import json
import math
import os
import subprocess
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.adapters.event_files import read_events, read_uses
from signals.commands import measures as command
from signals.rules.measures.counts import actuations, terminations, walks
from signals.rules.measures.events import in_order
from signals.rules.measures.report import measure
from signals.rules.measures.settings import Configuration, Settings

if TYPE_CHECKING:
    from random import Random

ROOT = Path(__file__).resolve().parents[2]
PEERS = Path(os.environ.get("GREENBAY_PEERS", ROOT / ".venv-peers" / "bin" / "python"))
DAY = "2026-03-02"

Row = tuple[str, int, int]
"""Seconds after eight as mm:ss.s, code, parameter."""


def _text(rows: list[Row], device: str = "7") -> str:
    lines = [f"{DAY} 08:{at},{device},{code},{parameter}" for at, code, parameter in rows]
    return "\n".join(["TimeStamp,DeviceId,EventId,Parameter", *lines, ""])


def _run(
    capsys: pytest.CaptureFixture[str], folder: Path, text: str, *more: str, config: str = ""
) -> tuple[int, dict[str, Any]]:
    (folder / "events.csv").write_text(text, encoding="utf-8")
    if config:
        (folder / "config.csv").write_text(config, encoding="utf-8")
        more = (*more, "--config", str(folder / "config.csv"))
    status = command.run([str(folder / "events.csv"), *more])
    return status, json.loads(capsys.readouterr().out)


# Two cycles of phase 2: green 00:10-00:40, yellow to 00:44, red; again a minute later.
LAMPS: list[Row] = [
    ("00:10", 1, 2), ("00:40", 4, 2), ("00:40", 7, 2), ("00:40", 8, 2), ("00:44", 9, 2),
    ("00:44", 10, 2), ("00:46", 11, 2),
    ("01:10", 1, 2), ("01:40", 5, 2), ("01:40", 7, 2), ("01:40", 8, 2), ("01:44", 9, 2),
    ("01:44", 10, 2), ("01:46", 11, 2), ("02:10", 1, 2),
]  # fmt: skip
CONFIG = """DeviceId,Phase,Parameter,Function
7,2,11,Advance
7,2,12,Presence
7,2,13,Yellow_Red
"""


def test_arrivals_on_green_and_their_delay_are_those_counted_by_hand(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    # One on green, one on red 10 s before green, one on yellow 31 s before it.
    seen = [("00:20", 82, 11), ("01:00", 82, 11), ("00:41", 82, 11), ("00:41", 81, 11)]
    _, said = _run(capsys, tmp_path, _text(LAMPS + seen), config=CONFIG)
    met, delay = said["measures"]["arrival_on_green"], said["measures"]["approach_delay"]
    assert (met["Total_Actuations"], met["Percent_AOG"]) == ([3], [pytest.approx(1 / 3)])
    assert delay["Vehicles"] == [3]
    assert delay["AvgDelay"] == [pytest.approx((0 + 10 + 29) / 3)]
    assert said["measures"]["approach_volume"]["FlowVph"] == [12.0]


def test_the_platoon_ratio_takes_the_seconds_of_green_of_the_bin(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _, said = _run(capsys, tmp_path, _text([*LAMPS, ("00:20", 82, 11)]), config=CONFIG)
    # 30 s twice, and from 02:10 on to the bin's end.
    ratio = (30 + 30 + 770) / 900
    table = said["measures"]["platoon_ratio"]
    assert table["Green_Seconds"] == [830.0]
    assert table["Platoon_Ratio"] == [pytest.approx(1 / ratio)]
    assert table["Arrival_Type"] == [3]


def test_a_full_green_with_a_queue_after_red_is_a_split_failure(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    # On from before the first green to 4.5 s after red began; the second green is half full.
    held = [("00:05", 82, 12), ("00:48.5", 81, 12), ("01:10", 82, 12), ("01:25", 81, 12)]
    _, said = _run(capsys, tmp_path, _text(LAMPS + held), config=CONFIG)
    table = said["measures"]["split_failures"]
    assert table["Split_Failure"] == [1]
    assert table["Green_Occupancy"] == [pytest.approx((1.0 + 0.5) / 2)]
    assert table["Red_Occupancy"] == [pytest.approx((0.9 + 0.0) / 2)]


def test_who_crosses_after_red_began_is_counted_by_half_seconds(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    # 1.5 s of latency: at 00:46.7 the vehicle crossed 1.2 s after red began.
    _, said = _run(capsys, tmp_path, _text([*LAMPS, ("00:46.7", 82, 13)]), config=CONFIG)
    table = said["measures"]["yellow_red"]
    assert (table["Signal_State"], table["Red_Offset"], table["Count"]) == ([10], [1.0], [1])


def test_why_greens_ended_and_how_long_walkers_waited(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    feet: list[Row] = [("00:50", 90, 2), ("00:52", 90, 2), ("01:10", 21, 2), ("01:17", 22, 2),
                       ("01:25", 23, 2)]  # fmt: skip
    # Enough of the rest that the bins count as whole: an event a minute.
    beat: list[Row] = [(f"{minute:02d}:{s}", 2, 9) for minute in range(15) for s in (0, 20, 40)]
    _, said = _run(capsys, tmp_path, _text(LAMPS + feet + beat))
    found = said["measures"]
    assert found["terminations"]["PerformanceMeasure"] == ["GapOut", "MaxOut"]
    assert found["ped_delay"]["AvgPedDelay"] == [20.0]
    assert found["ped"]["PedServices"] == [1]
    assert found["ped"]["PedActuation"] == [2]


def test_a_preemption_and_a_bus_are_told_step_by_step(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rows: list[Row] = [
        ("00:10", 102, 1), ("00:12", 105, 1), ("00:20", 107, 1), ("00:50", 104, 1),
        ("00:52", 111, 1), ("05:00", 112, 3), ("05:04", 114, 3), ("05:20", 115, 3),
    ]  # fmt: skip
    _, said = _run(capsys, tmp_path, _text(rows))
    rail, bus = said["measures"]["preemptions"], said["measures"]["priority"]
    assert (rail["DelayBeforeEntry"], rail["TimeToDwell"], rail["InputOn"]) == (
        [2.0],
        [8.0],
        [40.0],
    )
    assert rail["TimeToTrackClearance"] == [None]
    assert (bus["EarlyGreen"], bus["ExtendedGreen"], bus["TimeToCheckOut"]) == (
        [False], [True], [20.0],
    )  # fmt: skip


def test_the_watchdog_names_what_is_broken_in_both_languages(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    stuck: list[Row] = [("00:00", 82, 1), ("45:00", 81, 1)]
    chatter: list[Row] = [(f"10:{n * 0.4:04.1f}", 82, 2) for n in range(140)]
    button: list[Row] = [(f"20:{n * 0.5:04.1f}", 90, 4) for n in range(100)]
    full: list[Row] = [(f"{minute}:30", 5, 6) for minute in range(10, 59)]
    beat: list[Row] = [(f"{minute:02d}:{s}", 2, 9) for minute in range(60) for s in (0, 20, 40)]
    _, said = _run(capsys, tmp_path, _text(stuck + chatter + button + full + beat))
    found = {(each["code"], each["subject"]) for each in said["findings"]}
    assert found == {
        ("detector_stuck", "1"),
        ("detector_chattering", "2"),
        ("pedestrian_stuck", "4"),
        ("phase_maxes_out", "6"),
    }
    first = said["findings"][0]
    assert "45" in first["zh"]
    assert "45 min" in first["en"]


def test_bins_that_a_device_lost_are_found(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    beat: list[Row] = [
        (f"{minute:02d}:{s}", 2, 9) for minute in (*range(15), *range(45, 60)) for s in (0, 20, 40)
    ]
    _, said = _run(capsys, tmp_path, _text(beat))
    lost = [each for each in said["findings"] if each["code"] == "data_missing"]
    assert [each["value"] for each in lost] == [pytest.approx(2 / 3, abs=1e-4)]


def test_bad_rows_are_told_with_line_and_reason_and_the_rest_is_counted(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = _text([("00:01", 82, 1), ("00:01", 82, 1), ("00:00", 82, 1)]) + (
        "nonsense,7,82,1\n"
        f"{DAY} 08:00:03,7,82.4,1\n"
        f"{DAY} 08:00:03,7,82\n"
        f"{DAY} 08:00:03,,82,1\n"
        f"{DAY} 08:00:03,7,82,1,9,9\n"
        f'{DAY} 08:00:04,7,"82,1\n'
        "2199-01-01 00:00:00,7,82,1\n"
        "1970-01-01 00:00:00,7,82,1\n"
    )
    status, said = _run(capsys, tmp_path, text)
    assert status == 1
    assert (said["events"], said["rows"], said["duplicates"], said["out_of_order"]) == (3, 11, 1, 1)
    assert [(each["line"], each["reason"]) for each in said["unusable_rows"]] == [
        (5, "the time is not readable"),
        (6, "the event code is no whole number from 0 to 32767"),
        (7, "the parameter is no whole number from 0 to 32767"),
        (8, "the device is missing"),
        (9, "the line is no row of these columns"),
        (11, "the time lies in the future"),
        (12, "the time lies more than a year from the rest of the file"),
    ]
    assert said["measures"]["actuations"]["Total"] == [3]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"a,b\n1,2\n", "has no column TimeStamp"),
        (b"\x00\x01\x02", "is neither CSV nor Parquet"),
        (b"PAR1 broken", "is neither CSV nor Parquet"),
        (b"TimeStamp,DeviceId,EventId,Parameter\nx,x,x,x\n", "has no event that can be used"),
        (b"TimeStamp,DeviceId,EventId,Parameter\n", "has no event that can be used"),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_line(
    content: bytes, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "events.csv").write_bytes(content)
    with pytest.raises(SystemExit) as left:
        command.run([str(tmp_path / "events.csv")])
    said = capsys.readouterr()
    assert left.value.code == 2
    assert reason in said.err
    assert len(said.err.splitlines()) == 1
    assert said.out == ""


def test_devices_may_have_names_and_pictures_are_drawn(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    seen = [("00:20", 82, 11), ("01:00", 82, 11)]
    text = _text(LAMPS + seen, device="东三环/5")
    _, said = _run(
        capsys,
        tmp_path,
        text,
        "--plot",
        str(tmp_path / "p"),
        config=CONFIG.replace("\n7,", "\n东三环/5,"),
    )
    assert said["devices"] == ["东三环/5"]
    assert said["pictures"] == [
        f"{kind}-东三环_5{phase}.svg"
        for kind, phase in (
            ("arrivals", "-2"), ("coordination", "-2"), ("split", "-2"), ("terminations", ""),
        )
    ]  # fmt: skip
    drawn = (tmp_path / "p" / said["pictures"][1]).read_text(encoding="utf-8")
    assert "相位 phase 2" in drawn
    assert "nan" not in drawn


_EVENTS = st.lists(
    st.tuples(
        st.integers(0, 3 * 3600 * 10).map(lambda tenths: tenths * 100_000),
        st.integers(0, 1),
        st.sampled_from([1, 4, 5, 6, 7, 8, 10, 21, 43, 44, 81, 82, 90, 150]),
        st.integers(1, 3),
    ),
    min_size=1,
    max_size=60,
)
_CONFIGURATION = Configuration(
    ("a", "a", "b"), (1, 2, 1), (1, 2, 3), ("Advance", "Presence", "Yellow_Red")
)


def _tables(rows: list[tuple[int, int, int, int]]) -> dict[str, dict[str, list[object]]]:
    columns = [np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)]
    events, _ = in_order(columns[0], columns[1], columns[2], columns[3], ("a", "b"))
    tables, _ = measure(events, _CONFIGURATION, Settings())
    return {
        name: {
            key: [
                "nan" if isinstance(v, float) and math.isnan(v) else v
                for v in np.asarray(c).tolist()
            ]
            for key, c in table.items()
        }
        for name, table in tables.items()
    }


@settings(max_examples=25, deadline=None)
@given(rows=_EVENTS, random=st.randoms(use_true_random=False))
def test_neither_order_nor_duplicates_change_a_measure(
    rows: list[tuple[int, int, int, int]], random: Random
) -> None:
    other = rows + rows[: len(rows) // 2]
    random.shuffle(other)
    assert _tables(other) == _tables(rows)


@settings(max_examples=25, deadline=None)
@given(rows=_EVENTS)
def test_a_file_cut_at_a_bins_edge_counts_the_same(rows: list[tuple[int, int, int, int]]) -> None:
    edge_us = 4 * 15 * 60 * 1_000_000

    def counted(some: list[tuple[int, int, int, int]]) -> list[tuple[object, ...]]:
        columns = [np.array([row[n] for row in some], dtype=np.int64) for n in range(4)]
        events, _ = in_order(columns[0], columns[1], columns[2], columns[3], ("a", "b"))
        return sorted(
            (name, *map(str, row))
            for name, work in (("a", actuations), ("t", terminations), ("w", walks))
            for row in zip(*work(events, Settings()).values(), strict=True)
        )

    low, high = [r for r in rows if r[0] < edge_us], [r for r in rows if r[0] >= edge_us]
    assert sorted(counted(low) + counted(high)) == counted(rows)


def _peer_has_atspm() -> bool:
    if not PEERS.exists():
        return False
    asked = subprocess.run([str(PEERS), "-c", "import atspm"], capture_output=True, check=False)
    return asked.returncode == 0


def _rows(table: dict[str, list[Any]], columns: list[str]) -> list[tuple[Any, ...]]:
    def plain(value: Any) -> Any:
        if isinstance(value, str) and value[:2] == "20":
            return datetime.fromisoformat(value).timestamp()
        return float(value) if isinstance(value, (bool, int, float)) else value

    # Numbers of 32 and of 64 bits sort alike once rounded; equality is held below.
    def order(row: tuple[Any, ...]) -> list[str]:
        return [f"{each:.3f}" if isinstance(each, float) else str(each) for each in row]

    rows = zip(*(map(plain, table[name]) for name in columns), strict=True)
    return sorted(rows, key=order)


@pytest.mark.parametrize("complete", [False, True])
def test_the_peers_sample_gives_the_peers_tables(
    complete: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not _peer_has_atspm():
        pytest.skip("the peers' Python with atspm is not installed: GREENBAY_PEERS names another")
    out = tmp_path / "peer.json"
    more = ["remove_incomplete"] if complete else []
    subprocess.run(
        [str(PEERS), str(ROOT / "bench" / "_atspm.py"), "sample", "sample", str(out), *more],
        check=True, capture_output=True,
    )  # fmt: skip
    where = subprocess.run(
        [str(PEERS), "-c", "import atspm; print(atspm.__path__[0])"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    sample = Path(where) / "data"
    flags = ["--only-complete"] if complete else []
    status = command.run(
        [str(sample / "sample_raw_data.parquet"), "--config", str(sample / "sample_config.parquet"),
         "--controller", "maxtime", *flags]
    )  # fmt: skip
    ours = json.loads(capsys.readouterr().out)["measures"]
    assert status == 0
    theirs = json.loads(out.read_text(encoding="utf-8"))["tables"]
    assert len(theirs) == 17
    for name, table in theirs.items():
        expected, found = _rows(table, list(table)), _rows(ours[name], list(table))
        assert len(found) == len(expected) > 0, name
        for one, other in zip(found, expected, strict=True):
            for mine, peers in zip(one, other, strict=True):
                same = isinstance(peers, float) and math.isclose(
                    mine, peers, rel_tol=1e-5, abs_tol=1e-6
                )
                assert same or mine == peers, (name, one, other)


def test_a_use_without_a_phase_is_told_and_the_rest_is_taken(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text(
        "DeviceId;Phase;Parameter;Function\n7;2;11;Advance\n7;;12;Presence\n", encoding="utf-8"
    )
    uses, bad = read_uses(str(tmp_path / "c.csv"))
    assert uses.of("advance") == [("7", 2, 11)]
    assert [row.line for row in bad] == [3]


def test_quoted_fields_and_other_names_of_columns_are_read(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text(
        '"Timestamp";"Signal ID";"Event_Code";"EventParam"\n"2026-03-02T08:00:00";"7";"82";"1"\n',
        encoding="utf-8-sig",
    )
    file = read_events(str(tmp_path / "e.csv"), 4_000_000_000_000_000)
    assert (len(file.events), file.events.devices, file.unusable) == (1, ("7",), {})

"""The commands `decode` and `encode`, as processes."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from parking.__main__ import main

DATA = os.environ.get("GREENBAY_DATA")


def parking(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "parking", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
    )


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, object], str]:
    """Run a command in this process; return status, answer, messages."""
    try:
        status = main(arguments)
    except SystemExit as left:
        status = int(left.code or 0)
    out, err = capsys.readouterr()
    return status, json.loads(out) if out else {}, err


def test_decode_prints_fields_observations_and_health_as_one_json_object() -> None:
    done = parking("decode", "--device", "nwave-nps405", "--port", "2", "00d3d800590b", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
        "device": "nwave-nps405",
        "port": 2,
        "direction": "up",
        "data": {
            "type": "heartbeat",
            "occupied": False,
            "battery_voltage": 3.344,
            "temperature": -10,
            "battery_health": "normal",
            "hw_health_status": 0,
        },
        "observations": [
            {"kind": "bay", "occupied": False, "strength": 950, "age_s": 0, "inferred": False}
        ],
        "health": {
            "battery_v": 3.344,
            "battery_percent": None,
            "battery_low": False,
            "temperature_c": -10,
            "firmware": None,
            "reset_cause": None,
            "faults": [],
        },
    }


def test_decode_prints_a_car_counters_count(capsys: pytest.CaptureFixture[str]) -> None:
    _, answer, _ = run(capsys, "decode", "--device", "nwave-ncc405", "--port", "1", "06aa")
    assert answer["observations"] == [{"kind": "passages", "value": 1706, "wraps_at": 65536}]


def test_decode_of_a_rejected_frame_prints_the_makers_error_and_leaves_with_1() -> None:
    done = parking("decode", "--device", "tekzitel-tekzipark", "--port", "42", "292e62")
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "device": "tekzitel-tekzipark",
        "port": 42,
        "direction": "up",
        "errors": ["unknown FPort"],
        "reason": "wrong_port",
    }
    assert done.stderr == "python -m parking decode: wrong_port: unknown FPort\n"


def test_decode_reads_a_downlink_where_the_frame_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (
        "decode",
        "--device",
        "dingtek-do201",
        "--port",
        "3",
        "3830303239393939303130343831",
    )
    status, answer, _ = run(capsys, *arguments)
    assert status == 0
    assert answer["direction"] == "down"
    assert answer["data"] == {"uploadInterval": 4}
    status, answer, _ = run(capsys, *arguments, "--direction", "up")
    assert status == 1
    assert answer["errors"] == ["wrong length"]


def test_decode_blames_the_direction_that_uses_the_port(capsys: pytest.CaptureFixture[str]) -> None:
    _, answer, _ = run(capsys, "decode", "--device", "tekzitel-tekzipark", "--port", "3", "47")
    assert answer["direction"] == "down"
    assert answer["errors"] == ["downlink of 1 bytes, expected 8"]


def test_encode_prints_port_and_bytes() -> None:
    done = parking("encode", "--device", "dingtek-do201", '{"magnetThreshold": 60}')
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
        "device": "dingtek-do201",
        "port": 3,
        "hex": "38303032393939393046303033433831",
        "bytes": [56, 48, 48, 50, 57, 57, 57, 57, 48, 70, 48, 48, 51, 67, 56, 49],
    }


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((), "no command"),
        (("fly",), "unknown command 'fly'; known: decode"),
        (("decode",), "required: --device, --port, HEX"),
        (("decode", "--device", "x", "--port", "1", "01"), "known: bosch-tps110, nwave-nps310sm"),
        (("decode", "--device", "bosch-tps110", "--port", "1", "0g"), "argument HEX"),
        (("decode", "--device", "bosch-tps110", "--port", "1", "011"), "argument HEX"),
        (("decode", "--device", "bosch-tps110", "--port", "x", "01"), "argument --port"),
        (("decode", "--device", "bosch-tps110", "--port", "256", "01"), "is not 0 to 255"),
        (("encode", "--device", "dingtek-do200", "{"), "not JSON"),
        (("encode", "--device", "dingtek-do200", "[]"), "not an object"),
        (("encode", "--device", "dingtek-do200", '{"magThreshold": 0}'), "range 1-255 mGs"),
        (("encode", "--device", "x", "{}"), "known: bosch-tps110, nwave-nps310sm"),
    ],
)
def test_a_bad_argument_is_one_clear_line_and_status_2(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], text: str
) -> None:
    status, answer, err = run(capsys, *arguments)
    assert (status, answer) == (2, {})
    assert err.count("\n") == 1
    assert text in err


@pytest.mark.parametrize("command", [(), ("decode",), ("encode",)])
def test_help_shows_an_example(
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    with suppress(SystemExit):
        main((*command, "--help"))
    assert "example:\n  python -m parking" in capsys.readouterr().out


@pytest.mark.skipif(not DATA, reason="GREENBAY_DATA is unset: the shared vectors are not here")
def test_every_shared_vector_goes_through_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    vectors = json.loads(Path(DATA or "", "lorawan", "vectors.json").read_text("utf-8"))
    seen = 0
    for device, vector in vectors["devices"].items():
        for example in [*vector.get("uplinkDecoder", []), *vector.get("downlinkDecoder", [])]:
            given, documented = example["input"], example["output"]
            status, answer, _ = run(
                capsys, "decode", "--device", device, "--port", str(given["fPort"]), given["hex"]
            )
            assert {key: answer[key] for key in documented} == documented, example
            assert status == (1 if "errors" in documented else 0)
            seen += 1
        for example in vector.get("downlinkEncoder", []):
            message = json.dumps(example["input"]["data"])
            status, answer, _ = run(capsys, "encode", "--device", device, message)
            assert status == 0
            assert answer["bytes"] == example["output"]["bytes"]
            assert answer["port"] == example["output"]["fPort"]
            seen += 1
    assert seen >= 38


@pytest.mark.skipif(not DATA, reason="GREENBAY_DATA is unset: the shared sample is not here")
def test_the_shared_nb_iot_sample_goes_through_decode(capsys: pytest.CaptureFixture[str]) -> None:
    sample = json.loads(Path(DATA or "", "lorawan", "ctwing_wxhs_sample.json").read_text("utf-8"))
    frame = json.dumps(sample["payload"]).encode().hex()
    status, answer, _ = run(capsys, "decode", "--device", "wxhs-p-md", "--port", "0", frame)
    assert status == 0
    assert answer["data"] == sample["payload"]

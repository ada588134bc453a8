"""``python -m signals``: what it prints where, and with what status it ends."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

JUNCTION: dict[str, Any] = {
    "stages": [
        {
            "name": "north-south",
            "min_green_s": 12,
            "groups": ["ns", "cross-east"],
            "movements": [
                {"flow_vph": 640, "saturation_flow_vph": 1800},
                {"flow_vph": 510, "saturation_flow_vph": 1800},
            ],
        },
        {"name": "east-west", "min_green_s": 12, "groups": ["ew"], "flow_ratio": 0.25},
    ],
    "groups": [
        {"name": "ns", "kind": "vehicle"},
        {"name": "ew", "kind": "vehicle"},
        {"name": "cross-east", "kind": "pedestrian", "flashing_green_s": 8},
    ],
}


def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "signals", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        timeout=60,
    )


def timed(document: Any) -> subprocess.CompletedProcess[str]:
    return run("timing", "-", "--json", stdin=json.dumps(document))


def test_a_junction_is_timed_as_one_line_of_json(tmp_path: Path) -> None:
    file = tmp_path / "junction.json"
    file.write_text(json.dumps(JUNCTION), encoding="utf-8")
    done = run("timing", str(file))
    result = json.loads(done.stdout)

    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 1)
    # L = 8, Y = 640/1800 + 0.25 = 0.6056: (12 + 5) / 0.3944 = 43.10.
    assert (result["optimum_cycle_s"], result["cycle_s"]) == (43.1, 44)
    assert (
        sum(stage["green_s"] + stage["yellow_s"] + stage["all_red_s"] for stage in result["stages"])
        == 44
    )
    assert result["plan"]["stages"][0]["groups"] == ["ns", "cross-east"]
    assert len(result["stages"][0]["mean_delay_s"]) == 2


def test_without_groups_there_is_no_plan() -> None:
    stages = [{**stage, "groups": []} for stage in JUNCTION["stages"]]

    assert "plan" not in json.loads(timed({"stages": stages}).stdout)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"stages": []}, "at least two"),
        ({"stages": [{"name": "a"}]}, "stages.0.min_green_s"),
        ({"colour": "red"}, "colour"),
        (
            {"stages": [{**stage, "flow_ratio": 0.5} for stage in JUNCTION["stages"]]},
            "either flow_ratio or movements",
        ),
        (
            {
                "stages": [
                    {"name": name, "min_green_s": 10, "flow_ratio": 0.5} for name in ("a", "b")
                ]
            },
            "oversaturated",
        ),
        ({"groups": JUNCTION["groups"][:2]}, "no signal group cross-east"),
        ({"max_cycle_s": 601}, "max_cycle_s"),
    ],
)
def test_unusable_input_is_one_clear_line_and_status_2(change: dict[str, Any], said: str) -> None:
    done = timed({**JUNCTION, **change})

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("stdin", ["", "{", "NaN", "[" * 100_000])
def test_what_is_not_json_is_refused(stdin: str) -> None:
    done = run("timing", "-", stdin=stdin)

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


@pytest.mark.parametrize(
    "arguments",
    [(), ("fly",), ("timing",), ("timing", "/nowhere/at/all.json"), ("timing", "-", "--fast")],
)
def test_bad_arguments_are_one_clear_line_and_status_2(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip().splitlines()[-1].startswith("python -m signals")


def test_help_shows_an_example() -> None:
    overview, detail = run("--help"), run("timing", "--help")

    assert overview.returncode == detail.returncode == 0
    assert "timing" in overview.stdout
    assert "python -m signals timing junction.json" in detail.stdout

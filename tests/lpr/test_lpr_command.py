"""``python -m lpr``: what it prints where, and with what status it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lpr", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        cwd=Path(__file__).parents[2],
        timeout=60,
    )


def test_a_read_is_matched_as_one_line_of_json() -> None:
    done = run("match", "blue7:京A·1Z345", "blue7:京A12345", "京AD12345", "--confidence", "0.97")

    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 1)
    assert json.loads(done.stdout) == {
        "verdict": "match",
        "candidate": {"text": "京A12345", "kind": "blue7"},
        "near": [{"text": "京A12345", "kind": "blue7", "cost": 25}],
        "band": "accept",
        "confidence": 0.97,
    }


def test_an_ambiguous_read_names_nobody_and_is_no_failure() -> None:
    done = run("match", "京A12345", "blue7:京A12345", "yellow7:京A12345", "--json")
    result = json.loads(done.stdout)

    assert (done.returncode, result["verdict"], result["candidate"]) == (0, "ambiguous", None)
    assert len(result["near"]) == 2


def test_confidences_may_be_given_for_each_character() -> None:
    done = run("match", "blue7:京A12345", "blue7:京A12345", "--confidence", "1,1,1,0.4,1,1,1")

    assert json.loads(done.stdout)["band"] == "reject"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "no command"),
        (("fly",), "unknown command"),
        (("match",), "READ"),
        (("match", "京A12345"), "CANDIDATE"),
        (("match", "京A12345", "京A12345"), "CANDIDATE 1: could be of several kinds"),
        (("match", "京A12345", "blue7:京A12345", "blue7:京AI2345"), "CANDIDATE 2"),
        (("match", "京A12345", "pink:京A12345"), "no known kind"),
        (("match", "京A12345", "blue7:京A12345", "--confidence", "high"), "--confidence"),
        (("match", "京A12345", "blue7:京A12345", "--confidence", "2"), "confidences"),
        (("match", "京A12345", "blue7:京A12345", "--confidence", "1,1"), "confidences"),
        (("match", "", "blue7:京A12345"), "text"),
    ],
)
def test_bad_arguments_are_one_clear_line_and_status_2(
    arguments: tuple[str, ...], said: str
) -> None:
    done = run(*arguments)

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr


def test_help_shows_an_example() -> None:
    done = run("match", "--help")

    assert done.returncode == 0
    assert "python -m lpr match blue7:" in done.stdout

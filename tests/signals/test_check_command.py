"""``python -m signals check``: what it prints, and with what status it ends."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from signals.commands import check
from signals.rules.model.document_writing import document_of
from signals.rules.model.sumo_export import additional_file, network_file
from tests.signals import crossroads

if TYPE_CHECKING:
    from pathlib import Path

OWN = crossroads.network()
PLAN = crossroads.plan(crossroads.case_of(OWN))
SHORT = crossroads.plan(crossroads.case_of(OWN), left_s=4)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "net.xml").write_text(network_file(OWN), encoding="utf-8")
    (tmp_path / "net.json").write_text(json.dumps(document_of(OWN, ())), encoding="utf-8")
    (tmp_path / "safe.add.xml").write_text(additional_file([PLAN]), encoding="utf-8")
    (tmp_path / "safe.json").write_text(json.dumps(document_of(None, [PLAN])), encoding="utf-8")
    (tmp_path / "short.json").write_text(json.dumps(document_of(None, [SHORT])), encoding="utf-8")
    (tmp_path / "rubbish").write_bytes(bytes(range(256)))
    return tmp_path


@pytest.mark.parametrize("plan", ["safe.add.xml", "safe.json"])
@pytest.mark.parametrize("network", ["net.xml", "net.json"])
def test_a_safe_plan_ends_with_0_in_every_format(
    files: Path, plan: str, network: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = check.run([str(files / plan), "--network", str(files / network), "--json"])
    result = json.loads(capsys.readouterr().out)

    assert status == 0
    assert (result["safe"], result["profile"], result["violations"]) == (True, "gb", [])


def test_a_violation_ends_with_1_and_names_rule_source_place_and_amount(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = check.run([str(files / "short.json"), "--network", str(files / "net.xml")])
    result = json.loads(capsys.readouterr().out)

    assert status == 1
    assert result["counts"] == {"minimum-green": 4}
    assert result["violations"][0] == {
        "rule": "minimum-green",
        "source": "common practice: 5 s",
        "junction": "crossroads",
        "plan": "day",
        "groups": ["south-left"],
        "what": "south-in left to west-out: green is too short",
        "at_s": 35.0,
        "shown": 4.0,
        "required": 5.0,
        "unit": "s",
        "short_by": 1.0,
    }


def test_changes_between_the_plans_of_a_junction_are_judged_when_asked_for(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    night = replace(crossroads.plan(crossroads.case_of(OWN), through_s=24), name="night")
    both = json.dumps(document_of(None, [PLAN, night]))
    (files / "both.json").write_text(both, encoding="utf-8")
    arguments = [str(files / "both.json"), "--network", str(files / "net.xml")]
    status = check.run([*arguments, "--changes", "dwell"])
    result = json.loads(capsys.readouterr().out)

    assert status == 0
    assert [(each["from"], each["to"], each["safe"]) for each in result["changes"]] == [
        ("day", "night", True),
        ("night", "day", True),
    ]


@pytest.mark.parametrize(
    ("plan", "network", "more", "said"),
    [
        ("safe.json", "missing.xml", (), "missing.xml: No such file"),
        ("rubbish", "net.xml", (), "rubbish: is not JSON"),
        ("safe.json", "rubbish", (), "rubbish: is not JSON"),
        ("safe.json", "safe.json", (), "no signalled junction"),
        ("net.json", "net.xml", (), "holds no plan"),
        ("safe.json", "net.xml", ("--profile", "moon"), "gb, nema, as-is"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    files: Path,
    plan: str,
    network: str,
    more: tuple[str, ...],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        check.run([str(files / plan), "--network", str(files / network), *more])
    output = capsys.readouterr()

    assert (ended.value.code, output.out, output.err.count("\n")) == (2, "", 1)
    assert said in output.err

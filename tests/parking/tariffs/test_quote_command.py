"""The commands that others script: their output, exit status and one-line errors."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from parking.commands import quote, tariff_schema
from parking.rules.tariffs.evaluation import evaluate
from parking.rules.tariffs.local_time import parse_local
from parking.rules.tariffs.model import Stay
from parking.rules.tariffs.plan import read_tariff
from parking.rules.tariffs.reasons import TEXTS

DOCUMENTS = Path(__file__).parent / "documents"
MUNICH = str(DOCUMENTS / "munich-z1.json")
GUIDE = Path(__file__).parents[3] / "docs" / "tariff.md"
MORNING = ["--enter", "2026-03-02T10:00", "--leave", "2026-03-02T10:13"]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert quote.run(arguments) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as left:
        quote.run(arguments)
    assert left.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


def test_a_quote_has_the_contracts_members(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--tariff", MUNICH, *MORNING, "--json") == {
        "total_minor": 100,
        "currency": "EUR",
        "lines": [
            {
                "from": "2026-03-02T10:00:00+01:00",
                "to": "2026-03-02T10:13:00+01:00",
                "band": "day",
                "units": 2,
                "minor": 100,
                "why": "2 started × 12 min at €0.50",
            }
        ],
    }


def test_the_night_of_the_clock_change_is_an_hour_shorter_or_longer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    spring = ["--enter", "2026-03-28T23:00", "--leave", "2026-03-29T08:00"]
    autumn = ["--enter", "2026-10-24T23:00", "--leave", "2026-10-25T08:00"]
    assert run(capsys, "--tariff", MUNICH, *spring)["total_minor"] == 8 * 200
    assert run(capsys, "--tariff", MUNICH, *autumn)["total_minor"] == 10 * 200


def test_times_may_carry_an_offset_and_another_zone(capsys: pytest.CaptureFixture[str]) -> None:
    offset = ["--enter", "2026-03-02T09:00:00Z", "--leave", "2026-03-02T09:13:00+00:00"]
    assert run(capsys, "--tariff", MUNICH, *offset)["total_minor"] == 100
    moved = run(capsys, "--tariff", MUNICH, *MORNING, "--timezone", "Asia/Shanghai")
    assert moved["lines"][0]["from"] == "2026-03-02T10:00:00+08:00"


def test_history_is_read_from_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    stays = [{"enter": "2026-03-02T06:00", "leave": "2026-03-02T09:00+08:00", "paid_minor": 5900}]
    path.write_text(json.dumps({"stays": stays}))
    harbin = ["--tariff", str(DOCUMENTS / "harbin-class-I.json"), "--history", str(path)]
    assert run(capsys, *harbin, *MORNING, "--language", "zh")["total_minor"] == 0
    longer = ["--enter", "2026-03-02T10:00", "--leave", "2026-03-02T12:00"]
    answer = run(capsys, *harbin, *longer, "--language", "zh")
    assert answer["total_minor"] == 100
    assert answer["lines"][-1]["why"] == "24小时内封顶¥60.00，其中此前停放已付¥59.00"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tariff", "nowhere.json", *MORNING], "--tariff: cannot be read"),
        (["--tariff", __file__, *MORNING], "--tariff: is not JSON"),
        (["--tariff", MUNICH, "--enter", "noon", "--leave", "2026-03-02T10:00"], "--enter: is not"),
        (
            ["--tariff", MUNICH, "--enter", "2026-03-29T02:30", "--leave", "2026-03-30T10:00"],
            "--enter: does not exist on the clocks of Europe/Berlin",
        ),
        (
            ["--tariff", MUNICH, "--enter", "2026-10-25T02:30", "--leave", "2026-10-26T10:00"],
            "--enter: happens twice on the clocks of Europe/Berlin",
        ),
        (
            ["--tariff", MUNICH, "--enter", "2026-03-02T10:00", "--leave", "2026-03-02T09:00"],
            "--leave: must not lie before the entry",
        ),
        (["--tariff", MUNICH, *MORNING, "--exempt", "queen"], "--exempt: is not exempt"),
        (["--tariff", MUNICH, *MORNING, "--vehicle", "tank"], "argument --vehicle"),
        (["--tariff", MUNICH, *MORNING, "--timezone", "Nowhere"], "--timezone: is not an IANA"),
        (["--tariff", MUNICH, *MORNING, "--history", MUNICH], "--history: must be an object"),
        (["--tariff", MUNICH, "--enter", "2026-03-02T10:00"], "required: --leave"),
    ],
)
def test_unusable_input_is_one_line_that_names_its_field(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refusal(capsys, *arguments)


def test_a_bad_tariff_is_one_line_that_names_the_field_in_the_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    document = json.loads(Path(MUNICH).read_text())
    document["schedules"][0]["bands"][0]["charge"]["steps"][0]["unit_s"] = -1
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(document))
    said = refusal(capsys, "--tariff", str(path), *MORNING)
    assert "--tariff schedules[0].bands[0].charge.steps[0].unit_s: " in said


def test_a_bad_history_names_the_stay(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    for stay, said in (
        ({"enter": "2026-03-02T10:00"}, "stays[0]: must carry enter and leave"),
        (
            {"enter": "2026-03-01T10:00", "leave": "2026-03-01T11:00", "paid_minor": 1.5},
            "stays[0].paid_minor: must be a whole number",
        ),
        (
            {"enter": "2026-03-02T09:00", "leave": "2026-03-02T10:05", "paid_minor": 1},
            "stays[0].leave: must not lie after the entry",
        ),
    ):
        path.write_text(json.dumps({"stays": [stay]}))
        assert said in refusal(capsys, "--tariff", MUNICH, *MORNING, "--history", str(path))


def test_midnight_may_be_written_as_the_end_of_the_day() -> None:
    midnight = parse_local("2026-03-02T24:00", "Europe/Berlin", "leave")
    assert midnight == parse_local("2026-03-03T00:00", "Europe/Berlin", "leave")


def test_the_schema_is_printed_as_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert tariff_schema.run([]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "TariffDocument"


def test_every_example_of_the_guide_costs_what_the_guide_says() -> None:
    text = GUIDE.read_text()
    blocks = re.findall(r"```json\n(\{.*?\n\})\n```\n\n((?:\|[^\n]*\n)+)", text, re.DOTALL)
    assert len(blocks) >= 5
    for document, table in blocks:
        tariff = read_tariff(json.loads(document))
        rows = [row.strip("|\n ").split("|") for row in table.splitlines()[2:]]
        for enter, leave, minor in ((cell.strip() for cell in row[:3]) for row in rows):
            zone = tariff.timezone
            stay = Stay(parse_local(enter, zone, "enter"), parse_local(leave, zone, "leave"))
            assert (enter, leave, evaluate(tariff, stay).total.minor) == (enter, leave, int(minor))


def test_the_guide_holds_the_schema_that_the_command_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    written = GUIDE.read_text().partition("## JSON schema")[2]
    block = re.search(r"```json\n(.*?)\n```", written, re.DOTALL)
    assert block is not None
    assert tariff_schema.run([]) == 0
    assert json.loads(block[1]) == json.loads(capsys.readouterr().out)


def test_every_reason_has_both_languages_and_the_same_holes() -> None:
    for texts in TEXTS.values():
        holes = [set(re.findall(r"\{(\w+)\}", texts[language])) for language in ("en", "zh")]
        assert holes[0] == holes[1]

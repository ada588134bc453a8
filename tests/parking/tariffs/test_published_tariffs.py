"""Every fee that cities published, through the command, under our own restatement of the rule."""

import json
import os
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from parking.commands import quote

DOCUMENTS = Path(__file__).parent / "documents"
MONDAY = date(2026, 3, 2)


def published() -> Iterator[Any]:
    folder = os.environ.get("GREENBAY_DATA")
    if folder is None:
        reason = "GREENBAY_DATA names no folder with the published tariffs"
        yield pytest.param("", {}, marks=pytest.mark.skip(reason=reason))
        return
    path = Path(folder) / "tariffs" / "published_tariffs.json"
    for rule in json.loads(path.read_text())["fee_rules"]:
        for number, case in enumerate(rule["cases"]):
            yield pytest.param(rule["id"], case, id=f"{rule['id']}-{number}")


def local(text: str) -> str:
    """Give the time of a case, such as 07:00+1 or 24:00, on the test's Monday."""
    clock, _, days = text.partition("+")
    hours, minutes = map(int, clock.split(":"))
    at = datetime.combine(MONDAY, datetime.min.time())
    return (at + timedelta(days=int(days or 0), hours=hours, minutes=minutes)).isoformat()


@pytest.mark.parametrize(("rule", "case"), list(published()))
def test_a_published_fee_is_reproduced_to_the_minor_unit(
    rule: str, case: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    if "minutes" in case:
        enter = local("09:00")
        leave = (datetime.fromisoformat(enter) + timedelta(minutes=case["minutes"])).isoformat()
    else:
        enter, leave = local(case["enter"]), local(case["leave"])
    arguments = ["--tariff", str(DOCUMENTS / f"{rule}.json"), "--enter", enter, "--leave", leave]
    if case.get("nev"):
        arguments += ["--energy", "new"]
    if "exempt" in case:
        arguments += ["--exempt", case["exempt"]]
    assert quote.run(arguments) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["total_minor"] == Decimal(str(case["fee"])) * 100
    assert sum(line["minor"] for line in answer["lines"]) == answer["total_minor"]
    if "uncapped" in case:
        charged = sum(line["minor"] for line in answer["lines"] if line["minor"] > 0)
        assert charged == Decimal(str(case["uncapped"])) * 100

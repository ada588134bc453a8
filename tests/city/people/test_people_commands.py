"""The commands of people, audit and vault: JSON on stdout, one clear line on bad input."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from city import audit, vault
from city.audit import commands as audit_commands
from city.command_line import run_room
from city.people import SYSTEM, Role, commands, services
from city.vault import commands as vault_commands
from city.vault import key_source
from city.vehicles import PlateKind, parse_plate
from city.works.settings import settings

if TYPE_CHECKING:
    from types import ModuleType

    from city.works.database import Database

pytestmark = pytest.mark.usefixtures("quick_hashes")
ROOT = Path(__file__).resolve().parents[3]


class Shell:
    """Runs commands in this process against the test's database."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def run(self, room: ModuleType, *arguments: str, status: int = 0) -> list[dict[str, Any]]:
        """Run a command; give the JSON lines of its stdout."""
        try:
            given = run_room(room, arguments)
        except SystemExit as leaving:
            given = int(leaving.code or 0)
        self.said = self._capsys.readouterr()
        assert given == status, self.said.err
        return [json.loads(line) for line in self.said.out.splitlines()]


@pytest.fixture
def shell(
    people: Database,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Shell:
    """Give a shell whose commands find the test's database."""
    assert people.engine.url.database is not None
    monkeypatch.setenv("DATABASE_URL", database_url)
    settings.cache_clear()
    return Shell(capsys)


def test_an_account_made_on_the_command_line_logs_in(people: Database, shell: Shell) -> None:
    (made,) = shell.run(
        commands,
        "create-account",
        "--login",
        "lin.mei",
        "--name",
        "Lin",
        "--roles",
        "finance,auditor",
    )
    with people.unit_of_work() as uow:
        grant = services.log_in(uow, "lin.mei", made["password"], "203.0.113.7")
    assert grant.actor.roles == frozenset({Role.FINANCE, Role.AUDITOR})
    assert made["account_id"] == grant.actor.subject


def test_a_password_can_come_from_standard_input_and_is_not_shown(
    people: Database, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("river willow 27\n"))
    (made,) = shell.run(
        commands,
        *("create-account", "--login", "lin", "--name", "Lin", "--roles", "finance"),
        *("--districts", "0153", "--password-stdin"),
    )
    assert set(made) == {"account_id", "login"}
    with people.unit_of_work() as uow:
        grant = services.log_in(uow, "lin", "river willow 27", "203.0.113.7")
    assert grant.actor.districts == frozenset({"0153"})


def test_tokens_are_issued_listed_and_revoked(people: Database, shell: Shell) -> None:
    (issued,) = shell.run(
        commands,
        *("issue-token", "--kind", "integration", "--subject", "ttn", "--days", "30000"),
        *("--districts", "0153,0154"),
    )
    with people.read() as connection:
        assert services.token_actor(connection, issued["token"]) is not None
    (listed,) = shell.run(commands, "list", "--json")
    assert (listed["kind"], listed["subject"], listed["districts"]) == (
        "integration",
        "ttn",
        ["0153", "0154"],
    )
    assert issued["token"] not in json.dumps(listed)
    shell.run(commands, "revoke-token", listed["credential_id"])
    with people.read() as connection:
        assert services.token_actor(connection, issued["token"]) is None
    assert shell.run(commands, "list") == []
    assert len(shell.run(commands, "list", "--all")) == 1


def test_an_account_is_disabled_and_enabled_again(shell: Shell) -> None:
    (made,) = shell.run(
        commands, "create-account", "--login", "lin", "--name", "Lin", "--roles", "finance"
    )
    shell.run(commands, "disable-account", made["account_id"])
    assert shell.run(commands, "list") == []
    shell.run(commands, "disable-account", "--undo", made["account_id"])
    (listed,) = shell.run(commands, "list")
    assert (listed["login"], listed["disabled_at"]) == ("lin", None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["create-account", "--login", "x", "--name", "L", "--roles", "finance"], "login"),
        (["create-account", "--login", "lin", "--name", "L", "--roles", "king"], "roles"),
        (["issue-token", "--kind", "king", "--subject", "x"], "kind"),
        (["issue-token", "--kind", "device", "--subject", "x", "--days", "0"], "days"),
        (["revoke-token", "7"], "ID"),
        (["revoke-token", "01933f00-0000-7000-8000-000000000001"], "no such credential"),
        (["disable-account", "01933f00-0000-7000-8000-000000000001"], "no such account"),
        (["crown"], "unknown command"),
    ],
)
def test_bad_input_is_one_clear_line_and_status_two(
    shell: Shell, arguments: list[str], said: str
) -> None:
    assert shell.run(commands, *arguments, status=2) == []
    assert said in shell.said.err
    assert shell.said.err.count("\n") == 1


def test_the_chain_is_checked_and_exported(people: Database, shell: Shell) -> None:
    with people.unit_of_work() as uow:
        audit.record_all(
            uow, SYSTEM, "parking.device_placed", "device", {str(n): {"n": n} for n in range(3)}
        )
    with people.unit_of_work() as uow:
        audit.seal(uow)
    (report,) = shell.run(audit_commands, "verify")
    assert (report["whole"], report["checked"], report["unsealed"]) == (True, 3, 0)
    (report,) = shell.run(audit_commands, "verify", "--head", report["head"])
    assert report["whole"]
    assert [line["number"] for line in shell.run(audit_commands, "export", "--after", "1")] == [
        2,
        3,
    ]
    shell.run(audit_commands, "verify", "--head", "x", status=2)
    (report,) = shell.run(audit_commands, "verify", "--head", f"2:{'00' * 32}", status=1)
    assert report["problems"] == [{"kind": "anchor_not_found", "number": 2, "record_id": None}]
    with people.unit_of_work() as uow:
        uow.connection.execute(text("alter table audit.record disable trigger user"))
        uow.connection.execute(text("update audit.record set subject_id = 'x'"))
    (report,) = shell.run(audit_commands, "verify", status=1)
    assert (report["first_broken"], len(report["problems"])) == (1, 3)


def test_keys_are_rotated_and_dropped(
    people: Database, shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VAULT_KEYS", "")
    monkeypatch.setenv("GREENBAY_VAR", str(tmp_path))
    settings.cache_clear()
    key_source.cache_clear()
    plate = parse_plate("京A12345", PlateKind.BLUE7)
    with people.unit_of_work() as uow:
        vehicle_id = vault.keep_plate(uow, plate)
    assert shell.run(vault_commands, "rotate", "--drop-retired") == [
        {"step": "begun", "current": 2},
        {"step": "carried", "current": 2, "carried": 1, "left": 0, "retired": [1]},
        {"step": "dropped", "versions": [1]},
    ]
    assert shell.run(vault_commands, "rotate", "--no-fresh-key")[0]["carried"] == 0
    with people.unit_of_work() as uow:
        assert vault.reveal(uow, SYSTEM, [vehicle_id], "check") == {vehicle_id: plate}


@pytest.mark.parametrize(
    "room",
    [
        "city.people create-account",
        "city.people issue-token",
        "city.people revoke-token",
        "city.people disable-account",
        "city.people list",
        "city.audit verify",
        "city.audit export",
        "city.vault rotate",
    ],
)
def test_help_shows_an_example(capsys: pytest.CaptureFixture[str], room: str) -> None:
    name, _, command = room.partition(" ")
    packages = {"city.people": commands, "city.audit": audit_commands, "city.vault": vault_commands}
    with pytest.raises(SystemExit) as leaving:
        run_room(packages[name], [command, "--help"])
    assert leaving.value.code == 0
    assert f"example:\n  python -m {room}" in capsys.readouterr().out


def test_a_command_without_a_system_says_so(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "city.people", "list"],
        cwd=ROOT,
        env={"GREENBAY_VAR": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith("python -m city.people list: Greenbay is not running here")

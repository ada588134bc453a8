"""``create-account``: an account for a member of staff."""

import secrets
import sys
from collections.abc import Sequence

from city.command_line import CommandLine
from city.people import Role
from city.people.actors import system_actor
from city.people.passwords import LONGEST
from city.people.services import create_account
from city.works.command_database import command_database, who_types

SUMMARY = "make an account for a member of staff"
_GENERATED_BYTES = 15


def run(arguments: Sequence[str]) -> int:
    """Print the new account, with its password where that was generated."""
    line = CommandLine(
        "city.people",
        "create-account",
        "Make an account. Without --password-stdin a password is generated and shown once.",
        "python -m city.people create-account --login lin.mei --name 'Lin Mei' --roles attendant",
    )
    line.add_argument("--login", required=True, metavar="LOGIN")
    line.add_argument("--name", required=True, metavar="NAME")
    line.add_argument("--roles", required=True, metavar="ROLE[,ROLE]", help=", ".join(Role))
    line.add_argument(
        "--districts", metavar="CODE[,CODE]", help="where they may act; all if absent"
    )
    line.add_argument(
        "--password-stdin", action="store_true", help="read the password from standard input"
    )
    given = line.parse_args(arguments)
    if given.password_stdin:
        password = sys.stdin.readline(LONGEST + 2).rstrip("\r\n")
    else:
        password = secrets.token_urlsafe(_GENERATED_BYTES)
    districts = None if given.districts is None else given.districts.split(",")
    with command_database() as database, database.unit_of_work() as uow:
        account_id = create_account(
            uow,
            given.login,
            given.name,
            given.roles.split(","),
            password,
            districts=districts,
            by=system_actor(f"command line, {who_types()}"),
        )
    answer: dict[str, object] = {"account_id": str(account_id), "login": given.login}
    line.answer(answer if given.password_stdin else answer | {"password": password})
    return 0

"""``disable-account``: an account that nobody logs in to any more."""

from collections.abc import Sequence

from city.command_line import CommandLine
from city.identifiers import AccountId, parse_id
from city.people.actors import system_actor
from city.people.services import disable_account, enable_account
from city.works.command_database import command_database, who_types

SUMMARY = "disable an account by its id, or enable it again"


def run(arguments: Sequence[str]) -> int:
    """Print what was changed."""
    line = CommandLine(
        "city.people",
        "disable-account",
        "Disable an account: no log-in, its sessions ended, its tokens revoked.",
        "python -m city.people disable-account 01933f00-0000-7000-8000-000000000001",
    )
    line.add_argument("account_id", metavar="ID")
    line.add_argument("--undo", action="store_true", help="enable it again")
    given = line.parse_args(arguments)
    account_id = AccountId(parse_id(given.account_id, "ID"))
    change = enable_account if given.undo else disable_account
    with command_database() as database, database.unit_of_work() as uow:
        change(uow, account_id, by=system_actor(f"command line, {who_types()}"))
    line.answer({"account_id": str(account_id), "disabled": not given.undo})
    return 0

"""``list``: accounts of staff and credentials."""

from collections.abc import Sequence
from datetime import datetime

from city.command_line import CommandLine
from city.people.services import accounts, credentials
from city.time import rfc3339
from city.works.command_database import command_database

SUMMARY = "list accounts of staff and credentials in force"


def _at(instant: datetime | None) -> str | None:
    return None if instant is None else rfc3339(instant)


def run(arguments: Sequence[str]) -> int:
    """Print a line for each account, then for each credential; drivers are not listed."""
    line = CommandLine(
        "city.people",
        "list",
        "List accounts of staff and credentials, a JSON object a line. Drivers are not listed.",
        "python -m city.people list --all",
    )
    line.add_argument("--all", action="store_true", help="also what is disabled or revoked")
    given = line.parse_args(arguments)
    with command_database() as database, database.read() as connection:
        people = accounts(connection)
        issued = credentials(connection, live_only=not given.all)
    for account in people:
        if given.all or account.disabled_at is None:
            line.answer(
                {
                    "what": "account",
                    "account_id": str(account.account_id),
                    "login": account.login,
                    "name": account.name,
                    "roles": sorted(account.roles),
                    "districts": None if account.districts is None else sorted(account.districts),
                    "created_at": _at(account.created_at),
                    "disabled_at": _at(account.disabled_at),
                }
            )
    for one in issued:
        line.answer(
            {
                "what": "credential",
                "credential_id": str(one.credential_id),
                "kind": one.kind,
                "subject": one.subject,
                "roles": sorted(one.roles),
                "districts": None if one.districts is None else sorted(one.districts),
                "created_at": _at(one.created_at),
                "expires_at": _at(one.expires_at),
                "revoked_at": _at(one.revoked_at),
            }
        )
    return 0

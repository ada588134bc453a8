"""``issue-token``: a token for an integration, a device or a script."""

from collections.abc import Sequence
from datetime import timedelta

from city.command_line import CommandLine
from city.people.actors import system_actor
from city.people.credentials import PREFIXES
from city.people.services import issue_token
from city.works.command_database import command_database, who_types

SUMMARY = "issue a token to an integration, a device or an account's script"


def run(arguments: Sequence[str]) -> int:
    """Print the token; it is shown here once and kept nowhere."""
    line = CommandLine(
        "city.people",
        "issue-token",
        "Issue a token. It is shown once; what is kept is its SHA-256.",
        "python -m city.people issue-token --kind integration --subject ttn --districts 0153",
    )
    line.add_argument("--kind", required=True, choices=sorted(PREFIXES))
    line.add_argument(
        "--subject", required=True, metavar="NAME", help="of kind api: the account's id"
    )
    line.add_argument("--roles", default="", metavar="ROLE[,ROLE]", help="of kind api: which")
    line.add_argument("--districts", metavar="CODE[,CODE]", help="where it holds; all if absent")
    line.add_argument(
        "--days", type=int, metavar="N", help="valid for N days; without end if absent"
    )
    given = line.parse_args(arguments)
    if given.days is not None and not 1 <= given.days <= 36_500:  # noqa: PLR2004 - a century
        line.error("argument --days: must be 1 to 36500")
    with command_database() as database, database.unit_of_work() as uow:
        token = issue_token(
            uow,
            given.kind,
            given.subject,
            [role for role in given.roles.split(",") if role],
            None if given.districts is None else given.districts.split(","),
            expires_at=None if given.days is None else uow.wall.now() + timedelta(days=given.days),
            by=system_actor(f"command line, {who_types()}"),
        )
    line.answer({"kind": given.kind, "subject": given.subject, "token": token})
    return 0

"""``check-balances``: the sums that balances are made of against all postings."""

from collections.abc import Sequence
from typing import Final

from city.command_line import CommandLine
from city.people.actors import system_actor
from city.works.command_database import command_database, who_types
from payments import balances

SUMMARY: Final = "hold the sums that balances are made of against the postings"

_EXAMPLE: Final = "python -m payments check-balances --whole"


def run(arguments: Sequence[str]) -> int:
    """Print the report; 1 where a sum is not what is posted."""
    line = CommandLine("payments", "check-balances", SUMMARY, _EXAMPLE)
    line.add_argument(
        "--whole",
        action="store_true",
        help="add up every posting, also those of closed periods",
    )
    line.add_argument(
        "--rebuild",
        action="store_true",
        help="make the sums anew from the postings first; nobody posts meanwhile",
    )
    given = line.parse_args(arguments)
    actor = system_actor(f"command line, {who_types()}")
    with command_database() as database:
        if given.rebuild:
            with database.unit_of_work() as uow:
                balances.rebuild(uow, actor)
        with database.unit_of_work() as uow:
            report = dict(balances.check(uow, actor, whole=given.whole).summary)
    line.answer({**report, "rebuilt": given.rebuild})
    return 1 if report["differences"] else 0

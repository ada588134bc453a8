"""``verify``: whether anybody has touched the record."""

from collections.abc import Sequence
from dataclasses import asdict

from city.audit.chain import Anchor, verify
from city.command_line import CommandLine
from city.time import rfc3339
from city.works.command_database import command_database

SUMMARY = "check the hash chain over the audit record"


def run(arguments: Sequence[str]) -> int:
    """Print the report; give 1 where anything is wrong."""
    line = CommandLine(
        "city.audit",
        "verify",
        "Check the hash chain. Exit status 1 where a record was changed, removed or slipped in, or "
        "where the chain does not hold a link that was noted down (the sealer logs them).",
        "python -m city.audit verify --head 1200:5e0c…",
    )
    line.add_argument("--head", metavar="NUMBER:HASH", help="a link that the chain has to hold")
    given = line.parse_args(arguments)
    anchor = None if given.head is None else Anchor.parse(given.head)
    with command_database() as database, database.read() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ")
        report = verify(connection, anchor)
    oldest = report.oldest_unsealed_at
    line.answer(
        {
            "whole": report.is_whole,
            "checked": report.checked,
            "head": None if report.head is None else str(report.head),
            "first_broken": report.first_broken,
            "problems": [asdict(problem) for problem in report.problems],
            "unsealed": report.unsealed,
            "oldest_unsealed_at": None if oldest is None else rfc3339(oldest),
        }
    )
    return 0 if report.is_whole else 1

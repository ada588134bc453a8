"""``export``: the record with its chain, for others to keep and check."""

from collections.abc import Sequence

from city.audit.chain import chain_lines
from city.command_line import CommandLine
from city.works.command_database import command_database

SUMMARY = "write the sealed record, a JSON object a line"


def run(arguments: Sequence[str]) -> int:
    """Print the chain, a link a line."""
    line = CommandLine(
        "city.audit",
        "export",
        "Write the sealed record in order. Of each line, SHA-256 over the bytes of `previous_hash` "
        "and the text of `sealed` is `hash`.",
        "python -m city.audit export --after 1200 > audit.jsonl",
    )
    line.add_argument("--after", type=int, default=0, metavar="NUMBER", help="only later links")
    given = line.parse_args(arguments)
    with command_database() as database, database.read() as connection:
        for found in chain_lines(connection, given.after):
            line.answer(found)
    return 0

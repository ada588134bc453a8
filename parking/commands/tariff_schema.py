"""``tariff-schema``: the JSON schema of the tariff language."""

from collections.abc import Sequence

from parking.commands import CommandLine
from parking.rules.tariffs.reading import document_json_schema

SUMMARY = "print the JSON schema of the tariff language"


def run(arguments: Sequence[str]) -> int:
    """Print the schema; 2 on a bad argument."""
    line = CommandLine(
        "tariff-schema",
        "Print the JSON schema of the tariff language; docs/tariff.md explains it.",
        "python -m parking tariff-schema",
    )
    line.parse_args(arguments)
    line.answer(document_json_schema())
    return 0

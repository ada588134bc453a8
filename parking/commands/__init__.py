"""The room's command line: one module a command.

A module `parking/commands/NAME.py` is the command ``python -m parking NAME`` (underscores become
hyphens): it has a `SUMMARY`, one line for the overview, and `run(arguments) -> int`, which
prints its result as JSON to stdout, messages to stderr, and returns the exit status.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from typing import NoReturn


class CommandLine(argparse.ArgumentParser):
    """The arguments of one command: a bad one is one clear line on stderr and exit status 2.

    Parameters
    ----------
    name : str
        The command, as typed.
    summary : str
        What it does.
    example : str
        A command line that works, shown by ``--help``.
    """

    def __init__(self, name: str, summary: str, example: str) -> None:
        super().__init__(
            prog=f"python -m parking {name}",
            description=summary,
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self.add_argument("--json", action="store_true", help="accepted: the result is JSON anyway")

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line and leave with status 2."""
        self.exit(2, f"{self.prog}: {' '.join(message.split())}\n")

    def say(self, message: str) -> None:
        """Tell the user something, in one line on stderr."""
        sys.stderr.write(f"{self.prog}: {' '.join(message.split())}\n")

    def answer(self, result: Mapping[str, object]) -> None:
        """Print a result, one JSON object a line, to stdout."""
        sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")

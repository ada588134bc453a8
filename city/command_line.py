"""The command line of a room: ``python -m ROOM COMMAND``, one module a command.

A module ``ROOM/commands/NAME.py`` is the command ``NAME`` (underscores become hyphens): it has a
``SUMMARY``, one line for the overview, and ``run(arguments) -> int``. The contract of every
command is here once: result to stdout as JSON and nothing else there, messages to stderr, exit
status 0 on success, 1 on violations or failure, 2 with one clear line on bad input.
"""

import argparse
import ctypes
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import NoReturn

from pydantic import JsonValue

from city.errors import CityError

_BAD_INPUT = 2
_MOST_BYTES = 16 * 1024 * 1024


class CommandLine(argparse.ArgumentParser):
    """The arguments and the answers of one command.

    Parameters
    ----------
    room, name : str
        The room and the command, as typed.
    summary : str
        What it does.
    example : str
        A command line that works, shown by ``--help``.
    """

    def __init__(self, room: str, name: str, summary: str, example: str) -> None:
        super().__init__(
            prog=f"python -m {room} {name}",
            description=summary,
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        # Names of roads and lanes begin with a dash in SUMO, where they go the other way; argparse
        # takes what matches this for a value unless it is an option.
        self._negative_number_matcher = re.compile("-[^-]")
        self.add_argument("--json", action="store_true", help="accepted: the result is JSON anyway")

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line and leave with status 2."""
        self.exit(_BAD_INPUT, f"{self.prog}: {' '.join(message.split())}\n")

    def answer(self, result: Mapping[str, object]) -> None:
        """Print one result as a line of JSON to stdout."""
        sys.stdout.write(json.dumps(result, ensure_ascii=False, allow_nan=False) + "\n")

    @staticmethod
    @contextmanager
    def libraries_to_stderr() -> Iterator[None]:
        """Send what C libraries print meanwhile to stderr: solvers drop a word now and then."""
        sys.stdout.flush()
        kept = os.dup(1)
        os.dup2(2, 1)
        try:
            yield
        finally:
            # What C keeps in its buffers would come out later, beside the answer.
            ctypes.CDLL(None).fflush(None)
            os.dup2(kept, 1)
            os.close(kept)

    def read_json(self, name: str) -> JsonValue:
        """Read a JSON file (``-``: standard input); leave with status 2 where it cannot be read.

        NaN and infinities, which JSON does not have, and files above 16 MiB are refused.
        """
        content = self.read_bytes(name)
        try:
            value: JsonValue = json.loads(content, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            self.error(f"{name}: is not JSON ({error})")
        return value

    def read_bytes(self, name: str, most_bytes: int = _MOST_BYTES) -> bytes:
        """Read a file (``-``: standard input); leave with status 2 where it cannot be read.

        Parameters
        ----------
        name : str
        most_bytes : int
            A file above this size is refused, before it is read whole.
        """
        try:
            if name == "-":
                content = sys.stdin.buffer.read(most_bytes + 1)
            else:
                with Path(name).open("rb") as file:
                    content = file.read(most_bytes + 1)
        except (OSError, ValueError) as error:
            self.error(f"{name}: {getattr(error, 'strerror', None) or error}")
        if len(content) > most_bytes:
            self.error(f"{name}: is larger than {most_bytes // (1024 * 1024)} MiB")
        return content


def run_room(commands: ModuleType, arguments: Sequence[str]) -> int:
    """Find a room's command, run it and give its exit status.

    A ``CityError`` that a command lets through is one line on stderr and status 2.

    Parameters
    ----------
    commands : ModuleType
        The package that holds the room's commands.
    arguments : Sequence of str
        What was typed after ``python -m ROOM``.
    """
    room = commands.__name__.rpartition(".")[0]
    found = sorted(module.name for module in iter_modules(commands.__path__))
    paths = {name.replace("_", "-"): f"{commands.__name__}.{name}" for name in found}
    if arguments and arguments[0] in {"-h", "--help"}:
        lines = [f"  {name:20} {import_module(path).SUMMARY}" for name, path in paths.items()]
        usage = f"usage: python -m {room} COMMAND [--help]"
        example = f"example:\n  python -m {room} {next(iter(paths))} --help"
        sys.stdout.write("\n".join((usage, "", *lines, "", example)) + "\n")
        return 0
    if not arguments or arguments[0] not in paths:
        given = f"unknown command {arguments[0]!r}" if arguments else "no command"
        sys.stderr.write(f"python -m {room}: {given}; known: {', '.join(paths)}\n")
        return _BAD_INPUT
    try:
        status: int = import_module(paths[arguments[0]]).run(arguments[1:])
    except CityError as error:
        sys.stderr.write(f"python -m {room} {arguments[0]}: {' '.join(str(error).split())}\n")
        return _BAD_INPUT
    return status


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")

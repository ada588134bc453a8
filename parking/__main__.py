"""``python -m parking COMMAND``: find the command's module and run it."""

import sys
from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules

from parking import commands

_USAGE = "usage: python -m parking COMMAND [--help]"
_EXAMPLE = "example:\n  python -m parking decode --device bosch-tps110 --port 1 01"


def _names() -> dict[str, str]:
    found = sorted(module.name for module in iter_modules(commands.__path__))
    return {name.replace("_", "-"): f"{commands.__name__}.{name}" for name in found}


def main(arguments: Sequence[str]) -> int:
    """Run a command; return its exit status, 2 where there is no such command."""
    names = _names()
    if arguments and arguments[0] in ("-h", "--help"):
        lines = [f"  {name:20} {import_module(path).SUMMARY}" for name, path in names.items()]
        print("\n".join((_USAGE, "", *lines, "", _EXAMPLE)))
        return 0
    if not arguments or arguments[0] not in names:
        given = f"unknown command {arguments[0]!r}" if arguments else "no command"
        print(f"python -m parking: {given}; known: {', '.join(names)}", file=sys.stderr)
        return 2
    status: int = import_module(names[arguments[0]]).run(arguments[1:])
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

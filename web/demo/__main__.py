"""`python -m web.demo prepare | live`: set the demo city up; let it live.

The supervisor runs the first before the processes start and the second beside them.
"""

from __future__ import annotations

import argparse
import sys

from city.errors import CityError
from city.time import WallClock
from city.works.logs import configure_logs
from city.works.settings import settings

EXAMPLE = "example: python -m web.demo prepare"


def _prepare() -> int:
    from web.demo.prepare import prepare  # noqa: PLC0415 - a living city needs none of it

    print(prepare(settings(), WallClock()))
    return 0


def _live() -> int:
    from web.demo.live import live  # noqa: PLC0415 - setting up needs no broker

    return live()


COMMANDS = {"prepare": _prepare, "live": _live}


def main() -> int:
    """Run a command; 1 with one clear line where it cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m web.demo", description=__doc__, epilog=EXAMPLE)
    parser.add_argument("command", choices=COMMANDS, help="what to do")
    wanted: str = parser.parse_args().command
    configure_logs(settings().log_level, process="demo")
    try:
        return COMMANDS[wanted]()
    except CityError as error:
        print(f"the demo city cannot {wanted}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())

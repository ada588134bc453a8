"""``python -m city.audit COMMAND``: find the command's module and run it."""

import sys

from city.audit import commands
from city.command_line import run_room

if __name__ == "__main__":
    sys.exit(run_room(commands, sys.argv[1:]))

"""``python -m payments COMMAND``: find the command's module and run it."""

import sys

from city.command_line import run_room
from payments import commands

if __name__ == "__main__":
    sys.exit(run_room(commands, sys.argv[1:]))

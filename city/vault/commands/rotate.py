"""``rotate``: a fresh key, and every row carried over to it."""

from collections.abc import Sequence

from city.command_line import CommandLine
from city.vault.rotation import begin_rotation, drop_retired, rotate
from city.works.command_database import command_database

SUMMARY = "rotate the vault's keys"
_BATCH = 1_000


def run(arguments: Sequence[str]) -> int:
    """Print what was done, a line a step."""
    line = CommandLine(
        "city.vault",
        "rotate",
        "Begin a fresh key and carry every plate over to it. Old keys retire when no row needs "
        "them, and stay in the key ring for backups made before until --drop-retired.",
        "python -m city.vault rotate",
    )
    line.add_argument("--no-fresh-key", action="store_true", help="only carry over to the current")
    line.add_argument(
        "--drop-retired",
        action="store_true",
        help="then take retired keys out of the ring: older backups cannot be read any more",
    )
    given = line.parse_args(arguments)
    with command_database() as database:
        if not given.no_fresh_key:
            with database.unit_of_work() as uow:
                line.answer({"step": "begun", "current": begin_rotation(uow)})
        while True:
            with database.unit_of_work() as uow:
                report = rotate(uow, _BATCH)
            line.answer(
                {
                    "step": "carried",
                    "current": report.current,
                    "carried": report.carried,
                    "left": report.left,
                    "retired": list(report.retired),
                }
            )
            if report.carried < _BATCH:
                break
        if given.drop_retired:
            with database.unit_of_work() as uow:
                line.answer({"step": "dropped", "versions": list(drop_retired(uow))})
    return 0

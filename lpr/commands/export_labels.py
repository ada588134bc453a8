"""``export-labels``: reads that people looked at, as a labelled set to learn and to judge by."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import JsonValue

from city.command_line import CommandLine
from city.errors import Forbidden, Invalid
from city.people import Role
from city.people.credentials import token_actor
from city.works.command_database import command_database
from city.works.database import Database
from lpr.services.labelled_set import checked_reason, note_export, opened
from lpr.vision.labelled_files import LabelledFolder

SUMMARY = "write the reads that people looked at as a labelled set"

_EXAMPLE = (
    "python -m lpr export-labels --out labelled/ --token-file operator.token "
    "--reason 'tune the recogniser'\n"
    "  python -m lpr evaluate labelled/manifest.csv --form crop"
)


def run(arguments: Sequence[str]) -> int:
    """Write the set, print its card; return 0."""
    line = CommandLine("lpr", "export-labels", SUMMARY, _EXAMPLE)
    line.add_argument(
        "--out",
        metavar="FOLDER",
        required=True,
        help="new, or an earlier set: then it is brought up to date, and what is not kept deleted",
    )
    line.add_argument(
        "--token-file", metavar="FILE", required=True, help="an operator's API token (gba_…)"
    )
    line.add_argument("--reason", required=True, metavar="TEXT", help="why; it goes on record")
    given = line.parse_args(arguments)
    try:
        token = Path(given.token_file).read_text("ascii").strip()
    except (OSError, ValueError):
        raise Invalid("cannot be read", field="--token-file") from None
    with command_database() as database:
        line.answer(exported(database, token, given.reason, Path(given.out)))
    return 0


def exported(database: Database, token: str, reason: str, folder: Path) -> dict[str, JsonValue]:
    """Write what a token's owner may open to a folder; give its card.

    Raises
    ------
    Forbidden
        Where the token is not an operator's.
    Invalid
        On a reason that is none, or a folder of something else.
    """
    why = checked_reason(reason)
    with database.read() as connection:
        actor = token_actor(connection, token)
    if actor is None:
        raise Forbidden("the token is nobody's in force")
    actor.require(Role.OPERATOR)
    files = LabelledFolder(folder)
    after, more = None, True
    while more:
        with database.unit_of_work() as uow:
            page = opened(uow, actor, why, after=after)
        for each in page.items:
            files.add(each)
        after, more = page.last, page.last is not None
    with database.unit_of_work() as uow:
        card = files.finish(uow.clock.now(), why)
        note_export(
            uow,
            actor,
            why,
            manifest_sha256=str(card["manifest_sha256"]),
            pictures=int(str(card["pictures"])),
        )
    return card

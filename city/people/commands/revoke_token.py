"""``revoke-token``: a credential opens nothing any more."""

from collections.abc import Sequence

from city.command_line import CommandLine
from city.identifiers import CredentialId, parse_id
from city.people.actors import system_actor
from city.people.services import revoke_token
from city.works.command_database import command_database, who_types

SUMMARY = "revoke a token by its credential's id (see list)"


def run(arguments: Sequence[str]) -> int:
    """Print what was revoked."""
    line = CommandLine(
        "city.people",
        "revoke-token",
        "Revoke a token by the id of its credential, as `list` shows it.",
        "python -m city.people revoke-token 01933f00-0000-7000-8000-000000000001",
    )
    line.add_argument("credential_id", metavar="ID")
    given = line.parse_args(arguments)
    credential_id = CredentialId(parse_id(given.credential_id, "ID"))
    with command_database() as database, database.unit_of_work() as uow:
        revoke_token(uow, credential_id, by=system_actor(f"command line, {who_types()}"))
    line.answer({"credential_id": str(credential_id), "revoked": True})
    return 0
